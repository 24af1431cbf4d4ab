package dev.xenolith.cpu.fpu;

/** Rounding of exact results, with what follows from it: inexact, overflow, underflow (SDM 1 4.8.4, 4.9.1.4 to 4.9.1.6). */
final class Rounding {
    /** What unmasked overflow subtracts from, and unmasked underflow adds to, the exponent of an x87 result. */
    static final int EXPONENT_ADJUSTMENT = 24_576;

    private Rounding() {}

    /**
     * Rounds {@code r} to {@code precision} significant bits, 1 to 64, in the exponent range given. Numbers below it become
     * denormals (the leading one below bit 63, exponent {@code minExponent}), those above infinity or the largest number. Tininess
     * is detected after rounding.
     */
    static void round(Real r, int precision, int minExponent, int maxExponent, FloatEnvironment e) {
        e.roundedUp = false;
        if (r.kind != Real.FINITE) {
            return;
        }
        boolean tiny = r.exponent < minExponent
                && (r.exponent < minExponent - 1 || !carries(r, precision, e.rounding));
        boolean denormalize = r.exponent < minExponent;
        if (tiny && e.traps(FloatEnvironment.UE)) {
            e.raise(FloatEnvironment.UE);
            denormalize = false;
            r.exponent += e.adjustsExponent ? EXPONENT_ADJUSTMENT : 0;
            if (e.adjustsExponent && r.exponent < minExponent) {
                // Out of reach of the adjustment, as only FSCALE can be.
                e.raise(FloatEnvironment.PE);
                r.setZero(r.negative);
                return;
            }
        }
        if (denormalize) {
            r.shiftRight(minExponent - r.exponent);
            r.exponent = minExponent;
        }
        boolean inexact = roundSignificand(r, precision, e);
        if (tiny && !e.traps(FloatEnvironment.UE)) {
            if (e.flushToZero) {
                e.raise(FloatEnvironment.UE | FloatEnvironment.PE);
                r.setZero(r.negative);
                return;
            }
            if (inexact) {
                e.raise(FloatEnvironment.UE);
            }
        }
        if (inexact) {
            e.raise(FloatEnvironment.PE);
        }
        if (r.kind == Real.FINITE && r.exponent > maxExponent) {
            overflow(r, precision, maxExponent, e);
        }
    }

    /** Rounds the significand at its present place; returns whether anything was lost. */
    private static boolean roundSignificand(Real r, int precision, FloatEnvironment e) {
        long below = (1L << 64 - precision) - 1;
        long rest = r.high & below;
        boolean inexact = (rest | r.low) != 0;
        boolean up = inexact && increments(r, precision, e.rounding);
        r.high &= ~below;
        r.low = 0;
        if (up) {
            r.high += below + 1;
            if (r.high == 0) {
                r.high = 1L << 63;
                r.exponent++;
            }
        }
        e.roundedUp = up;
        if (r.high == 0) {
            r.kind = Real.ZERO;
        }
        return inexact;
    }

    /** Whether rounding to {@code precision} bits moves away from zero; something is lost. */
    private static boolean increments(Real r, int precision, int rounding) {
        switch (rounding) {
            case FloatEnvironment.NEAREST :
                boolean half;
                boolean more;
                boolean odd;
                if (precision == 64) {
                    half = r.low < 0;
                    more = r.low << 1 != 0;
                    odd = (r.high & 1) != 0;
                } else {
                    long halfBit = 1L << 63 - precision;
                    half = (r.high & halfBit) != 0;
                    more = (r.high & halfBit - 1 | r.low) != 0;
                    odd = (r.high & halfBit << 1) != 0;
                }
                return half && (more || odd);
            case FloatEnvironment.DOWN :
                return r.negative;
            case FloatEnvironment.UP :
                return !r.negative;
            default :
                return false;
        }
    }

    /** Whether {@code r}, normalised, becomes the next power of two when rounded. */
    private static boolean carries(Real r, int precision, int rounding) {
        long below = (1L << 64 - precision) - 1;
        return (r.high | below) == -1 && (r.high & below | r.low) != 0 && increments(r, precision, rounding);
    }

    private static void overflow(Real r, int precision, int maxExponent, FloatEnvironment e) {
        e.raise(FloatEnvironment.OE);
        if (e.traps(FloatEnvironment.OE)) {
            r.exponent -= e.adjustsExponent ? EXPONENT_ADJUSTMENT : 0;
            if (e.adjustsExponent && r.exponent > maxExponent) {
                e.raise(FloatEnvironment.PE);
                e.roundedUp = true;
                r.setInfinite(r.negative);
            }
            return;
        }
        e.raise(FloatEnvironment.PE);
        boolean infinite = switch (e.rounding) {
            case FloatEnvironment.NEAREST -> true;
            case FloatEnvironment.DOWN -> r.negative;
            case FloatEnvironment.UP -> !r.negative;
            default -> false;
        };
        e.roundedUp = infinite;
        if (infinite) {
            r.setInfinite(r.negative);
        } else {
            r.exponent = maxExponent;
            r.high = -1L << 64 - precision;
        }
    }

    /**
     * Rounds {@code r}, an operand of at most 64 significant bits, to an integer. Zero keeps the sign. Returns whether anything was
     * lost; raises nothing.
     */
    static boolean toIntegral(Real r, int rounding, FloatEnvironment e) {
        e.roundedUp = false;
        if (r.kind != Real.FINITE || r.exponent >= 63) {
            return false;
        }
        boolean negative = r.negative;
        // The integer's last bit goes to bit 0 of high: what is below rounds.
        r.shiftRight(Math.min(63 - r.exponent, 127));
        boolean inexact = r.low != 0;
        boolean up = inexact && increments(r, 64, rounding);
        e.roundedUp = up;
        long integer = up ? r.high + 1 : r.high;
        r.setFinite(negative, 63, integer, 0);
        return inexact;
    }
}
