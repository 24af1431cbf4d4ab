package dev.xenolith.device;

import dev.xenolith.cpu.time.MachineClock;

/** Time that a test moves, with the timers of the devices under test. */
public final class TestTime implements Clock {
    private final MachineClock clock = new MachineClock();
    private final ClockTimers timers = new ClockTimers(clock);

    @Override
    public long now() {
        return clock.now();
    }

    @Override
    public Timer timer(Runnable expired) {
        return timers.timer(expired);
    }

    public long nextDeadline() {
        return timers.nextDeadline();
    }

    /** Moves time on, letting each timer expire at its moment. */
    public void advance(long nanoseconds) {
        advanceTo(clock.now() + nanoseconds);
    }

    public void advanceTo(long moment) {
        while (timers.nextDeadline() <= moment) {
            clock.advanceTo(timers.nextDeadline());
            timers.expire();
        }
        clock.advanceTo(moment);
    }

    /** A clock for a second device that stands where this one does. */
    public TestTime copy() {
        TestTime copy = new TestTime();
        copy.clock.advanceTo(clock.now());
        return copy;
    }
}
