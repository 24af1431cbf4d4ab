package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.decode.OperandSpec;
import dev.xenolith.cpu.emit.Program;
import dev.xenolith.cpu.emit.Program.Aspect;
import dev.xenolith.cpu.emit.Program.Assign;
import dev.xenolith.cpu.emit.Program.Expression;
import dev.xenolith.cpu.emit.Program.Load;
import dev.xenolith.cpu.emit.Program.Name;
import dev.xenolith.cpu.emit.Program.Operand;
import dev.xenolith.cpu.emit.Program.Pop;
import dev.xenolith.cpu.emit.Program.Push;
import dev.xenolith.cpu.emit.Program.Statement;
import java.util.List;

/**
 * Which general registers instructions of a form use; says more where it does not know.
 *
 * @param read implied registers, as bits by number, that are read
 * @param written implied registers that are written
 * @param operandsRead operands, as bits, that are registers and read
 * @param operandsWritten operands that are registers and written
 */
record RegisterUse(int read, int written, int operandsRead, int operandsWritten) {
    private static final int ALL = 0xffff;
    private static final int RSP = 1 << 4;
    private static final List<String> NAMES = List.of("RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI");

    static RegisterUse of(DecodedInstruction decoded, Program program, InstructionForm.Kind kind) {
        if (kind == InstructionForm.Kind.CALL && InstructionForm.usesProcessor(program)) {
            return new RegisterUse(ALL, ALL, 0, 0);
        }
        int[] named = new int[2];
        int[] operands = new int[2];
        for (int i = 0; i < decoded.operands(); i++) {
            if (isGeneral(decoded, i)) {
                operands[0] |= 1 << i;
                operands[1] |= decoded.row.semantic().writes(i) ? 1 << i : 0;
            }
        }
        program.visit(expression -> {
            if (expression instanceof Name(String name)) {
                named[0] |= named(name);
            }
        });
        for (Statement statement : program.statements()) {
            switch (statement) {
                case Assign(Expression target, Expression value) -> assign(decoded, target, named, operands);
                case Load s -> assign(decoded, s.target(), named, operands);
                case Pop s -> {
                    named[1] |= RSP;
                    assign(decoded, s.target(), named, operands);
                }
                case Push s -> named[1] |= RSP;
                default -> {
                }
            }
        }
        return new RegisterUse(named[0], named[1], operands[0], operands[1]);
    }

    private static void assign(DecodedInstruction decoded, Expression target, int[] named, int[] operands) {
        if (target instanceof Name(String name)) {
            named[1] |= named(name);
        } else if (target instanceof Operand(int index, Aspect aspect) && isGeneral(decoded, index)) {
            operands[1] |= 1 << index;
        }
    }

    private static boolean isGeneral(DecodedInstruction decoded, int i) {
        OperandSpec spec = decoded.row.operands().get(i);
        return decoded.form(i) == OperandForm.REGISTER && !spec.type().isVector() && !spec.type().isMmx();
    }

    private static int named(String name) {
        int number = switch (name) {
            case "AL", "AH", "AX", "rAX" -> 0;
            case "rCX" -> 1;
            case "rDX" -> 2;
            case "rBP" -> 5;
            default -> NAMES.indexOf(name);
        };
        return number < 0 ? 0 : 1 << number;
    }

    /** Registers, as bits by number, that {@code decoded}, of this form, reads, those of addresses among them. */
    int reads(DecodedInstruction decoded) {
        int set = read | registers(decoded, operandsRead);
        for (int i = 0; i < decoded.operands(); i++) {
            if (decoded.form(i).isMemory()) {
                set |= bit(decoded.base) | bit(decoded.index);
            }
        }
        return set;
    }

    /** Registers that {@code decoded}, of this form, writes. */
    int writes(DecodedInstruction decoded) {
        return written | registers(decoded, operandsWritten);
    }

    private static int registers(DecodedInstruction decoded, int operands) {
        int set = 0;
        for (int rest = operands; rest != 0; rest &= rest - 1) {
            set |= 1 << (decoded.register(Integer.numberOfTrailingZeros(rest)) & 15);
        }
        return set;
    }

    private static int bit(int number) {
        return number < 16 ? 1 << number : 0;
    }
}
