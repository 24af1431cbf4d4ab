package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.decode.Semantic;
import dev.xenolith.cpu.emit.Program.Call;
import dev.xenolith.cpu.emit.Program.Check;
import dev.xenolith.cpu.emit.Program.Expression;
import dev.xenolith.cpu.emit.Program.Invoke;
import dev.xenolith.cpu.emit.Program.Load;
import dev.xenolith.cpu.emit.Program.Name;
import dev.xenolith.cpu.emit.Program.Operand;
import dev.xenolith.cpu.emit.Program.Pop;
import dev.xenolith.cpu.emit.Program.Push;
import dev.xenolith.cpu.emit.Program.Raise;
import dev.xenolith.cpu.emit.Program.Statement;
import java.util.List;

/**
 * What else an operation may do than compute in registers. Says yes where it does not know.
 *
 * @param raises it may fault, or ask to be done again in the stepping loop
 * @param writesMemory it may write memory, and so change code
 * @param endsBlock no operation follows it
 */
record Effects(boolean raises, boolean writesMemory, boolean endsBlock) {
    /** Of the operation for {@code row} with operands of {@code forms}; {@code legacy}: outside 64-bit mode. */
    static Effects of(OpcodeRow row, List<OperandForm> forms, boolean legacy) {
        Semantic semantic = row.semantic();
        Program program = Program.parse(semantic.program());
        // What is handed the processor may do anything.
        boolean[] open = {legacy && row.dependsOnMode() || semantic.unit() != Semantic.Unit.NONE
                || row.hasVector(true) || row.hasVector(false)};
        boolean raises = false;
        boolean writes = false;
        for (Statement statement : program.statements()) {
            raises |= statement instanceof Check || statement instanceof Raise || statement instanceof Load
                    || statement instanceof Pop || statement instanceof Push;
            writes |= statement instanceof Push;
            open[0] |= statement instanceof Invoke;
        }
        boolean[] loaded = new boolean[forms.size()];
        program.visit(expression -> {
            open[0] |= expression instanceof Call call && call.arguments().stream().anyMatch(Effects::isState);
            if (expression instanceof Operand operand && operand.aspect() != Program.Aspect.OFFSET) {
                loaded[operand.index()] = true;
            }
        });
        for (int i = 0; i < loaded.length; i++) {
            if (forms.get(i).isMemory()) {
                raises |= loaded[i] || semantic.writes(i);
                writes |= semantic.writes(i);
            }
        }
        return new Effects(raises || open[0], writes || open[0], semantic.endsBlock());
    }

    /** What an operation of either effects may do. */
    Effects or(Effects other) {
        return new Effects(raises || other.raises, writesMemory || other.writesMemory, endsBlock || other.endsBlock);
    }

    private static boolean isState(Expression expression) {
        return expression instanceof Name(String name) && (name.equals("p") || name.equals("fp"));
    }
}
