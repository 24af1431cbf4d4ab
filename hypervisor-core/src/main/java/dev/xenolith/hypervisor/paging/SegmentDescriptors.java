package dev.xenolith.hypervisor.paging;

/**
 * Audits segment descriptors of 64-bit PV guests (SDM 3A 3.4.5, 5.8.3): descriptors of ring 0 to 2 become ring 3, and of the
 * system descriptors only call gates stay, so that none can change what the hypervisor relies on.
 */
public final class SegmentDescriptors {
    /** Answer of {@link #audit} for a descriptor that cannot be made harmless: no audited descriptor has this value. */
    public static final long REFUSED = 0x0000_0f00_0000_0000L | 1L << 47;

    /** Guest descriptors have selectors below this; the hypervisor's own follow. */
    public static final int FIRST_RESERVED_ENTRY = 14 * 512;
    /** The code segment that the hypervisor offers to 64-bit kernels. */
    public static final int FLAT_KERNEL_CS = 0xe033;

    private static final long PRESENT = 1L << 47;
    private static final long CODE_OR_DATA = 1L << 44;
    private static final long DPL = 3L << 45;
    private static final int TYPE_SHIFT = 40;
    private static final int CALL_GATE = 0xc;
    /** Must be zero in a 64-bit call gate: bits 32 to 39. */
    private static final long GATE_RESERVED = 0xffL << 32;

    private SegmentDescriptors() {}

    /** The descriptor as it may stand in a guest's GDT or LDT, or {@link #REFUSED}. */
    public static long audit(long descriptor) {
        if ((descriptor & PRESENT) == 0) {
            return descriptor;
        }
        if ((descriptor & CODE_OR_DATA) != 0) {
            return descriptor | DPL;
        }
        int type = (int) (descriptor >>> TYPE_SHIFT) & 0xf;
        if (type == 0) {
            // The second half of a 16-byte call gate, or nothing.
            return descriptor;
        }
        if (type != CALL_GATE || (descriptor & GATE_RESERVED) != 0) {
            return REFUSED;
        }
        int selector = (int) (descriptor >>> 16) & 0xffff;
        if (!mayBeTarget(selector)) {
            return REFUSED;
        }
        // Ring 0: using the gate faults with its selector, and the hypervisor emulates it. The guest's own level moves to the RPL.
        return descriptor & ~DPL | 3L << 16;
    }

    private static boolean mayBeTarget(int selector) {
        return selector >>> 3 < FIRST_RESERVED_ENTRY || selector == FLAT_KERNEL_CS || (selector & 4) != 0;
    }
}
