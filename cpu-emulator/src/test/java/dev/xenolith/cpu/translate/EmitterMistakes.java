package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.translate.Region.BasicBlock;
import java.lang.classfile.CodeBuilder;

/** Methods of the translator as they would be with an error in them, in the place of those of the same name. */
final class EmitterMistakes {
    private EmitterMistakes() {}

    /** Has no flags pending. */
    static PendingFlags copy(PendingFlags flags) {
        return new PendingFlags(flags.carried);
    }

    /** Forgets that instructions may leave the unit with the flags. */
    static boolean needsFlagsFirst(BasicBlock block) {
        for (Instruction instruction : block.instructions) {
            if (instruction.flags().readsForValue()) {
                return true;
            }
            if (instruction.flags().replaces()) {
                return false;
            }
        }
        return true;
    }

    /** Called before memory is looked for: changes the register that is about to be loaded. */
    static void changeEarly(CodeBuilder code, DecodedInstruction decoded, Locals locals) {
        String name = decoded.row.semantic().name();
        if (!name.equals("mov") && !name.equals("movzx") || decoded.form(0) != OperandForm.REGISTER) {
            return;
        }
        int register = locals.register(decoded.register(0) & 15);
        code.lload(register).loadConstant(1L).lxor().lstore(register);
    }
}
