package dev.xenolith.cpu.decode;

/**
 * One operand of a row: {@code Ev}, {@code Ib}, {@code rAX}.
 *
 * @param text as in the table
 * @param type where it comes from
 * @param width letter of its width: {@code b w d q v z y n p a t}, o for dq, O for qq, x, or {@code -} for an address without data
 * @param fixed number of the implied register (16 to 19: AH to BH), the implied constant, or the width in bits of the register of
 *        indices
 */
public record OperandSpec(String text, OperandType type, char width, int fixed) {
    static OperandSpec parse(String text) {
        return switch (text) {
            case "AL" -> new OperandSpec(text, OperandType.FIXED_REGISTER, 'b', 0);
            case "CL" -> new OperandSpec(text, OperandType.FIXED_REGISTER, 'b', 1);
            case "DX" -> new OperandSpec(text, OperandType.FIXED_REGISTER, 'w', 2);
            case "eAX" -> new OperandSpec(text, OperandType.FIXED_REGISTER, 'z', 0);
            case "rAX" -> new OperandSpec(text, OperandType.FIXED_REGISTER, 'v', 0);
            case "ES" -> new OperandSpec(text, OperandType.FIXED_SEGMENT, 'w', 0);
            case "CS" -> new OperandSpec(text, OperandType.FIXED_SEGMENT, 'w', 1);
            case "SS" -> new OperandSpec(text, OperandType.FIXED_SEGMENT, 'w', 2);
            case "DS" -> new OperandSpec(text, OperandType.FIXED_SEGMENT, 'w', 3);
            case "XMM0" -> new OperandSpec(text, OperandType.VECTOR_FIXED, 'o', 0);
            case "FS" -> new OperandSpec(text, OperandType.FIXED_SEGMENT, 'w', 4);
            case "GS" -> new OperandSpec(text, OperandType.FIXED_SEGMENT, 'w', 5);
            case "vm32x", "vm64x" -> new OperandSpec(text, OperandType.VECTOR_INDEXED, '-', 128);
            case "vm32y", "vm64y" -> new OperandSpec(text, OperandType.VECTOR_INDEXED, '-', 256);
            case "1" -> new OperandSpec(text, OperandType.CONSTANT, 'b', 1);
            default -> {
                yield new OperandSpec(text, type(text.charAt(0)), width(text.substring(1)), 0);
            }
        };
    }

    private static char width(String letters) {
        return switch (letters) {
            case "dq" -> 'o';
            case "qq" -> 'O';
            case "ps", "pd" -> 'x';
            case "ss" -> 'd';
            case "sd" -> 'q';
            default -> {
                if (letters.length() != 1 || "bwdqvzynpatx-".indexOf(letters.charAt(0)) < 0) {
                    throw new IllegalArgumentException("unknown operand width " + letters);
                }
                yield letters.charAt(0);
            }
        };
    }

    private static OperandType type(char letter) {
        return switch (letter) {
            case 'E' -> OperandType.RM;
            case 'G' -> OperandType.REG;
            case 'R' -> OperandType.RM_REGISTER;
            case 'M' -> OperandType.RM_MEMORY;
            case 'I' -> OperandType.IMMEDIATE;
            case 'J' -> OperandType.RELATIVE;
            case 'O' -> OperandType.OFFSET;
            case 'S' -> OperandType.SEGMENT;
            case 'C' -> OperandType.CONTROL;
            case 'D' -> OperandType.DEBUG;
            case 'Z' -> OperandType.OPCODE_REGISTER;
            case 'B' -> OperandType.VEX_REGISTER;
            case 'X' -> OperandType.STRING_SOURCE;
            case 'Y' -> OperandType.STRING_DESTINATION;
            case 'V' -> OperandType.VECTOR_REG;
            case 'W' -> OperandType.VECTOR_RM;
            case 'U' -> OperandType.VECTOR_RM_REGISTER;
            case 'H' -> OperandType.VECTOR_VEX;
            case 'L' -> OperandType.VECTOR_IMMEDIATE;
            case 'P' -> OperandType.MMX_REG;
            case 'Q' -> OperandType.MMX_RM;
            case 'N' -> OperandType.MMX_RM_REGISTER;
            case 'F' -> OperandType.STACK;
            default -> throw new IllegalArgumentException("unknown operand letter " + letter);
        };
    }

    /** Width in bits under an operand size of {@code operandBits}; 0 for an address without data. */
    public int bits(int operandBits) {
        return switch (width) {
            case 'b' -> 8;
            case 'w' -> 16;
            case 'd' -> 32;
            case 'q' -> 64;
            case 'z' -> Math.min(operandBits, 32);
            case 'y', 'n' -> Math.max(operandBits, 32);
            case 't' -> 80;
            case 'o' -> 128;
            case 'O' -> 256;
            case 'v', 'p', 'a', 'x' -> operandBits;
            default -> 0;
        };
    }

    /** Bytes that an access to the operand in memory touches, under an operand size of {@code operandBits}. */
    public int memoryBytes(int operandBits) {
        int bytes = bits(operandBits) / 8;
        return width == 'p' ? bytes + 2 : width == 'a' ? 2 * bytes : bytes;
    }

    /** Whether the operand may be a register and may be memory, as ModRM says. */
    public boolean isRegisterOrMemory() {
        return type.isRegisterOrMemory();
    }
}
