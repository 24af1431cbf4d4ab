package dev.xenolith.cpu.oracle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * Holds two outcomes of one snippet against each other: everything that is defined must be equal.
 *
 * @param undefinedFlags bits of RFLAGS that are undefined when the snippet completes
 * @param undefinedRegisters bit n: register n is undefined when the snippet completes
 * @param undefinedFlagsIfFaulted bits of RFLAGS that are undefined when it ends in an exception before its end; 0 for a single
 *        instruction, which has then written nothing
 */
record Comparison(long undefinedFlags, int undefinedRegisters, long undefinedFlagsIfFaulted) {
    /** RF: set in the image a fault pushes, which the host's kernel shows and a stop of the emulated processor does not. */
    private static final long NEVER_COMPARED = 1L << 16;

    private static final String[] FLAGS = {"CF", null, "PF", null, "AF", null, "ZF", "SF", "TF", "IF", "DF", "OF", null,
        null, "NT", null, null, null, "AC", null, null, "ID"};

    /** Vectors that push an error code (SDM 3A 6.13). */
    private static final long WITH_ERROR_CODE = 1L << 8 | 1L << 10 | 1L << 11 | 1L << 12 | 1L << 13 | 1L << 14
            | 1L << 17
            | 1L << 21;

    /** A comparison that masks nothing. */
    static final Comparison EXACT = new Comparison(0, 0, 0);

    /** What differs, one line each; empty if nothing does. */
    List<String> differences(Snippet snippet, Outcome silicon, Outcome emulated) {
        if (equal(snippet, silicon, emulated)) {
            return List.of();
        }
        List<String> differences = new ArrayList<>();
        if (silicon.ending != emulated.ending) {
            differences.add("ends with " + ending(silicon) + ", emulated with " + ending(emulated));
            return differences;
        }
        if (!sameEvent(silicon, emulated)) {
            differences.add("ends with " + ending(silicon) + ", emulated with " + ending(emulated));
        }
        number(differences, "rip", silicon.rip, emulated.rip);
        Registers expected = silicon.registers;
        Registers actual = emulated.registers;
        int ignored = ignoredRegisters(snippet, silicon);
        for (int i = 0; i < 16; i++) {
            if ((ignored >>> i & 1) == 0) {
                number(differences, Registers.NAMES[i], expected.gpr[i], actual.gpr[i]);
            }
        }
        for (int i = 0; i < 6; i++) {
            number(differences, Registers.SELECTOR_NAMES[i], expected.selector[i], actual.selector[i]);
        }
        number(differences, "fs base", expected.fsBase, actual.fsBase);
        number(differences, "gs base", expected.gsBase, actual.gsBase);
        long wrong = (expected.rflags ^ actual.rflags) & ~ignoredFlags(snippet, silicon);
        for (int bit = 0; wrong >>> bit != 0; bit++) {
            if ((wrong >>> bit & 1) != 0) {
                String name = bit < FLAGS.length && FLAGS[bit] != null ? FLAGS[bit] : "rflags bit " + bit;
                differences.add(name + " is " + (expected.rflags >>> bit & 1) + ", emulated "
                        + (actual.rflags >>> bit & 1));
            }
        }
        memory(differences, silicon.pages, emulated.pages);
        return differences;
    }

    private boolean equal(Snippet snippet, Outcome silicon, Outcome emulated) {
        if (silicon.ending != emulated.ending) {
            return false;
        }
        if (silicon.ending == Outcome.Ending.TIMEOUT) {
            return true; // stopped at different moments
        }
        Registers expected = silicon.registers;
        Registers actual = emulated.registers;
        int ignored = ignoredRegisters(snippet, silicon);
        for (int i = 0; i < 16; i++) {
            if (expected.gpr[i] != actual.gpr[i] && (ignored >>> i & 1) == 0) {
                return false;
            }
        }
        return sameEvent(silicon, emulated) && silicon.rip == emulated.rip
                && ((expected.rflags ^ actual.rflags) & ~ignoredFlags(snippet, silicon)) == 0
                && expected.fsBase == actual.fsBase && expected.gsBase == actual.gsBase
                && Arrays.equals(expected.selector, actual.selector) && Arrays.equals(silicon.pages, emulated.pages);
    }

    private static boolean sameEvent(Outcome silicon, Outcome emulated) {
        return silicon.vector == emulated.vector
                && (silicon.errorCode == emulated.errorCode || !hasErrorCode(silicon))
                && silicon.cr2 == emulated.cr2;
    }

    private static boolean hasErrorCode(Outcome outcome) {
        return outcome.ending == Outcome.Ending.EXCEPTION && outcome.vector < 32
                && (WITH_ERROR_CODE >>> outcome.vector & 1) != 0;
    }

    private long ignoredFlags(Snippet snippet, Outcome silicon) {
        return NEVER_COMPARED | (silicon.completed(snippet) ? undefinedFlags : undefinedFlagsIfFaulted);
    }

    private int ignoredRegisters(Snippet snippet, Outcome silicon) {
        return silicon.completed(snippet) ? undefinedRegisters : 0;
    }

    private static String ending(Outcome outcome) {
        if (outcome.ending != Outcome.Ending.EXCEPTION) {
            return outcome.ending + (outcome.ending == Outcome.Ending.SYSTEM_CALL
                    ? " " + Integer.toHexString(outcome.vector)
                    : "");
        }
        String text = "vector " + outcome.vector;
        if (hasErrorCode(outcome)) {
            text += ", error code 0x" + Integer.toHexString(outcome.errorCode);
        }
        if (outcome.vector == Outcome.PAGE_FAULT) {
            text += ", CR2 0x" + Long.toHexString(outcome.cr2);
        }
        return text;
    }

    private static void number(List<String> differences, String name, long expected, long actual) {
        if (expected != actual) {
            differences.add(name + " is 0x" + Long.toHexString(expected) + ", emulated 0x" + Long.toHexString(actual));
        }
    }

    private static void memory(List<String> differences, byte[] expected, byte[] actual) {
        int at = Arrays.mismatch(expected, actual);
        if (at >= 0) {
            int to = Math.min(at + 16, expected.length);
            HexFormat hex = HexFormat.ofDelimiter(" ");
            differences.add("memory at 0x" + Long.toHexString(linear(at)) + " is " + hex.formatHex(expected, at, to)
                    + ", emulated " + hex.formatHex(actual, at, to));
        }
    }

    private static long linear(int offset) {
        return offset < AddressMap.TOP_OFFSET
                ? AddressMap.WRITABLE + offset
                : AddressMap.WRITABLE_TOP + offset - AddressMap.TOP_OFFSET;
    }
}
