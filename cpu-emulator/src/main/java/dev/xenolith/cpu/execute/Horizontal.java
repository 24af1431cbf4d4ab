package dev.xenolith.cpu.execute;

import dev.xenolith.cpu.fpu.Float32;
import dev.xenolith.cpu.fpu.Float64;
import dev.xenolith.cpu.fpu.FloatEnvironment;

/** Operations between neighbouring elements of two quadwords, the lower ones first (SDM 1 12.3, 12.6: SSE3 and SSSE3). */
public final class Horizontal {
    private Horizontal() {}

    private static long words(long a, long b, long c, long d) {
        return a & 0xffff | (b & 0xffff) << 16 | (c & 0xffff) << 32 | d << 48;
    }

    private static long saturated(long value) {
        return Math.min(Math.max(value, Short.MIN_VALUE), Short.MAX_VALUE);
    }

    public static long addWords(long low, long high) {
        return words(low + (low >> 16), (low >> 32) + (low >> 48), high + (high >> 16), (high >> 32) + (high >> 48));
    }

    public static long subWords(long low, long high) {
        return words(low - (low >> 16), (low >> 32) - (low >> 48), high - (high >> 16), (high >> 32) - (high >> 48));
    }

    public static long addSignedWords(long low, long high) {
        return words(saturated((short) low + (short) (low >> 16)),
                saturated((short) (low >> 32) + (short) (low >> 48)), saturated((short) high + (short) (high >> 16)),
                saturated((short) (high >> 32) + (short) (high >> 48)));
    }

    public static long subSignedWords(long low, long high) {
        return words(saturated((short) low - (short) (low >> 16)),
                saturated((short) (low >> 32) - (short) (low >> 48)), saturated((short) high - (short) (high >> 16)),
                saturated((short) (high >> 32) - (short) (high >> 48)));
    }

    public static long addDoublewords(long low, long high) {
        return low + (low >> 32) & 0xffff_ffffL | high + (high >> 32) << 32;
    }

    public static long subDoublewords(long low, long high) {
        return low - (low >> 32) & 0xffff_ffffL | high - (high >> 32) << 32;
    }

    /** HADDPS: two binary32 sums. */
    public static long addFloats(long low, long high, FloatEnvironment e) {
        return Shuffle.pair(Float32.add(low, low >>> 32, e), Float32.add(high, high >>> 32, e));
    }

    /** HSUBPS. */
    public static long subFloats(long low, long high, FloatEnvironment e) {
        return Shuffle.pair(Float32.sub(low, low >>> 32, e), Float32.sub(high, high >>> 32, e));
    }

    /** ADDSUBPS: the even elements subtracted, the odd ones added. */
    public static long subAddFloats(long a, long b, FloatEnvironment e) {
        return Shuffle.pair(Float32.sub(a, b, e), Float32.add(a >>> 32, b >>> 32, e));
    }

    /** PMADDUBSW: sums, saturated, of two neighbouring products of unsigned bytes of {@code a} and signed ones of {@code b}. */
    public static long mulAddBytes(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            long sum = (a >>> i & 0xff) * (byte) (b >> i) + (a >>> i + 8 & 0xff) * (byte) (b >> i + 8);
            r |= (saturated(sum) & 0xffff) << i;
        }
        return r;
    }

    /**
     * MPSADBW: four sums of the absolute differences of four neighbouring bytes of the first operand, from byte {@code from} on, and
     * four of the second. {@code control} has three bits for each double quadword {@code lane}.
     */
    public static long sumsOfDifferences(long low1, long high1, long low2, long high2, long control, int lane,
            int from) {
        int bits = (int) (control >>> 3 * lane);
        long fixed = Shuffle.align(low2, high2, 0, 0, 4 * (bits & 3)) & 0xffff_ffffL;
        long moving = Shuffle.align(low1, high1, 0, 0, (bits & 4) + from);
        long r = 0;
        for (int i = 0; i < 4; i++) {
            r |= Packed.sumOfDifferences(moving >>> 8 * i & 0xffff_ffffL, fixed) << 16 * i;
        }
        return r;
    }

    /** PHMINPOSUW: the least of eight words and, above, its number. */
    public static long minimumWord(long low, long high) {
        long least = low & 0xffff;
        int position = 0;
        for (int i = 1; i < 8; i++) {
            long word = Shuffle.extractWord(low, high, i);
            if (word < least) {
                least = word;
                position = i;
            }
        }
        return least | (long) position << 16;
    }

    // ---- dot products: bits 4 to 7 of control choose the products, bits 0 to 3 where the sum goes -----------------------

    /**
     * DPPS: for each of two double quadwords, a and b, the sum of up to four products. An unmasked exception of a step, which is the
     * same for both, ends it there.
     */
    public static long dotProducts32(long aLow1, long aHigh1, long bLow1, long bHigh1, long aLow2, long aHigh2,
            long bLow2, long bHigh2, long control, FloatEnvironment e) {
        long aLow = products(aLow1, aLow2, control >>> 4, e);
        long aHigh = products(aHigh1, aHigh2, control >>> 6, e);
        long bLow = products(bLow1, bLow2, control >>> 4, e);
        long bHigh = products(bHigh1, bHigh2, control >>> 6, e);
        if (e.endStep()) {
            return 0;
        }
        long a = addFloats(aLow, aHigh, e);
        long b = addFloats(bLow, bHigh, e);
        return e.endStep() ? 0 : addFloats(a, b, e);
    }

    /** Two products of binary32, or 0 where the low bits of {@code control} do not ask for them. */
    private static long products(long x, long y, long control, FloatEnvironment e) {
        return Shuffle.pair((control & 1) != 0 ? Float32.mul(x, y, e) : 0,
                (control & 2) != 0 ? Float32.mul(x >>> 32, y >>> 32, e) : 0);
    }

    /** DPPD: the sum of up to two products. */
    public static long dotProduct64(long low1, long high1, long low2, long high2, long control, FloatEnvironment e) {
        long p0 = (control & 0x10) != 0 ? Float64.mul(low1, low2, e) : 0;
        long p1 = (control & 0x20) != 0 ? Float64.mul(high1, high2, e) : 0;
        return e.endStep() ? 0 : Float64.add(p0, p1, e);
    }

    /** The binary32 in the low half of {@code value} where the two low bits of {@code control} are set. */
    public static long placed(long value, long control) {
        return Shuffle.pair((control & 1) * value, (control >>> 1 & 1) * value);
    }
}
