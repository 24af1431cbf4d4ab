package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.processor.Processor;

/** Hands a fault that an operation has raised to its processor. */
final class Faults {
    private static final int STACK_FAULT = 12;

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
        boolean operand = op.base != Processor.ZERO || op.index != Processor.ZERO || op.displacement != 0;
        if (operand && (!op.usesStack || isNear(p.faultAddress, op.address(p)))) {
            return op.stackSegment;
        }
        return op.usesStack || op.stackSegment && (!op.hasTwoStrings || isNear(p.faultAddress, source(p, op)));
    }

    /** Offset of a string instruction's source. */
    private static long source(Processor p, Op op) {
        return p.gpr[Processor.RSI] << op.addressShift >>> op.addressShift;
    }

    /** An access that crosses into the next page faults there. */
    private static boolean isNear(long fault, long access) {
        return fault - access >= 0 && fault - access < 16;
    }
}
