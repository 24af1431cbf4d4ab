package dev.xenolith.cpu.fpu;

/**
 * Scalar binary64 operations: on the host's FPU where neither rounding nor flags can tell the difference, in software otherwise.
 * That is: MXCSR in its usual state ({@link FloatEnvironment#usual}), operands normal or zero, result above the smallest normal or
 * an exact zero.
 *
 * <p>{@link Float32} has the same for the other width: one piece of code for both could not use the host's types, and everything
 * that is not the host's is one already, {@link Binary}.
 */
public final class Float64 {
    private static final long EXPONENT = 0x7ffL << 52;

    private Float64() {}

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
        return exponent > 1L << 52 && exponent != EXPONENT;
    }

    private static boolean isZero(long bits) {
        return bits << 1 == 0;
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
        return Binary.add(Format.BINARY64, x, y, false, e);
    }

    public static long sub(long x, long y, FloatEnvironment e) {
        if (arePlain(x, y, e)) {
            long r = bits(value(x) - value(y));
            if (isPlain(r)) {
                return r;
            }
        }
        return Binary.add(Format.BINARY64, x, y, true, e);
    }

    public static long mul(long x, long y, FloatEnvironment e) {
        if (arePlain(x, y, e)) {
            long r = bits(value(x) * value(y));
            if (isAboveMinimum(r) || isZero(x) || isZero(y)) {
                return r;
            }
        }
        return Binary.multiply(Format.BINARY64, x, y, e);
    }

    public static long div(long x, long y, FloatEnvironment e) {
        if (arePlain(x, y, e) && !isZero(y)) {
            long r = bits(value(x) / value(y));
            if (isAboveMinimum(r) || isZero(x)) {
                return r;
            }
        }
        return Binary.divide(Format.BINARY64, x, y, e);
    }

    public static long sqrt(long x, FloatEnvironment e) {
        return e.usual && (isZero(x) || x > 0 && isNormal(x))
                ? bits(Math.sqrt(value(x)))
                : Binary.squareRoot(Format.BINARY64, x, e);
    }

    /** {@code ±(x * y) ± z} with one rounding; {@code signs} bit 0 negates the product, bit 1 the addend. */
    public static long fma(long x, long y, long z, int signs, FloatEnvironment e) {
        if (arePlain(x, y, e) && isPlain(z)) {
            double product = (signs & 1) != 0 ? -value(x) : value(x);
            double addend = (signs & 2) != 0 ? -value(z) : value(z);
            long r = bits(Math.fma(product, value(y), addend));
            if (isAboveMinimum(r)) {
                return r;
            }
        }
        return Binary.multiplyAdd(Format.BINARY64, x, y, z, (signs & 1) != 0, (signs & 2) != 0, e);
    }

    public static long min(long x, long y, FloatEnvironment e) {
        return isPlain(x) && isPlain(y)
                ? value(x) < value(y) ? x : y
                : Binary.extremum(Format.BINARY64, x, y, false, e);
    }

    public static long max(long x, long y, FloatEnvironment e) {
        return isPlain(x) && isPlain(y)
                ? value(x) > value(y) ? x : y
                : Binary.extremum(Format.BINARY64, x, y, true, e);
    }

    /** -1, 0, 1, or 2 if unordered; a quiet NaN is invalid if {@code signaling}. */
    public static int compare(long x, long y, boolean signaling, FloatEnvironment e) {
        if (isPlain(x) && isPlain(y)) {
            double a = value(x);
            double b = value(y);
            return a < b ? -1 : a > b ? 1 : 0;
        }
        return Binary.compare(Format.BINARY64, x, y, signaling, e);
    }

    /** To a signed integer of 32 or 64 bits by MXCSR's rounding. */
    public static long toInteger(long x, int bits, FloatEnvironment e) {
        return Binary.toInteger(Format.BINARY64, x, bits, e.rounding, e);
    }

    /** To a signed integer of 32 or 64 bits, toward zero. */
    public static long truncate(long x, int bits, FloatEnvironment e) {
        if (e.usual && isPlain(x)) {
            double value = value(x);
            double limit = bits == 64 ? 0x1p63 : 0x1p31;
            if (value < limit && value > -limit) {
                return (long) value;
            }
        }
        return Binary.toInteger(Format.BINARY64, x, bits, FloatEnvironment.TOWARD_ZERO, e);
    }

    public static long ofInteger(long integer, FloatEnvironment e) {
        return e.usual ? bits((double) integer) : Binary.ofInteger(Format.BINARY64, integer, e);
    }

    /** binary64 to binary32. */
    public static long toFloat32(long x, FloatEnvironment e) {
        if (e.usual && isPlain(x)) {
            int r = Float.floatToRawIntBits((float) value(x));
            int exponent = r & 0xff << 23;
            if (exponent > 1 << 23 && exponent != 0xff << 23 || isZero(x)) {
                return r & 0xffff_ffffL;
            }
        }
        return Binary.convert(Format.BINARY64, Format.BINARY32, x, e);
    }

    /** ROUNDPD: {@code control} as its immediate byte. */
    public static long round(long x, int control, FloatEnvironment e) {
        int rounding = (control & 4) != 0 ? e.rounding : control & 3;
        return Binary.roundToIntegral(Format.BINARY64, x, rounding, (control & 8) != 0, e);
    }

    private static double value(long bits) {
        return Double.longBitsToDouble(bits);
    }

    private static long bits(double value) {
        return Double.doubleToRawLongBits(value);
    }
}
