package dev.xenolith.hypervisor.paging;

import dev.xenolith.hypervisor.abi.ArchX86;

/**
 * Audits segment descriptors of PV guests (SDM 3A 3.4.5, 5.8.3; check_descriptor of xen/arch/x86/pv/descriptor-tables.c): those of
 * rings more privileged than the guest's kernel, which is in ring 3 and of 32-bit guests in ring 1, become its ring's, and of the
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
    /** The same in a gate of a 32-bit guest, which holds a count of parameters. */
    private static final long COMPAT_GATE_RESERVED = 0xe0L << 32;
    private static final int DPL_SHIFT = 45;
    private static final long LONG_MODE = 1L << 53;
    private static final long GRANULARITY = 1L << 55;
    private static final long HIGHEST_LIMIT = 0x000f_0000_0000_ffffL;

    private SegmentDescriptors() {}

    /** {@code selector} with a requested privilege level that a guest may have. */
    public static int guestSelector(int selector, boolean compat) {
        return selector | (compat ? raised(selector & 3) : 3);
    }

    /** Bits to set in a privilege level of a 32-bit guest that would be the hypervisor's. */
    private static int raised(int level) {
        return level == 0 ? 1 : 0;
    }

    /** The descriptor as it may stand in a GDT or LDT of a 64-bit, or of a 32-bit guest, or {@link #REFUSED}. */
    public static long audit(long descriptor, boolean compat) {
        if ((descriptor & PRESENT) == 0) {
            return descriptor;
        }
        int level = (int) (descriptor >>> DPL_SHIFT) & 3;
        if ((descriptor & CODE_OR_DATA) != 0) {
            return compat ? auditCompat(descriptor | (long) raised(level) << DPL_SHIFT) : descriptor | DPL;
        }
        int type = (int) (descriptor >>> TYPE_SHIFT) & 0xf;
        if (type == 0) {
            // The second half of a 16-byte call gate, or nothing.
            return descriptor;
        }
        if (type != CALL_GATE || (descriptor & (compat ? COMPAT_GATE_RESERVED : GATE_RESERVED)) != 0) {
            return REFUSED;
        }
        int selector = (int) (descriptor >>> 16) & 0xffff;
        if (!mayBeTarget(selector, compat)) {
            return REFUSED;
        }
        // Ring 0: using the gate faults with its selector, and the hypervisor emulates it. The guest's own level moves to the RPL.
        long rpl = compat ? level | raised(level) : 3;
        return descriptor & ~(DPL | 3L << 16) | rpl << 16;
    }

    /**
     * No 64-bit code. A flat segment that ends where a 32-bit hypervisor would begin is extended, for the M2P table is higher than it was
     * there.
     */
    private static long auditCompat(long descriptor) {
        if ((descriptor & LONG_MODE) != 0) {
            return REFUSED;
        }
        long base = descriptor >>> 16 & 0xff_ffff | descriptor >>> 32 & 0xff00_0000L;
        long limit = (descriptor & 0xffff | descriptor >>> 32 & 0xf_0000) + 1;
        if ((descriptor & GRANULARITY) != 0) {
            limit <<= 12;
        }
        return base == 0 && limit > ArchX86.HYPERVISOR_COMPAT_VIRT_START ? descriptor | HIGHEST_LIMIT : descriptor;
    }

    private static boolean mayBeTarget(int selector, boolean compat) {
        return selector >>> 3 < FIRST_RESERVED_ENTRY || (selector & 4) != 0
                || selector == (compat ? ArchX86.FLAT_COMPAT_RING1_CS : FLAT_KERNEL_CS);
    }
}
