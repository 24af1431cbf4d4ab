package dev.xenolith.device.time;

import dev.xenolith.device.Clock;

/**
 * The ACPI power management timer (ACPI 6.4, 4.8.3.3): a free-running counter at 3.579545 MHz, 24 bits wide. It has no state but
 * the time.
 */
public final class PmTimer {
    /** Hertz. */
    public static final long FREQUENCY = 3_579_545;

    private static final int BITS = 24;

    private final Clock clock;
    private final Frequency frequency = new Frequency(FREQUENCY);

    public PmTimer(Clock clock) {
        this.clock = clock;
    }

    /** TMR_VAL: 24 bits. */
    public int value() {
        return (int) frequency.ticks(clock.now()) & (1 << BITS) - 1;
    }

    /** How often the most significant bit has changed so far: TMR_STS is set whenever it does. */
    public long toggles() {
        return frequency.ticks(clock.now()) >>> BITS - 1;
    }

    /** The moment at which the most significant bit changes next. */
    public long nextToggle() {
        return frequency.nanoseconds(toggles() + 1 << BITS - 1);
    }
}
