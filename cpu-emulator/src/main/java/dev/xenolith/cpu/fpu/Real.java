package dev.xenolith.cpu.fpu;

/**
 * An unpacked number: for a finite one {@code ±1.fraction * 2^exponent} with the leading one in bit 63 of {@link #high}, 128
 * significant bits in all, the last of which is sticky: set if any bit below it would be. A NaN has its significand in {@link
 * #high}, left-aligned with the integer bit set, so that it passes from format to format as the processor does it. Mutable and
 * reused.
 */
final class Real {
    static final int ZERO = 0;
    static final int FINITE = 1;
    static final int INFINITE = 2;
    static final int NAN = 3;

    /** Bit of a NaN's significand that says it is quiet. */
    static final long QUIET = 1L << 62;

    int kind;
    boolean negative;
    int exponent;
    long high;
    long low;
    /** As an operand: not zero, and its exponent field is zero. */
    boolean denormal;

    boolean isNan() { return kind == NAN; }

    boolean isSignaling() { return kind == NAN && (high & QUIET) == 0; }

    boolean isInfinite() { return kind == INFINITE; }

    boolean isZero() { return kind == ZERO; }

    void setZero(boolean negative) {
        kind = ZERO;
        this.negative = negative;
        exponent = 0;
        high = 0;
        low = 0;
        denormal = false;
    }

    void setInfinite(boolean negative) {
        setZero(negative);
        kind = INFINITE;
    }

    /** The finite number {@code ±high.low * 2^(exponent - 127 of the 128 bits)}, not zero, not yet normalised. */
    void setFinite(boolean negative, int exponent, long high, long low) {
        kind = FINITE;
        this.negative = negative;
        this.exponent = exponent;
        this.high = high;
        this.low = low;
        denormal = false;
        normalize();
    }

    void set(Real other) {
        kind = other.kind;
        negative = other.negative;
        exponent = other.exponent;
        high = other.high;
        low = other.low;
        denormal = other.denormal;
    }

    /** Moves the leading one to bit 63 of {@link #high}; a significand of zero becomes {@link #ZERO}. */
    void normalize() {
        if (high == 0) {
            if (low == 0) {
                kind = ZERO;
                exponent = 0;
                return;
            }
            high = low;
            low = 0;
            exponent -= 64;
        }
        int shift = Long.numberOfLeadingZeros(high);
        if (shift != 0) {
            high = high << shift | low >>> 64 - shift;
            low <<= shift;
            exponent -= shift;
        }
    }

    /** Shifts the significand right by {@code count}, 0 or more, keeping what is lost in the sticky bit; not the exponent. */
    void shiftRight(int count) {
        if (count == 0) {
            return;
        }
        if (count >= 128) {
            low = (high | low) != 0 ? 1 : 0;
            high = 0;
        } else if (count >= 64) {
            int rest = count - 64;
            long lost = low | (rest == 0 ? 0 : high << 64 - rest);
            low = high >>> rest | (lost != 0 ? 1 : 0);
            high = 0;
        } else {
            long lost = low << 64 - count;
            low = low >>> count | high << 64 - count | (lost != 0 ? 1 : 0);
            high >>>= count;
        }
    }

    /** Compares magnitudes of finite normalised numbers. */
    static int compareMagnitude(Real a, Real b) {
        if (a.exponent != b.exponent) {
            return Integer.compare(a.exponent, b.exponent);
        }
        int byHigh = Long.compareUnsigned(a.high, b.high);
        return byHigh != 0 ? byHigh : Long.compareUnsigned(a.low, b.low);
    }

    @Override
    public String toString() {
        return switch (kind) {
            case ZERO -> negative ? "-0" : "+0";
            case INFINITE -> negative ? "-inf" : "+inf";
            case NAN -> "nan:" + Long.toHexString(high);
            default -> (negative ? "-" : "+") + Long.toHexString(high) + "." + Long.toHexString(low) + "p" + exponent;
        };
    }
}
