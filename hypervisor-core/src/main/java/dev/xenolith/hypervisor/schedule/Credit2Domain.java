package dev.xenolith.hypervisor.schedule;

import dev.xenolith.hypervisor.time.TimerQueue;
import java.util.ArrayList;
import java.util.List;

/**
 * Credit2's state of one domain: its units and, if it has a cap, the budget of processor time that it may use in each period.
 * The budget is common to the units; what they overdraw is taken from the next period.
 */
final class Credit2Domain {
    /** Length of a budget period (credit2_cap_period_ms, 10 ms by default), ns. */
    private final long period;
    private final TimerQueue timers;
    private final Credit2 scheduler;
    final SchedDomain domain;
    final List<Credit2Unit> units = new ArrayList<>();
    /** Time that may still be used in this period, ns; meaningful with a cap. */
    private long budget;
    private final TimerQueue.Timer replenishment = new TimerQueue.Timer() {
        @Override
        protected void expired(long now) {
            replenish(now);
        }
    };

    Credit2Domain(SchedDomain domain, long period, TimerQueue timers, Credit2 scheduler) {
        this.domain = domain;
        this.period = period;
        this.timers = timers;
        this.scheduler = scheduler;
    }

    boolean mayRun() {
        return domain.cap == 0 || budget > 0;
    }

    /** How long one of the units may run before the budget is used up; Long.MAX_VALUE without a cap. */
    long timeLeft() {
        return domain.cap == 0 ? Long.MAX_VALUE : budget;
    }

    /** A unit begins to run: a period begins with it, unless one is going on. */
    void started(long now) {
        if (domain.cap != 0 && !replenishment.isSet()) {
            timers.set(replenishment, now + period);
        }
    }

    void burn(long time, long now) {
        if (domain.cap != 0) {
            budget -= time;
            started(now);
        }
    }

    void capChanged() {
        replenishment.stop();
        budget = budgetOfPeriod();
    }

    void end() {
        replenishment.stop();
    }

    private long budgetOfPeriod() {
        return period * domain.cap / 100;
    }

    private void replenish(long now) {
        boolean exhausted = budget <= 0;
        budget = Math.min(budget + budgetOfPeriod(), budgetOfPeriod());
        if (budget < budgetOfPeriod()) {
            timers.set(replenishment, now + period);
        }
        if (exhausted && budget > 0) {
            for (Credit2Unit unit : units) {
                scheduler.budgetReturned(unit, now);
            }
        }
    }
}
