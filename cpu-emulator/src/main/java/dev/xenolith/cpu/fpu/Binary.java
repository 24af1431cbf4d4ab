package dev.xenolith.cpu.fpu;

/**
 * Operations on binary32 and binary64 as SSE has them: operands and results are bit patterns, in the low bits of a long; exception
 * flags go to the environment. The first NaN operand is the result, made quiet (SDM 1 table 4-7).
 */
final class Binary {
    private static final int IE = FloatEnvironment.IE;

    private Binary() {}

    /** The NaN that results from {@code x} and {@code y}, one of which is one. */
    private static long nan(Format f, long x, long y, FloatEnvironment e) {
        if (e.a.isSignaling() || e.b.isSignaling()) {
            e.raise(IE);
        }
        return f.quiet(e.a.isNan() ? x : y);
    }

    private static long invalid(Format f, FloatEnvironment e) {
        e.raise(IE);
        return f.indefinite;
    }

    private static boolean unpackPair(Format f, long x, long y, FloatEnvironment e) {
        f.unpack(x, e.a, e);
        f.unpack(y, e.b, e);
        return e.a.isNan() || e.b.isNan();
    }

    static long add(Format f, long x, long y, boolean subtract, FloatEnvironment e) {
        if (unpackPair(f, x, y, e)) {
            return nan(f, x, y, e);
        }
        e.b.negative ^= subtract;
        if (e.a.isInfinite() && e.b.isInfinite() && e.a.negative != e.b.negative) {
            return invalid(f, e);
        }
        e.noteDenormals(e.a, e.b);
        Exact.add(e.a, e.b, e.r, e.rounding);
        return f.round(e.r, e);
    }

    static long multiply(Format f, long x, long y, FloatEnvironment e) {
        if (unpackPair(f, x, y, e)) {
            return nan(f, x, y, e);
        }
        if (e.a.isInfinite() && e.b.isZero() || e.a.isZero() && e.b.isInfinite()) {
            return invalid(f, e);
        }
        e.noteDenormals(e.a, e.b);
        Exact.multiply(e.a, e.b, e.r);
        return f.round(e.r, e);
    }

    static long divide(Format f, long x, long y, FloatEnvironment e) {
        if (unpackPair(f, x, y, e)) {
            return nan(f, x, y, e);
        }
        if (e.a.isInfinite() && e.b.isInfinite() || e.a.isZero() && e.b.isZero()) {
            return invalid(f, e);
        }
        if (e.b.isZero() && e.a.kind == Real.FINITE) {
            e.raise(FloatEnvironment.ZE);
            return (e.a.negative != e.b.negative ? f.indefinite & ~(f.infinity | f.infinity >>> 1) : 0) | f.infinity;
        }
        e.noteDenormals(e.a, e.b);
        Exact.divide(e.a, e.b, e.r);
        return f.round(e.r, e);
    }

    static long squareRoot(Format f, long x, FloatEnvironment e) {
        f.unpack(x, e.a, e);
        if (e.a.isNan()) {
            return unaryNan(f, x, e);
        }
        if (e.a.negative && !e.a.isZero()) {
            return invalid(f, e);
        }
        e.noteDenormal(e.a);
        Exact.squareRoot(e.a, e.r);
        return f.round(e.r, e);
    }

    private static long unaryNan(Format f, long x, FloatEnvironment e) {
        if (e.a.isSignaling()) {
            e.raise(IE);
        }
        return f.quiet(x);
    }

    /**
     * {@code ±(x * y) ± z}, rounded once. The first NaN among x, y, z is the result; infinity times zero is invalid unless z is a
     * quiet NaN.
     */
    static long multiplyAdd(Format f, long x, long y, long z, boolean negateProduct, boolean negateAddend,
            FloatEnvironment e) {
        f.unpack(x, e.a, e);
        f.unpack(y, e.b, e);
        f.unpack(z, e.c, e);
        if (e.a.isNan() || e.b.isNan() || e.c.isNan()) {
            if (e.a.isSignaling() || e.b.isSignaling() || e.c.isSignaling()) {
                e.raise(IE);
            }
            return f.quiet(e.a.isNan() ? x : e.b.isNan() ? y : z);
        }
        if (e.a.isInfinite() && e.b.isZero() || e.a.isZero() && e.b.isInfinite()) {
            return invalid(f, e);
        }
        Exact.multiply(e.a, e.b, e.t);
        e.t.negative ^= negateProduct;
        boolean denormal = e.c.denormal;
        e.c.negative ^= negateAddend;
        if (e.t.isInfinite() && e.c.isInfinite() && e.t.negative != e.c.negative) {
            return invalid(f, e);
        }
        e.noteDenormals(e.a, e.b);
        if (denormal) {
            e.raise(FloatEnvironment.DE);
        }
        Exact.add(e.t, e.c, e.r, e.rounding);
        return f.round(e.r, e);
    }

    /** MIN and MAX of SSE: the second operand if they are equal or one is a NaN, which is invalid (SDM 2B MINPS). */
    static long extremum(Format f, long x, long y, boolean maximum, FloatEnvironment e) {
        if (unpackPair(f, x, y, e)) {
            e.raise(IE);
            return e.b.isZero() ? f.pack(e.b) : y;
        }
        e.noteDenormals(e.a, e.b);
        int order = Exact.compare(e.a, e.b);
        boolean first = maximum ? order > 0 : order < 0;
        // With DAZ the chosen denormal is a zero too.
        if (first) {
            return e.a.isZero() ? f.pack(e.a) : x;
        }
        return e.b.isZero() ? f.pack(e.b) : y;
    }

    /** Result of {@link #compare}: not comparable. */
    static final int UNORDERED = 2;

    /**
     * Compares: -1, 0, 1 or {@link #UNORDERED}. A signalling NaN is invalid, a quiet one only if {@code signaling}.
     */
    static int compare(Format f, long x, long y, boolean signaling, FloatEnvironment e) {
        if (unpackPair(f, x, y, e)) {
            if (signaling || e.a.isSignaling() || e.b.isSignaling()) {
                e.raise(IE);
            }
            return UNORDERED;
        }
        e.noteDenormals(e.a, e.b);
        return Exact.compare(e.a, e.b);
    }

    /** Converts between formats; a NaN keeps its leading bits and becomes quiet. */
    static long convert(Format from, Format to, long x, FloatEnvironment e) {
        from.unpack(x, e.a, e);
        if (e.a.isNan()) {
            if (e.a.isSignaling()) {
                e.raise(IE);
            }
            e.a.high |= Real.QUIET;
            return to.pack(e.a);
        }
        e.noteDenormal(e.a);
        e.r.set(e.a);
        return to.round(e.r, e);
    }

    /**
     * To a signed integer of {@code bits} 32 or 64, rounded by {@code rounding}; what does not fit is invalid and gives the
     * integer indefinite, the most negative number.
     */
    static long toInteger(Format f, long x, int bits, int rounding, FloatEnvironment e) {
        f.unpack(x, e.r, e);
        return Integers.round(e.r, bits, rounding, e);
    }

    static long ofInteger(Format f, long integer, FloatEnvironment e) {
        Exact.ofInteger(integer, true, e.r);
        return f.round(e.r, e);
    }

    /** Rounds to an integral number in the same format (ROUNDPS); inexact is raised unless {@code quietly}. */
    static long roundToIntegral(Format f, long x, int rounding, boolean quietly, FloatEnvironment e) {
        f.unpack(x, e.a, e);
        if (e.a.isNan()) {
            return unaryNan(f, x, e);
        }
        if (Rounding.toIntegral(e.a, rounding, e) && !quietly) {
            e.raise(FloatEnvironment.PE);
        }
        return f.pack(e.a);
    }
}
