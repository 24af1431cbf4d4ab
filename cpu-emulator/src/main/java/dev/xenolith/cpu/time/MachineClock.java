package dev.xenolith.cpu.time;

/**
 * The machine's time in nanoseconds since it was started: a plain counter that only moves forward.
 *
 * <p>Who executes, advances: a processor publishes its retired instructions at the end of a run and before any instruction
 * that reads time; the machine loop adds charges and, when everything is idle, skips (virtual clock) or catches up with host
 * time (real clock). Owned by the machine thread.
 */
public final class MachineClock {
    /** As many instructions as this shift makes of one take a nanosecond. */
    private final int instructionShift;
    private long now;

    /** A clock on which an instruction takes a nanosecond. */
    public MachineClock() {
        this(0);
    }

    /** A clock on which {@code 1 << instructionShift} instructions, 0 to 8, take a nanosecond. */
    public MachineClock(int instructionShift) {
        this.instructionShift = instructionShift;
    }

    /** The whole nanoseconds that {@code instructions} take. */
    public long timeOf(long instructions) {
        return instructions >> instructionShift;
    }

    /** How many instructions are executed in {@code nanoseconds}, as far as that can be said in a long. */
    public long instructionsIn(long nanoseconds) {
        return Math.clamp(nanoseconds, Long.MIN_VALUE >> instructionShift,
                Long.MAX_VALUE >> instructionShift) << instructionShift;
    }

    /** Current machine time in nanoseconds. */
    public long now() {
        return now;
    }

    /** Moves time forward by {@code nanoseconds}, which must not be negative. */
    public void advance(long nanoseconds) {
        assert nanoseconds >= 0;
        now += nanoseconds;
    }

    /** Moves time forward to {@code deadline}; a deadline in the past changes nothing. */
    public void advanceTo(long deadline) {
        if (deadline > now) {
            now = deadline;
        }
    }
}
