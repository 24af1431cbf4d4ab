package dev.xenolith.cpu.memory;

/**
 * The bits kept for each 4 KiB frame. A frame with one of {@link #ON_WRITE} has no write entry in any TLB, so each write to it
 * takes the slow path, which attends to it: one mechanism for self-modifying code, dirty logging, ROM and watched frames.
 */
public final class Attention {
    /** Holds decoded code, in the 128-byte granules of {@link PhysicalMemory#codeGranules}. */
    public static final int CODE = 1;
    /** Dirty logging is armed: the first write turns this into {@link #DIRTY}. */
    public static final int LOG = 2;
    /** Each write is reported to the listeners. */
    public static final int WATCH = 4;
    /** A guest's writes are ignored. */
    public static final int ROM = 8;
    /** A device's memory, whose contents the device saves; asks for no attention. */
    public static final int DEVICE = 0x10;
    /** Written since dirty logging was last armed; asks for no attention. */
    public static final int DIRTY = 0x40;
    /** No memory here; the sign bit, so that one comparison finds it. */
    public static final int ABSENT = 0x80;

    /** Bits that keep a frame out of the write tables. */
    public static final int ON_WRITE = CODE | LOG | WATCH | ROM | ABSENT;

    private Attention() {}
}
