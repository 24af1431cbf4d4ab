package dev.xenolith.cpu.execute;

/**
 * ROL, ROR, RCL, RCR. Only CF and OF change, and none if the masked count is 0. OF for counts over 1 is undefined; it is computed
 * as for 1.
 */
public final class Rotate {
    private Rotate() {}

    public static long rol(long a, long count, int bits) {
        int n = Shift.masked(count, bits) & bits - 1;
        long value = Logic.zeroExtend(a, bits);
        return n == 0 ? a : value << n | value >>> bits - n;
    }

    public static long rolCarries(long r, long count, int bits, long previous) {
        return Shift.masked(count, bits) == 0 ? previous : Flags.withCarryOverflow(previous, r & 1, r & 1 ^ r >>> 63);
    }

    public static long ror(long a, long count, int bits) {
        int n = Shift.masked(count, bits) & bits - 1;
        long value = Logic.zeroExtend(a, bits);
        return n == 0 ? a : value >>> n | value << bits - n;
    }

    public static long rorCarries(long r, long count, int bits, long previous) {
        return Shift.masked(count, bits) == 0
                ? previous
                : Flags.withCarryOverflow(previous, r >>> 63, (r ^ r << 1) >>> bits - 1 & 1);
    }

    /** The count of a rotation through carry: modulo 9 or 17 for 8 and 16 bits. */
    private static int throughCarry(long count, int bits) {
        int n = Shift.masked(count, bits);
        return bits < 32 ? n % (bits + 1) : n;
    }

    public static long rcl(long a, long count, int bits, long carry) {
        int n = throughCarry(count, bits);
        long value = Logic.zeroExtend(a, bits);
        return n == 0 ? a : value << n | carry << n - 1 | value >>> 1 >>> bits - n;
    }

    public static long rclCarries(long a, long r, long count, int bits, long previous) {
        int n = throughCarry(count, bits);
        if (n == 0) {
            return previous;
        }
        long carry = a >>> bits - n & 1;
        return Flags.withCarryOverflow(previous, carry, carry ^ r >>> 63);
    }

    public static long rcr(long a, long count, int bits, long carry) {
        int n = throughCarry(count, bits);
        long value = Logic.zeroExtend(a, bits);
        return n == 0 ? a : value >>> n | carry << bits - n | value << bits - n << 1;
    }

    public static long rcrCarries(long a, long r, long count, int bits, long previous) {
        int n = throughCarry(count, bits);
        if (n == 0) {
            return previous;
        }
        return Flags.withCarryOverflow(previous, Logic.zeroExtend(a, bits) >>> n - 1 & 1,
                (r ^ r << 1) >>> bits - 1 & 1);
    }
}
