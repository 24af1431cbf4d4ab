package dev.xenolith.cpu.fpu;

/**
 * Operations of the x87 on its 80-bit extended format (SDM 1 chapter 8). A number is a significand of 64 bits, integer bit included,
 * and 16 bits of sign and exponent; a result's significand is returned and its sign and exponent are in {@link
 * FloatEnvironment#signExponent}. Of two NaNs the one with the larger significand results, a quiet one before a signalling one (SDM 1
 * table 4-7); formats that the 387 no longer supports are invalid operands (SDM 1 8.2.2).
 */
public final class Extended {
    /** Significand of the QNaN floating-point indefinite; sign and exponent are {@link #INDEFINITE_EXPONENT}. */
    public static final long INDEFINITE = 3L << 62;
    public static final int INDEFINITE_EXPONENT = 0xffff;
    /** Significand of infinity. */
    public static final long INTEGER_BIT = 1L << 63;
    /** Result of {@link #compare}: not comparable. */
    public static final int UNORDERED = 2;

    static final int BIAS = 16_383;
    static final int MIN_EXPONENT = 1 - BIAS;
    static final int MAX_EXPONENT = BIAS;
    private static final int EXPONENT_MASK = 0x7fff;
    private static final int IE = FloatEnvironment.IE;

    private Extended() {}

    // ---- formats -----------------------------------------------------------------------------------------------------

    /** Unpacks a number; returns whether its format is supported. */
    static boolean unpack(long significand, int signExponent, Real r) {
        boolean negative = (signExponent & 0x8000) != 0;
        int exponent = signExponent & EXPONENT_MASK;
        if (exponent == 0) {
            if (significand == 0) {
                r.setZero(negative);
            } else {
                r.setFinite(negative, MIN_EXPONENT, significand, 0);
                r.denormal = true;
            }
            return true;
        }
        if (exponent == EXPONENT_MASK) {
            r.setInfinite(negative);
            if (significand << 1 != 0) {
                r.kind = Real.NAN;
                r.high = significand;
            }
        } else {
            r.kind = Real.FINITE;
            r.negative = negative;
            r.exponent = exponent - BIAS;
            r.high = significand;
            r.low = 0;
            r.denormal = false;
        }
        return significand < 0;
    }

    /** Packs {@code r}, which has been rounded to this format. */
    static long pack(Real r, FloatEnvironment e) {
        int sign = r.negative ? 0x8000 : 0;
        switch (r.kind) {
            case Real.ZERO -> {
                e.signExponent = sign;
                return 0;
            }
            case Real.INFINITE -> {
                e.signExponent = sign | EXPONENT_MASK;
                return INTEGER_BIT;
            }
            case Real.NAN -> {
                e.signExponent = sign | EXPONENT_MASK;
                return r.high;
            }
            default -> {
                e.signExponent = sign | (r.high < 0 ? r.exponent + BIAS & EXPONENT_MASK : 0);
                return r.high;
            }
        }
    }

    private static long round(Real r, int precision, FloatEnvironment e) {
        Rounding.round(r, precision, MIN_EXPONENT, MAX_EXPONENT, e);
        return pack(r, e);
    }

    static long invalid(FloatEnvironment e) {
        e.roundedUp = false;
        e.raise(IE);
        e.signExponent = INDEFINITE_EXPONENT;
        return INDEFINITE;
    }

    /** The NaN that results from {@code e.a} and {@code e.b}, one of which is one. */
    static long nan(FloatEnvironment e) {
        e.roundedUp = false;
        Real a = e.a;
        Real b = e.b;
        if (a.isSignaling() || b.isSignaling()) {
            e.raise(IE);
        }
        Real chosen;
        if (!a.isNan() || !b.isNan()) {
            chosen = a.isNan() ? a : b;
        } else if (a.isSignaling() != b.isSignaling()) {
            chosen = a.isSignaling() ? b : a;
        } else {
            int order = Long.compareUnsigned(a.high, b.high);
            chosen = order != 0 ? order > 0 ? a : b : a.negative ? b : a;
        }
        e.signExponent = chosen.negative ? 0xffff : 0x7fff;
        return chosen.high | Real.QUIET;
    }

    static long unaryNan(FloatEnvironment e) {
        e.b.setZero(false);
        return nan(e);
    }

    // ---- arithmetic --------------------------------------------------------------------------------------------------

    public static long add(long x, int xs, long y, int ys, FloatEnvironment e) {
        return sum(x, xs, y, ys, false, e);
    }

    public static long sub(long x, int xs, long y, int ys, FloatEnvironment e) {
        return sum(x, xs, y, ys, true, e);
    }

    private static long sum(long x, int xs, long y, int ys, boolean subtract, FloatEnvironment e) {
        if (!unpack(x, xs, e.a) | !unpack(y, ys, e.b)) {
            return invalid(e);
        }
        if (e.a.isNan() || e.b.isNan()) {
            return nan(e);
        }
        e.b.negative ^= subtract;
        if (e.a.isInfinite() && e.b.isInfinite() && e.a.negative != e.b.negative) {
            return invalid(e);
        }
        e.noteDenormals(e.a, e.b);
        Exact.add(e.a, e.b, e.r, e.rounding);
        return round(e.r, e.precision, e);
    }

    public static long mul(long x, int xs, long y, int ys, FloatEnvironment e) {
        if (!unpack(x, xs, e.a) | !unpack(y, ys, e.b)) {
            return invalid(e);
        }
        if (e.a.isNan() || e.b.isNan()) {
            return nan(e);
        }
        if (e.a.isInfinite() && e.b.isZero() || e.a.isZero() && e.b.isInfinite()) {
            return invalid(e);
        }
        e.noteDenormals(e.a, e.b);
        Exact.multiply(e.a, e.b, e.r);
        return round(e.r, e.precision, e);
    }

    public static long div(long x, int xs, long y, int ys, FloatEnvironment e) {
        if (!unpack(x, xs, e.a) | !unpack(y, ys, e.b)) {
            return invalid(e);
        }
        if (e.a.isNan() || e.b.isNan()) {
            return nan(e);
        }
        if (e.a.isInfinite() && e.b.isInfinite() || e.a.isZero() && e.b.isZero()) {
            return invalid(e);
        }
        if (e.b.isZero() && e.a.kind == Real.FINITE) {
            e.raise(FloatEnvironment.ZE);
            e.roundedUp = false;
            e.r.setInfinite(e.a.negative != e.b.negative);
            return pack(e.r, e);
        }
        e.noteDenormals(e.a, e.b);
        Exact.divide(e.a, e.b, e.r);
        return round(e.r, e.precision, e);
    }

    public static long sqrt(long x, int xs, FloatEnvironment e) {
        if (!unpack(x, xs, e.a)) {
            return invalid(e);
        }
        if (e.a.isNan()) {
            return unaryNan(e);
        }
        if (e.a.negative && !e.a.isZero()) {
            return invalid(e);
        }
        e.noteDenormal(e.a);
        Exact.squareRoot(e.a, e.r);
        return round(e.r, e.precision, e);
    }

    /** FRNDINT. */
    public static long roundToIntegral(long x, int xs, FloatEnvironment e) {
        if (!unpack(x, xs, e.a)) {
            return invalid(e);
        }
        if (e.a.isNan()) {
            return unaryNan(e);
        }
        e.noteDenormal(e.a);
        if (Rounding.toIntegral(e.a, e.rounding, e)) {
            e.raise(FloatEnvironment.PE);
        }
        return pack(e.a, e);
    }

    /** FSCALE: x times two to the power of y truncated. */
    public static long scale(long x, int xs, long y, int ys, FloatEnvironment e) {
        if (!unpack(x, xs, e.a) | !unpack(y, ys, e.b)) {
            return invalid(e);
        }
        if (e.a.isNan() || e.b.isNan()) {
            return nan(e);
        }
        e.roundedUp = false;
        if (e.b.isInfinite()) {
            if (e.a.isZero() && !e.b.negative || e.a.isInfinite() && e.b.negative) {
                return invalid(e);
            }
            e.noteDenormal(e.a);
            if (e.b.negative) {
                e.a.setZero(e.a.negative);
            } else {
                e.a.setInfinite(e.a.negative);
            }
            return pack(e.a, e);
        }
        e.noteDenormals(e.a, e.b);
        if (e.a.kind != Real.FINITE) {
            return pack(e.a, e);
        }
        e.r.set(e.a);
        if (!e.b.isZero() && e.b.exponent >= 0) {
            int limit = 1 << 17;
            int shift = e.b.exponent > 16 ? limit : (int) Math.min(limit, e.b.high >>> 63 - e.b.exponent);
            e.r.exponent += e.b.negative ? -shift : shift;
        }
        return round(e.r, 64, e);
    }

    /** FXTRACT: the exponent of x, as a number; {@link #significand} is the other half. */
    public static long exponent(long x, int xs, FloatEnvironment e) {
        if (!unpack(x, xs, e.a)) {
            return invalid(e);
        }
        if (e.a.isNan()) {
            return unaryNan(e);
        }
        e.roundedUp = false;
        e.noteDenormal(e.a);
        if (e.a.isInfinite()) {
            e.r.setInfinite(false);
        } else if (e.a.isZero()) {
            e.raise(FloatEnvironment.ZE);
            e.r.setInfinite(true);
        } else {
            Exact.ofInteger(e.a.exponent, true, e.r);
        }
        return pack(e.r, e);
    }

    /** FXTRACT: the significand of x, with its sign and the exponent of one; raises what {@link #exponent} has. */
    public static long significand(long x, int xs, FloatEnvironment e) {
        if (!unpack(x, xs, e.a)) {
            return invalid(e);
        }
        if (e.a.isNan()) {
            return unaryNan(e);
        }
        if (e.a.kind == Real.FINITE) {
            e.a.exponent = 0;
        }
        return pack(e.a, e);
    }

    // ---- remainders --------------------------------------------------------------------------------------------------

    /** Flags of {@link #remainder} in {@code quotient}: the reduction is not complete. */
    public static final int INCOMPLETE = 8;

    /**
     * FPREM and, with {@code nearest}, FPREM1: what is left of x divided by y. Returns its significand; {@code e.quotient} has the low
     * three bits of the quotient, or {@link #INCOMPLETE} if the exponents differ by 64 or more and only a part was taken off.
     */
    public static long remainder(long x, int xs, long y, int ys, boolean nearest, FloatEnvironment e) {
        e.quotient = 0;
        if (!unpack(x, xs, e.a) | !unpack(y, ys, e.b)) {
            return invalid(e);
        }
        if (e.a.isNan() || e.b.isNan()) {
            return nan(e);
        }
        if (e.a.isInfinite() || e.b.isZero()) {
            return invalid(e);
        }
        e.noteDenormals(e.a, e.b);
        Real a = e.a;
        Real b = e.b;
        e.r.set(a);
        e.r.denormal = false;
        if (a.isZero() || b.isInfinite()) {
            return round(e.r, 64, e);
        }
        int distance = a.exponent - b.exponent;
        if (distance < -1 || distance < 0 && !nearest) {
            return round(e.r, 64, e);
        }
        int partial = 0;
        if (distance >= 64) {
            partial = distance - (distance & 31 | 32);
            distance &= 31;
            distance |= 32;
            e.quotient = INCOMPLETE;
        }
        // One quotient bit at a time; rest < 2 * b always, with its overflow in bit 64.
        long rest = a.high;
        boolean overflow = false;
        long quotient = 0;
        if (distance < 0) {
            rest = a.high >>> 1;
        }
        boolean lost = distance < 0 && (a.high & 1) != 0;
        for (int i = Math.max(distance, 0); i >= 0; i--) {
            quotient <<= 1;
            if (overflow || Long.compareUnsigned(rest, b.high) >= 0) {
                rest -= b.high;
                quotient |= 1;
            }
            if (i > 0) {
                overflow = rest < 0;
                rest <<= 1;
            }
        }
        if (distance < 0) {
            quotient = 0;
        }
        boolean negative = a.negative;
        int exponent = b.exponent + partial;
        if (nearest && e.quotient == 0) {
            // Twice the rest against the divisor, and to even.
            int order = rest < 0 ? 1 : Long.compareUnsigned(rest << 1 | (lost ? 1 : 0), b.high);
            if (order > 0 || order == 0 && (quotient & 1) != 0) {
                quotient++;
                // b - rest, in half units where the dividend's last bit was shifted out.
                long low = lost ? 1L << 63 : 0;
                long high = b.high - rest - (lost ? 1 : 0);
                e.quotient = (int) quotient & 7;
                e.r.setFinite(!negative, exponent, high, low);
                return round(e.r, 64, e);
            }
        }
        if (e.quotient == 0) {
            e.quotient = (int) quotient & 7;
        }
        e.r.setFinite(negative, exponent, rest, lost ? 1L << 63 : 0);
        return round(e.r, 64, e);
    }

    // ---- comparison --------------------------------------------------------------------------------------------------

    /** -1, 0, 1 or {@link #UNORDERED}; any NaN is invalid if {@code signaling}, else only a signalling one. */
    public static int compare(long x, int xs, long y, int ys, boolean signaling, FloatEnvironment e) {
        e.roundedUp = false;
        if (!unpack(x, xs, e.a) | !unpack(y, ys, e.b)) {
            e.raise(IE);
            return UNORDERED;
        }
        if (e.a.isNan() || e.b.isNan()) {
            if (signaling || e.a.isSignaling() || e.b.isSignaling()) {
                e.raise(IE);
            }
            return UNORDERED;
        }
        e.noteDenormals(e.a, e.b);
        return Exact.compare(e.a, e.b);
    }

    // ---- conversions -------------------------------------------------------------------------------------------------

    /** Of a binary32 bit pattern (FLD m32). */
    public static long ofFloat32(long bits, FloatEnvironment e) {
        return ofFormat(Format.BINARY32, bits, e);
    }

    /** Of a binary64 bit pattern (FLD m64). */
    public static long ofFloat64(long bits, FloatEnvironment e) {
        return ofFormat(Format.BINARY64, bits, e);
    }

    private static long ofFormat(Format f, long bits, FloatEnvironment e) {
        e.roundedUp = false;
        f.unpack(bits, e.a);
        if (e.a.isNan()) {
            return unaryNan(e);
        }
        e.noteDenormal(e.a);
        return pack(e.a, e);
    }

    /**
     * As {@link #ofFloat32} with neither flags nor quieting, for the second operand of arithmetic, which deals with them itself; the
     * caller clears {@link FloatEnvironment#narrowDenormal} afterwards.
     */
    public static long operandOfFloat32(long bits, FloatEnvironment e) {
        return operand(Format.BINARY32, bits, e);
    }

    /** As {@link #operandOfFloat32}. */
    public static long operandOfFloat64(long bits, FloatEnvironment e) {
        return operand(Format.BINARY64, bits, e);
    }

    private static long operand(Format f, long bits, FloatEnvironment e) {
        f.unpack(bits, e.a);
        e.narrowDenormal = e.a.denormal;
        return pack(e.a, e);
    }

    /** To a binary32 bit pattern (FST m32). */
    public static long toFloat32(long x, int xs, FloatEnvironment e) {
        return toFormat(Format.BINARY32, x, xs, e);
    }

    /** To a binary64 bit pattern (FST m64). */
    public static long toFloat64(long x, int xs, FloatEnvironment e) {
        return toFormat(Format.BINARY64, x, xs, e);
    }

    private static long toFormat(Format f, long x, int xs, FloatEnvironment e) {
        e.roundedUp = false;
        if (!unpack(x, xs, e.a)) {
            e.raise(IE);
            return f.indefinite;
        }
        if (e.a.isNan()) {
            if (e.a.isSignaling()) {
                e.raise(IE);
            }
            e.a.high |= Real.QUIET;
            return f.pack(e.a);
        }
        e.r.set(e.a);
        e.adjustsExponent = false;
        long bits = f.round(e.r, e);
        e.adjustsExponent = true;
        if ((e.flags & ~e.masks & (FloatEnvironment.OE | FloatEnvironment.UE)) != 0) {
            // Nothing is stored, so nothing was lost.
            e.flags &= ~FloatEnvironment.PE;
            e.roundedUp = false;
        }
        return bits;
    }

    /** Of a signed integer (FILD): exact. */
    public static long ofInteger(long integer, FloatEnvironment e) {
        e.roundedUp = false;
        Exact.ofInteger(integer, true, e.r);
        return pack(e.r, e);
    }

    /** To a signed integer of 16, 32 or 64 bits (FIST; FISTTP with TOWARD_ZERO). */
    public static long toInteger(long x, int xs, int bits, int rounding, FloatEnvironment e) {
        if (!unpack(x, xs, e.r)) {
            e.roundedUp = false;
            e.raise(IE);
            return -1L << bits - 1;
        }
        return Integers.round(e.r, bits, rounding, e);
    }

    // ---- packed BCD --------------------------------------------------------------------------------------------------

    private static final long BCD_LIMIT = 1_000_000_000_000_000_000L;

    /** Sign byte and two digits (bits 64 to 79) of the packed BCD indefinite; the rest is {@link #BCD_INDEFINITE}. */
    public static final int BCD_INDEFINITE_HIGH = 0xffff;
    public static final long BCD_INDEFINITE = 0xc000_0000_0000_0000L;

    /** FBLD: of 18 decimal digits, {@code low} the last 16, {@code high} the sign and the first two. */
    public static long ofBcd(long low, int high, FloatEnvironment e) {
        long magnitude = digits(high & 0xff, 2);
        magnitude = magnitude * 10_000_000_000_000_000L + digits(low, 16);
        long significand = ofInteger(magnitude, e);
        e.signExponent |= high & 0x8000;
        return significand;
    }

    private static long digits(long packed, int count) {
        long value = 0;
        for (int i = count - 1; i >= 0; i--) {
            value = value * 10 + (packed >>> 4 * i & 15);
        }
        return value;
    }

    /** FBSTP: the low 16 digits; {@code e.signExponent} has the sign and the first two. */
    public static long toBcd(long x, int xs, FloatEnvironment e) {
        long integer = toInteger(x, xs, 64, e.rounding, e);
        boolean fits = (e.flags & IE) == 0 && integer < BCD_LIMIT && integer > -BCD_LIMIT;
        if (!fits) {
            e.flags = IE;
            e.roundedUp = false;
            e.signExponent = BCD_INDEFINITE_HIGH;
            return BCD_INDEFINITE;
        }
        long rest = Math.abs(integer);
        long packed = 0;
        for (int i = 0; i < 16; i++) {
            packed |= rest % 10 << 4 * i;
            rest /= 10;
        }
        e.signExponent = (xs & 0x8000) | (int) (rest / 10 << 4 | rest % 10);
        return packed;
    }
}
