package dev.xenolith.cpu.fpu;

/** The interchange formats of IEEE 754 that SSE and x87 memory operands have: how numbers are packed into bits. */
final class Format {
    static final Format BINARY16 = new Format(10, 5);
    static final Format BINARY32 = new Format(23, 8);
    static final Format BINARY64 = new Format(52, 11);

    final int fractionBits;
    /** Significant bits. */
    final int precision;
    final int bias;
    final int minExponent;
    final int maxExponent;
    final int width;
    private final int exponentMask;
    private final long fractionMask;
    private final long signBit;
    /** The NaN that invalid operations give: "QNaN floating-point indefinite" (SDM 1 table 4-3). */
    final long indefinite;
    final long infinity;

    private Format(int fractionBits, int exponentBits) {
        this.fractionBits = fractionBits;
        precision = fractionBits + 1;
        width = 1 + exponentBits + fractionBits;
        bias = (1 << exponentBits - 1) - 1;
        minExponent = 1 - bias;
        maxExponent = bias;
        exponentMask = (1 << exponentBits) - 1;
        fractionMask = (1L << fractionBits) - 1;
        signBit = 1L << width - 1;
        infinity = (long) exponentMask << fractionBits;
        indefinite = signBit | infinity | 1L << fractionBits - 1;
    }

    /** Unpacks the low {@link #width} bits of {@code bits} into {@code r}. */
    void unpack(long bits, Real r) {
        boolean negative = (bits & signBit) != 0;
        int exponent = (int) (bits >>> fractionBits) & exponentMask;
        long fraction = bits & fractionMask;
        int left = 63 - fractionBits;
        if (exponent == exponentMask) {
            r.setInfinite(negative);
            if (fraction != 0) {
                r.kind = Real.NAN;
                r.high = 1L << 63 | fraction << left;
            }
        } else if (exponent == 0) {
            if (fraction == 0) {
                r.setZero(negative);
            } else {
                r.setFinite(negative, minExponent, fraction << left, 0);
                r.denormal = true;
            }
        } else {
            r.kind = Real.FINITE;
            r.negative = negative;
            r.exponent = exponent - bias;
            r.high = 1L << 63 | fraction << left;
            r.low = 0;
            r.denormal = false;
        }
    }

    /** As {@link #unpack}, with denormals taken for zero if {@code e} says so. */
    void unpack(long bits, Real r, FloatEnvironment e) {
        unpack(bits, r);
        if (r.denormal && e.denormalsAreZero) {
            r.setZero(r.negative);
        }
    }

    /** The bits of {@code r}, which has been rounded to this format. */
    long pack(Real r) {
        long sign = r.negative ? signBit : 0;
        return switch (r.kind) {
            case Real.ZERO -> sign;
            case Real.INFINITE -> sign | infinity;
            case Real.NAN -> sign | infinity | r.high << 1 >>> 64 - fractionBits;
            default -> r.high >= 0
                    ? sign | r.high >>> 63 - fractionBits
                    : sign | (long) (r.exponent + bias) << fractionBits | r.high << 1 >>> 64 - fractionBits;
        };
    }

    /** Rounds {@code r} as {@code e} says and packs it. */
    long round(Real r, FloatEnvironment e) {
        Rounding.round(r, precision, minExponent, maxExponent, e);
        return pack(r);
    }

    boolean isNan(long bits) {
        return (bits & infinity) == infinity && (bits & fractionMask) != 0;
    }

    /** {@code nan} made quiet. */
    long quiet(long nan) {
        return nan | 1L << fractionBits - 1;
    }
}
