package dev.xenolith.cpu.execute;

/** Elements of one of two quadwords, chosen by the signs of a third or by the bits of an immediate (SSE4.1, AVX, AVX2). */
public final class Blend {
    private Blend() {}

    /** {@code b} where {@code mask} has ones, else {@code a}. */
    private static long merge(long a, long b, long mask) {
        return a ^ (a ^ b) & mask;
    }

    // ---- by sign: of b where the element of the mask is negative ------------------------------------------------------

    public static long bytes(long a, long b, long mask) {
        return merge(a, b, Packed.greaterBytes(0, mask));
    }

    public static long doublewords(long a, long b, long mask) {
        return merge(a, b, Packed.greaterDoublewords(0, mask));
    }

    public static long quadwords(long a, long b, long mask) {
        return mask < 0 ? b : a;
    }

    // ---- by immediate: of b where the element's bit is set; quadword says which of a register it is -------------------

    /** PBLENDW, whose eight bits serve each double quadword. */
    public static long chosenWords(long a, long b, long control, int quadword) {
        long bits = control >>> 4 * (quadword & 1);
        long mask = 0;
        for (int i = 0; i < 4; i++) {
            mask |= (bits >>> i & 1) * 0xffff << 16 * i;
        }
        return merge(a, b, mask);
    }

    public static long chosenDoublewords(long a, long b, long control, int quadword) {
        long bits = control >>> 2 * quadword;
        return merge(a, b, (bits & 1) * 0xffff_ffffL | (bits >>> 1 & 1) * 0xffff_ffffL << 32);
    }

    public static long chosenQuadwords(long a, long b, long control, int quadword) {
        return (control >>> quadword & 1) != 0 ? b : a;
    }
}
