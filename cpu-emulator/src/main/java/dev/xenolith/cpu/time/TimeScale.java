package dev.xenolith.cpu.time;

/**
 * Converts machine time in nanoseconds to ticks of a counter of constant frequency and back, exactly and monotonically.
 *
 * @param kilohertz frequency, 1 to 10,000,000
 */
public record TimeScale(long kilohertz) {
    private static final long NANOSECONDS_PER_MILLISECOND = 1_000_000;

    public TimeScale {
        if (kilohertz < 1 || kilohertz > 10_000_000) {
            throw new IllegalArgumentException("frequency of " + kilohertz + " kHz");
        }
    }

    /** Ticks since the machine was started, at {@code nanoseconds} of machine time. */
    public long ticks(long nanoseconds) {
        long milliseconds = nanoseconds / NANOSECONDS_PER_MILLISECOND;
        long rest = nanoseconds % NANOSECONDS_PER_MILLISECOND;
        return milliseconds * kilohertz + rest * kilohertz / NANOSECONDS_PER_MILLISECOND;
    }

    /** The first nanosecond at which the counter has reached {@code ticks}; {@link Long#MAX_VALUE} if that is not in this era. */
    public long nanoseconds(long ticks) {
        if (ticks <= 0) {
            return 0;
        }
        long milliseconds = ticks / kilohertz;
        if (milliseconds >= Long.MAX_VALUE / NANOSECONDS_PER_MILLISECOND) {
            return Long.MAX_VALUE;
        }
        long rest = ticks % kilohertz;
        return milliseconds * NANOSECONDS_PER_MILLISECOND
                + (rest * NANOSECONDS_PER_MILLISECOND + kilohertz - 1) / kilohertz;
    }
}
