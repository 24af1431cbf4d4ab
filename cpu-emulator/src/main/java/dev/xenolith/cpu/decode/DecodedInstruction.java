package dev.xenolith.cpu.decode;

/**
 * One decoded instruction. Position-independent within its page: branch targets are relative to the next instruction, and a
 * RIP-relative operand is relative to the page ({@link #PAGE} as base, with the offset of the next instruction in the
 * displacement).
 */
public final class DecodedInstruction {
    /** Register number for an absent base or index, whose slot is always zero. */
    public static final int ZERO = 16;
    /** Register number for the linear address of the page that the instruction begins in, as a base. */
    public static final int PAGE = 17;
    /** Segment number for segments whose base is always zero in 64-bit mode. */
    public static final int FLAT = 8;
    /** Added to register numbers 0..3 of 8-bit operands for AH, CH, DH, BH. */
    public static final int HIGH_BYTE = 16;
    /** Longest instruction, in bytes (SDM 2A 2.3.11). */
    public static final int MAX_LENGTH = 15;

    /** {@link #repeat}: no repetition. */
    public static final int REPEAT_NONE = 0;
    /** {@link #repeat}: REP, or REPE for comparing instructions. */
    public static final int REPEAT = 1;
    /** {@link #repeat}: REPNE of a comparing instruction. */
    public static final int REPEAT_NOT_EQUAL = 2;

    public final OpcodeRow row;
    /** Operand size in bits. */
    public final int operandBits;
    /** Address size in bits. */
    public final int addressBits;
    /** Length in bytes, 1..15. */
    public final int length;
    /** Whether it has a LOCK prefix. */
    public final boolean locked;
    /** REPEAT_NONE, REPEAT or REPEAT_NOT_EQUAL. */
    public final int repeat;
    /** Segment of the memory operand, 0..5 in the order ES CS SS DS FS GS, or {@link #FLAT}. */
    public final int segment;
    /** Whether the memory operand lies in SS, whose faults are #SS. */
    public final boolean stackSegment;
    /** Base register of the memory operand, 0..15, {@link #ZERO} or {@link #PAGE}. */
    public final int base;
    /** Index register, 0..15 or {@link #ZERO}. */
    public final int index;
    /** Log2 of the factor of the index, 0..3. */
    public final int scale;
    /** Displacement of the memory operand; or the second immediate. */
    public final long displacement;
    /** The immediate or relative operand, sign-extended from its width; 0 if there is none. */
    public final long immediate;

    private final OperandForm[] forms;
    private final int[] registers;

    DecodedInstruction(OpcodeRow row, int operandBits, int addressBits, int length, boolean locked, int repeat,
            int segment, boolean stackSegment,
            int base, int index, int scale, long displacement, long immediate, OperandForm[] forms, int[] registers) {
        this.row = row;
        this.operandBits = operandBits;
        this.addressBits = addressBits;
        this.length = length;
        this.locked = locked;
        this.repeat = repeat;
        this.segment = segment;
        this.stackSegment = stackSegment;
        this.base = base;
        this.index = index;
        this.scale = scale;
        this.displacement = displacement;
        this.immediate = immediate;
        this.forms = forms;
        this.registers = registers;
    }

    /** An instruction of {@code row}, which has no operands, {@code length} bytes long. */
    public static DecodedInstruction of(OpcodeRow row, int length) {
        return new DecodedInstruction(row, 32, 64, length, false, REPEAT_NONE, FLAT, false, ZERO, ZERO, 0, 0, 0,
                new OperandForm[0],
                new int[0]);
    }

    /** Number of operands, 0..4. */
    public int operands() {
        return forms.length;
    }

    /** Form of operand {@code i}, from 0. */
    public OperandForm form(int i) {
        return forms[i];
    }

    /** Register number of operand {@code i}, from 0, if it is a register of any kind; 0 otherwise or if there is none. */
    public int register(int i) {
        return i < registers.length ? registers[i] : 0;
    }

    /** Width in bits of operand {@code i}, from 0. */
    public int bits(int i) {
        return row.operands().get(i).bits(operandBits);
    }

    /** Index of the operand in memory, from 0, or -1. */
    public int memoryOperand() {
        for (int i = 0; i < forms.length; i++) {
            if (forms[i].isMemory()) {
                return i;
            }
        }
        return -1;
    }

    /** Whether it has a string source and a string destination. */
    public boolean hasTwoStrings() {
        return forms.length > 1 && forms[0] == OperandForm.STRING && forms[1] == OperandForm.STRING;
    }
}
