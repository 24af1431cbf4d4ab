package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.emit.ProgramEmitter;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.util.ArrayList;
import java.util.List;

/**
 * What instructions have done to the flags that has not been written yet, because it is hardly ever looked at: most flags are replaced
 * before anyone does, and a condition is better found from the operands than from the flags. As long as it is pending, the locals of those
 * instructions' programs keep their values.
 */
final class PendingFlags {
    private record Entry(Instruction instruction, ProgramEmitter emitter, int slot) {
    }

    private List<Entry> entries = new ArrayList<>();

    /** A copy, which stays as this is now. */
    PendingFlags copy() {
        PendingFlags copy = new PendingFlags();
        copy.entries = new ArrayList<>(entries);
        return copy;
    }

    /** Whether the same is pending. */
    boolean isSame(PendingFlags other) {
        return entries.equals(other.entries);
    }

    /** A slot of locals that no pending instruction has, -1 if there is none. */
    int freeSlot() {
        for (int slot = 0; slot < Locals.PROGRAMS; slot++) {
            int candidate = slot;
            if (entries.stream().noneMatch(entry -> entry.slot == candidate)) {
                return slot;
            }
        }
        return -1;
    }

    /** Adds what {@code instruction}, written by {@code emitter} with the locals of {@code slot}, does to the flags. */
    void add(Instruction instruction, ProgramEmitter emitter, int slot) {
        if (instruction.flags().replaces()) {
            entries.clear();
        }
        entries.add(new Entry(instruction, emitter, slot));
    }

    /** Writes them; they stay pending. */
    void write() {
        entries.forEach(entry -> entry.emitter.emitFlags());
    }

    /** They have been written, or replaced. */
    void clear() {
        entries.clear();
    }

    // ---- conditions --------------------------------------------------------------------------------------------------

    /** Whether {@link #jumpUnless} can tell whether condition {@code number} holds. */
    boolean tells(int number) {
        if (entries.isEmpty()) {
            return false;
        }
        return switch (entries.getLast().instruction.decoded().row.semantic().name()) {
            case "cmp", "sub" -> switch (ProgramEmitter.condition(number)) {
                case "o", "no", "p", "np" -> false;
                default -> true;
            };
            case "test", "and", "or", "xor" -> switch (ProgramEmitter.condition(number)) {
                case "p", "np" -> false;
                default -> true;
            };
            case "add", "inc", "dec", "neg", "adc", "sbb" -> switch (ProgramEmitter.condition(number)) {
                case "e", "ne", "s", "ns" -> true;
                default -> false;
            };
            default -> false;
        };
    }

    /** Goes to {@code not} unless condition {@code number}, which it {@link #tells}, holds. */
    void jumpUnless(CodeBuilder code, int number, Label not) {
        ProgramEmitter emitter = entries.getLast().emitter;
        String name = entries.getLast().instruction.decoded().row.semantic().name();
        boolean subtracts = name.equals("cmp") || name.equals("sub");
        String condition = ProgramEmitter.condition(number);
        switch (condition) {
            case "e", "ne", "s", "ns" -> {
                code.lload(emitter.resultLocal()).lconst_0().lcmp();
                switch (condition) {
                    case "e" -> code.ifne(not);
                    case "ne" -> code.ifeq(not);
                    case "s" -> code.ifge(not);
                    default -> code.iflt(not);
                }
            }
            case "l", "ge", "le", "g" -> {
                compare(code, emitter, subtracts, 0);
                relation(code, condition, "l", "ge", "le", not);
            }
            default -> {
                if (subtracts) {
                    compare(code, emitter, true, Long.MIN_VALUE);
                    relation(code, condition, "b", "ae", "be", not);
                } else {
                    logic(code, emitter, condition, not);
                }
            }
        }
    }

    /** Pushes the comparison of the operands, or of the result of a logical operation with 0; {@code bias} makes it unsigned. */
    private static void compare(CodeBuilder code, ProgramEmitter emitter, boolean subtracts, long bias) {
        if (!subtracts) {
            code.lload(emitter.resultLocal()).lconst_0().lcmp();
            return;
        }
        for (int i = 0; i < 2; i++) {
            code.lload(emitter.local(i));
            if (bias != 0) {
                code.loadConstant(bias).lxor();
            }
        }
        code.lcmp();
    }

    private static void relation(CodeBuilder code, String condition, String less, String notLess, String notGreater,
            Label not) {
        if (condition.equals(less)) {
            code.ifge(not);
        } else if (condition.equals(notLess)) {
            code.iflt(not);
        } else if (condition.equals(notGreater)) {
            code.ifgt(not);
        } else {
            code.ifle(not);
        }
    }

    /** After a logical operation CF and OF are clear. */
    private static void logic(CodeBuilder code, ProgramEmitter emitter, String condition, Label not) {
        switch (condition) {
            case "b", "o" -> code.goto_(not);
            case "be" -> code.lload(emitter.resultLocal()).lconst_0().lcmp().ifne(not);
            case "a" -> code.lload(emitter.resultLocal()).lconst_0().lcmp().ifeq(not);
            default -> {
                // AE and NO always hold.
            }
        }
    }
}
