package dev.xenolith.cpu.execute;

/** Branch targets and loop counts. */
public final class Branch {
    private Branch() {}

    /** Whether {@code address} is canonical with 48-bit linear addresses. */
    public static boolean canonical(long address) {
        return address << 16 >> 16 == address;
    }

    /** RCX, ECX or CX, as the address size says, counted down once: the new RCX. */
    public static long decrement(long rcx, int addressBits) {
        return Exchange.merge(rcx, rcx - 1, addressBits);
    }

    /** Whether the count that {@link #decrement} gave is not zero. */
    public static boolean hasCount(long rcx, int addressBits) {
        return Logic.zeroExtend(rcx, addressBits) != 0;
    }

    public static boolean hasCountAnd(long rcx, int addressBits, boolean condition) {
        return condition && Logic.zeroExtend(rcx, addressBits) != 0;
    }

    public static boolean isCountZero(long rcx, int addressBits) {
        return Logic.zeroExtend(rcx, addressBits) == 0;
    }

    /** BOUND: whether the signed {@code index} lies within the bounds, both included. */
    public static boolean within(long index, long lower, long upper) {
        return index >= lower && index <= upper;
    }
}
