package dev.xenolith.device.board;

import dev.xenolith.cpu.processor.DebugPoints;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Stops, steps and continues the processors of a bare machine for a debugger. When one stops all do, and machine time with them. All of
 * it belongs to the machine thread.
 */
public final class RunControl {
    /** Turns of others while one steps are this long, in nanoseconds, so that they do not run away from it. */
    private static final long STEPPING_QUANTUM = 1;

    /** What a processor does when the machine goes on. */
    public sealed interface Action {
    }

    /** Executes. */
    public record Continue() implements Action {
    }

    /** Stays where it is. */
    public record Hold() implements Action {
    }

    /**
     * Executes one instruction, or enters the handler of its fault; then goes on doing that while RIP, relative to CS, is in
     * {@code first} to {@code end} - 1. An empty range is one step.
     */
    public record Step(long first, long end) implements Action {
        private boolean continuesAt(long rip) {
            return Long.compareUnsigned(rip - first, end - first) < 0;
        }
    }

    /** Why the machine has stopped. */
    public enum Cause {
        /** As {@link Stop.DebugEvent#BREAKPOINT}, with the breakpoint's address. */
        BREAKPOINT,
        /** As {@link Stop.DebugEvent#WATCHPOINT}, with the watchpoint's address. */
        WATCHPOINT,
        /** A step is done. */
        STEP,
        /** A triple fault; when the processor goes on, the machine ends. */
        SHUTDOWN
    }

    /**
     * A stop.
     *
     * @param processor who stopped
     * @param address of the breakpoint or watchpoint, else 0
     * @param access WATCHPOINT: the kind of watchpoint
     */
    public record Event(Processor processor, Cause cause, long address, DebugPoints.Access access) {
    }

    /** Told of stops that were not asked for by {@link #stop}. */
    @FunctionalInterface
    public interface Listener {
        /** The machine has stopped; nothing moves until {@link #resume}. */
        void stopped(Event event);
    }

    private final Machine machine;
    private final List<Action> actions;
    private @Nullable Listener listener;
    private @Nullable Runnable endOfShutdown;

    RunControl(Machine machine) {
        this.machine = machine;
        actions = new ArrayList<>(Collections.nCopies(machine.processors().size(), new Continue()));
    }

    /** Who is told of stops: an attached debugger. */
    public void attach(Listener debugger) {
        listener = debugger;
    }

    /** Takes away all that the debugger has set, and lets the machine run. */
    public void detach() {
        listener = null;
        setPoints(DebugPoints.NONE);
        resume(Collections.nCopies(actions.size(), new Continue()));
    }

    /** Sets where every processor stops. */
    public void setPoints(DebugPoints points) {
        machine.processors().forEach(processor -> processor.debugger.setPoints(points));
    }

    /** Stops all processors where they are, between two instructions. */
    public void stop() {
        machine.freeze();
    }

    /** The registers of {@code processor} as text, in lines. */
    public String dump(Processor processor) {
        return RegisterDump.of(processor);
    }

    public boolean isStopped() { return machine.isFrozen(); }

    /** Lets each processor do what the list, in the order of their indices, says. */
    public void resume(List<? extends Action> next) {
        for (int i = 0; i < actions.size(); i++) {
            actions.set(i, next.get(i));
        }
        machine.processors().forEach(processor -> processor.debugger.passBreakpoint());
        Runnable end = endOfShutdown;
        if (end != null) {
            endOfShutdown = null;
            end.run();
        }
        machine.thaw();
    }

    // ---- for the supervisor ------------------------------------------------------------------------------------------

    /** Whether {@code processor} has no turn. */
    boolean holds(Processor processor) {
        return machine.isFrozen() || actions.get(processor.index) instanceof Hold;
    }

    boolean steps(Processor processor) {
        return actions.get(processor.index) instanceof Step;
    }

    /** How long a turn of at most {@code quantum} may be. */
    long limit(Processor processor, long quantum) {
        for (Processor other : machine.processors()) {
            if (other != processor && steps(other) && !other.halted && !other.waitsForStartup) {
                return Math.min(quantum, STEPPING_QUANTUM);
            }
        }
        return quantum;
    }

    /** {@code processor} has run into one of the debugger's points, or its step has come to a fault. */
    void debugStop(Processor processor) {
        Stop stop = processor.stop;
        switch (stop.debugEvent) {
            case BREAKPOINT -> stopped(new Event(processor, Cause.BREAKPOINT, stop.address, stop.access));
            case WATCHPOINT -> stopped(new Event(processor, Cause.WATCHPOINT, stop.address, stop.access));
            case FAULT -> stepped(processor);
        }
    }

    /** {@code processor} has executed the instruction of a step. */
    void stepped(Processor processor) {
        long rip = processor.rip - (processor.is64Bit() ? 0 : processor.segmentBase[Processor.CS]);
        if (actions.get(processor.index) instanceof Step step && !step.continuesAt(rip)) {
            stopped(new Event(processor, Cause.STEP, 0, DebugPoints.Access.ANY));
        }
    }

    /** A triple fault: a debugger looks at it first; {@code end} is what it leads to. */
    void shutdown(Processor processor, Runnable end) {
        if (listener == null) {
            end.run();
        } else {
            endOfShutdown = end;
            stopped(new Event(processor, Cause.SHUTDOWN, 0, DebugPoints.Access.ANY));
        }
    }

    private void stopped(Event event) {
        Listener debugger = listener;
        if (debugger != null) {
            machine.freeze();
            debugger.stopped(event);
        }
    }
}
