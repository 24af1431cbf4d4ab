package dev.xenolith.hypervisor.domain;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;

import dev.xenolith.cpu.processor.DebugPoints;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.hypervisor.operations.DomainDebug;
import dev.xenolith.hypervisor.operations.DomainDebug.Action;
import dev.xenolith.hypervisor.operations.DomainDebug.Cause;
import dev.xenolith.hypervisor.operations.DomainDebug.Event;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A debugger's hold on a domain: stops, steps and continues its vCPUs, and tells the debugger why they stopped. */
public final class DebugSession {
    private final Domain domain;
    private final Dispatcher dispatcher;
    private final VcpuState state;
    private final DomainDebug.Listener listener;
    private final Executor owner;
    private DebugPoints points = DebugPoints.NONE;
    private List<? extends Action> actions;
    private boolean stopped;
    private boolean ended;
    /** Counts continuations: what was posted before one is not told after it. */
    private int continuations;
    /** vCPUs that stay where they are while others run. */
    private final boolean[] held;
    /** vCPUs that have not executed anything since the domain went on: a breakpoint at this RIP, where they were, does not stop them. */
    private final boolean[] fresh;
    private final long[] freshRip;
    private @Nullable Runnable pendingCrash;

    private DebugSession(Domain domain, Domains domains, DomainDebug.Listener listener, Executor owner) {
        this.domain = domain;
        dispatcher = domains.dispatcher;
        state = domains.vcpuState();
        this.listener = listener;
        this.owner = owner;
        actions = Collections.nCopies(domain.vcpus.length, new DomainDebug.Continue());
        held = new boolean[domain.vcpus.length];
        fresh = new boolean[domain.vcpus.length];
        freshRip = new long[domain.vcpus.length];
    }

    /**
     * Attaches a debugger to a PV domain that has none; the domain stops.
     *
     * @param owner runs what the debugger is told in the debugger's domain
     */
    public static DebugSession attach(Domain domain, Domains domains, DomainDebug.Listener listener, Executor owner) {
        DebugSession session = new DebugSession(domain, domains, listener, owner);
        domain.debug = session;
        session.stop();
        return session;
    }

    /** Takes it away; the domain runs. */
    public void detach() {
        if (!ended) {
            ended = true;
            domain.debug = null;
            Runnable crash = pendingCrash;
            pendingCrash = null;
            if (crash != null) {
                crash.run();
            }
            release();
        }
    }

    /** The domain has shut down with SHUTDOWN_* {@code reason}, or is being destroyed: -1. */
    void end(int reason) {
        if (!ended) {
            ended = true;
            domain.debug = null;
            release();
            owner.execute(() -> listener.ended(reason));
        }
    }

    /** Whether the domain has ended, or the debugger has been taken away. */
    public boolean hasEnded() {
        return ended;
    }

    /** Ends what keeps the domain from running. */
    private void release() {
        releaseHeld();
        if (stopped) {
            stopped = false;
            dispatcher.unpause(domain);
        }
    }

    private void releaseHeld() {
        for (int i = 0; i < held.length; i++) {
            if (held[i]) {
                held[i] = false;
                dispatcher.unpause(domain.vcpus[i]);
            }
        }
    }

    public void setPoints(DebugPoints wanted) { points = wanted; }

    public void stop() {
        if (!stopped && !ended) {
            stopped = true;
            dispatcher.pause(domain);
            releaseHeld();
        }
    }

    /** As {@link DomainDebug#resume}. */
    public int resume(List<? extends Action> next) {
        if (ended || !stopped || next.size() != domain.vcpus.length) {
            return -EINVAL;
        }
        continuations++;
        Runnable crash = pendingCrash;
        pendingCrash = null;
        if (crash != null) {
            crash.run();
            if (ended) {
                return 0;
            }
        }
        actions = List.copyOf(next);
        for (int i = 0; i < held.length; i++) {
            Vcpu vcpu = domain.vcpus[i];
            state.unload(vcpu);
            fresh[i] = vcpu.initialised;
            freshRip[i] = vcpu.pv().rip;
            if (next.get(i) instanceof DomainDebug.Hold) {
                held[i] = true;
                dispatcher.pause(vcpu);
            }
        }
        stopped = false;
        dispatcher.unpause(domain);
        return 0;
    }

    // ---- while vCPUs run ---------------------------------------------------------------------------------------------

    /** Sets up {@code p} for a vCPU of a domain that {@code session} debugs; null: nobody does. */
    public static void prepare(@Nullable DebugSession session, Processor p) {
        if (session != null || p.debugger.hasPoints()) {
            p.debugger.setPoints(session == null ? null : session.points);
        }
    }

    /** Whether {@code vcpu} executes instruction by instruction. */
    public boolean steps(Vcpu vcpu) {
        return actions.get(vcpu.id) instanceof DomainDebug.Step;
    }

    /** Runs {@code vcpu}, which is on {@code p}, for {@code budget} instructions at most, or for one if it {@link #steps}. */
    public Stop run(Vcpu vcpu, Processor p, long budget) {
        long before = p.retired;
        if (fresh[vcpu.id] && p.rip == freshRip[vcpu.id]) {
            p.debugger.passBreakpoint();
        }
        Stop stop = steps(vcpu) ? p.debugger.step() : p.run(budget);
        fresh[vcpu.id] &= p.retired == before;
        return stop;
    }

    /** The processor has stopped at one of the points. */
    public void debugStop(Vcpu vcpu, Stop stop) {
        stopped(new Event(vcpu.id,
                stop.debugEvent == Stop.DebugEvent.WATCHPOINT ? Cause.WATCHPOINT : Cause.BREAKPOINT, stop.address,
                stop.access));
    }

    /** A vCPU that {@link #steps} has executed an instruction, or entered the handler of its fault, and is at {@code rip}. */
    public void stepped(Vcpu vcpu, long rip) {
        if (!stopped && !ended && actions.get(vcpu.id) instanceof DomainDebug.Step(long first, long end)
                && Long.compareUnsigned(rip - first, end - first) >= 0) {
            stopped(new Event(vcpu.id, Cause.STEP, 0, DebugPoints.Access.ANY));
        }
    }

    /** The domain is to crash: the debugger looks at it first. {@code crash} is what then happens; twice is once. */
    void crash(Vcpu culprit, Runnable crash) {
        if (pendingCrash == null) {
            pendingCrash = crash;
            stopped(new Event(culprit.id, Cause.CRASH, 0, DebugPoints.Access.ANY));
        }
    }

    private void stopped(Event event) {
        if (ended) {
            return;
        }
        stop();
        int continuation = continuations;
        owner.execute(() -> {
            if (!ended && stopped && continuation == continuations) {
                listener.stopped(event);
            }
        });
    }

    @Override
    public String toString() {
        return "debugger of " + domain;
    }
}
