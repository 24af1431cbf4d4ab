package dev.xenolith.cpu.processor;

/**
 * Why {@link Processor#run} returned. One preallocated object per processor, valid until the next {@code run}.
 */
public final class Stop {
    /** The kinds of stop. */
    public enum Kind {
        /** The budget is used up. */
        BUDGET,
        /** Somebody set a bit in {@link Processor#poll}: inbox, pause, snapshot. */
        REQUEST,
        /** Hosted: the local APIC had an interrupt to deliver; {@link Stop#vector} has been acknowledged. */
        INTERRUPT,
        /** Hosted: a non-maskable interrupt. */
        NMI,
        /** Hosted: an exception or software interrupt would enter ring 0; nothing of CS, SS, RSP or the stack has changed. */
        EXCEPTION,
        /** Hosted: SYSCALL or SYSENTER; RIP is after the instruction, RCX and R11 are written (SYSCALL). */
        ENTRY,
        /** A non-root guest left with an architectural exit; the particulars are in its VMCS or VMCB. */
        EXIT,
        /** HLT (or MWAIT) with nothing pending, RIP is after the instruction; or waiting for a start-up IPI. */
        HALTED,
        /** Triple fault. */
        SHUTDOWN,
        /** A debugger's breakpoint or single step. */
        DEBUG
    }

    /** What a debugger is told by a stop of the kind DEBUG. */
    public enum DebugEvent {
        /** The next instruction has a breakpoint; RIP is at it, nothing of it has been done. */
        BREAKPOINT,
        /** The latest instruction has made an access of {@link Stop#access} to the watchpoint at {@link Stop#address}. */
        WATCHPOINT,
        /** {@link Debugger#step}: in place of the instruction, a handler of its fault has been entered. */
        FAULT
    }

    /** Kind of the latest stop. */
    public Kind kind = Kind.BUDGET;
    /** EXCEPTION, INTERRUPT: vector 0..255. */
    public int vector;
    /** EXCEPTION: error code as the processor would push it; meaningful if {@link #hasErrorCode}. */
    public int errorCode;
    /** EXCEPTION: whether the vector pushes an error code. */
    public boolean hasErrorCode;
    /** EXCEPTION: raised by INT n, INT3, INTO or INT1 rather than by a fault. */
    public boolean software;
    /** EXCEPTION: faulting linear address of a #PF, which is also in CR2. DEBUG: that of the breakpoint or watchpoint. */
    public long address;
    /**
     * EXCEPTION: length in bytes of the instruction that raised it, 0 if unknown. For software interrupts and traps RIP is
     * already after the instruction; for faults it is at the instruction.
     */
    public int instructionLength;
    /** DEBUG: what has happened. */
    public DebugEvent debugEvent = DebugEvent.BREAKPOINT;
    /** DEBUG, WATCHPOINT: the accesses that the watchpoint is for. */
    public DebugPoints.Access access = DebugPoints.Access.ANY;
    /** ENTRY: true for SYSENTER, false for SYSCALL. */
    public boolean sysenter;
}
