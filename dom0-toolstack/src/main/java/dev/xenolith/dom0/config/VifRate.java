package dev.xenolith.dom0.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The rate of a vif as xl writes it (xl-network-configuration(5)): {@code 10Mb/s}, {@code 250KB/s}, {@code 1MB/s@20ms}.
 *
 * @param bytesPerInterval credit that a vif gets each interval, positive
 * @param intervalMicros positive, at most 4294967295
 */
public record VifRate(long bytesPerInterval, long intervalMicros) {
    /** What libxlu takes if no interval is said. */
    static final long DEFAULT_INTERVAL_MICROS = 50_000;

    private static final long MAX_NUMBER = 0xffff_ffffL;
    private static final Pattern RATE = Pattern.compile("([0-9]+)([GMK]?)([Bb])/s");
    private static final Pattern INTERVAL = Pattern.compile("([0-9]+)(ms|us|s?)");

    /**
     * Parses a rate.
     *
     * @throws VifSpec.Problem with what was expected and found, and where
     */
    static VifRate parse(String text) throws VifSpec.Problem {
        int at = text.indexOf('@');
        String rate = at < 0 ? text : text.substring(0, at);
        Matcher matcher = RATE.matcher(rate);
        if (!matcher.matches()) {
            throw new VifSpec.Problem(0,
                    "expected a rate such as 10Mb/s, 250KB/s or 1MB/s@20ms, found \"" + rate + "\"");
        }
        long bytes = number(matcher.group(1), 0, "rate") * switch (matcher.group(2)) {
            case "G" -> 1_000_000_000L;
            case "M" -> 1_000_000L;
            case "K" -> 1000L;
            default -> 1L;
        } / (matcher.group(3).equals("b") ? 8 : 1);
        long micros = at < 0 ? DEFAULT_INTERVAL_MICROS : interval(text.substring(at + 1), at + 1);
        if (bytes > Long.MAX_VALUE / micros) {
            throw new VifSpec.Problem(0, "expected a rate that can be counted, found \"" + text + "\"");
        }
        long credit = bytes * micros / 1_000_000;
        if (credit == 0) {
            throw new VifSpec.Problem(0,
                    "expected at least a byte in each interval of " + micros + " us, found \"" + text + "\"");
        }
        return new VifRate(credit, micros);
    }

    private static long interval(String text, int at) throws VifSpec.Problem {
        Matcher matcher = INTERVAL.matcher(text);
        if (!matcher.matches()) {
            throw new VifSpec.Problem(at,
                    "expected an interval such as 20ms, 500us or 1s after '@', found \"" + text + "\"");
        }
        long micros = number(matcher.group(1), at, "interval") * switch (matcher.group(2)) {
            case "us" -> 1L;
            case "ms" -> 1000L;
            default -> 1_000_000L;
        };
        if (micros > MAX_NUMBER) {
            throw new VifSpec.Problem(at,
                    "expected an interval of at most " + MAX_NUMBER + " us, found \"" + text + "\"");
        }
        return micros;
    }

    private static long number(String digits, int at, String what) throws VifSpec.Problem {
        long value = digits.length() > 10 ? Long.MAX_VALUE : Long.parseLong(digits);
        if (value < 1 || value > MAX_NUMBER) {
            throw new VifSpec.Problem(at,
                    "expected a number of 1 to " + MAX_NUMBER + " as the " + what + ", found \"" + digits + "\"");
        }
        return value;
    }
}
