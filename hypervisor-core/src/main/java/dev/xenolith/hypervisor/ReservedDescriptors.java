package dev.xenolith.hypervisor;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.ArchX86;

/**
 * The descriptors that the hypervisor keeps in pages 14 and 15 of every guest's GDT (xen/include/public/arch-x86/xen-x86_64.h,
 * FLAT_RING3_*): flat segments of ring 3 that a kernel can use before it has a GDT of its own.
 */
final class ReservedDescriptors {
    private static final int PAGE = ArchX86.FIRST_RESERVED_GDT_BYTE;
    private static final int RPL = 3;
    /** Base 0, limit 4 GiB, present, DPL 3, accessed. */
    private static final long CODE_32 = 0x00cf_fb00_0000_ffffL;
    private static final long DATA = 0x00cf_f300_0000_ffffL;
    private static final long RING1_CODE_32 = 0x00cf_bb00_0000_ffffL;
    private static final long RING1_DATA = 0x00cf_b300_0000_ffffL;
    private static final long CODE_64 = 0x00af_fb00_0000_ffffL;

    private ReservedDescriptors() {
    }

    /** Fills frame {@code page14}, which is zeroed. */
    static void write(PhysicalMemory ram, int page14) {
        put(ram, page14, ArchX86.FLAT_RING3_CS32, CODE_32);
        put(ram, page14, ArchX86.FLAT_RING3_DS32, DATA);
        put(ram, page14, ArchX86.FLAT_RING3_CS64, CODE_64);
    }

    /** The same for 32-bit guests, whose kernels are in ring 1. */
    static void writeCompat(PhysicalMemory ram, int page14) {
        put(ram, page14, ArchX86.FLAT_COMPAT_RING1_CS, RING1_CODE_32);
        put(ram, page14, ArchX86.FLAT_COMPAT_RING1_DS, RING1_DATA);
        put(ram, page14, ArchX86.FLAT_COMPAT_RING3_CS, CODE_32);
        put(ram, page14, ArchX86.FLAT_COMPAT_RING3_DS, DATA);
    }

    private static void put(PhysicalMemory ram, int frame, int selector, long descriptor) {
        ram.write64(((long) frame << PhysicalMemory.FRAME_SHIFT) + (selector & ~RPL) - PAGE, descriptor);
    }
}
