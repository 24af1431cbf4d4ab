package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Semantic;
import dev.xenolith.cpu.processor.Processor;

/** Hands a fault that an operation has raised to its processor. */
final class Faults {
    private static final int STACK_FAULT = 12;
    /** Bytes of the widest access beside one to the stack or by a string instruction. */
    private static final int WIDEST = 16;

    private Faults() {}

    /** The fault of {@code instruction}; RIP and {@code retired} are exact. */
    static void deliver(Processor p, DecodedInstruction instruction) {
        if (p.faultNonCanonical && isStackAccess(p, instruction)) {
            p.faultVector = STACK_FAULT;
        }
        p.fault(instruction.length);
    }

    /**
     * Whether the non-canonical address was one in SS: that of a memory operand based on RSP or RBP, unless overridden, that of an
     * implied access to the stack, or outside 64-bit mode that of an implied operand behind prefix SS. Memory access does not know,
     * so that it need not be told.
     */
    private static boolean isStackAccess(Processor p, DecodedInstruction instruction) {
        Semantic semantic = instruction.row.semantic();
        int popped = semantic.addressAfterRsp() ? instruction.operandBits / 8 : 0;
        if (isNear(p.faultAddress, p.gpr[Processor.RSP], popped)) {
            return true;
        }
        boolean operand = instruction.base != Processor.ZERO || instruction.index != Processor.ZERO
                || instruction.displacement != 0;
        if (operand && (!semantic.usesStack() || isNear(p.faultAddress, address(p, instruction), WIDEST))) {
            return instruction.stackSegment;
        }
        return semantic.usesStack() || instruction.stackSegment
                && (!instruction.hasTwoStrings() || isNear(p.faultAddress, source(p, instruction), WIDEST));
    }

    private static long address(Processor p, DecodedInstruction instruction) {
        return Op.offset(p.gpr, instruction.base, instruction.index, instruction.scale, instruction.displacement,
                64 - instruction.addressBits) + p.segmentBase[instruction.segment];
    }

    /** Offset of a string instruction's source. */
    private static long source(Processor p, DecodedInstruction instruction) {
        int shift = 64 - instruction.addressBits;
        return p.gpr[Processor.RSI] << shift >>> shift;
    }

    /** Whether an access to {@code bytes} may have faulted there: one that crosses into the next page faults in that. */
    private static boolean isNear(long fault, long access, int bytes) {
        return fault - access >= 0 && fault - access < bytes;
    }
}
