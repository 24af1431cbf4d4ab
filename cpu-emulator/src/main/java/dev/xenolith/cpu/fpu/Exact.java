package dev.xenolith.cpu.fpu;

/**
 * Arithmetic on unpacked numbers, exact but for the sticky last bit of 128. Operands are zero, finite or infinite and not altered;
 * the caller has dealt with NaNs and with what is invalid. Zeros and infinities are as IEEE 754 6.3 has them.
 */
final class Exact {
    private Exact() {}

    /** {@code r = a + b}; an exact zero sum of unlike signs is negative only when rounding down. */
    static void add(Real a, Real b, Real r, int rounding) {
        if (a.kind != Real.FINITE || b.kind != Real.FINITE) {
            addSpecial(a, b, r, rounding);
            return;
        }
        boolean first = Real.compareMagnitude(a, b) >= 0;
        Real large = first ? a : b;
        Real small = first ? b : a;
        boolean negative = large.negative;
        int distance = large.exponent - small.exponent;
        boolean subtract = large.negative != small.negative;
        long largeHigh = large.high;
        long largeLow = large.low;
        int exponent = large.exponent + 1;
        r.high = small.high;
        r.low = small.low;
        // One bit of room for the carry.
        r.shiftRight(distance + 1);
        boolean sticky = (largeLow & 1) != 0;
        largeLow = largeLow >>> 1 | largeHigh << 63 | (sticky ? 1 : 0);
        largeHigh >>>= 1;
        if (subtract) {
            long low = largeLow - r.low;
            long borrow = Long.compareUnsigned(largeLow, r.low) < 0 ? 1 : 0;
            r.setFinite(negative, exponent, largeHigh - r.high - borrow, low);
            if (r.kind == Real.ZERO) {
                r.negative = rounding == FloatEnvironment.DOWN;
            }
        } else {
            long low = largeLow + r.low;
            long carry = Long.compareUnsigned(low, largeLow) < 0 ? 1 : 0;
            r.setFinite(negative, exponent, largeHigh + r.high + carry, low);
        }
    }

    private static void addSpecial(Real a, Real b, Real r, int rounding) {
        if (a.isInfinite() || b.isInfinite()) {
            r.setInfinite(a.isInfinite() ? a.negative : b.negative);
        } else if (a.isZero() && b.isZero()) {
            r.setZero(a.negative == b.negative ? a.negative : rounding == FloatEnvironment.DOWN);
        } else {
            r.set(a.isZero() ? b : a);
            r.denormal = false;
        }
    }

    /** {@code r = a * b}; operands have 64 significant bits at most. */
    static void multiply(Real a, Real b, Real r) {
        boolean negative = a.negative != b.negative;
        if (a.kind == Real.FINITE && b.kind == Real.FINITE) {
            r.setFinite(negative, a.exponent + b.exponent + 1, Math.unsignedMultiplyHigh(a.high, b.high),
                    a.high * b.high);
        } else if (a.isInfinite() || b.isInfinite()) {
            r.setInfinite(negative);
        } else {
            r.setZero(negative);
        }
    }

    /** {@code r = a / b}; operands have 64 significant bits at most; b is not zero unless a is infinite. */
    static void divide(Real a, Real b, Real r) {
        boolean negative = a.negative != b.negative;
        if (a.isInfinite()) {
            r.setInfinite(negative);
        } else if (a.isZero() || b.isInfinite()) {
            r.setZero(negative);
        } else {
            // a/2 over b, so that the quotient is below one.
            long high = a.high >>> 1;
            long low = a.high << 63;
            long q1 = WideDivision.unsignedQuotient(high, low, b.high);
            long rest = low - q1 * b.high;
            long q0 = WideDivision.unsignedQuotient(rest, 0, b.high);
            long lost = -(q0 * b.high);
            r.setFinite(negative, a.exponent - b.exponent, q1, q0 | (lost != 0 ? 1 : 0));
        }
    }

    /** {@code r = sqrt(a)}; a has 64 significant bits at most and is not negative, other than -0. */
    static void squareRoot(Real a, Real r) {
        if (a.kind != Real.FINITE) {
            r.set(a);
            return;
        }
        // Radicand in [1/4, 1) with an even exponent; one bit of the root from two bits of it at a time.
        boolean odd = (a.exponent & 1) != 0;
        long radicandHigh = odd ? a.high : a.high >>> 1;
        long radicandLow = odd ? 0 : a.high << 63;
        long root = 0;
        long restHigh = 0;
        long restLow = 0;
        for (int i = 0; i < 64; i++) {
            int two = (int) (radicandHigh >>> 62);
            radicandHigh = radicandHigh << 2 | radicandLow >>> 62;
            radicandLow <<= 2;
            restHigh = restHigh << 2 | restLow >>> 62;
            restLow = restLow << 2 | two;
            // Subtract 4 * root + 1 if it fits.
            long trialHigh = root >>> 62;
            long trialLow = root << 2 | 1;
            boolean fits = restHigh != trialHigh
                    ? Long.compareUnsigned(restHigh, trialHigh) > 0
                    : Long.compareUnsigned(restLow, trialLow) >= 0;
            root <<= 1;
            if (fits) {
                restHigh -= trialHigh + (Long.compareUnsigned(restLow, trialLow) < 0 ? 1 : 0);
                restLow -= trialLow;
                root |= 1;
            }
        }
        // The next bit of the root: whether the remainder exceeds the root; the rest is sticky.
        boolean half = restHigh != 0 || Long.compareUnsigned(restLow, root) > 0;
        boolean more = (restHigh | restLow) != 0;
        r.setFinite(false, a.exponent >> 1, root, (half ? Long.MIN_VALUE : 0) | (more ? 1 : 0));
    }

    /** Orders two numbers, no NaNs: negative, 0 or positive. */
    static int compare(Real a, Real b) {
        int signA = a.isZero() ? 0 : a.negative ? -1 : 1;
        int signB = b.isZero() ? 0 : b.negative ? -1 : 1;
        if (signA != signB || signA == 0) {
            return Integer.compare(signA, signB);
        }
        int magnitude;
        if (a.isInfinite() || b.isInfinite()) {
            magnitude = Boolean.compare(a.isInfinite(), b.isInfinite());
        } else {
            magnitude = Real.compareMagnitude(a, b);
        }
        return signA * magnitude;
    }

    /** The finite number {@code r = integer}; {@code isSigned} or not. */
    static void ofInteger(long integer, boolean isSigned, Real r) {
        boolean negative = isSigned && integer < 0;
        r.setFinite(negative, 63, negative ? -integer : integer, 0);
        if (r.isZero()) {
            r.negative = false;
        }
    }
}
