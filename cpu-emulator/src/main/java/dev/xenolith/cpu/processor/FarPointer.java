package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.execute.Logic;

/** What lies behind the first part of a two-part operand in memory: the selector of a far pointer, the upper bound of BOUND. */
public final class FarPointer {
    private FarPointer() {}

    /** The selector of the pointer at {@code address} whose offset has {@code bits} bits. */
    public static long selector(Processor p, long address, int bits) {
        return p.load16(p.wrap(address + bits / 8));
    }

    /** The second of two bounds of {@code bits} bits at {@code address}, sign-extended. */
    public static long upperBound(Processor p, long address, int bits) {
        long second = p.wrap(address + bits / 8);
        return Logic.signExtend(bits == 16 ? p.load16(second) : p.load32(second), bits);
    }
}
