package dev.xenolith.hypervisor.schedule;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Xen's default scheduler (xen/common/sched/credit2.c): the unit with the most credit runs, credit burns with running time in
 * inverse proportion to weight, and when the next in line has none left everybody gets new.
 *
 * <p>A waking unit takes an idle processor, or else the one whose current unit has the least credit, if that is less than its
 * own and it has run for the rate limit. A domain's cap is a budget of time per period; see {@link Credit2Domain}.
 */
public final class Credit2 implements Scheduler {
    /** Credit that everybody starts with, and gets at a reset. 10 ms. */
    static final long CREDIT_INIT = 10_000_000;
    /** How much old credit outlives a reset. 500 us. */
    static final long CARRYOVER_MAX = 500_000;
    /** Shortest and longest time between two decisions. */
    private static final long MIN_TIMER = 500_000;
    private static final long MAX_TIMER = CREDIT_INIT;
    /** How much more credit it takes to move to another processor. */
    private static final long MIGRATE_RESIST = 500_000;
    /** How much less credit a yielding unit counts as having. */
    private static final long YIELD_BIAS = 1_000_000;

    /** The boot parameters of credit2, in nanoseconds. */
    public record Parameters(long ratelimit, long capPeriod, boolean queuePerProcessor) {
        /** {@code sched_ratelimit_us=1000 credit2_cap_period_ms=10 credit2_runqueue=socket}. */
        public static final Parameters DEFAULT = new Parameters(1_000_000, 10_000_000, false);
    }

    private final ProcessorControl control;
    private final Parameters parameters;
    private long ratelimit;
    private final List<Credit2Queue> queues = new ArrayList<>();
    private final Credit2Queue[] queueOf;
    private final @Nullable Credit2Unit[] current;
    /** Units whose last processor this was or is; for placing new ones. */
    private final int[] placed;
    private final long[] sliceEnd;
    /** Processors that have been asked to schedule and have not yet. */
    private long tickled;

    public Credit2(ProcessorControl control, Parameters parameters) {
        this.control = control;
        this.parameters = parameters;
        this.ratelimit = parameters.ratelimit;
        int processors = control.processors();
        queueOf = new Credit2Queue[processors];
        current = new Credit2Unit[processors];
        placed = new int[processors];
        sliceEnd = new long[processors];
        for (int i = 0; i < processors; i++) {
            if (parameters.queuePerProcessor || i == 0) {
                long mask = parameters.queuePerProcessor ? 1L << i : (1L << processors) - 1;
                queues.add(new Credit2Queue(mask));
            }
            queueOf[i] = queues.getLast();
            sliceEnd[i] = Long.MAX_VALUE;
        }
    }

    @Override
    public String name() {
        return "SMP Credit Scheduler rev2";
    }

    @Override
    public String optionName() {
        return "credit2";
    }

    /** Number of run queues, for the boot log. */
    public int runQueues() {
        return queues.size();
    }

    // ---- units -------------------------------------------------------------------------------------------------------

    @Override
    public void insert(SchedUnit unit, long now) {
        Credit2Domain domain = domain(unit.schedDomain);
        int processor = leastPlaced(unit.hardAffinity());
        Credit2Unit u = new Credit2Unit(unit, domain, queueOf[processor]);
        u.burntUntil = now;
        unit.privateState = u;
        domain.units.add(u);
        queueOf[processor].assign(u);
        unit.setProcessor(processor);
        placed[processor]++;
        if (unit.isRunnable()) {
            wake(unit, now);
        }
    }

    @Override
    public void remove(SchedUnit unit, long now) {
        Credit2Unit u = known(unit);
        if (u.queued) {
            u.queue.dequeue(u);
        }
        u.queue.release(u);
        if (current[unit.processor()] == u) {
            current[unit.processor()] = null;
        }
        placed[unit.processor()]--;
        u.domain.units.remove(u);
        if (u.domain.units.isEmpty()) {
            u.domain.end();
            unit.schedDomain.privateState = null;
        }
        unit.privateState = null;
    }

    @Override
    public void wake(SchedUnit unit, long now) {
        Credit2Unit u = known(unit);
        if (unit.isRunning() || u.queued || !u.domain.mayRun()) {
            return;
        }
        moveToQueue(u, bestQueue(u));
        u.queue.enqueue(u);
        tickle(u, now);
    }

    /** The unit's domain may run again. */
    void budgetReturned(Credit2Unit unit, long now) {
        if (unit.queued) {
            tickle(unit, now);
        } else if (unit.unit.isRunnable()) {
            wake(unit.unit, now);
        }
    }

    @Override
    public void sleep(SchedUnit unit, long now) {
        Credit2Unit u = known(unit);
        if (u.queued) {
            u.queue.dequeue(u);
        }
    }

    @Override
    public void yield(SchedUnit unit) {
        known(unit).yielding = true;
    }

    @Override
    public void affinityChanged(SchedUnit unit, long now) {
        Credit2Unit u = known(unit);
        if (unit.isRunning()) {
            if (!allowed(unit, unit.processor())) {
                control.kick(unit.processor());
            }
            return;
        }
        boolean queued = u.queued;
        if (queued) {
            u.queue.dequeue(u);
        }
        if (!allowed(unit, unit.processor())) {
            moveTo(u, leastPlaced(unit.hardAffinity()));
        }
        if (queued) {
            u.queue.enqueue(u);
            tickle(u, now);
        }
    }

    @Override
    public long ratelimit() {
        return ratelimit;
    }

    @Override
    public void setRatelimit(long nanoseconds) { ratelimit = nanoseconds; }

    @Override
    public int adjust(SchedDomain domain, int weight, int cap, long now) {
        if (weight < 0 || weight > SchedDomain.MAX_WEIGHT) {
            return -EINVAL;
        }
        Credit2Domain d = (Credit2Domain) domain.privateState;
        if (d != null && cap > 100 * d.units.size()) {
            return -EINVAL;
        }
        for (Credit2Unit unit : current) {
            if (unit != null) {
                unit.burn(now);
            }
        }
        if (weight != 0) {
            domain.weight = weight;
            for (Credit2Queue queue : queues) {
                queue.updateWeight();
            }
        }
        if (cap >= 0 && cap != domain.cap) {
            domain.cap = cap;
            if (d != null) {
                d.capChanged();
                for (Credit2Unit unit : d.units) {
                    if (unit.unit.isRunning()) {
                        control.kick(unit.unit.processor());
                    } else if (unit.unit.isRunnable()) {
                        wake(unit.unit, now);
                    }
                }
            }
        }
        return 0;
    }

    // ---- deciding ----------------------------------------------------------------------------------------------------

    @Override
    public @Nullable SchedUnit schedule(int processor, @Nullable SchedUnit previous, long now) {
        tickled &= ~(1L << processor);
        Credit2Queue queue = queueOf[processor];
        Credit2Unit last = Credit2Unit.of(previous);
        if (last != null) {
            last.burn(now);
        }
        Credit2Unit next = candidate(processor, queue, last, now);
        if (last != null) {
            last.yielding = false;
            if (next != last && last.unit.isRunnable() && last.domain.mayRun()) {
                if (!allowed(last.unit, processor)) {
                    moveTo(last, leastPlaced(last.unit.hardAffinity()));
                }
                last.queue.enqueue(last);
            }
        }
        current[processor] = next;
        if (next != null) {
            if (next.queued) {
                next.queue.dequeue(next);
            }
            moveTo(next, processor);
            if (next != last) {
                next.runningSince = now;
                next.burntUntil = now;
                next.domain.started(now);
            }
            if (next.credit <= 0) {
                queue.resetCredit(next, now);
            }
        }
        sliceEnd[processor] = next == null ? Long.MAX_VALUE : now + slice(next, queue, now);
        if (last != null && last.queued) {
            // Somebody took its place; another processor may have less to do.
            tickle(last, now);
        }
        return next == null ? null : next.unit;
    }

    @Override
    public long sliceEnd(int processor) {
        return sliceEnd[processor];
    }

    /** Who should run on {@code processor}, {@code last} having run until now. */
    private @Nullable Credit2Unit candidate(int processor, Credit2Queue queue, @Nullable Credit2Unit last, long now) {
        Credit2Unit best = null;
        if (last != null && last.unit.isRunnable() && last.domain.mayRun() && allowed(last.unit, processor)) {
            if (!last.yielding && now - last.runningSince < ratelimit) {
                return last;
            }
            best = last;
        }
        for (Credit2Unit unit : queue.waiting) {
            if (!allowed(unit.unit, processor) || !unit.domain.mayRun()) {
                continue;
            }
            if (best == null) {
                return unit;
            }
            long bar = best.credit - (best.yielding ? YIELD_BIAS : 0)
                    + (unit.unit.processor() == processor ? 0 : MIGRATE_RESIST);
            if (unit.credit > bar) {
                return unit;
            }
        }
        return best != null ? best : steal(processor);
    }

    /** With nothing to do here: the first unit waiting in the most loaded other queue that may run here. */
    private @Nullable Credit2Unit steal(int processor) {
        Credit2Unit found = null;
        int load = 0;
        for (Credit2Queue queue : queues) {
            if (queue == queueOf[processor] || queue.load() <= load) {
                continue;
            }
            for (Credit2Unit unit : queue.waiting) {
                if (allowed(unit.unit, processor) && unit.domain.mayRun()) {
                    found = unit;
                    load = queue.load();
                    break;
                }
            }
        }
        return found;
    }

    /** How long {@code next} may run: until the first in line has as much credit, within limits. */
    private long slice(Credit2Unit next, Credit2Queue queue, long now) {
        long shortest = Math.max(MIN_TIMER, ratelimit - (now - next.runningSince));
        long credit = queue.waiting.isEmpty() ? next.credit : next.credit - queue.waiting.getFirst().credit;
        long time = credit > 0 ? next.timeFor(credit) : 0;
        return Math.min(Math.clamp(time, shortest, Math.max(shortest, MAX_TIMER)),
                Math.max(1, next.domain.timeLeft()));
    }

    /** A unit has come to wait: asks the processor that should run it, if there is one, to schedule. */
    private void tickle(Credit2Unit unit, long now) {
        long mask = unit.unit.hardAffinity() & unit.queue.processors;
        int idle = idleProcessor(unit.unit, mask);
        if (idle < 0 && queues.size() > 1) {
            idle = idleProcessor(unit.unit, unit.unit.hardAffinity());
        }
        if (idle >= 0) {
            ask(idle);
            return;
        }
        int victim = -1;
        long least = 0;
        long victimSince = 0;
        for (int i = 0; i < current.length; i++) {
            Credit2Unit running = current[i];
            if ((mask >>> i & 1) == 0 || (tickled >>> i & 1) != 0 || running == null) {
                continue;
            }
            running.burn(now);
            long score = unit.credit - running.credit - (unit.unit.processor() == i ? 0 : MIGRATE_RESIST);
            if (score > least) {
                least = score;
                victim = i;
                victimSince = running.runningSince;
            }
        }
        if (victim >= 0) {
            long earliest = victimSince + ratelimit;
            if (earliest <= now) {
                ask(victim);
            } else if (earliest < sliceEnd[victim]) {
                sliceEnd[victim] = earliest;
                control.scheduleAt(victim, earliest);
            }
        }
    }

    private int idleProcessor(SchedUnit unit, long mask) {
        int found = -1;
        for (int i = 0; i < current.length; i++) {
            if (current[i] == null && (mask >>> i & 1) != 0 && (tickled >>> i & 1) == 0) {
                if (i == unit.processor() && (unit.softAffinity() >>> i & 1) != 0) {
                    return i;
                }
                if (found < 0 || (unit.softAffinity() >>> found & 1) == 0 && (unit.softAffinity() >>> i & 1) != 0) {
                    found = i;
                }
            }
        }
        return found;
    }

    private void ask(int processor) {
        tickled |= 1L << processor;
        control.kick(processor);
    }

    // ---- places ------------------------------------------------------------------------------------------------------

    /** The queue in which a waking unit should wait: its own, unless another one has clearly less to do. */
    private Credit2Queue bestQueue(Credit2Unit unit) {
        Credit2Queue best = unit.queue;
        boolean stays = (best.processors & unit.unit.hardAffinity()) != 0;
        int load = stays ? best.load() - 100 : Integer.MAX_VALUE;
        for (Credit2Queue queue : queues) {
            if ((queue.processors & unit.unit.hardAffinity()) != 0 && queue.load() < load) {
                best = queue;
                load = queue.load();
            }
        }
        return best;
    }

    private void moveToQueue(Credit2Unit unit, Credit2Queue queue) {
        if (unit.queue != queue || !allowed(unit.unit, unit.unit.processor())) {
            moveTo(unit, leastPlaced(unit.unit.hardAffinity() & queue.processors));
        }
    }

    private void moveTo(Credit2Unit unit, int processor) {
        int from = unit.unit.processor();
        if (from != processor) {
            placed[from]--;
            placed[processor]++;
            unit.unit.setProcessor(processor);
        }
        if (unit.queue != queueOf[processor]) {
            unit.queue.release(unit);
            queueOf[processor].assign(unit);
        }
    }

    /** The processor of {@code mask} on which the fewest units are placed; of all processors if the mask names none. */
    private int leastPlaced(long mask) {
        int best = -1;
        for (int i = 0; i < placed.length; i++) {
            if ((mask >>> i & 1) != 0 && (best < 0 || placed[i] < placed[best])) {
                best = i;
            }
        }
        return best >= 0 ? best : 0;
    }

    private static boolean allowed(SchedUnit unit, int processor) {
        return (unit.hardAffinity() >>> processor & 1) != 0;
    }

    private Credit2Domain domain(SchedDomain domain) {
        if (domain.privateState == null) {
            domain.privateState = new Credit2Domain(domain, parameters.capPeriod, control.timers(0), this);
        }
        return (Credit2Domain) domain.privateState;
    }

    private static Credit2Unit known(SchedUnit unit) {
        Credit2Unit u = Credit2Unit.of(unit);
        if (u == null) {
            throw new IllegalStateException(unit + " has not been inserted");
        }
        return u;
    }
}
