package dev.xenolith.hypervisor.abi;

import dev.xenolith.hypervisor.abi.Struct.Type;

/** xen/include/public/xen.h: domain ids, virtual interrupts, shared and start info. Paging operations are in {@code Mmu}. */
public final class Xen {
    /** Virtual interrupts; those marked V in the header are per vCPU (timer, debug, xenoprof, xenpmu), the others per domain. */
    public static final int VIRQ_TIMER = 0;
    public static final int VIRQ_DEBUG = 1;
    public static final int VIRQ_CONSOLE = 2;
    public static final int VIRQ_DOM_EXC = 3;
    public static final int VIRQ_TBUF = 4;
    public static final int VIRQ_DEBUGGER = 6;
    public static final int VIRQ_XENOPROF = 7;
    public static final int VIRQ_CON_RING = 8;
    public static final int VIRQ_PCPU_STATE = 9;
    public static final int VIRQ_MEM_EVENT = 10;
    public static final int VIRQ_ARGO = 11;
    public static final int VIRQ_ENOMEM = 12;
    public static final int VIRQ_XENPMU = 13;
    public static final int VIRQ_ARCH_0 = 16;
    public static final int NR_VIRQS = 24;

    /** Reserved domain ids; guests' domids are below {@link #DOMID_FIRST_RESERVED}. */
    public static final int DOMID_FIRST_RESERVED = 0x7FF0;
    public static final int DOMID_SELF = 0x7FF0;
    public static final int DOMID_IO = 0x7FF1;
    public static final int DOMID_XEN = 0x7FF2;
    public static final int DOMID_COW = 0x7FF3;
    public static final int DOMID_INVALID = 0x7FF4;
    public static final int DOMID_IDLE = 0x7FFF;

    /** console_io commands; at most {@link #CONSOLEIO_CHUNK} bytes are taken from the guest at a time. */
    public static final int CONSOLEIO_WRITE = 0;
    public static final int CONSOLEIO_READ = 1;
    public static final int CONSOLEIO_CHUNK = 128;

    /** vm_assist commands and types. */
    public static final int VMASST_CMD_ENABLE = 0;
    public static final int VMASST_CMD_DISABLE = 1;
    public static final int VMASST_TYPE_4GB_SEGMENTS = 0;
    public static final int VMASST_TYPE_4GB_SEGMENTS_NOTIFY = 1;
    public static final int VMASST_TYPE_WRITABLE_PAGETABLES = 2;
    public static final int VMASST_TYPE_PAE_EXTENDED_CR3 = 3;
    public static final int VMASST_TYPE_ARCHITECTURAL_IOPL = 4;
    public static final int VMASST_TYPE_RUNSTATE_UPDATE_FLAG = 5;
    public static final int VMASST_TYPE_M2P_STRICT = 32;

    /** Flags of {@link StartInfo}. */
    public static final int SIF_PRIVILEGED = 1;
    public static final int SIF_INITDOMAIN = 2;
    public static final int SIF_MULTIBOOT_MOD = 4;
    public static final int SIF_MOD_START_PFN = 8;
    public static final int SIF_VIRT_P2M_4TOOLS = 16;

    /** vCPUs below this have their vcpu_info in {@link SharedInfo}; others must register one. */
    public static final int LEGACY_MAX_VCPUS = 32;

    /** One call of a batch. */
    public static final class MulticallEntry {
        public static final Struct LAYOUT = Struct.of("multicall_entry")
                .ulong("op").ulong("result").array(Type.ULONG, "args", 6).build();
        public static final int SIZE = LAYOUT.size();
        public static final int OP = LAYOUT.offset("op");
        public static final int RESULT = LAYOUT.offset("result");
        public static final int ARGS = LAYOUT.offset("args");

        private MulticallEntry() {
        }
    }

    /** The paravirtual clock of one vCPU: {@code ns = system_time + (((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul >> 32)};
     * an odd version says that it is being updated.
     */
    public static final class VcpuTimeInfo {
        public static final Struct LAYOUT = Struct.of("vcpu_time_info")
                .u32("version").u32("pad0").u64("tsc_timestamp").u64("system_time").u32("tsc_to_system_mul")
                .u8("tsc_shift").u8("flags").array(Type.U8, "pad1", 2).build();
        public static final int SIZE = LAYOUT.size();
        public static final int VERSION = LAYOUT.offset("version");
        public static final int TSC_TIMESTAMP = LAYOUT.offset("tsc_timestamp");
        public static final int SYSTEM_TIME = LAYOUT.offset("system_time");
        public static final int TSC_TO_SYSTEM_MUL = LAYOUT.offset("tsc_to_system_mul");
        public static final int TSC_SHIFT = LAYOUT.offset("tsc_shift");
        public static final int FLAGS = LAYOUT.offset("flags");
        /** Bit of flags: TSCs of all vCPUs agree. */
        public static final int TSC_STABLE_BIT = 1;
        public static final int GUEST_STOPPED = 2;

        private VcpuTimeInfo() {
        }
    }

    /** What a vCPU and the hypervisor share: event upcall state, CR2 of a page fault, and time. */
    public static final class VcpuInfo {
        public static final Struct LAYOUT = Struct.of("vcpu_info")
                .u8("evtchn_upcall_pending").u8("evtchn_upcall_mask").ulong("evtchn_pending_sel")
                .nested(ArchX86.ArchVcpuInfo.LAYOUT, "arch", 1).nested(VcpuTimeInfo.LAYOUT, "time", 1).build();
        public static final int SIZE = LAYOUT.size();
        public static final int EVTCHN_UPCALL_PENDING = LAYOUT.offset("evtchn_upcall_pending");
        public static final int EVTCHN_UPCALL_MASK = LAYOUT.offset("evtchn_upcall_mask");
        public static final int EVTCHN_PENDING_SEL = LAYOUT.offset("evtchn_pending_sel");
        public static final int CR2 = LAYOUT.offset("arch.cr2");
        public static final int TIME = LAYOUT.offset("time");

        private VcpuInfo() {
        }
    }

    /** The page that a domain and the hypervisor share. Event bitmaps have 64 words of 64 bits (32 of 32 for 32-bit guests). */
    public static final class SharedInfo {
        public static final Struct LAYOUT = Struct.of("shared_info")
                .nested(VcpuInfo.LAYOUT, "vcpu_info", LEGACY_MAX_VCPUS).bitmap("evtchn_pending")
                .bitmap("evtchn_mask").u32("wc_version").u32("wc_sec").u32("wc_nsec")
                .u32Only64("wc_sec_hi")
                .nested(ArchX86.ArchSharedInfo.LAYOUT, "arch", 1).build();
        public static final int SIZE = LAYOUT.size();
        public static final int VCPU_INFO = LAYOUT.offset("vcpu_info");
        public static final int EVTCHN_PENDING = LAYOUT.offset("evtchn_pending");
        public static final int EVTCHN_MASK = LAYOUT.offset("evtchn_mask");
        public static final int WC_VERSION = LAYOUT.offset("wc_version");
        public static final int WC_SEC = LAYOUT.offset("wc_sec");
        public static final int WC_NSEC = LAYOUT.offset("wc_nsec");
        public static final int WC_SEC_HI = LAYOUT.offset("wc_sec_hi");
        public static final int MAX_PFN = LAYOUT.offset("arch.max_pfn");
        public static final int PFN_TO_MFN_FRAME_LIST_LIST = LAYOUT.offset("arch.pfn_to_mfn_frame_list_list");
        public static final int NMI_REASON = LAYOUT.offset("arch.nmi_reason");
        public static final int P2M_CR3 = LAYOUT.offset("arch.p2m_cr3");
        public static final int P2M_VADDR = LAYOUT.offset("arch.p2m_vaddr");
        public static final int P2M_GENERATION = LAYOUT.offset("arch.p2m_generation");

        private SharedInfo() {
        }
    }

    /** What a PV domain finds at RSI when it starts. */
    public static final class StartInfo {
        public static final Struct LAYOUT = Struct.of("start_info")
                .array(Type.U8, "magic", 32).ulong("nr_pages").ulong("shared_info").u32("flags").ulong("store_mfn")
                .u32("store_evtchn").ulong("console.domU.mfn").u32("console.domU.evtchn").ulong("pt_base")
                .ulong("nr_pt_frames").ulong("mfn_list").ulong("mod_start").ulong("mod_len")
                .array(Type.U8, "cmd_line", 1024).ulong("first_p2m_pfn").ulong("nr_p2m_frames").build();
        public static final int SIZE = LAYOUT.size();
        public static final int MAGIC = LAYOUT.offset("magic");
        public static final int NR_PAGES = LAYOUT.offset("nr_pages");
        public static final int SHARED_INFO = LAYOUT.offset("shared_info");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int STORE_MFN = LAYOUT.offset("store_mfn");
        public static final int STORE_EVTCHN = LAYOUT.offset("store_evtchn");
        public static final int CONSOLE_MFN = LAYOUT.offset("console.domU.mfn");
        public static final int CONSOLE_EVTCHN = LAYOUT.offset("console.domU.evtchn");
        public static final int PT_BASE = LAYOUT.offset("pt_base");
        public static final int NR_PT_FRAMES = LAYOUT.offset("nr_pt_frames");
        public static final int MFN_LIST = LAYOUT.offset("mfn_list");
        public static final int MOD_START = LAYOUT.offset("mod_start");
        public static final int MOD_LEN = LAYOUT.offset("mod_len");
        public static final int CMD_LINE = LAYOUT.offset("cmd_line");
        public static final int FIRST_P2M_PFN = LAYOUT.offset("first_p2m_pfn");
        public static final int NR_P2M_FRAMES = LAYOUT.offset("nr_p2m_frames");
        /** Bytes of the command line with its NUL. */
        public static final int MAX_CMDLINE = 1024;

        private StartInfo() {
        }
    }

    private Xen() {
    }
}
