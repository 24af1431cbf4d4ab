package dev.xenolith.dom0.config;

import java.util.Collection;
import java.util.Optional;

/** "Did you mean": the nearest of a set of words. */
public final class Suggestions {
    private Suggestions() {
    }

    /**
     * Finds the word nearest to what was written, if it is near enough to be meant: at most one change of a letter in
     * three (a letter inserted, left out or replaced, or two neighbours exchanged).
     */
    public static Optional<String> nearest(String written, Collection<String> words) {
        int best = Math.max(1, written.length() / 3) + 1;
        Optional<String> nearest = Optional.empty();
        for (String word : words) {
            int distance = distance(written, word);
            if (distance < best) {
                best = distance;
                nearest = Optional.of(word);
            }
        }
        return nearest;
    }

    /** Returns the number of changes that make one word of the other (optimal string alignment distance). */
    static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            d[i][0] = i;
        }
        for (int j = 0; j <= b.length(); j++) {
            d[0][j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            for (int j = 1; j <= b.length(); j++) {
                int replace = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replace, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
