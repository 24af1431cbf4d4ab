package dev.xenolith.cpu.fpu;

/**
 * The transcendental instructions of the x87 (SDM 1 8.3.6, 8.3.7, 8.3.10): power series on numbers of 128 significant bits, rounded once,
 * so that nearly all results are correctly rounded. Special cases are those of the tables in SDM 2A.
 */
public final class Transcendental {
    /**
     * Terms this many bits under the sum change nothing. Only the first one of a series is added whatever it is: its sticky bit makes the
     * result inexact, and two of them would cancel.
     */
    private static final int ENOUGH_BITS = 120;
    /** Operands of trigonometric functions must be below two to this power. */
    private static final int REDUCIBLE = 63;
    /** Significand of the square root of two. */
    private static final long SQRT2 = 0xb504_f333_f9de_6484L;

    private Transcendental() {}

    // ---- wide arithmetic ---------------------------------------------------------------------------------------------

    private static void set(Real r, int exponent, long high, long low) {
        r.setFinite(false, exponent, high, low);
    }

    private static void setOne(Real r) {
        set(r, 0, 1L << 63, 0);
    }

    private static void setLn2(Real r) {
        set(r, -1, 0xb172_17f7_d1cf_79abL, 0xc9e3_b398_03f2_f6afL);
    }

    private static void setHalfPi(Real r) {
        set(r, 0, 0xc90f_daa2_2168_c234L, 0xc4c6_628b_80dc_1cd1L);
    }

    /** {@code r = a * b} to 126 bits or more; r may be one of them. */
    private static void multiply(Real a, Real b, Real r) {
        if (a.isZero() || b.isZero()) {
            r.setZero(a.negative != b.negative);
            return;
        }
        long high = Math.unsignedMultiplyHigh(a.high, b.high);
        long low = a.high * b.high;
        long cross1 = Math.unsignedMultiplyHigh(a.high, b.low);
        long cross2 = Math.unsignedMultiplyHigh(a.low, b.high);
        long sum = low + cross1;
        high += Long.compareUnsigned(sum, low) < 0 ? 1 : 0;
        long total = sum + cross2;
        high += Long.compareUnsigned(total, sum) < 0 ? 1 : 0;
        boolean lost = (a.low | b.low) != 0;
        r.setFinite(a.negative != b.negative, a.exponent + b.exponent + 1, high, total | (lost ? 1 : 0));
    }

    /** {@code r = a / b} with 128 bits; r may be one of them; b is not zero. */
    private static void divide(Real a, Real b, Real r) {
        boolean negative = a.negative != b.negative;
        if (a.isZero()) {
            r.setZero(negative);
            return;
        }
        int exponent = a.exponent - b.exponent;
        long divisorHigh = b.high;
        long divisorLow = b.low;
        long restHigh = a.high;
        long restLow = a.low;
        boolean overflow = false;
        long quotientHigh = 0;
        long quotientLow = 0;
        for (int i = 0; i < 128; i++) {
            int order = Long.compareUnsigned(restHigh, divisorHigh);
            boolean fits = overflow || order > 0
                    || order == 0 && Long.compareUnsigned(restLow, divisorLow) >= 0;
            quotientHigh = quotientHigh << 1 | quotientLow >>> 63;
            quotientLow <<= 1;
            if (fits) {
                restHigh -= divisorHigh + (Long.compareUnsigned(restLow, divisorLow) < 0 ? 1 : 0);
                restLow -= divisorLow;
                quotientLow |= 1;
            }
            overflow = restHigh < 0;
            restHigh = restHigh << 1 | restLow >>> 63;
            restLow <<= 1;
        }
        boolean lost = (restHigh | restLow) != 0;
        r.setFinite(negative, exponent, quotientHigh, quotientLow | (lost ? 1 : 0));
    }

    /** {@code r = r / n}, n small and positive. */
    private static void divide(Real r, long n, Real scratch) {
        Exact.ofInteger(n, true, scratch);
        divide(r, scratch, r);
    }

    private static void add(Real a, Real b, Real r) {
        Exact.add(a, b, r, FloatEnvironment.NEAREST);
    }

    private static boolean isNegligible(Real term, Real sum) {
        return term.isZero() || term.exponent < sum.exponent - ENOUGH_BITS;
    }

    /** Rounds a result that is not exact, or that the processors take for inexact: all but zero. */
    private static long round(Real r, FloatEnvironment e) {
        r.low |= 1;
        Rounding.round(r, 64, Extended.MIN_EXPONENT, Extended.MAX_EXPONENT, e);
        return Extended.pack(r, e);
    }

    // ---- series ------------------------------------------------------------------------------------------------------

    /** {@code r} = sine or cosine of {@code x}, at most pi/4 or little more. */
    private static void circular(Real x, boolean cosine, Real r, FloatEnvironment e) {
        Real square = e.work[0];
        Real term = e.work[1];
        Real scratch = e.work[2];
        multiply(x, x, square);
        if (cosine) {
            setOne(term);
        } else {
            term.set(x);
        }
        r.set(term);
        int first = cosine ? 1 : 2;
        for (int k = first;; k += 2) {
            multiply(term, square, term);
            divide(term, (long) k * (k + 1), scratch);
            term.negative = !term.negative;
            if (k > first && isNegligible(term, r)) {
                break;
            }
            add(r, term, r);
        }
    }

    /** {@code r} = arcus tangent of {@code t}, between 0 and 1, both excluded or 1. */
    private static void arcusTangent(Real t, Real r, FloatEnvironment e) {
        Real z = e.work[0];
        Real offset = e.work[1];
        Real scratch = e.work[2];
        offset.setZero(false);
        z.set(t);
        if (t.exponent >= -2) {
            // Around 1/2 or 1: atan t = atan c + atan((t - c) / (1 + t c)).
            boolean nearOne = t.exponent == 0
                    || t.exponent == -1 && Long.compareUnsigned(t.high, 0xc000_0000_0000_0000L) >= 0;
            set(scratch, nearOne ? 0 : -1, 1L << 63, 0);
            Real denominator = e.work[3];
            denominator.set(t);
            denominator.exponent += scratch.exponent;
            scratch.negative = true;
            add(t, scratch, z);
            setOne(scratch);
            add(denominator, scratch, denominator);
            divide(z, denominator, z);
            if (nearOne) {
                setHalfPi(offset);
                offset.exponent--;
            } else {
                set(offset, -2, 0xed63_382b_0dda_7b45L, 0x6fe4_45ec_bc3a_8d03L);
            }
        }
        Real power = e.work[3];
        Real square = e.work[4];
        Real term = e.work[5];
        power.set(z);
        r.set(z);
        multiply(z, z, square);
        for (int k = 3; !power.isZero(); k += 2) {
            multiply(power, square, power);
            power.negative = !power.negative;
            term.set(power);
            divide(term, k, scratch);
            if (k > 3 && isNegligible(term, r)) {
                break;
            }
            add(r, term, r);
        }
        add(r, offset, r);
    }

    /** {@code r} = log2((1 + s) / (1 - s)) for a small {@code s}, not zero. */
    private static void logarithm(Real s, Real r, FloatEnvironment e) {
        Real power = e.work[0];
        Real square = e.work[1];
        Real term = e.work[2];
        Real scratch = e.work[3];
        power.set(s);
        r.set(s);
        multiply(s, s, square);
        for (int k = 3;; k += 2) {
            multiply(power, square, power);
            term.set(power);
            divide(term, k, scratch);
            if (k > 3 && isNegligible(term, r)) {
                break;
            }
            add(r, term, r);
        }
        setLn2(scratch);
        divide(r, scratch, r);
        r.exponent++;
    }

    // ---- sine, cosine, tangent ---------------------------------------------------------------------------------------

    /** What is asked of {@link #reduce}d angles. */
    private static final int INCOMPLETE = -1;
    private static final int DONE = -2;

    /**
     * Unpacks an angle and reduces it to at most pi/4 in {@code e.b}, or little more. Returns the quadrant; {@link #INCOMPLETE} if it is
     * 2^63 or more; or {@link #DONE} for what has no angle: then {@code e.c} packs to the result.
     */
    private static int reduce(long x, int xs, FloatEnvironment e) {
        if (!Extended.unpack(x, xs, e.a)) {
            Extended.invalid(e);
            e.c.kind = Real.NAN;
            e.c.negative = true;
            e.c.high = Extended.INDEFINITE;
            return DONE;
        }
        if (e.a.isNan() || e.a.isInfinite()) {
            boolean nan = e.a.isNan();
            e.c.high = nan ? Extended.unaryNan(e) : Extended.invalid(e);
            e.c.kind = Real.NAN;
            e.c.negative = nan ? e.a.negative : true;
            return DONE;
        }
        if (e.a.isZero()) {
            e.b.set(e.a);
            return 0;
        }
        if (e.a.exponent >= REDUCIBLE) {
            e.roundedUp = false;
            return INCOMPLETE;
        }
        e.noteDenormal(e.a);
        e.a.denormal = false;
        Real quotient = e.work[0];
        Real piece = e.work[1];
        set(quotient, -1, 0xa2f9_836e_4e44_1529L, 0xfc27_57d1_f534_ddc0L);
        multiply(e.a, quotient, quotient);
        quotient.low = 0;
        Rounding.toIntegral(quotient, FloatEnvironment.NEAREST, e);
        e.b.set(e.a);
        if (quotient.isZero()) {
            return 0;
        }
        int quadrant = (int) (quotient.high >>> 63 - quotient.exponent) & 3;
        quadrant = quotient.negative ? -quadrant & 3 : quadrant;
        quotient.negative = !quotient.negative;
        // By pi as the processors have it, 66 bits of it (SDM 1 8.3.8; so has Zen 3), in two pieces, each product exact.
        set(piece, 0, 0xc90f_daa2_2168_c234L, 0);
        Exact.multiply(quotient, piece, piece);
        add(e.b, piece, e.b);
        set(piece, -64, 0xc000_0000_0000_0000L, 0);
        Exact.multiply(quotient, piece, piece);
        add(e.b, piece, e.b);
        return quadrant;
    }

    /** {@code r} = sine ({@code function} 0) or cosine (1) of the angle in {@code e.b} and quadrant. */
    private static void sineOrCosine(int quadrant, int function, Real r, FloatEnvironment e) {
        int turned = quadrant + function & 3;
        if (e.b.isZero()) {
            if ((turned & 1) == 0) {
                r.set(e.b);
            } else {
                setOne(r);
            }
        } else {
            circular(e.b, (turned & 1) != 0, r, e);
        }
        r.negative ^= turned >= 2;
    }

    /**
     * FSIN ({@code function} 0) and FCOS (1). {@code e.quotient} is {@link Extended#INCOMPLETE} if the operand is too large: then there
     * is no result.
     */
    public static long sine(long x, int xs, int function, FloatEnvironment e) {
        e.quotient = 0;
        int quadrant = reduce(x, xs, e);
        if (quadrant == INCOMPLETE) {
            e.quotient = Extended.INCOMPLETE;
            return x;
        }
        if (quadrant == DONE) {
            return Extended.pack(e.c, e);
        }
        sineOrCosine(quadrant, function, e.r, e);
        return e.b.isZero() ? Extended.pack(e.r, e) : round(e.r, e);
    }

    /** FPTAN, as {@link #sine}. */
    public static long tangent(long x, int xs, FloatEnvironment e) {
        e.quotient = 0;
        int quadrant = reduce(x, xs, e);
        if (quadrant == INCOMPLETE) {
            e.quotient = Extended.INCOMPLETE;
            return x;
        }
        if (quadrant == DONE) {
            return Extended.pack(e.c, e);
        }
        sineOrCosine(quadrant, 0, e.r, e);
        sineOrCosine(quadrant, 1, e.t, e);
        if (e.b.isZero()) {
            return Extended.pack(e.r, e);
        }
        divide(e.r, e.t, e.r);
        return round(e.r, e);
    }

    // ---- arcus tangent -----------------------------------------------------------------------------------------------

    /** FPATAN: the angle of the point (x, y), y in ST1. */
    public static long arcusTangent(long x, int xs, long y, int ys, FloatEnvironment e) {
        if (!Extended.unpack(x, xs, e.a) | !Extended.unpack(y, ys, e.b)) {
            return Extended.invalid(e);
        }
        if (e.a.isNan() || e.b.isNan()) {
            return Extended.nan(e);
        }
        e.noteDenormals(e.a, e.b);
        Real a = e.a;
        Real b = e.b;
        boolean negative = b.negative;
        boolean left = a.negative;
        a.negative = false;
        b.negative = false;
        a.denormal = false;
        b.denormal = false;
        // An infinity counts as many times whatever is finite, and as much as another one.
        boolean steep;
        if (a.isInfinite() || b.isInfinite()) {
            steep = b.isInfinite() && !a.isInfinite();
            if (a.isInfinite() && b.isInfinite()) {
                setOne(e.t);
            } else {
                e.t.setZero(false);
            }
        } else if (a.isZero() || b.isZero()) {
            steep = a.isZero() && !b.isZero();
            e.t.setZero(false);
        } else {
            steep = Real.compareMagnitude(b, a) > 0;
            divide(steep ? a : b, steep ? b : a, e.t);
        }
        if (e.t.isZero()) {
            e.r.setZero(false);
        } else {
            arcusTangent(e.t, e.r, e);
        }
        Real turn = e.work[0];
        if (steep) {
            setHalfPi(turn);
            e.r.negative = !e.r.negative;
            add(e.r, turn, e.r);
        }
        if (left) {
            setHalfPi(turn);
            turn.exponent++;
            e.r.negative = !e.r.negative;
            add(e.r, turn, e.r);
        }
        e.r.negative = negative;
        return round(e.r, e);
    }

    // ---- exponential and logarithms ----------------------------------------------------------------------------------

    /** F2XM1: two to the power of x, less one; x from -1 to 1, otherwise it is returned as it is. */
    public static long exponential(long x, int xs, FloatEnvironment e) {
        if (!Extended.unpack(x, xs, e.a)) {
            return Extended.invalid(e);
        }
        if (e.a.isNan()) {
            return Extended.unaryNan(e);
        }
        e.roundedUp = false;
        Real a = e.a;
        if (a.isInfinite()) {
            if (a.negative) {
                setOne(a);
                a.negative = true;
            }
            return Extended.pack(a, e);
        }
        e.noteDenormal(a);
        a.denormal = false;
        if (a.isZero() || a.exponent >= 0) {
            if (a.exponent == 0 && a.high == 1L << 63 && a.negative) {
                a.exponent = -1;
            }
            return Extended.pack(a, e);
        }
        Real t = e.work[0];
        Real term = e.work[1];
        Real scratch = e.work[2];
        setLn2(t);
        multiply(a, t, t);
        term.set(t);
        e.r.set(t);
        for (int k = 2;; k++) {
            multiply(term, t, term);
            divide(term, k, scratch);
            if (k > 2 && isNegligible(term, e.r)) {
                break;
            }
            add(e.r, term, e.r);
        }
        return round(e.r, e);
    }

    /** FYL2X: y times the binary logarithm of x, y in ST1. */
    public static long logarithm(long x, int xs, long y, int ys, FloatEnvironment e) {
        if (!Extended.unpack(x, xs, e.a) | !Extended.unpack(y, ys, e.b)) {
            return Extended.invalid(e);
        }
        if (e.a.isNan() || e.b.isNan()) {
            return Extended.nan(e);
        }
        Real a = e.a;
        Real b = e.b;
        e.roundedUp = false;
        boolean one = a.kind == Real.FINITE && a.exponent == 0 && a.high == 1L << 63;
        boolean logarithmIsInfinite = a.isZero() || a.isInfinite();
        if (a.negative && !a.isZero() || b.isZero() && logarithmIsInfinite || b.isInfinite() && one) {
            return Extended.invalid(e);
        }
        if (a.isZero() && b.kind == Real.FINITE) {
            e.raise(FloatEnvironment.ZE);
            e.r.setInfinite(!b.negative);
            return Extended.pack(e.r, e);
        }
        e.noteDenormals(a, b);
        boolean below = a.isZero() || a.kind == Real.FINITE && a.exponent < 0;
        boolean negative = b.negative != below;
        if (logarithmIsInfinite || b.isInfinite()) {
            e.r.setInfinite(negative);
            return Extended.pack(e.r, e);
        }
        if (one || b.isZero()) {
            e.r.setZero(negative);
            return Extended.pack(e.r, e);
        }
        a.denormal = false;
        b.denormal = false;
        int exponent = a.exponent;
        a.exponent = 0;
        if (Long.compareUnsigned(a.high, SQRT2) > 0) {
            a.exponent = -1;
            exponent++;
        }
        Exact.ofInteger(exponent, true, e.c);
        if (a.exponent != 0 || a.high != 1L << 63) {
            Real s = e.work[4];
            Real denominator = e.work[5];
            setOne(denominator);
            denominator.negative = true;
            add(a, denominator, s);
            denominator.negative = false;
            add(a, denominator, denominator);
            divide(s, denominator, s);
            logarithm(s, e.t, e);
            add(e.t, e.c, e.t);
        } else {
            // A power of two: exact, which the processors nevertheless take for inexact.
            multiply(e.c, b, e.r);
            Rounding.round(e.r, 64, Extended.MIN_EXPONENT, Extended.MAX_EXPONENT, e);
            e.raise(e.r.high > 0 ? FloatEnvironment.PE | FloatEnvironment.UE : FloatEnvironment.PE);
            return Extended.pack(e.r, e);
        }
        multiply(e.t, b, e.r);
        return round(e.r, e);
    }

    /** FYL2XP1: y times the binary logarithm of x + 1, for x within 1 - sqrt(2)/2 of zero. */
    public static long logarithmOfSuccessor(long x, int xs, long y, int ys, FloatEnvironment e) {
        if (!Extended.unpack(x, xs, e.a) | !Extended.unpack(y, ys, e.b)) {
            return Extended.invalid(e);
        }
        if (e.a.isNan() || e.b.isNan()) {
            return Extended.nan(e);
        }
        Real a = e.a;
        Real b = e.b;
        e.roundedUp = false;
        if (a.isInfinite() && (a.negative || b.isZero()) || a.isZero() && b.isInfinite()) {
            return Extended.invalid(e);
        }
        e.noteDenormals(a, b);
        boolean negative = a.negative != b.negative;
        if (a.isInfinite() || b.isInfinite()) {
            e.r.setInfinite(negative);
            return Extended.pack(e.r, e);
        }
        if (a.isZero() || b.isZero()) {
            e.r.setZero(negative);
            return Extended.pack(e.r, e);
        }
        if (a.negative && a.exponent >= 0) {
            return Extended.invalid(e);
        }
        a.denormal = false;
        b.denormal = false;
        Real s = e.work[4];
        setOne(s);
        s.exponent = 1;
        add(a, s, s);
        divide(a, s, s);
        logarithm(s, e.t, e);
        multiply(e.t, b, e.r);
        return round(e.r, e);
    }
}
