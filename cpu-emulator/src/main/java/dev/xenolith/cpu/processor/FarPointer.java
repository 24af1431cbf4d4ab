package dev.xenolith.cpu.processor;

/** Far pointers in memory: an offset, then a selector. */
public final class FarPointer {
    private FarPointer() {}

    /** The selector of the pointer at {@code address} whose offset has {@code bits} bits. */
    public static long selector(Processor p, long address, int bits) {
        return p.load16(address + bits / 8);
    }
}
