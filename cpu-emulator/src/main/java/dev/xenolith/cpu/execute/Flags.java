package dev.xenolith.cpu.execute;

/**
 * The six status flags as two words that are cheap to write and answer each flag in a few operations, without remembering what
 * set them.
 *
 * <p>Result word: the latest result, sign-extended from its size to 64 bits. Carries word:
 *
 * <ul>
 * <li>bit 63: carry out of the most significant bit (CF)
 * <li>bit 62: carry into it; OF is bit 63 xor bit 62
 * <li>bit 3: carry out of bit 3 (AF)
 * <li>bit 0: SF is the result's sign xor this
 * <li>bits 8 to 15: PF is the parity of the result's low byte xor this byte
 * <li>all others 0
 * </ul>
 *
 * ZF is whether the result word is zero. Bits 0 and 8 to 15 are zero after any arithmetic; they represent combinations that no
 * result has, as POPF may load them.
 */
public final class Flags {
    /** RFLAGS bits. */
    public static final int CF = 1;
    public static final int PF = 1 << 2;
    public static final int AF = 1 << 4;
    public static final int ZF = 1 << 6;
    public static final int SF = 1 << 7;
    public static final int DF = 1 << 10;
    public static final int OF = 1 << 11;
    public static final int STATUS = CF | PF | AF | ZF | SF | OF;

    private static final long TOP = 0xc000_0000_0000_0000L;
    private static final long ADJUST = 8;

    private Flags() {}

    /** The carries word for a vector whose bit i is the carry out of bit i of a {@code bits}-bit operation. */
    public static long carries(long vector, int bits) {
        return vector << 64 - bits & TOP | vector & ADJUST;
    }

    /** The carries word with CF = {@code carry} and OF = {@code overflow}, each 0 or 1, and AF clear. */
    public static long pack(long carry, long overflow) {
        return carry << 63 | (carry ^ overflow) << 62;
    }

    // ---- reading ---------------------------------------------------------------------------------------------------

    /** CF, 0 or 1. */
    public static long carry(long carries) {
        return carries >>> 63;
    }

    /** OF, 0 or 1. */
    public static long overflow(long carries) {
        return (carries ^ carries << 1) >>> 63;
    }

    /**
     * Status flags, as RFLAGS bits, of a floating-point comparison (COMISD, FCOMI): {@code order} is negative, 0, positive, or 2 for
     * unordered.
     */
    public static long ofComparison(int order) {
        return switch (order) {
            case -1 -> CF;
            case 0 -> ZF;
            case 1 -> 0;
            default -> ZF | PF | CF;
        };
    }

    /** ZF. */
    public static boolean zero(long result) {
        return result == 0;
    }

    /** Not ZF. */
    public static boolean notZero(long result) {
        return result != 0;
    }

    /** Condition O. */
    public static boolean o(long result, long carries) {
        return (carries ^ carries << 1) < 0;
    }

    public static boolean no(long result, long carries) {
        return (carries ^ carries << 1) >= 0;
    }

    public static boolean b(long result, long carries) {
        return carries < 0;
    }

    public static boolean ae(long result, long carries) {
        return carries >= 0;
    }

    public static boolean e(long result, long carries) {
        return result == 0;
    }

    public static boolean ne(long result, long carries) {
        return result != 0;
    }

    public static boolean be(long result, long carries) {
        return carries < 0 || result == 0;
    }

    public static boolean a(long result, long carries) {
        return carries >= 0 && result != 0;
    }

    public static boolean s(long result, long carries) {
        return (result ^ carries << 63) < 0;
    }

    public static boolean ns(long result, long carries) {
        return (result ^ carries << 63) >= 0;
    }

    public static boolean p(long result, long carries) {
        return (Long.bitCount((result ^ carries >>> 8) & 0xff) & 1) == 0;
    }

    public static boolean np(long result, long carries) {
        return (Long.bitCount((result ^ carries >>> 8) & 0xff) & 1) != 0;
    }

    public static boolean l(long result, long carries) {
        return (result ^ carries << 63 ^ carries ^ carries << 1) < 0;
    }

    public static boolean ge(long result, long carries) {
        return (result ^ carries << 63 ^ carries ^ carries << 1) >= 0;
    }

    public static boolean le(long result, long carries) {
        return result == 0 || (result ^ carries << 63 ^ carries ^ carries << 1) < 0;
    }

    public static boolean g(long result, long carries) {
        return result != 0 && (result ^ carries << 63 ^ carries ^ carries << 1) >= 0;
    }

    /** The status bits of RFLAGS. */
    public static long toRflags(long result, long carries) {
        return carries >>> 63 | (p(result, carries) ? PF : 0) | (carries & ADJUST) << 1 | (result == 0 ? ZF : 0)
                | (s(result, carries) ? SF : 0) | overflow(carries) << 11;
    }

    // ---- writing ---------------------------------------------------------------------------------------------------

    /** The result word for the status bits of {@code rflags}; belongs to {@link #carriesOf} of the same bits. */
    public static long resultOf(long rflags) {
        return rflags >>> 6 & 1 ^ 1;
    }

    /** The carries word for the status bits of {@code rflags}. */
    public static long carriesOf(long rflags) {
        // The low byte of the result word is 0 or 1: even parity if ZF, odd if not.
        long parityDelta = (rflags >>> 2 ^ rflags >>> 6) & 1;
        return pack(rflags & 1, rflags >>> 11 & 1) | (rflags & AF) >>> 1 | rflags >>> 7 & 1 | parityDelta << 8;
    }

    /** {@code carries} with CF = {@code carry}, 0 or 1, and the other flags kept. */
    public static long withCarry(long carries, long carry) {
        long change = carries >>> 63 ^ carry;
        return carries ^ (change << 63 | change << 62);
    }

    /** {@code carries} with OF = {@code overflow}, 0 or 1, and the other flags kept. */
    public static long withOverflow(long carries, long overflow) {
        return carries ^ (overflow(carries) ^ overflow) << 62;
    }

    /** {@code carries} with CF and OF replaced. */
    public static long withCarryOverflow(long carries, long carry, long overflow) {
        return carries & ~TOP | pack(carry, overflow);
    }

    /** {@code carries} of an operation that leaves CF as it was in {@code previous}. */
    public static long keepCarry(long carries, long previous) {
        return withCarry(carries, previous >>> 63);
    }

    /** {@code carries} with CF complemented. */
    public static long complementCarry(long carries) {
        return carries ^ TOP;
    }

    /** Carries word with only CF, set if {@code value} is not zero. */
    public static long carryIf(long value) {
        return value != 0 ? TOP : 0;
    }

    /** Carries word with only CF, set if {@code value} is zero. */
    public static long carryIfZero(long value) {
        return value == 0 ? TOP : 0;
    }

    /** The status bits of RFLAGS with ZF = {@code zero}. */
    public static long withZero(long result, long carries, boolean zero) {
        return toRflags(result, carries) & ~ZF | (zero ? ZF : 0);
    }

    /** The status bits of RFLAGS with ZF set if {@code value} is not negative. */
    public static long withZeroUnlessNegative(long result, long carries, long value) {
        return withZero(result, carries, value >= 0);
    }

    /** The status bits of RFLAGS after SAHF of {@code ah}. */
    public static long sahf(long result, long carries, long ah) {
        return ah & (STATUS & ~OF) | overflow(carries) << 11;
    }

    /** What LAHF loads: SF ZF 0 AF 0 PF 1 CF. */
    public static long lahf(long result, long carries) {
        return toRflags(result, carries) & 0xff | 2;
    }
}
