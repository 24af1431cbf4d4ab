package dev.xenolith.hypervisor.operations;

import dev.xenolith.cpu.processor.DebugPoints;
import java.util.List;

/**
 * Debugging of other domains, for the domain that holds the privilege: what XEN_DOMCTL_setdebugging, XEN_DOMCTL_debug_op and the
 * XEN_DOMCTL_gdbsx_* operations are for (xen/include/public/domctl.h). Breakpoints are not written into the domain's memory and steps do
 * not use its flags: the domain sees nothing of them. Registers are read and written by {@link DomainControl#vcpuContext} and
 * {@link DomainControl#setVcpuContext}, memory by {@link DomainControl#copyFrame} and {@link DomainControl#mapForeign}.
 *
 * <p>A debugger that is attached keeps the domain stopped until {@link #resume}, whatever other pauses there are; the domain's clock
 * stands still meanwhile. When one vCPU stops, all do.
 */
public interface DomainDebug {
    /** What a vCPU does when the domain goes on. */
    sealed interface Action {
    }

    /** Executes. */
    record Continue() implements Action {
    }

    /** Stays where it is. */
    record Hold() implements Action {
    }

    /**
     * Executes one instruction, with events held off, or enters the handler of its fault; then goes on doing that while RIP is in
     * {@code first} to {@code end} - 1. An empty range is one step.
     */
    record Step(long first, long end) implements Action {
    }

    /** Why a domain has stopped. */
    enum Cause {
        /** Before the instruction at the event's address. */
        BREAKPOINT,
        /** After an instruction that made an access to the watchpoint at the event's address. */
        WATCHPOINT,
        /** A step is done. */
        STEP,
        /** The domain did what no domain may; when it goes on, it is shut down with SHUTDOWN_crash. */
        CRASH
    }

    /**
     * A stop.
     *
     * @param vcpu who stopped
     * @param address of the breakpoint or watchpoint, else 0
     * @param access WATCHPOINT: what kind of watchpoint
     */
    record Event(int vcpu, Cause cause, long address, DebugPoints.Access access) {
    }

    /** Told of what happens to a domain that is debugged; called as a handler of the debugger's domain. */
    interface Listener {
        /** The domain has stopped, without {@link #stop}; no vCPU executes anything until {@link #resume}. */
        void stopped(Event event);

        /**
         * There is nothing to debug any more, and no debugger attached.
         *
         * @param reason SHUTDOWN_* if the domain has shut down (not to suspend), -1 if it is being destroyed
         */
        void ended(int reason);
    }

    /** Attaches a debugger to a PV domain, which stops. -ESRCH; -EINVAL for another kind of domain; -EBUSY if one is attached. */
    int attach(int domid, Listener listener);

    /** Takes everything of the debugger away and lets the domain run. -ESRCH if this domain has attached none. */
    int detach(int domid);

    /** Sets where vCPUs stop, in place of what was set before. -ESRCH if this domain has attached no debugger. */
    int setPoints(int domid, DebugPoints points);

    /** Stops the domain; it executes nothing after this returns. -ESRCH if this domain has attached no debugger. */
    int stop(int domid);

    /**
     * Lets each vCPU, in the order of their numbers, do what the list says. -ESRCH if this domain has attached no debugger, -EINVAL if
     * the list has not as many actions as the domain has vCPUs or the domain is not stopped.
     */
    int resume(int domid, List<? extends Action> actions);
}
