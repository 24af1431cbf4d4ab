package dev.xenolith.cpu.execute;

/**
 * PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM (SDM 1 12.12, 2B 4.1): compares two strings of bytes or words as the immediate
 * byte says. What all four compute is a word with IntRes2 in bits 0 to 15 and, beyond, whether a string ends within its register;
 * index, mask and flags are taken from it.
 */
public final class StringCompare {
    private static final int ENDS_FIRST = 1 << 16;
    private static final int ENDS_SECOND = 1 << 17;

    private static final int WORDS = 1;
    private static final int SIGNED = 2;
    private static final int EQUAL_ANY = 0;
    private static final int RANGES = 1;
    private static final int EQUAL_EACH = 2;
    private static final int NEGATIVE = 1 << 4;
    private static final int MASKED = 1 << 5;
    /** Of the index: the most significant one; of the mask: elements instead of bits. */
    private static final int MOST_OR_EXPANDED = 1 << 6;

    private StringCompare() {}

    /** Compares strings that end at their first zero element, or with the register. */
    public static long implicit(long low1, long high1, long low2, long high2, int control) {
        return compare(low1, high1, firstZero(low1, high1, control), low2, high2, firstZero(low2, high2, control),
                control);
    }

    /** Compares strings of {@code length1} and {@code length2} elements, of which the absolute values count. */
    public static long explicit(long low1, long high1, long length1, long low2, long high2, long length2, int control) {
        return compare(low1, high1, saturated(length1, control), low2, high2, saturated(length2, control), control);
    }

    private static int count(int control) {
        return (control & WORDS) != 0 ? 8 : 16;
    }

    private static int saturated(long length, int control) {
        int count = count(control);
        return length >= count || length <= -count ? count : (int) Math.abs(length);
    }

    private static int firstZero(long low, long high, int control) {
        int count = count(control);
        for (int i = 0; i < count; i++) {
            if (element(low, high, i, control) == 0) {
                return i;
            }
        }
        return count;
    }

    private static int element(long low, long high, int i, int control) {
        if ((control & WORDS) != 0) {
            int word = (int) ((i < 4 ? low : high) >>> 16 * (i & 3));
            return (control & SIGNED) != 0 ? (short) word : word & 0xffff;
        }
        int b = (int) ((i < 8 ? low : high) >>> 8 * (i & 7));
        return (control & SIGNED) != 0 ? (byte) b : b & 0xff;
    }

    private static long compare(long low1, long high1, int length1, long low2, long high2, int length2, int control) {
        int count = count(control);
        int result = 0;
        for (int i = 0; i < count; i++) {
            boolean holds = switch (control >>> 2 & 3) {
                case EQUAL_ANY -> i < length2 && isAny(low1, high1, length1, element(low2, high2, i, control), control);
                case RANGES -> i < length2 && isInRange(low1, high1, length1, element(low2, high2, i, control),
                        control);
                case EQUAL_EACH -> i < length1 && i < length2
                        ? element(low1, high1, i, control) == element(low2, high2, i, control)
                        : i >= length1 && i >= length2;
                default -> isAt(low1, high1, length1, low2, high2, length2, i, control);
            };
            result |= holds ? 1 << i : 0;
        }
        if ((control & NEGATIVE) != 0) {
            result ^= (control & MASKED) != 0 ? (1 << length2) - 1 : (1 << count) - 1;
        }
        return result | (length1 < count ? ENDS_FIRST : 0) | (length2 < count ? ENDS_SECOND : 0);
    }

    private static boolean isAny(long low, long high, int length, int value, int control) {
        for (int i = 0; i < length; i++) {
            if (element(low, high, i, control) == value) {
                return true;
            }
        }
        return false;
    }

    private static boolean isInRange(long low, long high, int length, int value, int control) {
        for (int i = 0; i + 1 < length; i += 2) {
            if (value >= element(low, high, i, control) && value <= element(low, high, i + 1, control)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the first string is in the second from element {@code at} on, as far as the register goes. */
    private static boolean isAt(long low1, long high1, int length1, long low2, long high2, int length2, int at,
            int control) {
        for (int i = 0; i < length1 && at + i < count(control); i++) {
            if (at + i >= length2 || element(low1, high1, i, control) != element(low2, high2, at + i, control)) {
                return false;
            }
        }
        return true;
    }

    /** Number of the least or most significant element that {@code result} has; that after the last if there is none. */
    public static long index(long result, int control) {
        int bits = (int) result & 0xffff;
        if (bits == 0) {
            return count(control);
        }
        return (control & MOST_OR_EXPANDED) != 0
                ? 31 - Integer.numberOfLeadingZeros(bits)
                : Integer.numberOfTrailingZeros(bits);
    }

    /** Quadword {@code quadword}, 0 or 1, of the mask. */
    public static long mask(long result, int control, int quadword) {
        long bits = result & 0xffff;
        if ((control & MOST_OR_EXPANDED) == 0) {
            return quadword == 0 ? bits : 0;
        }
        boolean words = (control & WORDS) != 0;
        int elements = words ? 4 : 8;
        long element = words ? 0xffff : 0xff;
        long mask = 0;
        for (int i = 0; i < elements; i++) {
            mask |= (bits >>> elements * quadword + i & 1) * element << 64 / elements * i;
        }
        return mask;
    }

    /** Status flags as RFLAGS bits: CF whether there is any, OF the first, SF and ZF whether the first and the second string end. */
    public static long flags(long result) {
        return ((result & 0xffff) != 0 ? Flags.CF : 0) | ((result & 1) != 0 ? Flags.OF : 0)
                | ((result & ENDS_FIRST) != 0 ? Flags.SF : 0) | ((result & ENDS_SECOND) != 0 ? Flags.ZF : 0);
    }
}
