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

    /** To integral numbers; {@code control} as {@link Float32#round}. */
    public static long round(long a, int control, FloatEnvironment e) {
        return pair(Float32.round(a, control, e), Float32.round(a >>> 32, control, e));
    }

    // ---- comparison --------------------------------------------------------------------------------------------------

    /**
     * Whether {@code predicate}, of which the low three bits count, holds: EQ LT LE UNORD NEQ NLT NLE ORD (SDM 2A CMPPD); {@code order}
     * as {@link Float64#compare}.
     */
    private static boolean holds(int predicate, int order) {
        boolean holds = switch (predicate & 3) {
            case 0 -> order == 0;
            case 1 -> order == -1;
            case 2 -> order == -1 || order == 0;
            default -> order == 2;
        };
        return holds != ((predicate & 4) != 0);
    }

    /** Whether a quiet NaN is invalid for {@code predicate}. */
    private static boolean isSignaling(int predicate) {
        return (predicate & 3) == 1 || (predicate & 3) == 2;
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
