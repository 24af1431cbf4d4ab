package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.decode.Mode;

/**
 * Limit and rights checks of data accesses outside 64-bit mode (SDM 3A 5.3, 5.5): per segment register the range of offsets that
 * may be read and that may be written, so that an access is two comparisons and an addition. Segments that
 * {@link Mode#FLAT} says are flat are not looked at here.
 */
public final class SegmentAccess {
    private static final long WRAP = 0xffff_ffffL;
    private static final int SEGMENTS = 6;
    /** First offset of an empty range. */
    private static final long NONE = Long.MAX_VALUE;

    private final Processor p;
    private final long[] readFirst = new long[SEGMENTS];
    private final long[] readLast = new long[SEGMENTS];
    private final long[] writeFirst = new long[SEGMENTS];
    private final long[] writeLast = new long[SEGMENTS];

    SegmentAccess(Processor p) {
        this.p = p;
    }

    /** Linear address of {@code size} bytes at {@code offset} that are to be read; #GP(0) or #SS(0) if they may not. */
    public long readable(int segment, long offset, int size) {
        if (offset < readFirst[segment] || offset + size - 1 > readLast[segment]) {
            throw fault(segment);
        }
        return p.segmentBase[segment] + offset & WRAP;
    }

    /** Linear address of {@code size} bytes at {@code offset} that are to be written; #GP(0) or #SS(0) if they may not. */
    public long writable(int segment, long offset, int size) {
        if (offset < writeFirst[segment] || offset + size - 1 > writeLast[segment]) {
            throw fault(segment);
        }
        return p.segmentBase[segment] + offset & WRAP;
    }

    private GuestFault fault(int segment) {
        return p.raise(segment == Processor.SS ? Vector.SS : Vector.GP, 0);
    }

    /** Takes the ranges from the segment registers anew. */
    void update(int mode) {
        // Rights are of protected mode; in the others every segment can be read and written.
        boolean rights = (mode & (Mode.REAL | Mode.VIRTUAL_8086)) == 0;
        for (int i = 0; i < SEGMENTS; i++) {
            int attributes = p.segmentAttributes[i];
            boolean usable = (attributes & Segment.UNUSABLE) == 0;
            boolean code = Segment.isCode(attributes);
            boolean down = !code && (attributes & Segment.EXPAND_DOWN) != 0 && rights;
            long first = down ? p.segmentLimit[i] + 1 : 0;
            long last = !down
                    ? p.segmentLimit[i]
                    : (attributes & Segment.DEFAULT_32) != 0 ? 0xffff_ffffL : 0xffff;
            boolean read = usable && (!rights || !code || (attributes & Segment.READABLE) != 0);
            boolean write = usable && (!rights || !code && (attributes & Segment.WRITABLE) != 0);
            readFirst[i] = read ? first : NONE;
            readLast[i] = last;
            writeFirst[i] = write ? first : NONE;
            writeLast[i] = last;
        }
    }
}
