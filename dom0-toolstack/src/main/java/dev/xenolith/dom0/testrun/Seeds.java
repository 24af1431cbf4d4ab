package dev.xenolith.dom0.testrun;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/** The seeds of a command line. */
public final class Seeds {
    /** More runs than this are a mistake. */
    private static final long MOST = 100_000;
    private static final Pattern PART = Pattern.compile("([0-9]{1,18})(?:-([0-9]{1,18}))?");

    private Seeds() {
    }

    /**
     * Reads seeds: a number alone is how many, from 1 on; numbers and ranges with commas between them are the seeds themselves.
     *
     * @throws IllegalArgumentException with what was expected and found
     */
    public static List<Long> parse(String text) {
        if (text.matches("[0-9]{1,18}")) {
            long count = Long.parseLong(text);
            if (count < 1 || count > MOST) {
                throw new IllegalArgumentException("expected 1 to " + MOST + " seeds, found " + text);
            }
            return LongStream.rangeClosed(1, count).boxed().toList();
        }
        Set<Long> seeds = new LinkedHashSet<>();
        for (String part : text.split(",", -1)) {
            Matcher range = PART.matcher(part.strip());
            if (!range.matches()) {
                throw new IllegalArgumentException("expected a number of seeds, or a list such as 1,5,10-20, found '"
                        + text + "'");
            }
            long first = Long.parseLong(range.group(1));
            long last = range.group(2) == null ? first : Long.parseLong(range.group(2));
            if (last < first || last - first >= MOST - seeds.size()) {
                throw new IllegalArgumentException("expected 1 to " + MOST + " seeds, found '" + text + "'");
            }
            LongStream.rangeClosed(first, last).forEach(seeds::add);
        }
        return new ArrayList<>(seeds);
    }
}
