package dev.xenolith.device.time;

/**
 * Converts nanoseconds to ticks of an oscillator and back, exactly and monotonically.
 *
 * @param hertz 1 to 1,000,000,000
 */
record Frequency(long hertz) {
    private static final long SECOND = 1_000_000_000;

    Frequency {
        if (hertz < 1 || hertz > SECOND) {
            throw new IllegalArgumentException("a frequency of " + hertz + " Hz");
        }
    }

    /** Ticks in {@code nanoseconds}, rounded down. */
    long ticks(long nanoseconds) {
        return nanoseconds / SECOND * hertz + nanoseconds % SECOND * hertz / SECOND;
    }

    /** The first nanosecond at which {@code ticks} ticks are over. */
    long nanoseconds(long ticks) {
        return ticks / hertz * SECOND + (ticks % hertz * SECOND + hertz - 1) / hertz;
    }
}
