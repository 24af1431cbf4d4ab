package dev.xenolith.cpu.execute;

import dev.xenolith.cpu.fpu.WideDivision;

/**
 * Division of a double-width dividend {@code high:low}. The quotients may be asked for only if the divisor is not zero and the
 * quotient fits, which {@code ...Fits} answers; otherwise the instruction raises #DE.
 */
public final class Divide {
    private Divide() {}

    public static boolean unsignedFits(long high, long low, long divisor, int bits) {
        return Long.compareUnsigned(Logic.zeroExtend(high, bits), Logic.zeroExtend(divisor, bits)) < 0;
    }

    public static long unsignedQuotient(long high, long low, long divisor, int bits) {
        if (bits == 64) {
            return WideDivision.unsignedQuotient(high, low, divisor);
        }
        long dividend = Logic.zeroExtend(high, bits) << bits | Logic.zeroExtend(low, bits);
        return Long.divideUnsigned(dividend, Logic.zeroExtend(divisor, bits));
    }

    public static boolean signedFits(long high, long low, long divisor, int bits) {
        if (divisor == 0) {
            return false;
        }
        if (bits == 64) {
            return signedFits128(high, low, divisor);
        }
        long dividend = high << bits | Logic.zeroExtend(low, bits);
        long quotient = dividend / divisor;
        return quotient == Logic.signExtend(quotient, bits) && !(dividend == Long.MIN_VALUE && divisor == -1);
    }

    public static long signedQuotient(long high, long low, long divisor, int bits) {
        if (bits == 64) {
            return signedQuotient128(high, low, divisor);
        }
        return (high << bits | Logic.zeroExtend(low, bits)) / divisor;
    }

    /** The remainder, signed or not, in the low bits: exact modulo the operand size. */
    public static long remainder(long low, long divisor, long quotient) {
        return low - quotient * divisor;
    }

    // ---- AX by a byte ----------------------------------------------------------------------------------------------

    public static boolean unsignedFits8(long ax, long divisor) {
        return (ax >>> 8 & 0xff) < (divisor & 0xff);
    }

    public static long unsignedQuotient8(long ax, long divisor) {
        return (ax & 0xffff) / (divisor & 0xff);
    }

    public static long unsignedRemainder8(long ax, long divisor) {
        return (ax & 0xffff) % (divisor & 0xff);
    }

    public static boolean signedFits8(long ax, long divisor) {
        return divisor != 0 && ax / divisor == (byte) (ax / divisor);
    }

    public static long signedQuotient8(long ax, long divisor) {
        return ax / divisor;
    }

    public static long signedRemainder8(long ax, long divisor) {
        return ax % divisor;
    }

    // ---- 128 by 64 bits --------------------------------------------------------------------------------------------

    private static boolean signedFits128(long high, long low, long divisor) {
        boolean negative = high < 0;
        long magnitudeLow = negative ? -low : low;
        long magnitudeHigh = negative ? ~high + (low == 0 ? 1 : 0) : high;
        long magnitude = Math.abs(divisor);
        if (Long.compareUnsigned(magnitudeHigh, magnitude) >= 0) {
            return false;
        }
        long quotient = WideDivision.unsignedQuotient(magnitudeHigh, magnitudeLow, magnitude);
        return quotient >= 0 || quotient == Long.MIN_VALUE && negative != divisor < 0;
    }

    private static long signedQuotient128(long high, long low, long divisor) {
        if (high == low >> 63) {
            return low / divisor;
        }
        boolean negative = high < 0;
        long magnitudeLow = negative ? -low : low;
        long magnitudeHigh = negative ? ~high + (low == 0 ? 1 : 0) : high;
        long quotient = WideDivision.unsignedQuotient(magnitudeHigh, magnitudeLow, Math.abs(divisor));
        return negative != divisor < 0 ? -quotient : quotient;
    }
}
