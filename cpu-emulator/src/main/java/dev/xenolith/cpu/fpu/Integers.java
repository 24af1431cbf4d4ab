package dev.xenolith.cpu.fpu;

/** From floating point to integers (SDM 1 4.8.4, table 4-13 "integer indefinite"). */
final class Integers {
    private Integers() {}

    /**
     * {@code r}, which is altered, rounded to a signed integer of {@code bits} 16, 32 or 64; a NaN, an infinity and what does not
     * fit raise IE and give the most negative integer.
     */
    static long round(Real r, int bits, int rounding, FloatEnvironment e) {
        long indefinite = -1L << bits - 1;
        if (r.isNan() || r.isInfinite()) {
            e.roundedUp = false;
            e.raise(FloatEnvironment.IE);
            return indefinite;
        }
        boolean inexact = Rounding.toIntegral(r, rounding, e);
        if (r.isZero()) {
            if (inexact) {
                e.raise(FloatEnvironment.PE);
            }
            return 0;
        }
        boolean fits = r.exponent < bits - 1
                || r.exponent == bits - 1 && r.negative && r.high == 1L << 63;
        if (!fits) {
            e.roundedUp = false;
            e.raise(FloatEnvironment.IE);
            return indefinite;
        }
        if (inexact) {
            e.raise(FloatEnvironment.PE);
        }
        long magnitude = r.high >>> 63 - r.exponent;
        return r.negative ? -magnitude : magnitude;
    }
}
