package dev.xenolith.hypervisor.schedule;

import dev.xenolith.hypervisor.time.TimerQueue;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Processors that only spend time: the other side of a {@link Scheduler} in tests. */
final class SimulatedProcessors implements ProcessorControl {
    /** A unit that computes when it is {@link #awake}, and knows for how long it has. */
    static final class Load extends SchedUnit {
        boolean awake;
        long ran;
        int switches;

        Load(SchedDomain domain, int id) {
            super(domain, id);
        }

        @Override
        public boolean isRunnable() { return awake; }
    }

    private final TimerQueue[] timers;
    private final boolean[] kicked;
    private final long[] decideAt;
    private final @Nullable Load[] current;
    Scheduler scheduler;
    long now;

    SimulatedProcessors(int processors, Function<ProcessorControl, Scheduler> policy) {
        timers = new TimerQueue[processors];
        kicked = new boolean[processors];
        decideAt = new long[processors];
        current = new Load[processors];
        for (int i = 0; i < processors; i++) {
            timers[i] = new TimerQueue(deadline -> {});
            decideAt[i] = Long.MAX_VALUE;
        }
        scheduler = policy.apply(this);
    }

    @Override
    public int processors() {
        return timers.length;
    }

    @Override
    public void kick(int processor) {
        kicked[processor] = true;
    }

    @Override
    public void scheduleAt(int processor, long deadline) {
        decideAt[processor] = deadline;
    }

    @Override
    public TimerQueue timers(int processor) {
        return timers[processor];
    }

    @Nullable
    Load current(int processor) {
        return current[processor];
    }

    Load add(SchedDomain domain, int id) {
        Load load = new Load(domain, id);
        scheduler.insert(load, now);
        return load;
    }

    void wake(Load load) {
        load.awake = true;
        scheduler.wake(load, now);
    }

    void sleep(Load load) {
        load.awake = false;
        if (load.isRunning()) {
            kick(load.processor());
        }
        scheduler.sleep(load, now);
    }

    /** Lets {@code duration} ns pass; every processor runs what its scheduler chooses. */
    void run(long duration) {
        long end = now + duration;
        while (true) {
            settle();
            long next = end;
            for (int i = 0; i < timers.length; i++) {
                next = Math.min(next, Math.min(timers[i].next(), decideAt[i]));
            }
            for (Load load : current) {
                if (load != null) {
                    load.ran += next - now;
                }
            }
            now = next;
            for (int i = 0; i < timers.length; i++) {
                timers[i].expire(now);
                kicked[i] |= decideAt[i] <= now;
            }
            if (now == end) {
                settle();
                return;
            }
        }
    }

    private void settle() {
        boolean any = true;
        while (any) {
            any = false;
            for (int i = 0; i < kicked.length; i++) {
                if (kicked[i]) {
                    any = true;
                    kicked[i] = false;
                    decide(i);
                }
            }
        }
    }

    private void decide(int processor) {
        Load previous = current[processor];
        Load next = (Load) scheduler.schedule(processor, previous, now);
        if (previous != next) {
            if (previous != null) {
                previous.setRunning(false);
            }
            if (next != null) {
                if (next.isRunning()) {
                    throw new AssertionError(next + " runs twice");
                }
                next.setRunning(true);
                next.switches++;
            }
            current[processor] = next;
        }
        decideAt[processor] = scheduler.sliceEnd(processor);
    }
}
