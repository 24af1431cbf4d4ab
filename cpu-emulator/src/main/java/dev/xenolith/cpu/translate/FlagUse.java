package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.emit.Program;
import dev.xenolith.cpu.emit.Program.Aspect;
import dev.xenolith.cpu.emit.Program.Assign;
import dev.xenolith.cpu.emit.Program.Check;
import dev.xenolith.cpu.emit.Program.Load;
import dev.xenolith.cpu.emit.Program.Name;
import dev.xenolith.cpu.emit.Program.Operand;
import dev.xenolith.cpu.emit.Program.Pop;
import dev.xenolith.cpu.emit.Program.Push;
import dev.xenolith.cpu.emit.Program.SetFlags;
import dev.xenolith.cpu.emit.Program.Statement;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What instructions of a form have to do with the flags.
 *
 * @param writes whether they write flags
 * @param replaces whether they set both words of the flags to something that does not depend on what they were
 * @param readsForValue whether they need the flags for anything but new flags
 * @param readsConditionOnly whether all that they need of the flags is their condition
 * @param canWait whether what they do to the flags can be done later, when registers have changed
 * @param mayLeave whether the unit may be left before them, which therefore needs the flags as they are then
 */
record FlagUse(boolean writes, boolean replaces, boolean readsForValue, boolean readsConditionOnly, boolean canWait,
        boolean mayLeave) {
    /** Names in the language of programs for what stays as it is after the instruction. */
    private static final Set<String> WAITING = Set.of("r", "t", "u", "bits", "bytes", "bits2", "FR", "FC", "cf");
    /** As {@link #names} calls all of a register, which is read where it is; other operands are kept. */
    private static final String FULL = "full";

    static FlagUse of(DecodedInstruction decoded, Program program, InstructionForm.Kind kind) {
        if (kind == InstructionForm.Kind.CALL) {
            return new FlagUse(true, false, true, false, false, true);
        }
        boolean result = false;
        boolean carries = false;
        boolean reads = false;
        boolean readsForValue = false;
        boolean conditionOnly = true;
        boolean canWait = true;
        for (Statement statement : program.statements()) {
            boolean sets = setsFlags(statement);
            boolean readsHere = names(statement, FlagUse::isFlags);
            result |= statement instanceof SetFlags || assigns(statement, "FR");
            carries |= statement instanceof SetFlags || assigns(statement, "FC");
            reads |= readsHere;
            readsForValue |= !sets && readsHere;
            conditionOnly &= !names(statement, name -> isFlags(name) && !name.equals("cc"));
            canWait &= !sets || !names(statement, name -> !WAITING.contains(name));
        }
        return new FlagUse(result || carries, result && carries && !reads, readsForValue, conditionOnly, canWait,
                mayLeave(decoded, program));
    }

    /** The same of an instruction whose flags do not depend on what they were. */
    FlagUse replacing() {
        return new FlagUse(writes, true, readsForValue, readsConditionOnly, canWait, mayLeave);
    }

    private static boolean mayLeave(DecodedInstruction decoded, Program program) {
        boolean[] may = new boolean[1];
        for (Statement statement : program.statements()) {
            may[0] |= statement instanceof Check || statement instanceof Load || statement instanceof Push
                    || statement instanceof Pop;
        }
        program.visit(expression -> may[0] |= expression instanceof Operand operand
                && decoded.form(operand.index()).isMemory() && operand.aspect() != Aspect.OFFSET
                && operand.aspect() != Aspect.ADDRESS);
        for (int i = 0; i < decoded.operands(); i++) {
            may[0] |= decoded.form(i).isMemory() && decoded.row.semantic().writes(i);
        }
        return may[0];
    }

    private static boolean setsFlags(Statement statement) {
        return statement instanceof SetFlags || assigns(statement, "FR") || assigns(statement, "FC");
    }

    private static boolean isFlags(String name) {
        return name.equals("FR") || name.equals("FC") || name.equals("cf") || name.equals("cc");
    }

    private static boolean assigns(Statement statement, String name) {
        return statement instanceof Assign assign && assign.target() instanceof Name(String target)
                && target.equals(name);
    }

    /** Whether {@code statement} has an expression with a name that {@code which} accepts. */
    private static boolean names(Statement statement, Predicate<String> which) {
        boolean[] found = new boolean[1];
        new Program(List.of(statement)).visit(expression -> {
            found[0] |= expression instanceof Name(String name) && which.test(name);
            found[0] |= expression instanceof Operand operand && operand.aspect() == Aspect.FULL && which.test(FULL);
        });
        return found[0];
    }
}
