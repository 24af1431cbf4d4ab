package dev.xenolith.cpu.execute;

/**
 * Decimal adjustments (SDM 2A AAA to AAS, DAA, DAS). Results carry two flags: bit 16 is CF, bit 17 is AF, and below them is the
 * new AL or AX, zero-extended.
 */
public final class Decimal {
    private static final int CF = 1;
    private static final int AF = 1 << 4;
    private static final long CARRY = 1 << 16;
    private static final long ADJUST = 1 << 17;

    private Decimal() {}

    /** DAA: AL after an addition of packed decimals. */
    public static long daa(long al, long rflags) {
        return packed((int) al & 0xff, rflags, 1);
    }

    /** DAS: AL after a subtraction of packed decimals. */
    public static long das(long al, long rflags) {
        return packed((int) al & 0xff, rflags, -1);
    }

    private static long packed(int al, long rflags, int sign) {
        int result = al;
        long flags = 0;
        boolean carried = (rflags & CF) != 0;
        if ((al & 0xf) > 9 || (rflags & AF) != 0) {
            result += sign * 6;
            flags |= ADJUST;
            // A borrow or carry out of this first step counts too.
            carried |= result < 0 || result > 0xff;
        }
        if (al > 0x99 || (rflags & CF) != 0) {
            result += sign * 0x60;
            carried = true;
        }
        return result & 0xff | flags | (carried ? CARRY : 0);
    }

    /** AAA: AX after an addition of unpacked decimals. */
    public static long aaa(long ax, long rflags) {
        return unpacked((int) ax & 0xffff, rflags, 0x106);
    }

    /** AAS: AX after a subtraction of unpacked decimals. */
    public static long aas(long ax, long rflags) {
        return unpacked((int) ax & 0xffff, rflags, -0x106);
    }

    private static long unpacked(int ax, long rflags, int step) {
        boolean adjust = (ax & 0xf) > 9 || (rflags & AF) != 0;
        int result = adjust ? ax + step : ax;
        return result & 0xff0f | (adjust ? CARRY | ADJUST : 0);
    }

    /** Status flags after one of these: SF, ZF and PF by the result's low byte, CF, AF. */
    public static long flags(long result) {
        int value = (int) result & 0xff;
        long flags = value & 0x80 | (value == 0 ? 1 << 6 : 0) | (Integer.bitCount(value) & 1 ^ 1) << 2;
        return flags | ((result & CARRY) != 0 ? CF : 0) | ((result & ADJUST) != 0 ? AF : 0);
    }

    /** Whether AAM can divide by {@code base}. */
    public static boolean isBase(long base) {
        return base != 0;
    }

    /** AAM: AX with AL in digits of {@code base}, which is not 0. */
    public static long aam(long al, long base) {
        long value = al & 0xff;
        return value / base << 8 | value % base;
    }

    /** AAD: AX with the number whose digits of {@code base} are AH and AL. */
    public static long aad(long ax, long base) {
        return (ax >>> 8 & 0xff) * base + ax & 0xff;
    }
}
