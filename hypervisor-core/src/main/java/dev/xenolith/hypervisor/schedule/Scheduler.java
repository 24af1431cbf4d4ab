package dev.xenolith.hypervisor.schedule;

import org.jspecify.annotations.Nullable;

/** A scheduling policy (xen/common/sched). Called on the machine thread with the present machine time. */
public interface Scheduler {
    /** The full name for the boot log, such as "SMP Credit Scheduler rev2". */
    String name();

    /** The name that {@code sched=} takes and {@code xl info} prints. */
    String optionName();

    /** A unit exists from now on; places it on a processor. It may be runnable. */
    void insert(SchedUnit unit, long now);

    /** The unit is gone, and has been taken off its processor if it was running. */
    void remove(SchedUnit unit, long now);

    /** A unit that was not runnable is now. */
    void wake(SchedUnit unit, long now);

    /** A unit is not runnable any more; if it is running, its processor will schedule soon. */
    void sleep(SchedUnit unit, long now);

    /** The running unit lets others go first once. */
    void yield(SchedUnit unit);

    /** The unit's affinity changed; moves it if it is where it may not be. */
    void affinityChanged(SchedUnit unit, long now);

    /**
     * Changes a domain's parameters.
     *
     * @param weight 1..65535, or 0 to leave it
     * @param cap percent of one processor, 0 for none, negative to leave it
     * @return 0 or -EINVAL
     */
    int adjust(SchedDomain domain, int weight, int cap, long now);

    /** How long a unit runs at least before another preempts it, ns; 0 for no limit. */
    long ratelimit();

    /** Changes {@link #ratelimit}, from the next decision on. */
    void setRatelimit(long nanoseconds);

    /**
     * Decides what {@code processor} runs next, at most until {@link #sliceEnd}. {@code previous} is what it ran until now, null if
     * it was idle. Returns null for idle.
     */
    @Nullable
    SchedUnit schedule(int processor, @Nullable SchedUnit previous, long now);

    /** Machine time at which {@code processor} must schedule again by the latest decision; Long.MAX_VALUE when idle. */
    long sliceEnd(int processor);
}
