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

    public static long ifCount(long rcx, int addressBits, long target, long next) {
        return Logic.zeroExtend(rcx, addressBits) != 0 ? target : next;
    }

    public static long ifCountAnd(long rcx, int addressBits, boolean condition, long target, long next) {
        return condition && Logic.zeroExtend(rcx, addressBits) != 0 ? target : next;
    }

    public static long ifCountZero(long rcx, int addressBits, long target, long next) {
        return Logic.zeroExtend(rcx, addressBits) == 0 ? target : next;
    }

    /** BOUND: whether the signed {@code index} lies within the bounds, both included. */
    public static boolean within(long index, long lower, long upper) {
        return index >= lower && index <= upper;
    }
}
