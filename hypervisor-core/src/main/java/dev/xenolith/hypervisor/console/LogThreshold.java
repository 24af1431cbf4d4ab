package dev.xenolith.hypervisor.console;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which levels are printed: always up to {@code lower}, rate-limited up to {@code upper}, never beyond; null lets nothing
 * through. Parsed from {@code loglvl=} and {@code guest_loglvl=} (docs/misc/xen-command-line.pandoc).
 */
public record LogThreshold(@Nullable LogLevel lower, @Nullable LogLevel upper) {
    /** loglvl's default. */
    public static final LogThreshold STANDARD = new LogThreshold(LogLevel.WARNING, LogLevel.WARNING);
    /** guest_loglvl's default. */
    public static final LogThreshold GUEST = new LogThreshold(null, LogLevel.WARNING);

    /** Parses {@code level[/rate-limited level]}; empty if a word is none of none, error, warning, info, debug and all. */
    static Optional<LogThreshold> parse(String text) {
        int slash = text.indexOf('/');
        String first = slash < 0 ? text : text.substring(0, slash);
        String second = slash < 0 ? text : text.substring(slash + 1);
        if (!isLevel(first) || !isLevel(second)) {
            return Optional.empty();
        }
        LogLevel lower = level(first);
        LogLevel upper = level(second);
        return Optional.of(new LogThreshold(lower, rank(upper) < rank(lower) ? lower : upper));
    }

    private static boolean isLevel(String word) {
        return switch (word) {
            case "none", "error", "warning", "info", "debug", "all" -> true;
            default -> false;
        };
    }

    private static @Nullable LogLevel level(String word) {
        return switch (word) {
            case "error" -> LogLevel.ERROR;
            case "warning" -> LogLevel.WARNING;
            case "info" -> LogLevel.INFO;
            case "debug", "all" -> LogLevel.DEBUG;
            default -> null;
        };
    }

    private static int rank(@Nullable LogLevel level) {
        return level == null ? -1 : level.ordinal();
    }

    boolean always(LogLevel level) {
        return level.ordinal() <= rank(lower);
    }

    boolean rateLimited(LogLevel level) {
        return level.ordinal() <= rank(upper);
    }

    /** As Xen's boot log says it: {@code Nothing (Rate-limited: Errors and warnings)}. */
    String describe() {
        String always = lower == null ? "Nothing" : lower.upTo();
        return lower == upper ? always : always + " (Rate-limited: " + (upper == null ? "Nothing" : upper.upTo()) + ")";
    }
}
