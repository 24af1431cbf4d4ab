package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.paging.Mmu;
import org.jspecify.annotations.Nullable;

/**
 * A processor as a debugger drives it: where runs stop for it, and its exact single step. Costs nothing where there are no points.
 * Not part of the guest: nothing of it is saved.
 */
public final class Debugger {
    private final Processor p;
    /** Null: none. */
    private @Nullable DebugPoints points;
    /** The instruction at {@link #passedRip} is executed although it has a breakpoint. */
    private boolean passesBreakpoint;
    private long passedRip;
    private boolean steps;

    Debugger(Processor p) {
        this.p = p;
    }

    /** Whether a single step is under way: a fault's handler is as far as it goes. */
    boolean steps() {
        return steps;
    }

    /**
     * Runs stop with DEBUG at {@code wanted} from now on; null or an empty set: nowhere. Between runs. The instruction at RIP, if
     * it has a breakpoint, is stopped at unless {@link #passBreakpoint} says otherwise.
     */
    public void setPoints(@Nullable DebugPoints wanted) {
        DebugPoints before = points == null ? DebugPoints.NONE : points;
        DebugPoints after = wanted == null ? DebugPoints.NONE : wanted;
        if (before.equals(after)) {
            return;
        }
        points = after.isEmpty() ? null : after;
        Mmu mmu = p.mmu;
        if (mmu != null && after.watchesOtherThan(before)) {
            mmu.keepOut(after.isEmpty() ? null : after::watchesPage);
            p.flushAll();
        }
        p.engine.addressSpaceChanged(p);
    }

    /** Lets the instruction at RIP execute once although it has a breakpoint, as RF does for debug registers. */
    public void passBreakpoint() {
        passesBreakpoint = true;
        passedRip = p.wrap(p.rip);
    }

    /**
     * As {@code run(1)} for a debugger's single step: interrupts are held off until after the instruction and in the shadow that it casts,
     * and where it faults, RIP is at the handler's first instruction, with DEBUG. Otherwise an instruction has been executed if
     * {@link Processor#retired} has moved. A processor that is halted waits for an event.
     */
    public Stop step() {
        boolean holds = !p.halted && !p.waitsForStartup;
        long lastOwn = p.shadowEnd;
        // Beyond what an instruction can set, to be told from it.
        long held = p.retired + 3;
        if (holds) {
            p.shadowHoldsTrap = p.holdsTrap();
            p.shadowEnd = held;
        }
        steps = true;
        try {
            return p.run(1);
        } finally {
            steps = false;
            if (p.shadowEnd == held) {
                p.shadowEnd = lastOwn;
                p.post(Processor.POLL_EVENT);
            }
        }
    }

    /** For engines: whether there are any points; does not change during a run. */
    public boolean hasPoints() {
        return points != null;
    }

    /** For engines: whether instructions of the page of {@code linear} are to be executed one by one, for one has a breakpoint. */
    public boolean hasBreakpoints(long linear) {
        return points != null && points.breaksInPage(linear);
    }

    /** For engines: whether the run ends before the instruction at {@code linear}. */
    public boolean stopsBefore(long linear) {
        boolean passes = passesBreakpoint && passedRip == linear;
        passesBreakpoint = false;
        if (passes || points == null || !points.breaksAt(linear)) {
            return false;
        }
        end(Stop.DebugEvent.BREAKPOINT, linear);
        return true;
    }

    /** Ends the run for the debugger. */
    void end(Stop.DebugEvent event, long address) {
        p.stop.debugEvent = event;
        p.stop.address = address;
        p.stop(Stop.Kind.DEBUG);
    }

    /** Whether a data access is to a watchpoint; must be asked before the access, which is then made where it counts as one. */
    boolean watches(long address, int size, boolean write) {
        if (points == null || !points.watches(address, size, write)) {
            return false;
        }
        if (!p.precise) {
            throw p.restartPrecisely();
        }
        return true;
    }

    /** A data access has been made; if to a watchpoint, the run ends after the instruction. */
    void noteWatched(long address, int size, boolean write) {
        if (points != null && points.watches(address, size, write)) {
            DebugPoints.Watchpoint hit = points.watchpoint(address, size, write);
            p.stop.access = hit.access();
            end(Stop.DebugEvent.WATCHPOINT, hit.address());
        }
    }
}
