package dev.xenolith.cpu.execute;

/** Choices and partial register writes of CMPXCHG and its kind. */
public final class Exchange {
    private Exchange() {}

    /** A register that holds {@code full} after a write of {@code bits} bits: 8 and 16 merge, 32 zero-extend. */
    public static long merge(long full, long value, int bits) {
        return switch (bits) {
            case 8 -> full & ~0xffL | value & 0xff;
            case 16 -> full & ~0xffffL | value & 0xffff;
            case 32 -> value & 0xffff_ffffL;
            default -> value;
        };
    }

    /** {@code then} if the comparison's difference is zero. */
    public static long ifEqual(long difference, long then, long otherwise) {
        return difference == 0 ? then : otherwise;
    }

    /** A register that holds {@code full}: written with {@code value} unless that is negative. */
    public static long unlessNegative(long full, long value, int bits) {
        return value < 0 ? full : merge(full, value, bits);
    }
}
