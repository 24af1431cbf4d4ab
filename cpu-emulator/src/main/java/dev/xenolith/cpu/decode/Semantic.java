package dev.xenolith.cpu.decode;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What rows of the same kind do: a line "semantic" of {@code opcodes.txt}. Flags are RFLAGS bits.
 *
 * @param name name in the table
 * @param readsCondition whether the flags of the row's condition are read besides {@code flagsRead}
 * @param flagsRead status flags, and DF, that the instruction reads or keeps
 * @param flagsWritten flags it changes
 * @param flagsUndefined those of {@code flagsWritten} whose value the manuals leave undefined
 * @param endsBlock whether a block ends after it
 * @param writes bit i: operand i + 1 is written
 * @param readsWritten bit i: operand i + 1 is read before it is written
 * @param addressAfterRsp whether RSP as a base is the value after the instruction
 * @param addressedBytes bytes that are accessed at an operand without width of its own whose address the program names, -1 if
 *        the table does not say
 * @param addressedBytes16 the same under an operand size of 16
 * @param addressedForWrite whether those are written
 * @param usesStack whether it reaches memory through RSP or RBP without an operand that says so
 * @param dependsOnMode whether it branches or uses the stack, which is done in another way outside 64-bit mode
 * @param unit what it needs besides what its operands say
 * @param lanes how often the program runs
 * @param floating whether it raises SIMD floating-point exceptions
 * @param program statements in the language described in the table
 */
public record Semantic(String name, boolean readsCondition, int flagsRead, int flagsWritten, int flagsUndefined,
        boolean endsBlock,
        int writes, int readsWritten, boolean addressAfterRsp, int addressedBytes, int addressedBytes16,
        boolean addressedForWrite,
        boolean usesStack, boolean dependsOnMode, Unit unit, Lanes lanes, boolean floating, String program) {
    /** The registers that it needs besides what its operands say; which exceptions it raises if it may not use them. */
    public enum Unit {
        NONE,
        /** x87; waits for pending exceptions. */
        X87,
        /** x87; does not wait. */
        X87_NO_WAIT,
        /** EMMS. */
        MMX,
        /** FWAIT. */
        WAIT,
        /** MXCSR. */
        SSE,
        /** XSAVE and its kin. */
        XSAVE
    }

    /** How often a program runs. */
    public enum Lanes {
        ONCE,
        /** For each quadword of the first operand. */
        QUADWORDS,
        /** For each double quadword of the first operand. */
        DOUBLE_QUADWORDS
    }

    private static final Pattern STACK = Pattern
            .compile("\\b(push|pop|load RSP|load RBP|Stack\\.|ControlTransfer\\.(callFar|returnFar|iret))");
    private static final Pattern MODE = Pattern.compile("\\b(push|pop|load RSP|load RBP|RSP =|branch|rip =|next)");
    private static final Pattern ADDRESSED = Pattern.compile("m(w?)(\\d+)(?:/(\\d+))?");
    private static final String LETTERS = "C?P?A?ZS??DO";

    static Semantic parse(String[] columns) {
        int writes = 0;
        int readsWritten = 0;
        boolean ends = false;
        boolean afterRsp = false;
        int addressed = -1;
        int addressed16 = -1;
        boolean addressedForWrite = false;
        Unit unit = Unit.NONE;
        Lanes lanes = Lanes.ONCE;
        boolean floating = false;
        for (String attribute : columns[4].split(" +")) {
            switch (attribute) {
                case "-" -> {
                }
                case "end" -> ends = true;
                case "x87" -> unit = Unit.X87;
                case "x87n" -> unit = Unit.X87_NO_WAIT;
                case "mmx" -> unit = Unit.MMX;
                case "wait" -> unit = Unit.WAIT;
                case "sse" -> unit = Unit.SSE;
                case "xsave" -> unit = Unit.XSAVE;
                case "lanes" -> lanes = Lanes.QUADWORDS;
                case "lanes2" -> lanes = Lanes.DOUBLE_QUADWORDS;
                case "fp" -> floating = true;
                case "rsp" -> afterRsp = true;
                case "w1", "w2" -> writes |= 1 << attribute.charAt(1) - '1';
                case "rw1", "rw2" -> {
                    writes |= 1 << attribute.charAt(2) - '1';
                    readsWritten |= 1 << attribute.charAt(2) - '1';
                }
                default -> {
                    Matcher bytes = ADDRESSED.matcher(attribute);
                    if (!bytes.matches()) {
                        throw new IllegalArgumentException("unknown attribute " + attribute);
                    }
                    addressedForWrite = !bytes.group(1).isEmpty();
                    addressed16 = Integer.parseInt(bytes.group(2));
                    addressed = bytes.group(3) == null ? addressed16 : Integer.parseInt(bytes.group(3));
                }
            }
        }
        boolean condition = columns[1].equals("cc");
        return new Semantic(columns[0], condition, condition ? 0 : flags(columns[1]), flags(columns[2]),
                flags(columns[3]), ends,
                writes, readsWritten, afterRsp, addressed, addressed16, addressedForWrite,
                STACK.matcher(columns[5]).find(),
                MODE.matcher(columns[5]).find(), unit, lanes, floating,
                columns[5].equals("-") ? "" : columns[5]);
    }

    private static int flags(String letters) {
        int bits = 0;
        for (char letter : letters.toCharArray()) {
            int bit = LETTERS.indexOf(letter);
            if (letter == '-') {
                continue;
            }
            if (bit < 0 || letter == '?') {
                throw new IllegalArgumentException("unknown flag " + letter);
            }
            bits |= 1 << bit;
        }
        return bits;
    }

    /** {@link #addressedBytes} under an operand size of {@code operandBits}. */
    public int addressedBytes(int operandBits) {
        return operandBits == 16 ? addressedBytes16 : addressedBytes;
    }

    /** Whether operand {@code index}, from 0, is written. */
    public boolean writes(int index) {
        return (writes & 1 << index) != 0;
    }

    /** Whether operand {@code index}, from 0, is written after it has been read. */
    public boolean readsAndWrites(int index) {
        return (readsWritten & 1 << index) != 0;
    }
}
