package dev.xenolith.cpu.processor;

/**
 * Descriptors and the attributes kept of them: descriptor bits 40 to 55 without the limit, and {@link #UNUSABLE} (the VMX
 * access-rights layout, SDM 3C 24.4.1).
 */
public final class Segment {
    public static final int TYPE = 0xf;
    /** Type bit: the segment has been loaded since software cleared it. */
    public static final int ACCESSED = 1;
    /** Type bit: data may be written; code may be read. */
    public static final int WRITABLE = 1 << 1;
    public static final int READABLE = 1 << 1;
    /** Type bit: data expands down; code is conforming. */
    public static final int EXPAND_DOWN = 1 << 2;
    public static final int CONFORMING = 1 << 2;
    /** Type bit: code rather than data. */
    public static final int CODE = 1 << 3;
    /** Code or data rather than a system descriptor. */
    public static final int NON_SYSTEM = 1 << 4;
    public static final int DPL_SHIFT = 5;
    public static final int PRESENT = 1 << 7;
    /** CS.L: 64-bit code. */
    public static final int LONG = 1 << 13;
    /** CS.D, SS.B: 32-bit. */
    public static final int DEFAULT_32 = 1 << 14;
    public static final int GRANULARITY = 1 << 15;
    /** Not in the descriptor: a null selector was loaded. */
    public static final int UNUSABLE = 1 << 16;

    /** System types (SDM 3A table 3-2). Those of 16 bits and the task gate do not exist in IA-32e mode. */
    static final int TYPE_TSS_16_AVAILABLE = 1;
    static final int TYPE_LDT = 2;
    static final int TYPE_TSS_16_BUSY = 3;
    static final int TYPE_CALL_GATE_16 = 4;
    static final int TYPE_TASK_GATE = 5;
    static final int TYPE_INTERRUPT_GATE_16 = 6;
    static final int TYPE_TRAP_GATE_16 = 7;
    static final int TYPE_TSS_AVAILABLE = 9;
    static final int TYPE_TSS_BUSY = 11;
    static final int TYPE_CALL_GATE = 12;
    static final int TYPE_INTERRUPT_GATE = 14;
    static final int TYPE_TRAP_GATE = 15;
    /** Type bit of TSS and gates: 32 (or 64) bits rather than 16. */
    static final int TYPE_WIDE = 8;
    /** Type bit of a TSS. */
    static final int TYPE_BUSY = 2;

    /** Attributes of data segments in virtual-8086 mode. */
    static final int DATA_8086 = 1 << 1 | 1 | 1 << 4 | 3 << 5 | 1 << 7;

    /** Attributes of a 64-bit code segment of ring 0; add DPL. */
    public static final int CODE_64 = CODE | READABLE | ACCESSED | NON_SYSTEM | PRESENT | LONG | GRANULARITY;
    /** Attributes of a flat writable data segment of ring 0; add DPL. */
    public static final int DATA = WRITABLE | ACCESSED | NON_SYSTEM | PRESENT | DEFAULT_32 | GRANULARITY;

    private static final int ATTRIBUTES = 0xf0ff;

    private Segment() {}

    static int attributes(long descriptor) {
        return (int) (descriptor >>> 40) & ATTRIBUTES;
    }

    /** Base as in the eight bytes of a descriptor: 32 bits. */
    static long base(long descriptor) {
        return descriptor >>> 16 & 0xff_ffff | descriptor >>> 32 & 0xff00_0000L;
    }

    /** Limit in bytes, scaled by G. */
    static long limit(long descriptor) {
        long limit = descriptor & 0xffff | descriptor >>> 32 & 0xf_0000;
        return (attributes(descriptor) & GRANULARITY) != 0 ? limit << 12 | 0xfff : limit;
    }

    static int dpl(int attributes) {
        return attributes >>> DPL_SHIFT & 3;
    }

    static boolean isCode(int attributes) {
        return (attributes & (NON_SYSTEM | CODE)) == (NON_SYSTEM | CODE);
    }

    static boolean isData(int attributes) {
        return (attributes & (NON_SYSTEM | CODE)) == NON_SYSTEM;
    }

    static boolean isConforming(int attributes) {
        return (attributes & (NON_SYSTEM | CODE | CONFORMING)) == (NON_SYSTEM | CODE | CONFORMING);
    }
}
