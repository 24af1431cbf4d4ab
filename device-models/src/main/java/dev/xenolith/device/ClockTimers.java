package dev.xenolith.device;

import dev.xenolith.cpu.time.MachineClock;
import java.util.ArrayList;
import java.util.List;

/**
 * Timers on machine time. Devices are few and each has a handful of timers, so the next one is found by looking at all; what is
 * asked often is only {@link #nextDeadline}. Timers due at the same moment expire in the order in which they were made.
 */
public final class ClockTimers implements Clock {
    private final MachineClock clock;
    private final List<Entry> timers = new ArrayList<>();
    private long next = NEVER;
    private Runnable sooner = () -> {};

    public ClockTimers(MachineClock clock) {
        this.clock = clock;
    }

    /**
     * Who is told when the next deadline has come nearer than {@link #nextDeadline} last said: whoever runs a processor up to it.
     */
    public void onSooner(Runnable listener) {
        sooner = listener;
    }

    @Override
    public long now() {
        return clock.now();
    }

    @Override
    public Timer timer(Runnable expired) {
        Entry entry = new Entry(expired);
        timers.add(entry);
        return entry;
    }

    /** The earliest deadline, {@link Clock#NEVER} if no timer is armed. */
    public long nextDeadline() {
        return next;
    }

    /** Lets every timer whose deadline has come expire, earliest first, and those that come due by that. */
    public void expire() {
        while (next <= clock.now()) {
            Entry due = earliest();
            due.deadline = NEVER;
            findNext();
            due.expired.run();
        }
    }

    private Entry earliest() {
        Entry first = timers.getFirst();
        for (int i = 1; i < timers.size(); i++) {
            if (timers.get(i).deadline < first.deadline) {
                first = timers.get(i);
            }
        }
        return first;
    }

    private void findNext() {
        next = earliest().deadline;
    }

    private final class Entry implements Timer {
        private final Runnable expired;
        private long deadline = NEVER;

        Entry(Runnable expired) {
            this.expired = expired;
        }

        @Override
        public void set(long moment) {
            long before = deadline;
            deadline = moment;
            if (moment < next) {
                next = moment;
                sooner.run();
            } else if (before == next) {
                findNext();
            }
        }

        @Override
        public long deadline() {
            return deadline;
        }
    }
}
