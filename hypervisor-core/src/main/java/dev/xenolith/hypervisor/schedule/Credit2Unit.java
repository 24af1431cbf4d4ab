package dev.xenolith.hypervisor.schedule;

import org.jspecify.annotations.Nullable;

/** Credit2's state of one unit. Credit is counted in nanoseconds of the heaviest unit of the run queue. */
final class Credit2Unit {
    final SchedUnit unit;
    final Credit2Domain domain;
    Credit2Queue queue;
    long credit = Credit2.CREDIT_INIT;
    /** Machine time up to which a running unit's credit has been burnt. */
    long burntUntil;
    /** What integer division left over when credit was last burnt. */
    long residual;
    /** When it came onto its processor. */
    long runningSince;
    boolean queued;
    boolean yielding;

    Credit2Unit(SchedUnit unit, Credit2Domain domain, Credit2Queue queue) {
        this.unit = unit;
        this.domain = domain;
        this.queue = queue;
    }

    static @Nullable Credit2Unit of(@Nullable SchedUnit unit) {
        return unit == null ? null : (Credit2Unit) unit.privateState;
    }

    /** Takes the credit for running until {@code now}: the lighter the domain, the more. */
    void burn(long now) {
        long time = now - burntUntil;
        if (time > 0) {
            long burnt = time * queue.maxWeight() + residual;
            int weight = domain.domain.weight;
            credit -= burnt / weight;
            residual = burnt % weight;
            burntUntil = now;
            domain.burn(time, now);
        }
    }

    /** How long it takes to burn {@code amount} of credit. */
    long timeFor(long amount) {
        return amount * domain.domain.weight / queue.maxWeight();
    }
}
