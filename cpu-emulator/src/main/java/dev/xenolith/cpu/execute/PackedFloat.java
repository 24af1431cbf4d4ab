package dev.xenolith.cpu.execute;

import dev.xenolith.cpu.fpu.Float32;
import dev.xenolith.cpu.fpu.Float64;
import dev.xenolith.cpu.fpu.FloatEnvironment;

/** Two packed binary32 numbers in a quadword, comparisons by predicate, conversions of pairs (SDM 1 10.4, 11.4). */
public final class PackedFloat {
    private PackedFloat() {}

    private static long pair(long low, long high) {
        return low & 0xffff_ffffL | high << 32;
    }

    public static long add(long a, long b, FloatEnvironment e) {
        return pair(Float32.add(a, b, e), Float32.add(a >>> 32, b >>> 32, e));
    }

    public static long sub(long a, long b, FloatEnvironment e) {
        return pair(Float32.sub(a, b, e), Float32.sub(a >>> 32, b >>> 32, e));
    }

    public static long mul(long a, long b, FloatEnvironment e) {
        return pair(Float32.mul(a, b, e), Float32.mul(a >>> 32, b >>> 32, e));
    }

    public static long div(long a, long b, FloatEnvironment e) {
        return pair(Float32.div(a, b, e), Float32.div(a >>> 32, b >>> 32, e));
    }

    public static long min(long a, long b, FloatEnvironment e) {
        return pair(Float32.min(a, b, e), Float32.min(a >>> 32, b >>> 32, e));
    }

    public static long max(long a, long b, FloatEnvironment e) {
        return pair(Float32.max(a, b, e), Float32.max(a >>> 32, b >>> 32, e));
    }

    public static long sqrt(long a, FloatEnvironment e) {
        return pair(Float32.sqrt(a, e), Float32.sqrt(a >>> 32, e));
    }

    /**
     * {@code ±(a * b) ± c} with one rounding; {@code signs} bit 0 negates the product of the even element, bit 1 its addend, bits 2 and
     * 3 those of the odd one.
     */
    public static long fma(long a, long b, long c, int signs, FloatEnvironment e) {
        return pair(Float32.fma(a, b, c, signs & 3, e), Float32.fma(a >>> 32, b >>> 32, c >>> 32, signs >> 2, e));
    }

    /** To integral numbers; {@code control} as {@link Float32#round}. */
    public static long round(long a, int control, FloatEnvironment e) {
        return pair(Float32.round(a, control, e), Float32.round(a >>> 32, control, e));
    }

    // ---- comparison --------------------------------------------------------------------------------------------------

    /** Bit i of nibble n: whether predicate n, of the low four bits, holds for LT, EQ, GT and UNORDERED in the order of i. */
    private static final long HOLDS = 0xf465_0b9a_7ced_8312L;

    /**
     * Whether {@code predicate}, of which five bits count, holds (SDM 2A CMPPD, VCMPPD): EQ LT LE UNORD NEQ NLT NLE ORD, then EQ_UQ NGE
     * NGT FALSE NEQ_OQ GE GT TRUE, then all of them again; {@code order} as {@link Float64#compare}.
     */
    private static boolean holds(int predicate, int order) {
        int outcome = order == 2 ? 3 : order + 1;
        return (HOLDS >>> 4 * (predicate & 15) + outcome & 1) != 0;
    }

    /** Whether a quiet NaN is invalid for {@code predicate}: for orders and not for equality, or the other way round from 16 on. */
    private static boolean isSignaling(int predicate) {
        boolean orders = (predicate & 3) == 1 || (predicate & 3) == 2;
        return orders != ((predicate & 16) != 0);
    }

    /** All ones if {@code predicate} holds for two binary64, else 0. */
    public static long compare64(long a, long b, int predicate, FloatEnvironment e) {
        return holds(predicate, Float64.compare(a, b, isSignaling(predicate), e)) ? -1 : 0;
    }

    /** The same for two binary32 in the low halves; the result has 32 bits. */
    public static long compare32(long a, long b, int predicate, FloatEnvironment e) {
        return holds(predicate, Float32.compare(a, b, isSignaling(predicate), e)) ? 0xffff_ffffL : 0;
    }

    public static long comparePair(long a, long b, int predicate, FloatEnvironment e) {
        return compare32(a, b, predicate, e) | compare32(a >>> 32, b >>> 32, predicate, e) << 32;
    }

    // ---- conversion --------------------------------------------------------------------------------------------------

    /** Of two signed doublewords. */
    public static long ofIntegers(long a, FloatEnvironment e) {
        return pair(Float32.ofInteger((int) a, e), Float32.ofInteger(a >> 32, e));
    }

    /** To two signed doublewords, rounded. */
    public static long toIntegers(long a, FloatEnvironment e) {
        return pair(Float32.toInteger(a, 32, e), Float32.toInteger(a >>> 32, 32, e));
    }

    /** To two signed doublewords, toward zero. */
    public static long truncate(long a, FloatEnvironment e) {
        return pair(Float32.truncate(a, 32, e), Float32.truncate(a >>> 32, 32, e));
    }

    /** Two binary16 in the low half (VCVTPH2PS). */
    public static long ofFloat16(long a, FloatEnvironment e) {
        return pair(Float32.ofFloat16(a, e), Float32.ofFloat16(a >>> 16, e));
    }

    /** Four binary32 to binary16; {@code control} as {@link Float32#toFloat16}. */
    public static long toFloat16(long low, long high, int control, FloatEnvironment e) {
        return Float32.toFloat16(low, control, e) | Float32.toFloat16(low >>> 32, control, e) << 16
                | Float32.toFloat16(high, control, e) << 32 | Float32.toFloat16(high >>> 32, control, e) << 48;
    }

    /** Two binary64 to binary32. */
    public static long ofFloat64(long low, long high, FloatEnvironment e) {
        return pair(Float64.toFloat32(low, e), Float64.toFloat32(high, e));
    }

    /** Two binary64 to signed doublewords, rounded. */
    public static long toIntegers64(long low, long high, FloatEnvironment e) {
        return pair(Float64.toInteger(low, 32, e), Float64.toInteger(high, 32, e));
    }

    /** Two binary64 to signed doublewords, toward zero. */
    public static long truncate64(long low, long high, FloatEnvironment e) {
        return pair(Float64.truncate(low, 32, e), Float64.truncate(high, 32, e));
    }

    // ---- approximations ----------------------------------------------------------------------------------------------

    /** RCPSS: 1 / x with a relative error of less than 1.5 * 2^-12; denormals count as zero; no flags (SDM 2B RCPPS). */
    public static long reciprocal32(long a) {
        return approximate((int) a, 1f / flushed((int) a));
    }

    /** RSQRTSS: 1 / sqrt(x), as {@link #reciprocal32}. */
    public static long reciprocalRoot32(long a) {
        float x = flushed((int) a);
        if (x < 0) {
            return 0xffc0_0000L;
        }
        return approximate((int) a, x == 0 ? 1f / x : (float) (1 / Math.sqrt(x)));
    }

    public static long reciprocals(long a) {
        return pair(reciprocal32(a), reciprocal32(a >>> 32));
    }

    public static long reciprocalRoots(long a) {
        return pair(reciprocalRoot32(a), reciprocalRoot32(a >>> 32));
    }

    private static float flushed(int bits) {
        return Float.intBitsToFloat((bits & 0x7f80_0000) == 0 ? bits & 0x8000_0000 : bits);
    }

    private static long approximate(int operand, float exact) {
        if (Float.isNaN(exact)) {
            return (operand | 0x40_0000) & 0xffff_ffffL;
        }
        int bits = Float.floatToRawIntBits(exact);
        if ((bits & 0x7f80_0000) == 0) {
            return bits & 0x8000_0000L;
        }
        return Float.isInfinite(exact) ? bits & 0xffff_ffffL : bits + 0x800 & 0xffff_f000L;
    }
}
