package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.translate.InstructionForm.Kind;

/**
 * An instruction as the translator sees it.
 *
 * @param offset in its page
 * @param decoded what it is
 * @param form what it has in common with others
 * @param reads general registers, as bits by number, that it reads or writes in part
 * @param writes general registers that it writes
 */
record Instruction(int offset, DecodedInstruction decoded, InstructionForm form, int reads, int writes) {
    static Instruction of(int offset, DecodedInstruction decoded, InstructionForm form) {
        RegisterUse use = form.registers();
        int writes = use.writes(decoded);
        return new Instruction(offset, decoded, form, use.reads(decoded) | writes, writes);
    }

    Kind kind() {
        return form.kind();
    }

    /** What it has to do with the flags. */
    FlagUse flags() {
        return form.flags();
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
