package dev.xenolith.cpu.execute;

import dev.xenolith.cpu.fpu.Float32;
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
}
