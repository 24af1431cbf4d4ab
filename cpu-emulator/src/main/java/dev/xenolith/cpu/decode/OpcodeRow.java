package dev.xenolith.cpu.decode;

import java.util.List;

/**
 * One instruction form.
 *
 * @param id index in {@link OpcodeTable#rows}
 * @param encodingText the column as written, for messages and test names
 * @param encoding its bytes
 * @param mnemonic upper case, as in the SDM
 * @param operands at most three, destination first
 * @param size how the operand size is found
 * @param requiredBits operand size that the row is limited to, 0 if any
 * @param modes where it exists
 * @param lockable whether LOCK is allowed if the first operand is memory
 * @param repeat what REP prefixes do
 * @param feature CPUID feature, "" if none is needed
 * @param exceptionClass VEX exception class, "" for legacy encodings
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
        return has(OperandType.RM_REGISTER) && !encoding.modIgnored();
    }

    /** Whether ModRM r/m is an operand that must be memory. */
    boolean needsMemory() {
        return has(OperandType.RM_MEMORY);
    }

    /** Index of the operand in ModRM r/m, -1 if there is none. */
    public int rmOperand() {
        for (int i = 0; i < operands.size(); i++) {
            OperandType type = operands.get(i).type();
            if (type == OperandType.RM || type == OperandType.RM_REGISTER || type == OperandType.RM_MEMORY) {
                return i;
            }
        }
        return -1;
    }

    private boolean has(OperandType type) {
        for (OperandSpec operand : operands) {
            if (operand.type() == type) {
                return true;
            }
        }
        return false;
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
