package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.decode.OperandSpec;
import dev.xenolith.cpu.decode.OperandType;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.List;

/**
 * Writes the part of an operation's body that has to do with vector and MMX registers and memory of their sizes: operands are loaded
 * into locals quadword by quadword, results are collected in locals, and written when nothing can fault any more.
 */
final class VectorOperands {
    private static final ClassDesc PROCESSOR = ProgramEmitter.PROCESSOR;
    private static final ClassDesc FPU = ClassDesc.of("dev.xenolith.cpu.processor.FpuState");
    private static final ClassDesc LONG = ClassDesc.ofDescriptor("J");
    private static final ClassDesc INT = ClassDesc.ofDescriptor("I");
    private static final ClassDesc VOID = ClassDesc.ofDescriptor("V");
    private static final ClassDesc LONGS = LONG.arrayType();

    private static final int QUADS = 4;
    private static final int FIRST_LANE = ProgramEmitter.FIRST_FREE;
    private static final int FIRST_RESULT = FIRST_LANE + 4 * QUADS * 2;
    /** Local with the vector registers, and from the next on one for each operand with the index of its first quadword. */
    private static final int REGISTERS = FIRST_RESULT + QUADS * 2;
    private static final int FIRST_INDEX = REGISTERS + 1;
    private static final int GENERAL_PROTECTION = 13;
    private static final int MMX_SIGN_EXPONENT = 0xffff;

    private final StateAccess state;
    private final CodeBuilder code;
    private final OpcodeRow row;
    private final int operandBits;
    private final List<OperandForm> forms;
    /** Whether local {@link #REGISTERS} has been set, and bit i: the one with the index of operand i. */
    private boolean registersKept;
    private int indicesKept;
    /** Bit k: quadword k of the first operand has a result. */
    private int assigned;

    VectorOperands(StateAccess state, OpcodeRow row, int operandBits, List<OperandForm> forms) {
        this.state = state;
        code = state.code();
        this.row = row;
        this.operandBits = operandBits;
        this.forms = forms;
    }

    private int bits(int operand) {
        return row.operands().get(operand).bits(operandBits);
    }

    /** Whether operand {@code i} is handled here. */
    boolean has(int i) {
        OperandSpec spec = row.operands().get(i);
        return spec.type().isVector() || spec.type().isMmx() || spec.width() != 't' && bits(i) >= 128;
    }

    /** Quadwords of operand {@code i}. */
    int quads(int i) {
        return Math.max(1, bits(i) / 64);
    }

    private boolean isMmx(int i) {
        OperandType type = row.operands().get(i).type();
        return type.isMmx() || type == OperandType.VECTOR_VEX && row.operands().getFirst().type().isMmx();
    }

    private static int lane(int operand, int quad) {
        return FIRST_LANE + 2 * (QUADS * operand + quad);
    }

    /** On the stack: the register file and the index of quadword {@code quad} of register operand {@code i}. */
    private void element(int i, int quad) {
        if (isMmx(i)) {
            code.aload(1).getfield(PROCESSOR, "fpu", FPU).getfield(FPU, "significand", LONGS);
            registerNumber(i);
        } else {
            if (registersKept) {
                code.aload(REGISTERS);
            } else {
                code.aload(1).getfield(PROCESSOR, "vector", LONGS).dup().astore(REGISTERS);
                registersKept = true;
            }
            firstIndex(i);
            if (quad > 0) {
                code.loadConstant(quad).iadd();
            }
        }
    }

    private void firstIndex(int i) {
        if ((indicesKept >> i & 1) != 0) {
            code.iload(FIRST_INDEX + i);
            return;
        }
        registerNumber(i);
        code.iconst_2().ishl();
        if (quads(i) > 1) {
            code.dup().istore(FIRST_INDEX + i);
            indicesKept |= 1 << i;
        }
    }

    private void registerNumber(int operand) {
        state.registerNumber(operand);
    }

    /** Raises #GP(0) if operand {@code i}, whose address has been computed, must be aligned and is not; #AC if that is checked. */
    void checkAlignment(int i) {
        if (bits(i) < 128) {
            return;
        }
        Label aligned = code.newLabel();
        code.lload(ProgramEmitter.ADDRESS).l2i().loadConstant(bits(i) / 8 - 1).iand().ifeq(aligned);
        if (row.isAligned(bits(i))) {
            code.aload(1).loadConstant(GENERAL_PROTECTION).loadConstant(0)
                    .invokevirtual(PROCESSOR, "raise", MethodTypeDesc.of(ProgramEmitter.FAULT, INT, INT)).athrow();
        } else {
            code.aload(1).lload(ProgramEmitter.ADDRESS).loadConstant(bits(i) / 8)
                    .invokevirtual(PROCESSOR, "checkUnaligned", MethodTypeDesc.of(VOID, LONG, INT));
        }
        code.labelBinding(aligned);
    }

    /** Loads operand {@code i} into its locals; {@code quads} bit k: quadword k is asked for. */
    void load(int i, int quads) {
        boolean memory = forms.get(i).isMemory();
        for (int quad = 0; quad < quads(i); quad++) {
            // Memory is read whole, whatever of it is used: it may fault.
            if (!memory && (quads >> quad & 1) == 0) {
                continue;
            }
            if (memory) {
                code.aload(1).lload(ProgramEmitter.ADDRESS);
                if (quad > 0) {
                    code.loadConstant(8L * quad).ladd();
                }
                code.invokevirtual(PROCESSOR, "load" + Math.min(bits(i), 64), MethodTypeDesc.of(LONG, LONG));
            } else {
                element(i, quad);
                code.laload();
            }
            code.lstore(lane(i, quad));
        }
    }

    /** Pushes quadword {@code quad} of operand {@code i}. */
    void read(int i, int quad) {
        if (quad >= quads(i) && !(row.operands().get(i).type().isVector() && quad < 2)) {
            throw new IllegalArgumentException(row + ": operand " + (i + 1) + " has no quadword " + quad);
        }
        code.lload(lane(i, quad));
    }

    /** Takes the value on the stack for quadword {@code quad} of the first operand. */
    void assign(int quad) {
        assigned |= 1 << quad;
        code.lstore(FIRST_RESULT + 2 * quad);
    }

    /** Writes the results. */
    void writeBack() {
        if (assigned == 0) {
            return;
        }
        if (forms.getFirst().isMemory()) {
            store();
            return;
        }
        for (int quad = 0; quad < QUADS; quad++) {
            boolean result = (assigned >> quad & 1) != 0;
            if (result || row.encoding().vex() && quad >= 2) {
                element(0, quad);
                if (result) {
                    code.lload(FIRST_RESULT + 2 * quad);
                } else {
                    code.lconst_0();
                }
                code.lastore();
            }
        }
        if (isMmx(0)) {
            code.aload(1).getfield(PROCESSOR, "fpu", FPU).getfield(FPU, "signExponent", INT.arrayType());
            registerNumber(0);
            code.loadConstant(MMX_SIGN_EXPONENT).iastore();
        }
    }

    /** If the first operand is in memory: raises what its store will. */
    void probe() {
        if (assigned == 0 || !forms.getFirst().isMemory()) {
            return;
        }
        int bytes = Math.min(bits(0), 64) / 8;
        for (int quad = 0; quad < quads(0); quad++) {
            code.aload(1).lload(ProgramEmitter.ADDRESS).loadConstant(8L * quad).ladd().loadConstant(bytes)
                    .invokevirtual(PROCESSOR, "probeStore", MethodTypeDesc.of(VOID, LONG, INT));
        }
    }

    private void store() {
        int bits = Math.min(bits(0), 64);
        int quads = quads(0);
        if (quads > 1) {
            probe();
        }
        for (int quad = 0; quad < quads; quad++) {
            code.aload(1).lload(ProgramEmitter.ADDRESS).loadConstant(8L * quad).ladd();
            code.lload(FIRST_RESULT + 2 * quad);
            code.invokevirtual(PROCESSOR, "store" + bits, MethodTypeDesc.of(VOID, LONG, LONG));
        }
    }
}
