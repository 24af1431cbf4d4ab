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
 * @param memory when the contents of memory are defined
 * @param undefinedStatus bits of the x87 status word that are undefined
 * @param undefinedIfFaulted bit n: register n is undefined when it ends in an exception before its end
 * @param anyFault several faults are possible and no manual says which comes first: that there is one is enough
 */
record Comparison(long undefinedFlags, int undefinedRegisters, long undefinedFlagsIfFaulted, Memory memory,
        boolean anyFault, int undefinedStatus, int undefinedIfFaulted) {
    Comparison(long undefinedFlags, int undefinedRegisters, long undefinedFlagsIfFaulted, Memory memory,
            boolean anyFault, int undefinedStatus) {
        this(undefinedFlags, undefinedRegisters, undefinedFlagsIfFaulted, memory, anyFault, undefinedStatus, 0);
    }

    Comparison(long undefinedFlags, int undefinedRegisters, long undefinedFlagsIfFaulted, Memory memory,
            boolean anyFault) {
        this(undefinedFlags, undefinedRegisters, undefinedFlagsIfFaulted, memory, anyFault, 0);
    }

    /** When the contents of memory are defined. */
    enum Memory {
        ALWAYS, UNLESS_FAULTED, IF_FAULTED
    }

    /** RF: set in the image a fault pushes, which the host's kernel shows and a stop of the emulated processor does not. */
    private static final long NEVER_COMPARED = 1L << 16;

    /** From here on up Linux reports every page fault of a user as one on a present page, to hide what is mapped. */
    private static final long KERNEL_ADDRESSES = 0x7fff_ffff_f000L;

    /** Vectors that push an error code (SDM 3A 6.13). */
    private static final long WITH_ERROR_CODE = 1L << 8 | 1L << 10 | 1L << 11 | 1L << 12 | 1L << 13 | 1L << 14
            | 1L << 17
            | 1L << 21;

    /** A comparison that masks nothing. */
    static final Comparison EXACT = flags(0);

    /** A comparison that masks {@code undefinedFlags} after completion. */
    static Comparison flags(long undefinedFlags) {
        return new Comparison(undefinedFlags, 0, 0, Memory.ALWAYS, false);
    }

    private static final String[] FLAGS = {"CF", null, "PF", null, "AF", null, "ZF", "SF", "TF", "IF", "DF", "OF", null,
        null, "NT", null, null, null, "AC", null, null, "ID"};

    /** What differs, one line each; empty if nothing does. */
    List<String> differences(Snippet snippet, Outcome silicon, Outcome emulated) {
        if (equal(snippet, silicon, emulated) && Arrays.equals(silicon.fx, emulated.fx)
                && Arrays.equals(silicon.ymmHigh, emulated.ymmHigh)) {
            return List.of();
        }
        List<String> differences = new ArrayList<>();
        if (silicon.ending != emulated.ending) {
            differences.add("ends with " + ending(silicon) + ", emulated with " + ending(emulated));
            return differences;
        }
        if (silicon.ending == Outcome.Ending.TIMEOUT) {
            return List.of(); // stopped at different moments
        }
        if (!sameEvent(snippet, silicon, emulated)) {
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
            number(differences, Registers.SELECTOR_NAMES[i], selector(expected.selector[i]),
                    selector(actual.selector[i]));
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
        FxImage.differences(differences, silicon, emulated, undefinedStatus);
        if (memoryDefined(snippet, silicon)) {
            memory(differences, silicon.pages, emulated.pages);
        }
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
        return sameEvent(snippet, silicon, emulated) && silicon.rip == emulated.rip
                && ((expected.rflags ^ actual.rflags) & ~ignoredFlags(snippet, silicon)) == 0
                && expected.fsBase == actual.fsBase && expected.gsBase == actual.gsBase
                && sameSelectors(expected.selector, actual.selector)
                && (!memoryDefined(snippet, silicon) || Arrays.equals(silicon.pages, emulated.pages));
    }

    private boolean memoryDefined(Snippet snippet, Outcome silicon) {
        return switch (memory) {
            case ALWAYS -> true;
            case UNLESS_FAULTED -> !isFault(snippet, silicon);
            case IF_FAULTED -> isFault(snippet, silicon);
        };
    }

    private static boolean sameSelectors(int[] expected, int[] actual) {
        for (int i = 0; i < expected.length; i++) {
            if (selector(expected[i]) != selector(actual[i])) {
                return false;
            }
        }
        return true;
    }

    /** Null selectors lose their RPL when the host's kernel returns to the handler (SDM 2A, IRET to an outer level). */
    private static int selector(int value) {
        return value < 4 ? 0 : value;
    }

    private boolean sameEvent(Snippet snippet, Outcome silicon, Outcome emulated) {
        if (anyFault && isFault(snippet, silicon) && isFault(snippet, emulated)) {
            return true;
        }
        if (silicon.vector != emulated.vector || silicon.cr2 != emulated.cr2) {
            return false;
        }
        boolean hidden = Long.compareUnsigned(silicon.cr2, KERNEL_ADDRESSES) >= 0;
        int wrong = silicon.errorCode ^ emulated.errorCode;
        return (hidden ? wrong & ~1 : wrong) == 0 || !hasErrorCode(silicon);
    }

    private static boolean isFault(Snippet snippet, Outcome outcome) {
        return outcome.ending == Outcome.Ending.EXCEPTION && outcome.rip == snippet.start();
    }

    private static boolean hasErrorCode(Outcome outcome) {
        return outcome.ending == Outcome.Ending.EXCEPTION && outcome.vector < 32
                && (WITH_ERROR_CODE >>> outcome.vector & 1) != 0;
    }

    private long ignoredFlags(Snippet snippet, Outcome silicon) {
        return NEVER_COMPARED | (silicon.completed(snippet) ? undefinedFlags : undefinedFlagsIfFaulted);
    }

    private int ignoredRegisters(Snippet snippet, Outcome silicon) {
        if (silicon.ending == Outcome.Ending.SYSTEM_CALL) {
            return 1; // RAX, which the kernel does not give back as it was
        }
        return silicon.completed(snippet) ? undefinedRegisters : undefinedIfFaulted;
    }

    private static String ending(Outcome outcome) {
        if (outcome.ending != Outcome.Ending.EXCEPTION) {
            return outcome.ending + (outcome.ending == Outcome.Ending.SYSTEM_CALL
                    ? " " + Integer.toHexString(outcome.vector)
                    : "") + (outcome.ending == Outcome.Ending.CRASH ? " (" + outcome.note + ")" : "");
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
