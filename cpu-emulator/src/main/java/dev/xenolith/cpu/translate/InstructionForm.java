package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.decode.Semantic;
import dev.xenolith.cpu.emit.Program;
import dev.xenolith.cpu.emit.Program.Assign;
import dev.xenolith.cpu.emit.Program.Branch;
import dev.xenolith.cpu.emit.Program.Call;
import dev.xenolith.cpu.emit.Program.Expression;
import dev.xenolith.cpu.emit.Program.Invoke;
import dev.xenolith.cpu.emit.Program.Load;
import dev.xenolith.cpu.emit.Program.Name;
import dev.xenolith.cpu.emit.Program.Push;
import dev.xenolith.cpu.emit.Program.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * What instructions of one row, operand size and choice of operand forms have in common for the translator; found once.
 *
 * @param forms of the operands
 * @param program what they do
 * @param kind how a unit executes them
 * @param conditional whether they may go on at the next instruction although they branch
 * @param call whether execution returns after them: what they branch to is called
 * @param returns whether they branch to where the stack says
 * @param registers the general registers they use
 * @param flags what they have to do with the flags
 */
record InstructionForm(List<OperandForm> forms, Program program, Kind kind, boolean conditional, boolean call,
        boolean returns,
        RegisterUse registers, FlagUse flags) {
    /** How a unit executes an instruction. */
    enum Kind {
        /** By its program, written into the unit. */
        INLINE,
        /** The same, and it may branch: the last of its block. */
        BRANCH,
        /** By a call to the interpreter's operation. */
        CALL,
        /** Not at all: the unit is left before it. */
        NONE
    }

    static InstructionForm of(DecodedInstruction decoded) {
        List<OperandForm> forms = new ArrayList<>();
        for (int i = 0; i < decoded.operands(); i++) {
            forms.add(decoded.form(i));
        }
        Program program = Program.parse(decoded.row.semantic().program());
        Kind kind = kind(decoded, program);
        boolean conditional = program.statements().stream().anyMatch(statement -> statement instanceof Branch);
        boolean call = kind == Kind.BRANCH
                && program.statements().stream().anyMatch(statement -> statement instanceof Push);
        boolean returns = kind == Kind.BRANCH
                && program.statements().stream().anyMatch(statement -> statement instanceof Load);
        return new InstructionForm(List.copyOf(forms), program, kind, conditional, call, returns,
                RegisterUse.of(decoded, program, kind), FlagUse.of(decoded, program, kind));
    }

    private static Kind kind(DecodedInstruction decoded, Program program) {
        OpcodeRow row = decoded.row;
        Semantic semantic = row.semantic();
        boolean branches = branches(program);
        if (semantic.endsBlock() && !branches) {
            return Kind.NONE;
        }
        boolean inline = semantic.unit() == Semantic.Unit.NONE && !row.hasVector(true) && !row.hasVector(false)
                && !usesProcessor(program);
        for (int i = 0; i < decoded.operands(); i++) {
            OperandForm form = decoded.form(i);
            inline &= form != OperandForm.SEGMENTED && form != OperandForm.SPECIAL && form != OperandForm.STRING;
            inline &= !form.isMemory() || decoded.bits(i) <= 64;
        }
        if (branches) {
            return inline ? Kind.BRANCH : Kind.NONE;
        }
        return inline ? Kind.INLINE : Kind.CALL;
    }

    private static boolean branches(Program program) {
        for (Statement statement : program.statements()) {
            if (statement instanceof Branch
                    || statement instanceof Assign assign && assign.target() instanceof Name(String name)
                            && name.equals("rip")) {
                return true;
            }
        }
        return false;
    }

    /** Whether {@code program} hands the processor, which may do anything with it, to a method. */
    static boolean usesProcessor(Program program) {
        boolean[] uses = new boolean[1];
        for (Statement statement : program.statements()) {
            uses[0] |= statement instanceof Invoke;
        }
        program.visit(expression -> uses[0] |= expression instanceof Call call
                && call.arguments().stream().anyMatch(InstructionForm::isProcessor));
        return uses[0];
    }

    private static boolean isProcessor(Expression expression) {
        return expression instanceof Name(String name) && (name.equals("p") || name.equals("fp"));
    }
}
