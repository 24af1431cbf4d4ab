package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.emit.ProgramEmitter;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.Opcode;
import java.util.ArrayList;
import java.util.List;

/**
 * What instructions have done to the flags that has not been written yet, because it is hardly ever looked at: most flags are replaced
 * before anyone does, and a condition is better found from the operands than from the flags. As long as it is pending, the locals of those
 * instructions' programs keep their values.
 */
final class PendingFlags {
    /**
     * An instruction whose flags are pending.
     *
     * @param emitter has written it, and can write them
     * @param slot of its locals
     */
    record Entry(Instruction instruction, ProgramEmitter emitter, int slot) {
    }

    final CarriedFlags carried;
    private List<Entry> entries = new ArrayList<>();
    /** Before the entries is what was pending at the beginning of the basic block, whatever that is. */
    private boolean inherits;

    /** Nothing; what is pending between blocks is in {@code carried}. */
    PendingFlags(CarriedFlags carried) {
        this.carried = carried;
    }

    /** A copy, which stays as this is now. */
    PendingFlags copy() {
        PendingFlags copy = new PendingFlags(carried);
        copy.entries = new ArrayList<>(entries);
        copy.inherits = inherits;
        return copy;
    }

    /** Whether the same is pending. */
    boolean isSame(PendingFlags other) {
        return inherits == other.inherits && entries.equals(other.entries);
    }

    /** At the beginning of a block: what came from the one before it, if {@code needed}. */
    void inherit(boolean needed) {
        entries.clear();
        inherits = needed;
    }

    /** At the end of a block: makes it what the next one inherits. */
    void carry() {
        if (inherits && entries.isEmpty()) {
            return;
        }
        if (inherits || !carried.carry(entries)) {
            write();
            carried.carry(List.of());
        }
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
            clear();
        }
        entries.add(new Entry(instruction, emitter, slot));
    }

    /** Writes them; they stay pending. */
    void write() {
        if (inherits) {
            carried.write();
        }
        entries.forEach(entry -> entry.emitter.emitFlags());
    }

    /** They have been written, or replaced. */
    void clear() {
        entries.clear();
        inherits = false;
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
        DecodedInstruction decoded = entries.getLast().instruction.decoded();
        String name = decoded.row.semantic().name();
        boolean subtracts = name.equals("cmp") || name.equals("sub");
        Comparison comparison = new Comparison(code, emitter, decoded.operandBits <= 32);
        switch (ProgramEmitter.condition(number)) {
            case "e" -> comparison.withZero(Opcode.IFNE, not);
            case "ne" -> comparison.withZero(Opcode.IFEQ, not);
            case "s" -> comparison.withZero(Opcode.IFGE, not);
            case "ns" -> comparison.withZero(Opcode.IFLT, not);
            case "l" -> comparison.signed(subtracts, Opcode.IFGE, not);
            case "ge" -> comparison.signed(subtracts, Opcode.IFLT, not);
            case "le" -> comparison.signed(subtracts, Opcode.IFGT, not);
            case "g" -> comparison.signed(subtracts, Opcode.IFLE, not);
            case "b" -> comparison.unsigned(subtracts, Opcode.IFGE, not);
            case "ae" -> comparison.unsigned(subtracts, Opcode.IFLT, not);
            case "be" -> comparison.unsigned(subtracts, Opcode.IFGT, not);
            case "a" -> comparison.unsigned(subtracts, Opcode.IFLE, not);
            case "o" -> code.goto_(not);
            default -> {
                // NO, of a logical operation: it always holds.
            }
        }
    }

    /** Compares the operands of an instruction, or its result with 0: those of up to 32 bits in ints. */
    private record Comparison(CodeBuilder code, ProgramEmitter emitter, boolean doublewords) {
        void withZero(Opcode jump, Label not) {
            push(emitter.resultLocal(), false);
            if (doublewords) {
                code.branch(jump, not);
            } else {
                code.lconst_0().lcmp().branch(jump, not);
            }
        }

        void signed(boolean operands, Opcode jump, Label not) {
            if (operands) {
                compare(false, jump, not);
            } else {
                withZero(jump, not);
            }
        }

        /** After a logical operation, whose CF is clear, B never holds, AE always, BE if the result is 0. */
        void unsigned(boolean operands, Opcode jump, Label not) {
            if (operands) {
                compare(true, jump, not);
            } else {
                switch (jump) {
                    case IFGE -> code.goto_(not);
                    case IFGT -> withZero(Opcode.IFNE, not);
                    case IFLE -> withZero(Opcode.IFEQ, not);
                    default -> {
                    }
                }
            }
        }

        private void compare(boolean biased, Opcode jump, Label not) {
            push(emitter.local(0), biased);
            push(emitter.local(1), biased);
            if (doublewords) {
                code.branch(comparingInts(jump), not);
            } else {
                code.lcmp().branch(jump, not);
            }
        }

        /** What jumps by two ints as {@code jump} does by the result of LCMP. */
        private static Opcode comparingInts(Opcode jump) {
            return switch (jump) {
                case IFLT -> Opcode.IF_ICMPLT;
                case IFGE -> Opcode.IF_ICMPGE;
                case IFGT -> Opcode.IF_ICMPGT;
                case IFLE -> Opcode.IF_ICMPLE;
                default -> throw new IllegalArgumentException(jump.toString());
            };
        }

        /** Pushes a local; {@code biased}, so that a signed comparison is one of unsigned values. */
        private void push(int local, boolean biased) {
            code.lload(local);
            if (doublewords) {
                code.l2i();
                if (biased) {
                    code.loadConstant(Integer.MIN_VALUE).ixor();
                }
            } else if (biased) {
                code.loadConstant(Long.MIN_VALUE).lxor();
            }
        }
    }
}
