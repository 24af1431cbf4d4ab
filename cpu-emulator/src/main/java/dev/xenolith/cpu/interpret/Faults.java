package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.processor.Processor;

/** Hands a fault that an operation has raised to its processor. */
final class Faults {
    private static final int STACK_FAULT = 12;
    /** Bytes of the widest access beside one to the stack or by a string instruction. */
    private static final int WIDEST = 16;

    private Faults() {}

    /** The fault of {@code op}, {@code length} bytes long; RIP and {@code retired} are exact. */
    static void deliver(Processor p, Op op, int length) {
        if (p.faultNonCanonical && isStackAccess(p, op)) {
            p.faultVector = STACK_FAULT;
        }
        p.fault(length);
    }

    /**
     * Whether the non-canonical address was one in SS: that of a memory operand based on RSP or RBP, unless overridden, that of an
     * implied access to the stack, or outside 64-bit mode that of an implied operand behind prefix SS. Memory access does not know,
     * so that it need not be told.
     */
    private static boolean isStackAccess(Processor p, Op op) {
        if (isNear(p.faultAddress, p.gpr[Processor.RSP], op.popped)) {
            return true;
        }
        boolean operand = op.base != Processor.ZERO || op.index != Processor.ZERO || op.displacement != 0;
        if (operand && (!op.usesStack || isNear(p.faultAddress, op.address(p), WIDEST))) {
            return op.stackSegment;
        }
        return op.usesStack || op.stackSegment && (!op.hasTwoStrings || isNear(p.faultAddress, source(p, op), WIDEST));
    }

    /** Offset of a string instruction's source. */
    private static long source(Processor p, Op op) {
        return p.gpr[Processor.RSI] << op.addressShift >>> op.addressShift;
    }

    /** Whether an access to {@code bytes} may have faulted there: one that crosses into the next page faults in that. */
    private static boolean isNear(long fault, long access, int bytes) {
        return fault - access >= 0 && fault - access < bytes;
    }
}
