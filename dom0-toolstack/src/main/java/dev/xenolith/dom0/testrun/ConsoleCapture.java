package dev.xenolith.dom0.testrun;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** What a guest has said: all of it, as long as it is not too much; else the last of it. Not thread-safe. */
final class ConsoleCapture {
    /** So much is kept, in characters; half of it goes when it is full. */
    static final int CAPACITY = 4 << 20;
    /** Longest line that a pattern is tried on. */
    private static final int MAX_LINE = 64 << 10;

    private final StringBuilder text = new StringBuilder();
    private int scanned;
    private long dropped;

    /** Adds bytes, each of which is a character. */
    void add(byte[] bytes, int offset, int length) {
        text.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
        if (text.length() > CAPACITY) {
            int cut = text.length() - CAPACITY / 2;
            text.delete(0, cut);
            scanned = Math.max(0, scanned - cut);
            dropped += cut;
        }
    }

    /** Whether a line that has not been looked at yet, or the line that is still being written, has a match. */
    boolean finds(Pattern pattern) {
        int end;
        while ((end = text.indexOf("\n", scanned)) >= 0) {
            String line = line(scanned, end);
            scanned = end + 1;
            if (pattern.matcher(line).find()) {
                return true;
            }
        }
        return scanned < text.length() && pattern.matcher(line(scanned, text.length())).find();
    }

    private String line(int from, int to) {
        return text.substring(from, Math.min(to, from + MAX_LINE)).replace("\r", "");
    }

    /** The lines, without what ends them. */
    List<String> lines() {
        return new ArrayList<>(text.toString().replace("\r", "").lines().toList());
    }

    /** The last line in which there is something. */
    String lastLine() {
        List<String> lines = lines();
        for (int i = lines.size() - 1; i >= 0; i--) {
            if (!lines.get(i).isBlank()) {
                return lines.get(i).strip();
            }
        }
        return "";
    }

    /** Everything that is kept; the first line says so if that is not all. */
    @Override
    public String toString() {
        String kept = text.toString().replace("\r", "");
        return dropped == 0 ? kept : "[" + dropped + " characters before this are not kept]\n" + kept;
    }
}
