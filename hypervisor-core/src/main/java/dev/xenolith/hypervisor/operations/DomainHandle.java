package dev.xenolith.hypervisor.operations;

/**
 * The door of one Java domain to the hypervisor. Goes stale when the domain ends: operations then return -ESRCH.
 *
 * <p>A Java domain is a set of run-to-completion handlers. They run on its vCPU, which the scheduler picks like any other: a
 * handler is called when an event channel has become pending, a timer is due or {@link #post} was called, its time is charged to
 * the domain, and pause, weight and destroy work on it.
 */
public interface DomainHandle {
    int domid();

    /** The domain's clock: nanoseconds of machine time since boot, as its pvclock would say. */
    long now();

    /** Runs {@code handler} on the domain's vCPU soon. Safe to call from the machine thread only. */
    void post(Runnable handler);

    /** Runs {@code handler} on the domain's vCPU at machine time {@code deadline} (ns). */
    Timer at(long deadline, Runnable handler);

    /** Accounts work of a handler: {@code nanoseconds} of machine time, out of the domain's vCPU time. */
    void charge(long nanoseconds);

    /**
     * Runs {@code action} when the domain's destruction begins: what others may still call lets go then. Nothing can be done through
     * this handle any more; what the domain has mapped is still mapped, and taken back right after.
     */
    void whenDying(Runnable action);

    EventChannels events();

    Grants grants();

    /** Domain control, as a privileged domain's toolstack has it (domctl and memory_op on other domains). */
    DomainControl control();

    /** Debugging of other domains, as a privileged domain's debugger does it. */
    DomainDebug debug();

    /** Host-wide information and settings (sysctl, platform_op, console ring, trace). */
    HostControl host();

    /** A pending {@link #at}. */
    interface Timer {
        /** Forgets the timer; does nothing if it has run. */
        void cancel();
    }
}
