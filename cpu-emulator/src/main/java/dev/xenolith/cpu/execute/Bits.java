package dev.xenolith.cpu.execute;

/** Bit tests, scans, counts, fields and byte order. */
public final class Bits {
    private Bits() {}

    /** Bytes from a bit string's address to the {@code bits}-bit word that holds bit {@code offset}, any signed value. */
    public static long displacement(long offset, int bits) {
        int log = 31 - Integer.numberOfLeadingZeros(bits);
        return offset >> log << log - 3;
    }

    /** Bit {@code offset} modulo {@code bits} of {@code a}: 0 or 1. */
    public static long bit(long a, long offset, int bits) {
        return a >>> (offset & bits - 1) & 1;
    }

    public static long set(long a, long offset, int bits) {
        return a | 1L << (offset & bits - 1);
    }

    public static long reset(long a, long offset, int bits) {
        return a & ~(1L << (offset & bits - 1));
    }

    public static long complement(long a, long offset, int bits) {
        return a ^ 1L << (offset & bits - 1);
    }

    /** BSF into a register that holds {@code previous}, which stays as it is if {@code a} (zero-extended) is 0. */
    public static long scanForward(long previous, long a, int bits) {
        return a == 0 ? previous : Exchange.merge(previous, Long.numberOfTrailingZeros(a), bits);
    }

    /** BSR into a register that holds {@code previous}, which stays as it is if {@code a} (zero-extended) is 0. */
    public static long scanReverse(long previous, long a, int bits) {
        return a == 0 ? previous : Exchange.merge(previous, 63 - Long.numberOfLeadingZeros(a), bits);
    }

    /** TZCNT of {@code a}, zero-extended. */
    public static long trailingZeros(long a, int bits) {
        return Math.min(Long.numberOfTrailingZeros(a), bits);
    }

    /** LZCNT of {@code a}, zero-extended. */
    public static long leadingZeros(long a, int bits) {
        return Long.numberOfLeadingZeros(a) - (64 - bits);
    }

    /** Carries of TZCNT and LZCNT of {@code a}. */
    public static long countCarries(long a) {
        return Flags.carryIfZero(a);
    }

    /** POPCNT of {@code a}, zero-extended. */
    public static long population(long a) {
        return Long.bitCount(a);
    }

    /** RFLAGS status bits after POPCNT of {@code a}: only ZF may be set. */
    public static long populationFlags(long a) {
        return a == 0 ? Flags.ZF : 0;
    }

    /** MOVBE. */
    public static long swapBytes(long a, int bits) {
        return Long.reverseBytes(a) >>> 64 - bits;
    }

    /** BSWAP; with a 16-bit operand the result is undefined, and 0 on all known processors. */
    public static long swapRegister(long a, int bits) {
        return bits == 16 ? 0 : swapBytes(a, bits);
    }

    /** BEXTR from {@code a}, zero-extended: start in bits 0..7 of {@code control}, length in bits 8..15. */
    public static long extract(long a, long control, int bits) {
        int start = (int) control & 0xff;
        int length = (int) (control >>> 8) & 0xff;
        long field = start >= bits ? 0 : a >>> start;
        return length >= 64 ? field : field & (1L << length) - 1;
    }

    /** BLSI. */
    public static long lowestSet(long a) {
        return a & -a;
    }

    /** BLSMSK. */
    public static long maskToLowestSet(long a) {
        return a ^ a - 1;
    }

    /** BLSR. */
    public static long resetLowestSet(long a) {
        return a & a - 1;
    }

    /** BZHI of {@code a}, zero-extended. */
    public static long zeroHigh(long a, long index, int bits) {
        int n = (int) index & 0xff;
        return n >= bits ? a : a & (1L << n) - 1;
    }

    public static long zeroHighCarries(long index, int bits) {
        return Flags.carryIf((index & 0xff) >= bits ? 1 : 0);
    }

    /** PDEP: low bits of {@code a} to the places set in {@code mask}. */
    public static long deposit(long a, long mask) {
        return Long.expand(a, mask);
    }

    /** PEXT: bits of {@code a} at the places set in {@code mask}, to the low end. */
    public static long gather(long a, long mask) {
        return Long.compress(a, mask);
    }

    /** ARPL: whether the RPL of selector {@code a} is less than that of {@code b}. */
    public static boolean isRplLess(long a, long b) {
        return (a & 3) < (b & 3);
    }

    /** ARPL: selector {@code a} with the greater RPL of both. */
    public static long adjustRpl(long a, long b) {
        return isRplLess(a, b) ? a & ~3L | b & 3 : a;
    }
}
