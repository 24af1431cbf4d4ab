package dev.xenolith.cpu.processor;

/**
 * The stack that a far transfer or an event outside 64-bit mode pushes on: that in SS, or one from a TSS. Limits are checked for
 * all words first, then their pages, then they are written; nothing has changed before.
 */
final class StackSegment {
    final int selector;
    final long descriptor;
    private final long base;
    private final long limit;
    private final int attributes;
    /** Stack pointer before the pushes. */
    private final long pointer;
    private final int privilege;

    private StackSegment(int selector, long descriptor, long base, long limit, int attributes, long pointer,
            int privilege) {
        this.selector = selector;
        this.descriptor = descriptor;
        this.base = base;
        this.limit = limit;
        this.attributes = attributes;
        this.pointer = pointer;
        this.privilege = privilege;
    }

    /** The stack in SS and rSP. */
    static StackSegment current(Processor p) {
        return new StackSegment(p.segmentSelector[Processor.SS], 0, p.segmentBase[Processor.SS],
                p.segmentLimit[Processor.SS], p.segmentAttributes[Processor.SS], p.gpr[Processor.RSP],
                p.dataPrivilege());
    }

    /**
     * The stack for {@code cpl} that the TSS names (SDM 3A 5.8.5); {@code external} is the EXT bit of the error codes: #TS for a
     * TSS that is too short and for a selector that is not fit, #SS if the segment is not present.
     */
    static StackSegment ofTask(Processor p, int cpl, int external) {
        int tss = p.segmentAttributes[Processor.TR];
        boolean wide = (tss & Segment.TYPE_WIDE) != 0;
        int offset = wide ? 4 + 8 * cpl : 2 + 4 * cpl;
        int last = offset + (wide ? 5 : 3);
        if ((tss & Segment.UNUSABLE) != 0 || last > p.segmentLimit[Processor.TR]) {
            throw p.raise(Vector.TS, p.segmentSelector[Processor.TR] & ~3 | external);
        }
        long at = Segmentation.tableAddress(p, p.segmentBase[Processor.TR] + offset);
        long pointer = p.loadSystem(at, wide ? 4 : 2);
        int selector = (int) p.loadSystem(Segmentation.tableAddress(p, at + (wide ? 4 : 2)), 2);
        if (Segmentation.isNull(selector)) {
            throw p.raise(Vector.TS, external);
        }
        long descriptor = readDescriptor(p, selector, cpl, external);
        return new StackSegment(selector, descriptor, Segment.base(descriptor), Segment.limit(descriptor),
                Segment.attributes(descriptor), pointer, Delivery.privilege(p, cpl));
    }

    private static long readDescriptor(Processor p, int selector, int cpl, int external) {
        int error = selector & ~3 | external;
        long address = Segmentation.descriptorAddress(p, selector, 8);
        if (address == -1) {
            throw p.raise(Vector.TS, error);
        }
        long descriptor = p.loadSystem(address, 8);
        int attributes = Segment.attributes(descriptor);
        if ((selector & 3) != cpl || Segment.dpl(attributes) != cpl || !Segment.isData(attributes)
                || (attributes & Segment.WRITABLE) == 0) {
            throw p.raise(Vector.TS, error);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.SS, error);
        }
        return descriptor;
    }

    /** Checks the limit for {@code count} pushes of {@code bytes} each: #SS({@code error}). */
    void checkLimit(Processor p, int count, int bytes, int error) {
        for (int i = 1; i <= count; i++) {
            long first = offset(pointer - (long) i * bytes);
            long last = first + bytes - 1;
            boolean down = (attributes & Segment.EXPAND_DOWN) != 0 && !p.isReal();
            boolean inside = down ? first > limit && last <= mask() : last <= limit;
            if (!inside) {
                throw p.raise(Vector.SS, error);
            }
        }
    }

    /** Checks that the pages of {@code count} pushes of {@code bytes} each can be written. */
    void probe(Processor p, int count, int bytes) {
        for (int i = 1; i <= count; i++) {
            p.probeSystem(linear(i, bytes), bytes, privilege);
        }
    }

    /** Writes push number {@code index}, from 1. */
    void store(Processor p, int index, int bytes, long value) {
        p.storeSystem(linear(index, bytes), bytes, value, privilege);
    }

    /** Sets rSP to what it is after {@code count} pushes, by this stack's size. */
    void commitPointer(Processor p, int count, int bytes) {
        long value = pointer - (long) count * bytes;
        p.gpr[Processor.RSP] = mask() == 0xffff ? p.gpr[Processor.RSP] & ~0xffffL | value & 0xffff : value & mask();
    }

    /** Loads SS with this stack's segment at {@code cpl}, for one from a TSS. */
    void commitSegment(Processor p, int cpl) {
        Segmentation.set(p, Processor.SS, selector & ~3 | cpl, descriptor);
    }

    /** The same with its descriptor marked as accessed. */
    StackSegment accessed(Processor p) {
        long marked = Segmentation.markAccessed(p, selector, descriptor);
        return new StackSegment(selector, marked, base, limit, Segment.attributes(marked), pointer, privilege);
    }

    private long linear(int index, int bytes) {
        return base + offset(pointer - (long) index * bytes) & 0xffff_ffffL;
    }

    private long offset(long at) {
        return at & mask();
    }

    private long mask() {
        return (attributes & Segment.DEFAULT_32) != 0 ? 0xffff_ffffL : 0xffff;
    }
}
