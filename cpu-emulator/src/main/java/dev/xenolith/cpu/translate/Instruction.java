package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.translate.InstructionForm.Kind;
import java.util.Set;

/**
 * An instruction as the translator sees it.
 *
 * @param offset in its page
 * @param decoded what it is
 * @param form what it has in common with others
 * @param reads general registers, as bits by number, that it reads or writes in part
 * @param writes general registers that it writes
 * @param flags what it has to do with the flags
 */
record Instruction(int offset, DecodedInstruction decoded, InstructionForm form, int reads, int writes,
        FlagUse flags) {
    private static final Set<String> SHIFTS = Set.of("shl", "shr", "sar");

    static Instruction of(int offset, DecodedInstruction decoded, InstructionForm form) {
        RegisterUse use = form.registers();
        int writes = use.writes(decoded);
        FlagUse flags = shiftsAlways(decoded) ? form.flags().replacing() : form.flags();
        return new Instruction(offset, decoded, form, use.reads(decoded) | writes, writes, flags);
    }

    /** Whether it is a shift by a number that it names, and not by 0, which changes no flag. */
    private static boolean shiftsAlways(DecodedInstruction decoded) {
        return SHIFTS.contains(decoded.row.semantic().name()) && decoded.operands() == 2
                && decoded.form(1) == OperandForm.IMMEDIATE
                && (decoded.immediate & (decoded.operandBits == 64 ? 63 : 31)) != 0;
    }

    Kind kind() {
        return form.kind();
    }

    /** Offset in the page of the instruction after it, maybe that of the page's end. */
    int next() {
        return offset + decoded.length;
    }

    /** Whether it branches to a distance that it names; {@link #target} is where. */
    boolean hasTarget() {
        return kind() == Kind.BRANCH && decoded.operands() == 1 && decoded.form(0) == OperandForm.RELATIVE;
    }

    /** Offset in its page of the branch target, maybe beyond it. */
    long target() {
        return next() + decoded.immediate;
    }
}
