package dev.xenolith.cpu.decode;

import java.util.List;

/**
 * One instruction form.
 *
 * @param id index in {@link OpcodeTable#rows}
 * @param encodingText the column as written, for messages and test names
 * @param encoding its bytes
 * @param mnemonic upper case, as in the SDM
 * @param operands at most four, destination first
 * @param size how the operand size is found
 * @param requiredBits operand size that the row is limited to, 0 if any
 * @param modes where it exists
 * @param lockable whether LOCK is allowed if the first operand is memory
 * @param repeat what REP prefixes do
 * @param feature CPUID feature, "" if none is needed
 * @param exceptionClass exception class of a vector or VEX-encoded instruction, "" for others
 * @param intercept VMX/SVM intercept, "" if none
 * @param semantic what it does
 * @param condition 0..15 for rows of conditional instructions, -1 otherwise
 */
public record OpcodeRow(int id, String encodingText, Encoding encoding, String mnemonic, List<OperandSpec> operands,
        OperandSize size, int requiredBits, Modes modes, boolean lockable, Repeat repeat, String feature,
        String exceptionClass,
        String intercept, Semantic semantic, int condition) {

    /** Modes in which a row exists. */
    public enum Modes {
        ALL, ONLY_64, NOT_64, NOT_REAL, ONLY_LEGACY_PROTECTED;

        static Modes parse(String text) {
            return switch (text) {
                case "*" -> ALL;
                case "64" -> ONLY_64;
                case "!64" -> NOT_64;
                case "!real" -> NOT_REAL;
                case "prot" -> ONLY_LEGACY_PROTECTED;
                default -> throw new IllegalArgumentException("unknown modes " + text);
            };
        }

        boolean include(int mode) {
            boolean wide = (mode & Mode.CODE_SIZE) == Mode.CODE_64;
            return switch (this) {
                case ALL -> true;
                case ONLY_64 -> wide;
                case NOT_64 -> !wide;
                case NOT_REAL -> (mode & (Mode.REAL | Mode.VIRTUAL_8086)) == 0;
                case ONLY_LEGACY_PROTECTED -> !wide && (mode & (Mode.REAL | Mode.VIRTUAL_8086)) == 0;
            };
        }
    }

    /** Meaning of prefixes F2 and F3. */
    public enum Repeat {
        /** None of their own. */
        NONE,
        /** Both repeat rCX times. */
        REP,
        /** F3 repeats while equal, F2 while not equal. */
        WHILE_EQUAL
    }

    /** Whether ModRM r/m is an operand that must be a register. */
    boolean needsRegister() {
        int rm = rmOperand();
        return rm >= 0 && !encoding.modIgnored() && !operands.get(rm).isRegisterOrMemory() && !needsMemory();
    }

    /** Whether ModRM r/m is an operand that must be memory. */
    boolean needsMemory() {
        return has(OperandType.RM_MEMORY) || usesVectorIndex();
    }

    /** Whether the index of the memory operand is a vector register. */
    boolean usesVectorIndex() {
        return has(OperandType.VECTOR_INDEXED);
    }

    /** Index of the operand in ModRM r/m, -1 if there is none. */
    public int rmOperand() {
        for (int i = 0; i < operands.size(); i++) {
            if (operands.get(i).type().isRm()) {
                return i;
            }
        }
        return -1;
    }

    /** Whether an operand is a vector or, if {@code mmx}, an MMX register or in place of one. */
    public boolean hasVector(boolean mmx) {
        for (OperandSpec operand : operands) {
            // H names a register of the file that operand 1 is in.
            boolean inMmx = operand.type() == OperandType.VECTOR_VEX && operands.getFirst().type().isMmx();
            if (mmx ? operand.type().isMmx() : operand.type().isVector() && !inMmx) {
                return true;
            }
        }
        return false;
    }

    /** Whether a memory operand of {@code bits} must be aligned to its size (SDM 2A 2.4, exception classes 1, 2 and 4). */
    public boolean isAligned(int bits) {
        return bits >= 128 && (exceptionClass.equals("1")
                || !encoding.vex() && (exceptionClass.equals("2") || exceptionClass.equals("4")));
    }

    /** Whether VEX.vvvv is an operand. */
    boolean usesVexRegister() {
        return has(OperandType.VEX_REGISTER) || has(OperandType.VECTOR_VEX);
    }

    private boolean has(OperandType type) {
        for (OperandSpec operand : operands) {
            if (operand.type() == type) {
                return true;
            }
        }
        return false;
    }

    /** Whether the row is for an operand size of {@code bits}, which is one of those of its {@link #size}. */
    public boolean allowsSize(int bits) {
        return (requiredBits == 0 || requiredBits == bits)
                && (size != OperandSize.X || encoding.allowsLength(bits == 256 ? 1 : 0));
    }

    /** Whether the row exists in 64-bit mode. */
    public boolean in64BitMode() {
        return modes != Modes.NOT_64 && modes != Modes.ONLY_LEGACY_PROTECTED;
    }

    /** Whether the row exists outside 64-bit mode. */
    public boolean outside64BitMode() {
        return modes != Modes.ONLY_64 && (requiredBits == 0 || requiredBits < 64);
    }

    /** Whether what the row does differs outside 64-bit mode other than by its memory operand: it branches or uses the stack. */
    public boolean dependsOnMode() {
        return semantic.dependsOnMode() || has(OperandType.RELATIVE);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(encodingText).append(' ').append(mnemonic);
        for (int i = 0; i < operands.size(); i++) {
            text.append(i == 0 ? " " : ", ").append(operands.get(i).text());
        }
        return text.toString();
    }
}
