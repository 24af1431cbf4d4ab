package dev.xenolith.cpu.execute;

/**
 * Packed integers (SDM 1 9.4, 11.4.2): what MMX, SSE2 and AVX2 do with the elements of one quadword, so that a register is as many
 * calls as it has quadwords. Element 0 is in the low bits.
 */
public final class Packed {
    private static final long SIGN_BYTES = 0x8080_8080_8080_8080L;
    private static final long SIGN_WORDS = 0x8000_8000_8000_8000L;
    private static final long SIGN_DOUBLEWORDS = 0x8000_0000_8000_0000L;

    private Packed() {}

    // ---- modular addition and subtraction: carries are kept from crossing the elements' borders -----------------------------------

    private static long add(long a, long b, long signs) {
        return (a & ~signs) + (b & ~signs) ^ (a ^ b) & signs;
    }

    private static long sub(long a, long b, long signs) {
        return (a | signs) - (b & ~signs) ^ (a ^ ~b) & signs;
    }

    public static long addBytes(long a, long b) {
        return add(a, b, SIGN_BYTES);
    }

    public static long addWords(long a, long b) {
        return add(a, b, SIGN_WORDS);
    }

    public static long addDoublewords(long a, long b) {
        return add(a, b, SIGN_DOUBLEWORDS);
    }

    public static long subBytes(long a, long b) {
        return sub(a, b, SIGN_BYTES);
    }

    public static long subWords(long a, long b) {
        return sub(a, b, SIGN_WORDS);
    }

    public static long subDoublewords(long a, long b) {
        return sub(a, b, SIGN_DOUBLEWORDS);
    }

    // ---- saturation --------------------------------------------------------------------------------------------------

    private static long clamp(long value, long low, long high) {
        return Math.min(Math.max(value, low), high);
    }

    public static long addSignedBytes(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            r |= (clamp((byte) (a >> i) + (byte) (b >> i), Byte.MIN_VALUE, Byte.MAX_VALUE) & 0xff) << i;
        }
        return r;
    }

    public static long addSignedWords(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= (clamp((short) (a >> i) + (short) (b >> i), Short.MIN_VALUE, Short.MAX_VALUE) & 0xffff) << i;
        }
        return r;
    }

    public static long addUnsignedBytes(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            r |= Math.min((a >>> i & 0xff) + (b >>> i & 0xff), 0xff) << i;
        }
        return r;
    }

    public static long addUnsignedWords(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= Math.min((a >>> i & 0xffff) + (b >>> i & 0xffff), 0xffff) << i;
        }
        return r;
    }

    public static long subSignedBytes(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            r |= (clamp((byte) (a >> i) - (byte) (b >> i), Byte.MIN_VALUE, Byte.MAX_VALUE) & 0xff) << i;
        }
        return r;
    }

    public static long subSignedWords(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= (clamp((short) (a >> i) - (short) (b >> i), Short.MIN_VALUE, Short.MAX_VALUE) & 0xffff) << i;
        }
        return r;
    }

    public static long subUnsignedBytes(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            r |= Math.max((a >>> i & 0xff) - (b >>> i & 0xff), 0) << i;
        }
        return r;
    }

    public static long subUnsignedWords(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= Math.max((a >>> i & 0xffff) - (b >>> i & 0xffff), 0) << i;
        }
        return r;
    }

    // ---- multiplication ----------------------------------------------------------------------------------------------

    /** Low halves of the products. */
    public static long mulLowWords(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= ((long) (short) (a >> i) * (short) (b >> i) & 0xffff) << i;
        }
        return r;
    }

    /** High halves of the signed products. */
    public static long mulHighWords(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= ((long) ((short) (a >> i) * (short) (b >> i)) >> 16 & 0xffff) << i;
        }
        return r;
    }

    /** High halves of the unsigned products. */
    public static long mulHighUnsignedWords(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= ((a >>> i & 0xffff) * (b >>> i & 0xffff) >>> 16) << i;
        }
        return r;
    }

    /** The product of the low doublewords. */
    public static long mulUnsignedDoublewords(long a, long b) {
        return (a & 0xffff_ffffL) * (b & 0xffff_ffffL);
    }

    /** The signed product of the low doublewords. */
    public static long mulSignedDoublewords(long a, long b) {
        return (long) (int) a * (int) b;
    }

    /** Low halves of the products. */
    public static long mulLowDoublewords(long a, long b) {
        return a * b & 0xffff_ffffL | (a >>> 32) * (b >>> 32) << 32;
    }

    /** Sums of two neighbouring products of words each (PMADDWD). */
    public static long mulAddWords(long a, long b) {
        long low = (long) (short) a * (short) b + (long) (short) (a >> 16) * (short) (b >> 16);
        long high = (long) (short) (a >> 32) * (short) (b >> 32) + (a >> 48) * (b >> 48);
        return low & 0xffff_ffffL | high << 32;
    }

    /** High halves of twice the signed products, rounded (PMULHRSW). */
    public static long mulHighRoundedWords(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= ((long) ((short) (a >> i) * (short) (b >> i)) + 0x4000 >> 15 & 0xffff) << i;
        }
        return r;
    }

    /** Sum of the absolute differences of unsigned bytes. */
    public static long sumOfDifferences(long a, long b) {
        long sum = 0;
        for (int i = 0; i < 64; i += 8) {
            sum += Math.abs((a >>> i & 0xff) - (b >>> i & 0xff));
        }
        return sum;
    }

    // ---- average, minimum, maximum -----------------------------------------------------------------------------------

    public static long averageBytes(long a, long b) {
        return (a | b) - ((a ^ b) >>> 1 & ~SIGN_BYTES);
    }

    public static long averageWords(long a, long b) {
        return (a | b) - ((a ^ b) >>> 1 & ~SIGN_WORDS);
    }

    public static long minUnsignedBytes(long a, long b) {
        return a - subUnsignedBytes(a, b);
    }

    public static long maxUnsignedBytes(long a, long b) {
        return b + subUnsignedBytes(a, b);
    }

    public static long minSignedWords(long a, long b) {
        return select(greaterWords(a, b), b, a);
    }

    public static long maxSignedWords(long a, long b) {
        return select(greaterWords(a, b), a, b);
    }

    public static long minSignedBytes(long a, long b) {
        return select(greaterBytes(a, b), b, a);
    }

    public static long maxSignedBytes(long a, long b) {
        return select(greaterBytes(a, b), a, b);
    }

    public static long minUnsignedWords(long a, long b) {
        return a - subUnsignedWords(a, b);
    }

    public static long maxUnsignedWords(long a, long b) {
        return b + subUnsignedWords(a, b);
    }

    public static long minSignedDoublewords(long a, long b) {
        return select(greaterDoublewords(a, b), b, a);
    }

    public static long maxSignedDoublewords(long a, long b) {
        return select(greaterDoublewords(a, b), a, b);
    }

    public static long minUnsignedDoublewords(long a, long b) {
        return select(greaterDoublewords(a ^ SIGN_DOUBLEWORDS, b ^ SIGN_DOUBLEWORDS), b, a);
    }

    public static long maxUnsignedDoublewords(long a, long b) {
        return select(greaterDoublewords(a ^ SIGN_DOUBLEWORDS, b ^ SIGN_DOUBLEWORDS), a, b);
    }

    private static long select(long mask, long ifSet, long otherwise) {
        return ifSet & mask | otherwise & ~mask;
    }

    // ---- signs: of b given to a; 0 where b is -------------------------------------------------------------------------

    public static long signBytes(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            r |= ((byte) (a >> i) * (long) Integer.signum((byte) (b >> i)) & 0xff) << i;
        }
        return r;
    }

    public static long signWords(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= ((short) (a >> i) * (long) Integer.signum((short) (b >> i)) & 0xffff) << i;
        }
        return r;
    }

    public static long signDoublewords(long a, long b) {
        return (int) a * (long) Integer.signum((int) b) & 0xffff_ffffL
                | (a >> 32) * Integer.signum((int) (b >> 32)) << 32;
    }

    public static long absoluteBytes(long a) {
        return signBytes(a, a);
    }

    public static long absoluteWords(long a) {
        return signWords(a, a);
    }

    public static long absoluteDoublewords(long a) {
        return signDoublewords(a, a);
    }

    // ---- comparison: all ones where it holds -------------------------------------------------------------------------

    public static long equalBytes(long a, long b) {
        long x = a ^ b;
        long different = (x & ~SIGN_BYTES) + ~SIGN_BYTES | x;
        return spread(~different & SIGN_BYTES, 8);
    }

    public static long equalWords(long a, long b) {
        long x = a ^ b;
        long different = (x & ~SIGN_WORDS) + ~SIGN_WORDS | x;
        return spread(~different & SIGN_WORDS, 16);
    }

    public static long equalDoublewords(long a, long b) {
        long x = a ^ b;
        return ((int) x == 0 ? 0xffff_ffffL : 0) | (x >>> 32 == 0 ? 0xffff_ffffL << 32 : 0);
    }

    public static long equalQuadwords(long a, long b) {
        return a == b ? -1 : 0;
    }

    public static long greaterQuadwords(long a, long b) {
        return a > b ? -1 : 0;
    }

    /** Status flags as RFLAGS bits: ZF if {@code both} is zero, CF if {@code second} is (PTEST). */
    public static long testFlags(long both, long second) {
        return (both == 0 ? Flags.ZF : 0) | (second == 0 ? Flags.CF : 0);
    }

    /** As {@link #testFlags} of the signs of doublewords (VTESTPS). */
    public static long testFloatSigns(long both, long second) {
        return testFlags(both & SIGN_DOUBLEWORDS, second & SIGN_DOUBLEWORDS);
    }

    /** As {@link #testFlags} of the signs of quadwords (VTESTPD). */
    public static long testDoubleSigns(long both, long second) {
        return testFlags(both & Long.MIN_VALUE, second & Long.MIN_VALUE);
    }

    /** Elements of {@code bits} full of ones where {@code signs} has the top bit. */
    private static long spread(long signs, int bits) {
        return (signs << 1) - (signs >>> bits - 1);
    }

    public static long greaterBytes(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            r |= (byte) (a >> i) > (byte) (b >> i) ? 0xffL << i : 0;
        }
        return r;
    }

    public static long greaterWords(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= (short) (a >> i) > (short) (b >> i) ? 0xffffL << i : 0;
        }
        return r;
    }

    public static long greaterDoublewords(long a, long b) {
        return ((int) a > (int) b ? 0xffff_ffffL : 0) | (a >> 32 > b >> 32 ? 0xffff_ffffL << 32 : 0);
    }

    // ---- shifts: a count beyond the element gives zeros, or signs ----------------------------------------------------

    private static boolean isBeyond(long count, int bits) {
        return Long.compareUnsigned(count, bits) >= 0;
    }

    private static long fieldMask(int bits, int count, boolean left) {
        long element = (1L << bits) - 1;
        long kept = left ? element << count & element : element >>> count;
        return bits == 16 ? kept * 0x0001_0001_0001_0001L : kept * 0x1_0000_0001L;
    }

    public static long shiftLeftWords(long a, long count) {
        return isBeyond(count, 16) ? 0 : a << count & fieldMask(16, (int) count, true);
    }

    public static long shiftLeftDoublewords(long a, long count) {
        return isBeyond(count, 32) ? 0 : a << count & fieldMask(32, (int) count, true);
    }

    public static long shiftLeftQuadwords(long a, long count) {
        return isBeyond(count, 64) ? 0 : a << count;
    }

    public static long shiftRightWords(long a, long count) {
        return isBeyond(count, 16) ? 0 : a >>> count & fieldMask(16, (int) count, false);
    }

    public static long shiftRightDoublewords(long a, long count) {
        return isBeyond(count, 32) ? 0 : a >>> count & fieldMask(32, (int) count, false);
    }

    public static long shiftRightQuadwords(long a, long count) {
        return isBeyond(count, 64) ? 0 : a >>> count;
    }

    public static long shiftSignedWords(long a, long count) {
        int by = isBeyond(count, 16) ? 15 : (int) count;
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            r |= ((short) (a >> i) >> by & 0xffffL) << i;
        }
        return r;
    }

    public static long shiftSignedDoublewords(long a, long count) {
        int by = isBeyond(count, 32) ? 31 : (int) count;
        return (int) a >> by & 0xffff_ffffL | a >> 32 >> by << 32;
    }

    public static long shiftSignedQuadwords(long a, long count) {
        return a >> Math.min(count & 0xff, 63);
    }

    // Each element by the count in its place (VPSLLVD).

    public static long shiftLeftEachDoubleword(long a, long counts) {
        return Shuffle.pair(shiftLeftDoublewords(a, counts & 0xffff_ffffL),
                shiftLeftDoublewords(a, counts >>> 32) >>> 32);
    }

    public static long shiftRightEachDoubleword(long a, long counts) {
        return Shuffle.pair(shiftRightDoublewords(a, counts & 0xffff_ffffL),
                shiftRightDoublewords(a, counts >>> 32) >>> 32);
    }

    public static long shiftSignedEachDoubleword(long a, long counts) {
        return Shuffle.pair(shiftSignedDoublewords(a, counts & 0xffff_ffffL),
                shiftSignedDoublewords(a, counts >>> 32) >>> 32);
    }

    /** Low quadword of {@code high:low} shifted left by {@code count} bytes. */
    public static long shiftBytesLeftLow(long low, long count) {
        return isBeyond(count, 8) ? 0 : low << 8 * count;
    }

    /** High quadword of {@code high:low} shifted left by {@code count} bytes. */
    public static long shiftBytesLeftHigh(long low, long high, long count) {
        if (isBeyond(count, 8)) {
            return isBeyond(count, 16) ? 0 : low << 8 * (count - 8);
        }
        return count == 0 ? high : high << 8 * count | low >>> 64 - 8 * count;
    }

    /** Low quadword of {@code high:low} shifted right by {@code count} bytes. */
    public static long shiftBytesRightLow(long low, long high, long count) {
        if (isBeyond(count, 8)) {
            return isBeyond(count, 16) ? 0 : high >>> 8 * (count - 8);
        }
        return count == 0 ? low : low >>> 8 * count | high << 64 - 8 * count;
    }

    /** High quadword of {@code high:low} shifted right by {@code count} bytes. */
    public static long shiftBytesRightHigh(long high, long count) {
        return isBeyond(count, 8) ? 0 : high >>> 8 * count;
    }
}
