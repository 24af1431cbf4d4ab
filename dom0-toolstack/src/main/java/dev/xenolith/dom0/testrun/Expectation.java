package dev.xenolith.dom0.testrun;

import dev.xenolith.dom0.xl.ShutdownReason;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/** What a guest has to say or do to pass. A domain's configuration names it in a comment, {@code # xenolith test: verdict}. */
public sealed interface Expectation {
    /** Returns the words that {@link #parse} takes. */
    String words();

    /** The last line on the console is {@code VERDICT name PASS}, and then the domain powers off. */
    record Verdict() implements Expectation {
        @Override
        public String words() {
            return "verdict";
        }
    }

    /** A line on the console has a match of the pattern; the domain is then ended, if it has not gone by itself. */
    record Says(Pattern pattern) implements Expectation {
        @Override
        public String words() {
            return "says " + pattern;
        }
    }

    /** The domain stops by itself for this reason, whatever it says. */
    record Ends(ShutdownReason reason) implements Expectation {
        @Override
        public String words() {
            return "ends " + word(reason);
        }
    }

    /** Not to be run: it is no test, or needs somebody at its console. */
    record Skip(String why) implements Expectation {
        @Override
        public String words() {
            return "skip " + why;
        }
    }

    /**
     * Reads an expectation: {@code verdict}, {@code says REGEX}, {@code ends REASON} or {@code skip WHY}.
     *
     * @throws IllegalArgumentException with what was expected and found
     */
    static Expectation parse(String text) {
        String words = text.strip();
        int space = words.indexOf(' ');
        String verb = space < 0 ? words : words.substring(0, space);
        String rest = space < 0 ? "" : words.substring(space + 1).strip();
        if (verb.equals("verdict") && rest.isEmpty()) {
            return new Verdict();
        }
        if (!rest.isEmpty()) {
            switch (verb) {
                case "says" -> {
                    return says(rest);
                }
                case "ends" -> {
                    return new Ends(reason(rest));
                }
                case "skip" -> {
                    return new Skip(rest);
                }
                default -> {
                    // Refused below.
                }
            }
        }
        throw new IllegalArgumentException("expected 'verdict', 'says REGEX', 'ends REASON' or 'skip WHY', found '"
                + words + "'");
    }

    /**
     * What is expected of a console.
     *
     * @throws IllegalArgumentException if the regular expression is none
     */
    static Says says(String regex) {
        try {
            return new Says(Pattern.compile(regex));
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException("'" + regex + "' is no regular expression: " + e.getDescription(), e);
        }
    }

    /** The word for a reason, such as soft-reset. */
    static String word(ShutdownReason reason) {
        return reason.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static ShutdownReason reason(String word) {
        return Arrays.stream(ShutdownReason.values()).filter(reason -> word(reason).equals(word)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("a domain ends by "
                        + Arrays.stream(ShutdownReason.values()).map(Expectation::word)
                                .collect(Collectors.joining(", "))
                        + ", not by '" + word + "'"));
    }
}
