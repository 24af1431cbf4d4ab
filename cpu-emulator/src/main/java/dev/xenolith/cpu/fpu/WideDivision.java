package dev.xenolith.cpu.fpu;

/** Division of 128 by 64 bits, for DIV and IDIV as well as for significands. */
public final class WideDivision {
    private WideDivision() {}

    /**
     * Schoolbook division with two 32-bit digits (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D); needs
     * {@code high < divisor}, unsigned.
     */
    public static long unsignedQuotient(long high, long low, long divisor) {
        if (high == 0) {
            return Long.divideUnsigned(low, divisor);
        }
        int shift = Long.numberOfLeadingZeros(divisor);
        long d = divisor << shift;
        long dHigh = d >>> 32;
        long dLow = d & 0xffff_ffffL;
        long top = shift == 0 ? high : high << shift | low >>> 64 - shift;
        long rest = low << shift;
        long q1 = digit(top, rest >>> 32, d, dHigh, dLow);
        long middle = (top << 32 | rest >>> 32) - q1 * d;
        long q0 = digit(middle, rest & 0xffff_ffffL, d, dHigh, dLow);
        return (q1 << 32) + q0;
    }

    /** One digit: {@code (top:next) / d} where top < d and next is the following 32-bit digit. */
    private static long digit(long top, long next, long d, long dHigh, long dLow) {
        long q = Long.divideUnsigned(top, dHigh);
        long r = top - q * dHigh;
        while (q >>> 32 != 0 || Long.compareUnsigned(q * dLow, r << 32 | next) > 0) {
            q--;
            r += dHigh;
            if (r >>> 32 != 0) {
                break;
            }
        }
        return q;
    }
}
