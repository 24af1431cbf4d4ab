package dev.xenolith.cpu.execute;

/** Products of polynomials over GF(2) (PCLMULQDQ; SDM 2B). */
public final class Carryless {
    private Carryless() {}

    /** Low quadword of the product. */
    public static long low(long a, long b) {
        long r = 0;
        for (long x = a, bits = b; bits != 0; x <<= 1, bits >>>= 1) {
            r ^= x & -(bits & 1);
        }
        return r;
    }

    /** High quadword of the product, whose bit 127 is zero. */
    public static long high(long a, long b) {
        return Long.reverse(low(Long.reverse(a), Long.reverse(b))) >>> 1;
    }
}
