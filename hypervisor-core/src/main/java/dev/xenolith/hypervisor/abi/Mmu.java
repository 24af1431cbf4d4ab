package dev.xenolith.hypervisor.abi;

/** xen/include/public/xen.h: mmu_update, update_va_mapping and mmuext_op. */
public final class Mmu {
    /** Commands in the low bits of {@code mmu_update.ptr}. */
    public static final int MMU_NORMAL_PT_UPDATE = 0;
    public static final int MMU_MACHPHYS_UPDATE = 1;
    public static final int MMU_PT_UPDATE_PRESERVE_AD = 2;
    public static final int MMU_PT_UPDATE_NO_TRANSLATE = 3;

    /** Set in the count of mmu_update and mmuext_op by the hypervisor when it has a call repeated. */
    public static final int MMU_UPDATE_PREEMPTED = 1 << 31;

    public static final int MMUEXT_PIN_L1_TABLE = 0;
    public static final int MMUEXT_PIN_L2_TABLE = 1;
    public static final int MMUEXT_PIN_L3_TABLE = 2;
    public static final int MMUEXT_PIN_L4_TABLE = 3;
    public static final int MMUEXT_UNPIN_TABLE = 4;
    public static final int MMUEXT_NEW_BASEPTR = 5;
    public static final int MMUEXT_TLB_FLUSH_LOCAL = 6;
    public static final int MMUEXT_INVLPG_LOCAL = 7;
    public static final int MMUEXT_TLB_FLUSH_MULTI = 8;
    public static final int MMUEXT_INVLPG_MULTI = 9;
    public static final int MMUEXT_TLB_FLUSH_ALL = 10;
    public static final int MMUEXT_INVLPG_ALL = 11;
    public static final int MMUEXT_FLUSH_CACHE = 12;
    public static final int MMUEXT_SET_LDT = 13;
    public static final int MMUEXT_NEW_USER_BASEPTR = 15;
    public static final int MMUEXT_CLEAR_PAGE = 16;
    public static final int MMUEXT_COPY_PAGE = 17;
    public static final int MMUEXT_FLUSH_CACHE_GLOBAL = 18;
    public static final int MMUEXT_MARK_SUPER = 19;
    public static final int MMUEXT_UNMARK_SUPER = 20;

    /** Flags of update_va_mapping: what to flush, and where; the rest is the address of a vCPU mask, or LOCAL or ALL. */
    public static final int UVMF_NONE = 0;
    public static final int UVMF_TLB_FLUSH = 1;
    public static final int UVMF_INVLPG = 2;
    public static final int UVMF_FLUSHTYPE_MASK = 3;
    public static final int UVMF_LOCAL = 0;
    public static final int UVMF_ALL = 1 << 2;

    /** One update of mmu_update. */
    public static final class MmuUpdate {
        public static final Struct LAYOUT = Struct.of("mmu_update").u64("ptr").u64("val").build();
        public static final int SIZE = LAYOUT.size();
        public static final int PTR = LAYOUT.offset("ptr");
        public static final int VAL = LAYOUT.offset("val");

        private MmuUpdate() {
        }
    }

    /** One operation of mmuext_op. */
    public static final class MmuextOp {
        public static final Struct LAYOUT = Struct.of("mmuext_op").u32("cmd").ulong("arg1.mfn").ulong("arg2.vcpumask")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int CMD = LAYOUT.offset("cmd");
        /** A frame number or a linear address. */
        public static final int ARG1 = LAYOUT.offset("arg1.mfn");
        /** A count of entries (32 bits), the address of a vCPU mask, or a frame number. */
        public static final int ARG2 = LAYOUT.offset("arg2.vcpumask");

        private MmuextOp() {
        }
    }

    private Mmu() {
    }
}
