package dev.xenolith.cpu.oracle;

import java.util.SplittableRandom;

/** Floating-point operands: every class of number, exponents at the edges of the formats, significands of few and of many ones. */
final class FloatValues {
    private FloatValues() {
    }

    /** A bit pattern of a format with {@code exponentBits} and {@code fractionBits}. */
    static long any(SplittableRandom random, int exponentBits, int fractionBits) {
        long sign = (long) random.nextInt(2) << exponentBits + fractionBits;
        return sign | exponent(random, exponentBits) << fractionBits | significand(random, fractionBits);
    }

    /** Bits of an exponent field: zero and all ones often, mostly near the middle, so that results stay in range. */
    static long exponent(SplittableRandom random, int bits) {
        int mask = (1 << bits) - 1;
        int middle = mask >> 1;
        return mask & switch (random.nextInt(16)) {
            case 0, 1 -> 0;
            case 2 -> mask;
            case 3 -> random.nextInt(1, 4);
            case 4 -> mask - random.nextInt(1, 4);
            case 5 -> random.nextInt(mask + 1);
            case 6 -> middle / 2 + random.nextInt(-3, 4);
            case 7 -> middle + middle / 2 + random.nextInt(-3, 4);
            case 8, 9 -> middle + random.nextInt(-70, 71);
            case 10 -> middle + random.nextInt(8, 66);
            default -> middle + random.nextInt(-4, 5);
        };
    }

    static long significand(SplittableRandom random, int bits) {
        long mask = bits == 64 ? -1 : (1L << bits) - 1;
        return mask & switch (random.nextInt(8)) {
            case 0 -> 0;
            case 1 -> random.nextInt(4);
            case 2 -> -1L - random.nextInt(4);
            case 3 -> 1L << random.nextInt(bits);
            case 4 -> -1L << random.nextInt(bits);
            case 5 -> (1L << random.nextInt(bits)) - 1;
            default -> random.nextLong();
        };
    }

    /** The integer bit mostly as the exponent wants it, sometimes not: then the format is unsupported. */
    static long extendedSignificand(SplittableRandom random, int exponent) {
        long fraction = significand(random, 63);
        boolean integer = exponent != 0;
        return (integer ^ random.nextInt(24) == 0 ? 1L << 63 : 0) | fraction;
    }
}
