package dev.xenolith.cpu.decode;

import java.io.ByteArrayOutputStream;

/**
 * Writes the bytes of one instruction for 64-bit mode from a row of the table: the decoder's counterpart, for test generators.
 *
 * <p>Register numbers are those of {@link DecodedInstruction}: 0..15, and 16..19 for AH, CH, DH, BH.
 */
public final class RowEncoder {
    private final OpcodeRow row;
    private final int operandBits;
    private int rex;
    private boolean rexNeeded;
    private int reg;
    private int rm;
    private int opcodeRegister;
    private int vexRegister;
    /** Vector register of indices, -1 if none. */
    private int vectorIndex = -1;
    private boolean memory;
    private int base;
    private int index = DecodedInstruction.ZERO;
    private int scale;
    private int displacement;
    private long immediate;
    private long secondImmediate;
    private boolean locked;
    private int repeat;
    private int segment = -1;
    private boolean shortAddress;

    /** Starts an instruction of form {@code row} with an operand size that the row has. */
    public RowEncoder(OpcodeRow row, int operandBits) {
        this.row = row;
        this.operandBits = operandBits;
    }

    /** Sets register operand {@code operand}, from 0; one that the opcode implies stays. */
    public RowEncoder register(int operand, int number) {
        OperandSpec spec = row.operands().get(operand);
        int low = number;
        if (spec.bits(operandBits) == 8) {
            low = number >= DecodedInstruction.HIGH_BYTE ? number - DecodedInstruction.HIGH_BYTE + 4 : number;
            rexNeeded |= number >= 4 && number < 8;
        }
        switch (spec.type()) {
            case RM, RM_REGISTER, VECTOR_RM, VECTOR_RM_REGISTER, MMX_RM, MMX_RM_REGISTER, STACK -> rm = low;
            case REG, SEGMENT, CONTROL, DEBUG, VECTOR_REG, MMX_REG -> reg = low;
            case OPCODE_REGISTER -> opcodeRegister = low;
            case VEX_REGISTER, VECTOR_VEX -> vexRegister = low;
            case VECTOR_INDEXED -> vectorIndex = low;
            case VECTOR_IMMEDIATE -> immediate = (long) low << 4;
            default -> {
            }
        }
        return this;
    }

    /**
     * Makes r/m memory at {@code base + (index << scale) + displacement}; base and index 0..15 or {@link DecodedInstruction#ZERO},
     * base also {@link DecodedInstruction#PAGE} for RIP-relative (displacement from the next instruction), index not 4.
     */
    public RowEncoder memory(int base, int index, int scale, int displacement) {
        memory = true;
        this.base = base;
        this.index = index;
        this.scale = scale;
        this.displacement = displacement;
        return this;
    }

    /** Sets the immediate, relative offset, or with type O the address. */
    public RowEncoder immediate(long value) {
        immediate = value;
        return this;
    }

    /** Sets the second immediate. */
    public RowEncoder secondImmediate(long value) {
        secondImmediate = value;
        return this;
    }

    /** Adds LOCK. */
    public RowEncoder lock() {
        locked = true;
        return this;
    }

    /** Adds F3 (1) or F2 (2). */
    public RowEncoder repeat(int kind) {
        repeat = kind;
        return this;
    }

    /** Overrides the segment: 4 FS, 5 GS. */
    public RowEncoder segment(int number) {
        segment = number;
        return this;
    }

    /** Adds an address-size prefix: 32-bit addresses. */
    public RowEncoder shortAddress() {
        shortAddress = true;
        return this;
    }

    /** The bytes. */
    public byte[] bytes() {
        Encoding encoding = row.encoding();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        index = vectorIndex >= 0 ? vectorIndex : index;
        if (locked) {
            out.write(0xf0);
        }
        if (segment >= 0) {
            out.write(segment == 4 ? 0x64 : 0x65);
        }
        if (shortAddress) {
            out.write(0x67);
        }
        if (repeat != 0) {
            out.write(repeat == 1 ? 0xf3 : 0xf2);
        }
        sizePrefixes(out);
        if (encoding.digit() >= 0) {
            reg = encoding.digit();
        }
        rex |= (reg & 8) >> 1 | (opcodeRegister & 8) >> 3;
        rex |= memory ? (index < 16 ? index >> 3 << 1 : 0) | (base < 16 ? base >> 3 : 0) : rm >> 3;
        if (encoding.vex()) {
            vexPrefix(out);
        } else {
            mandatoryPrefix(out, encoding.prefix());
            if (rex != 0 || rexNeeded) {
                out.write(0x40 | rex);
            }
            if (encoding.map() > 0) {
                out.write(0x0f);
            }
            if (encoding.map() > 1) {
                out.write(encoding.map() == 2 ? 0x38 : 0x3a);
            }
        }
        out.write(encoding.opcode() | (opcodeRegister & 7));
        if (encoding.exactModRm() >= 0) {
            out.write(encoding.exactModRm());
        } else if (encoding.modRm()) {
            modRm(out);
        }
        boolean first = true;
        for (OperandSpec spec : row.operands()) {
            switch (spec.type()) {
                case IMMEDIATE, RELATIVE -> {
                    little(out, first ? immediate : secondImmediate, spec.bits(operandBits) / 8);
                    first = false;
                }
                case VECTOR_IMMEDIATE -> little(out, immediate, 1);
                case OFFSET -> little(out, immediate, shortAddress ? 4 : 8);
                default -> {
                }
            }
        }
        return out.toByteArray();
    }

    private void sizePrefixes(ByteArrayOutputStream out) {
        OperandSize size = row.size();
        boolean chosen = size == OperandSize.V || size == OperandSize.Z || size == OperandSize.D64;
        if (chosen && operandBits == 16) {
            out.write(0x66);
        }
        if ((size == OperandSize.V || size == OperandSize.Y) && operandBits == 64) {
            rex |= 8;
        }
    }

    private static void mandatoryPrefix(ByteArrayOutputStream out, Encoding.Prefix prefix) {
        switch (prefix) {
            case OPERAND_SIZE -> out.write(0x66);
            case REP -> out.write(0xf3);
            case REPNE -> out.write(0xf2);
            default -> {
            }
        }
    }

    private void vexPrefix(ByteArrayOutputStream out) {
        int pp = switch (row.encoding().prefix()) {
            case OPERAND_SIZE -> 1;
            case REP -> 2;
            case REPNE -> 3;
            default -> 0;
        };
        out.write(0xc4);
        out.write(~rex << 5 & 0xe0 | row.encoding().map());
        int w = row.encoding().vexW() == 1 ? 0x80 : (rex & 8) << 4;
        int l = row.encoding().vexLength() == 1 || row.size() == OperandSize.X && operandBits == 256 ? 4 : 0;
        out.write(w | (~vexRegister & 15) << 3 | l | pp);
    }

    private void modRm(ByteArrayOutputStream out) {
        int field = (reg & 7) << 3;
        if (!memory) {
            out.write(0xc0 | field | rm & 7);
        } else if (base == DecodedInstruction.PAGE) {
            out.write(field | 5);
            little(out, displacement, 4);
        } else if (base == DecodedInstruction.ZERO) {
            out.write(field | 4);
            out.write(scale << 6 | (index == DecodedInstruction.ZERO ? 4 : index & 7) << 3 | 5);
            little(out, displacement, 4);
        } else {
            boolean sib = index != DecodedInstruction.ZERO || (base & 7) == 4;
            boolean small = displacement == (byte) displacement;
            int mod = displacement == 0 && (base & 7) != 5 ? 0 : small ? 1 : 2;
            out.write(mod << 6 | field | (sib ? 4 : base & 7));
            if (sib) {
                out.write(scale << 6 | (index == DecodedInstruction.ZERO ? 4 : index & 7) << 3 | base & 7);
            }
            little(out, displacement, mod == 0 ? 0 : mod == 1 ? 1 : 4);
        }
    }

    private static void little(ByteArrayOutputStream out, long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >>> 8 * i));
        }
    }
}
