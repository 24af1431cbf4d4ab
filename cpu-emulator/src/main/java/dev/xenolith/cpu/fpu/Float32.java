package dev.xenolith.cpu.fpu;

/**
 * Scalar binary32 operations: on the host's FPU where neither rounding nor flags can tell the difference, in software otherwise.
 * That is: MXCSR in its usual state ({@link FloatEnvironment#usual}), operands normal or zero, result above the smallest normal or
 * an exact zero.
 *
 * <p>{@link Float64} has the same for the other width: one piece of code for both could not use the host's types, and everything
 * that is not the host's is one already, {@link Binary}.
 */
public final class Float32 {
    private static final long EXPONENT = 0xffL << 23;

    private Float32() {}

    /** Neither denormal, infinity nor NaN; not zero. */
    private static boolean isNormal(long bits) {
        long exponent = bits & EXPONENT;
        return exponent != 0 && exponent != EXPONENT;
    }

    /**
     * Normal and not the smallest binade, whose first number may come of rounding up what is tiny: that raises UE (SDM 1 4.9.1.5).
     */
    private static boolean isAboveMinimum(long bits) {
        long exponent = bits & EXPONENT;
        return exponent > 1L << 23 && exponent != EXPONENT;
    }

    private static boolean isZero(long bits) {
        return (bits & 0x7fff_ffffL) == 0;
    }

    private static boolean isPlain(long bits) {
        return isNormal(bits) || isZero(bits);
    }

    private static boolean arePlain(long x, long y, FloatEnvironment e) {
        return e.usual && isPlain(x) && isPlain(y);
    }

    public static long add(long x, long y, FloatEnvironment e) {
        if (arePlain(x, y, e)) {
            long r = bits(value(x) + value(y));
            if (isPlain(r)) {
                return r;
            }
        }
        return Binary.add(Format.BINARY32, x, y, false, e);
    }

    public static long sub(long x, long y, FloatEnvironment e) {
        if (arePlain(x, y, e)) {
            long r = bits(value(x) - value(y));
            if (isPlain(r)) {
                return r;
            }
        }
        return Binary.add(Format.BINARY32, x, y, true, e);
    }

    public static long mul(long x, long y, FloatEnvironment e) {
        if (arePlain(x, y, e)) {
            long r = bits(value(x) * value(y));
            if (isAboveMinimum(r) || isZero(x) || isZero(y)) {
                return r;
            }
        }
        return Binary.multiply(Format.BINARY32, x, y, e);
    }

    public static long div(long x, long y, FloatEnvironment e) {
        if (arePlain(x, y, e) && !isZero(y)) {
            long r = bits(value(x) / value(y));
            if (isAboveMinimum(r) || isZero(x)) {
                return r;
            }
        }
        return Binary.divide(Format.BINARY32, x, y, e);
    }

    public static long sqrt(long x, FloatEnvironment e) {
        return e.usual && (isZero(x) || (int) x > 0 && isNormal(x))
                ? bits((float) Math.sqrt(value(x)))
                : Binary.squareRoot(Format.BINARY32, x, e);
    }

    /** {@code ±(x * y) ± z} with one rounding; {@code signs} bit 0 negates the product, bit 1 the addend. */
    public static long fma(long x, long y, long z, int signs, FloatEnvironment e) {
        if (arePlain(x, y, e) && isPlain(z)) {
            float product = (signs & 1) != 0 ? -value(x) : value(x);
            float addend = (signs & 2) != 0 ? -value(z) : value(z);
            long r = bits(Math.fma(product, value(y), addend));
            if (isAboveMinimum(r)) {
                return r;
            }
        }
        return Binary.multiplyAdd(Format.BINARY32, x, y, z, (signs & 1) != 0, (signs & 2) != 0, e);
    }

    public static long min(long x, long y, FloatEnvironment e) {
        return isPlain(x) && isPlain(y)
                ? value(x) < value(y) ? x : y
                : Binary.extremum(Format.BINARY32, x, y, false, e);
    }

    public static long max(long x, long y, FloatEnvironment e) {
        return isPlain(x) && isPlain(y)
                ? value(x) > value(y) ? x : y
                : Binary.extremum(Format.BINARY32, x, y, true, e);
    }

    /** -1, 0, 1, or 2 if unordered; a quiet NaN is invalid if {@code signaling}. */
    public static int compare(long x, long y, boolean signaling, FloatEnvironment e) {
        if (isPlain(x) && isPlain(y)) {
            float a = value(x);
            float b = value(y);
            return a < b ? -1 : a > b ? 1 : 0;
        }
        return Binary.compare(Format.BINARY32, x, y, signaling, e);
    }

    /** To a signed integer of 32 or 64 bits by MXCSR's rounding. */
    public static long toInteger(long x, int bits, FloatEnvironment e) {
        return Binary.toInteger(Format.BINARY32, x, bits, e.rounding, e);
    }

    /** To a signed integer of 32 or 64 bits, toward zero. */
    public static long truncate(long x, int bits, FloatEnvironment e) {
        if (e.usual && isPlain(x)) {
            float value = value(x);
            float limit = bits == 64 ? 0x1p63f : 0x1p31f;
            if (value < limit && value > -limit) {
                return (long) value;
            }
        }
        return Binary.toInteger(Format.BINARY32, x, bits, FloatEnvironment.TOWARD_ZERO, e);
    }

    public static long ofInteger(long integer, FloatEnvironment e) {
        return e.usual ? bits((float) integer) : Binary.ofInteger(Format.BINARY32, integer, e);
    }

    /** binary32 to binary64. */
    public static long toFloat64(long x, FloatEnvironment e) {
        return isPlain(x)
                ? Double.doubleToRawLongBits(value(x))
                : Binary.convert(Format.BINARY32, Format.BINARY64, x, e);
    }

    /** binary16, in the low bits of {@code x}, to binary32 (VCVTPH2PS): DAZ does not matter and DE is not raised. */
    public static long ofFloat16(long x, FloatEnvironment e) {
        Format.BINARY16.unpack(x, e.a);
        if (e.a.isNan()) {
            if (e.a.isSignaling()) {
                e.raise(FloatEnvironment.IE);
            }
            e.a.high |= Real.QUIET;
        }
        return Format.BINARY32.pack(e.a);
    }

    /** binary32 to binary16 (VCVTPS2PH): {@code control} as its immediate byte; FTZ does not matter. */
    public static long toFloat16(long x, int control, FloatEnvironment e) {
        int rounding = e.rounding;
        boolean flush = e.flushToZero;
        e.rounding = (control & 4) != 0 ? rounding : control & 3;
        e.flushToZero = false;
        long result = Binary.convert(Format.BINARY32, Format.BINARY16, x, e);
        e.rounding = rounding;
        e.flushToZero = flush;
        return result;
    }

    /** ROUNDPS: {@code control} as its immediate byte. */
    public static long round(long x, int control, FloatEnvironment e) {
        int rounding = (control & 4) != 0 ? e.rounding : control & 3;
        return Binary.roundToIntegral(Format.BINARY32, x, rounding, (control & 8) != 0, e);
    }

    private static float value(long bits) {
        return Float.intBitsToFloat((int) bits);
    }

    private static long bits(float value) {
        return Float.floatToRawIntBits(value) & 0xffff_ffffL;
    }
}
