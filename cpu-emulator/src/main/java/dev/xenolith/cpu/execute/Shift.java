package dev.xenolith.cpu.execute;

/**
 * SHL, SHR, SAR, SHLD, SHRD. Counts are masked to 5 bits, or 6 for 64-bit operands; a masked count of 0 changes no flag. Carries
 * methods take the operand {@code a}, the result {@code r}, and the previous carries. OF for counts over 1, AF always, and all
 * results of 16-bit double shifts by more than 16 are undefined; they are as Intel processors have them.
 */
public final class Shift {
    private Shift() {}

    static int masked(long count, int bits) {
        return (int) count & (bits == 64 ? 63 : 31);
    }

    /** The result word of the flags after a shift: {@code previous} if the masked count is 0. */
    public static long result(long r, long count, int bits, long previous) {
        return masked(count, bits) == 0 ? previous : r;
    }

    public static long shl(long a, long count, int bits) {
        return a << masked(count, bits);
    }

    public static long shlCarries(long a, long r, long count, int bits, long previous) {
        int n = masked(count, bits);
        if (n == 0) {
            return previous;
        }
        long carry = n > bits ? 0 : a >>> bits - n & 1;
        return Flags.pack(carry, carry ^ r >>> 63);
    }

    public static long shr(long a, long count, int bits) {
        return Logic.zeroExtend(a, bits) >>> masked(count, bits);
    }

    public static long shrCarries(long a, long r, long count, int bits, long previous) {
        int n = masked(count, bits);
        if (n == 0) {
            return previous;
        }
        return Flags.pack(Logic.zeroExtend(a, bits) >>> n - 1 & 1, (r ^ r << 1) >>> bits - 1 & 1);
    }

    public static long sar(long a, long count, int bits) {
        return a >> masked(count, bits);
    }

    public static long sarCarries(long a, long count, int bits, long previous) {
        int n = masked(count, bits);
        return n == 0 ? previous : Flags.pack(a >> n - 1 & 1, 0);
    }

    public static long shld(long a, long b, long count, int bits) {
        int n = masked(count, bits);
        if (n == 0) {
            return a;
        }
        if (bits == 16) {
            return thrice(a, b) >>> 32 - n;
        }
        return a << n | Logic.zeroExtend(b, bits) >>> bits - n;
    }

    public static long shldCarries(long a, long b, long r, long count, int bits, long previous) {
        int n = masked(count, bits);
        if (n == 0) {
            return previous;
        }
        long carry = bits == 16 ? thrice(a, b) >>> 48 - n & 1 : a >>> bits - n & 1;
        return Flags.pack(carry, carry ^ r >>> 63);
    }

    public static long shrd(long a, long b, long count, int bits) {
        int n = masked(count, bits);
        if (n == 0) {
            return a;
        }
        if (bits == 16) {
            return thrice(a, b) >>> n;
        }
        return Logic.zeroExtend(a, bits) >>> n | b << bits - n;
    }

    public static long shrdCarries(long a, long b, long r, long count, int bits, long previous) {
        int n = masked(count, bits);
        if (n == 0) {
            return previous;
        }
        long carry = (bits == 16 ? thrice(a, b) : a) >>> n - 1 & 1;
        return Flags.pack(carry, (r ^ r << 1) >>> bits - 1 & 1);
    }

    /** A 16-bit double shift goes round {@code a:b:a}. */
    private static long thrice(long a, long b) {
        return (a & 0xffff) << 32 | (b & 0xffff) << 16 | a & 0xffff;
    }
}
