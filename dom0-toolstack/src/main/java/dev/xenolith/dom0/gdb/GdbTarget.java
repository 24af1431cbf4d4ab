package dev.xenolith.dom0.gdb;

import dev.xenolith.cpu.processor.DebugPoints;
import dev.xenolith.cpu.processor.ProcessorState;
import java.util.List;

/**
 * Processors that are debugged together: those of a bare machine, or the virtual ones of a domain. Called on the thread that owns them.
 * They are numbered from 0.
 */
public interface GdbTarget {
    /** Registers whose values are not only state: writing one has consequences and may be refused. */
    enum Control {
        CR0, CR3, CR4, CR8, EFER
    }

    /** What a processor does when the target goes on. */
    sealed interface Action {
    }

    /** Executes. */
    record Continue() implements Action {
    }

    /** Stays where it is. */
    record Hold() implements Action {
    }

    /** Executes one instruction, and further ones while RIP, relative to CS, is in {@code first} to {@code end} - 1. */
    record Step(long first, long end) implements Action {
    }

    /** Why the target has stopped. */
    enum Cause {
        BREAKPOINT, WATCHPOINT, STEP, SHUTDOWN
    }

    /**
     * A stop.
     *
     * @param processor who stopped
     * @param address linear address of the breakpoint or watchpoint
     * @param access WATCHPOINT: what kind of watchpoint
     */
    record Event(int processor, Cause cause, long address, DebugPoints.Access access) {
    }

    /** Told of stops that {@link #stop} has not asked for; all processors have stopped. */
    @FunctionalInterface
    interface Listener {
        void stopped(Event event);
    }

    /** How many processors there are. */
    int processors();

    /** One line about a processor. */
    String describe(int processor);

    /** All that is to be said about the registers of a processor, in lines. */
    String dump(int processor);

    /** Reads the registers of a processor. */
    void save(int processor, ProcessorState into);

    /** Writes them; what {@link Control} lists and segments stay as they are. False, with nothing changed, if they cannot be so. */
    boolean load(int processor, ProcessorState from);

    long control(int processor, Control register);

    /** Writes a control register as the instruction for it does; false, with nothing changed, if that would raise an exception. */
    boolean setControl(int processor, Control register, long value);

    /** Loads {@code segment} (ES to GS as in {@code Processor}) as MOV does; false, with nothing changed, if that would fault. */
    boolean setSegment(int processor, int segment, int selector);

    /** Reads memory at a linear address of a processor's present address space; returns how many bytes are there, in a row. */
    int read(int processor, long address, byte[] into, int length);

    /** Writes memory likewise; returns how many bytes were written. */
    int write(int processor, long address, byte[] from, int length);

    /** Sets where the processors stop, in place of what was set before. */
    void setPoints(DebugPoints points);

    /** A debugger is there. */
    void attach(Listener listener);

    /** It has gone: nothing of it remains, and the processors run. */
    void detach();

    /** Stops all processors. */
    void stop();

    /** Lets each processor do what the list says. */
    void resume(List<? extends Action> actions);

    /** Ends what is debugged. */
    void kill();

    /** Runs {@code work} on the thread that owns the target, soon; never if the target has ended. Any thread. */
    void execute(Runnable work);
}
