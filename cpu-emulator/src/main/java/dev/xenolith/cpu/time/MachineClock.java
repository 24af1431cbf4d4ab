package dev.xenolith.cpu.time;

/**
 * The machine's time in nanoseconds since it was started: a plain counter that only moves forward.
 *
 * <p>Who executes, advances: a processor publishes its retired instructions at the end of a run and before any instruction
 * that reads time; the machine loop adds charges and, when everything is idle, skips (virtual clock) or catches up with host
 * time (real clock). Owned by the machine thread.
 */
public final class MachineClock {
    private long now;

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
