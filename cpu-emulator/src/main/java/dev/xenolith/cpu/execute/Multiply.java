package dev.xenolith.cpu.execute;

/** Multiplication. SF is that of the low half, as on Intel processors; ZF, AF and PF are undefined. */
public final class Multiply {
    private Multiply() {}

    /** The low half, signed or not. */
    public static long low(long a, long b) {
        return a * b;
    }

    /** The high half of the unsigned product of {@code bits}-bit values, in the low bits. */
    public static long unsignedHigh(long a, long b, int bits) {
        if (bits == 64) {
            return Math.unsignedMultiplyHigh(a, b);
        }
        return Logic.zeroExtend(a, bits) * Logic.zeroExtend(b, bits) >>> bits;
    }

    /** The high half of the signed product, sign-extended. */
    public static long signedHigh(long a, long b, int bits) {
        return bits == 64 ? Math.multiplyHigh(a, b) : a * b >> bits;
    }

    /** Zero exactly if the signed product fits into {@code bits} bits. */
    public static long signedExcess(long a, long b, int bits) {
        long low = a * b;
        return bits == 64 ? Math.multiplyHigh(a, b) - (low >> 63) : low - Logic.signExtend(low, bits);
    }

    /** CF and OF set if {@code excess} is not zero. */
    public static long carries(long excess) {
        return excess != 0 ? Flags.pack(1, 1) : 0;
    }
}
