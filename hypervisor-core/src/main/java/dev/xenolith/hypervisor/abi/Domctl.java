package dev.xenolith.hypervisor.abi;

/** xen/include/public/domctl.h: operations of toolstacks on domains. */
public final class Domctl {
    /** The interface version of Xen 4.17; callers must name it exactly. */
    public static final int INTERFACE_VERSION = 0x15;

    public static final int XEN_DOMCTL_CREATEDOMAIN = 1;
    public static final int XEN_DOMCTL_DESTROYDOMAIN = 2;
    public static final int XEN_DOMCTL_PAUSEDOMAIN = 3;
    public static final int XEN_DOMCTL_UNPAUSEDOMAIN = 4;
    public static final int XEN_DOMCTL_GETDOMAININFO = 5;
    public static final int XEN_DOMCTL_SETVCPUAFFINITY = 9;
    public static final int XEN_DOMCTL_SHADOW_OP = 10;
    public static final int XEN_DOMCTL_MAX_MEM = 11;
    public static final int XEN_DOMCTL_SETVCPUCONTEXT = 12;
    public static final int XEN_DOMCTL_GETVCPUCONTEXT = 13;
    public static final int XEN_DOMCTL_GETVCPUINFO = 14;
    public static final int XEN_DOMCTL_MAX_VCPUS = 15;
    public static final int XEN_DOMCTL_SCHEDULER_OP = 16;
    public static final int XEN_DOMCTL_SETDOMAINHANDLE = 17;
    public static final int XEN_DOMCTL_SETDEBUGGING = 18;
    public static final int XEN_DOMCTL_HYPERCALL_INIT = 22;
    public static final int XEN_DOMCTL_SETTIMEOFFSET = 24;
    public static final int XEN_DOMCTL_GETVCPUAFFINITY = 25;
    public static final int XEN_DOMCTL_RESUMEDOMAIN = 27;
    public static final int XEN_DOMCTL_SENDTRIGGER = 28;
    public static final int XEN_DOMCTL_GETHVMCONTEXT = 33;
    public static final int XEN_DOMCTL_SETHVMCONTEXT = 34;
    public static final int XEN_DOMCTL_SET_ADDRESS_SIZE = 35;
    public static final int XEN_DOMCTL_GET_ADDRESS_SIZE = 36;
    public static final int XEN_DOMCTL_ASSIGN_DEVICE = 37;
    public static final int XEN_DOMCTL_TEST_ASSIGN_DEVICE = 45;
    public static final int XEN_DOMCTL_DEASSIGN_DEVICE = 47;
    public static final int XEN_DOMCTL_GET_DEVICE_GROUP = 50;
    public static final int XEN_DOMCTL_GETHVMCONTEXT_PARTIAL = 55;
    public static final int XEN_DOMCTL_GETTSCINFO = 59;
    public static final int XEN_DOMCTL_SETTSCINFO = 60;
    public static final int XEN_DOMCTL_SET_VIRQ_HANDLER = 66;
    public static final int XEN_DOMCTL_SETNODEAFFINITY = 68;
    public static final int XEN_DOMCTL_GETNODEAFFINITY = 69;
    public static final int XEN_DOMCTL_GET_CPU_POLICY = 82;
    public static final int XEN_DOMCTL_SET_CPU_POLICY = 83;
    public static final int XEN_DOMCTL_GET_PAGING_MEMPOOL_SIZE = 85;
    public static final int XEN_DOMCTL_SET_PAGING_MEMPOOL_SIZE = 86;

    /** What XEN_DOMCTL_sendtrigger sends. */
    public static final int SENDTRIGGER_NMI = 0;
    public static final int SENDTRIGGER_RESET = 1;
    public static final int SENDTRIGGER_INIT = 2;
    public static final int SENDTRIGGER_POWER = 3;
    public static final int SENDTRIGGER_SLEEP = 4;

    /** XEN_SCHEDULER_*: schedulers by number. */
    public static final int SCHEDULER_CREDIT2 = 6;

    /** What domctl is given: a command, and its argument at {@link #U}. */
    public static final class Op {
        public static final Struct LAYOUT = Struct.of("xen_domctl").u32("cmd").u32("interface_version").u16("domain")
                .array(Struct.Type.U16, "_pad", 3).array(Struct.Type.U8, "u.pad", 128).build();
        public static final int SIZE = LAYOUT.size();
        public static final int CMD = LAYOUT.offset("cmd");
        public static final int INTERFACE_VERSION = LAYOUT.offset("interface_version");
        public static final int DOMAIN = LAYOUT.offset("domain");
        public static final int U = LAYOUT.offset("u.pad");

        private Op() {
        }
    }

    /** What a new domain's machine is like (arch-x86/xen.h). */
    public static final class ArchDomainConfig {
        public static final Struct LAYOUT = Struct.of("xen_arch_domainconfig").u32("emulation_flags").u32("misc_flags")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int EMULATION_FLAGS = LAYOUT.offset("emulation_flags");
        public static final int MISC_FLAGS = LAYOUT.offset("misc_flags");
        public static final int EMU_ALL = 0x7ff;
        public static final int MSR_RELAXED = 1;

        private ArchDomainConfig() {
        }
    }

    /** XEN_DOMCTL_createdomain. */
    public static final class CreateDomain {
        public static final Struct LAYOUT = Struct.of("xen_domctl_createdomain").u32("ssidref")
                .array(Struct.Type.U8, "handle", 16).u32("flags").u32("iommu_opts").u32("max_vcpus")
                .u32("max_evtchn_port")
                .u32("max_grant_frames").u32("max_maptrack_frames").u32("grant_opts").u32("vmtrace_size")
                .u32("cpupool_id")
                .nested(ArchDomainConfig.LAYOUT, "arch", 1).build();
        public static final int SIZE = LAYOUT.size();
        public static final int HANDLE = LAYOUT.offset("handle");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int IOMMU_OPTS = LAYOUT.offset("iommu_opts");
        public static final int MAX_VCPUS = LAYOUT.offset("max_vcpus");
        public static final int MAX_EVTCHN_PORT = LAYOUT.offset("max_evtchn_port");
        public static final int MAX_GRANT_FRAMES = LAYOUT.offset("max_grant_frames");
        public static final int MAX_MAPTRACK_FRAMES = LAYOUT.offset("max_maptrack_frames");
        public static final int GRANT_OPTS = LAYOUT.offset("grant_opts");
        public static final int VMTRACE_SIZE = LAYOUT.offset("vmtrace_size");
        public static final int CPUPOOL_ID = LAYOUT.offset("cpupool_id");
        public static final int EMULATION_FLAGS = LAYOUT.offset("arch.emulation_flags");
        public static final int MISC_FLAGS = LAYOUT.offset("arch.misc_flags");
        /** Flags: an HVM guest; no out-of-sync shadow tables, which has no meaning for PV guests; xenstore's domain. */
        public static final int CDF_HVM = 1;
        public static final int CDF_OOS_OFF = 1 << 3;
        public static final int CDF_XS_DOMAIN = 1 << 4;
        /** Low bits of {@code grant_opts}: the latest version of grant table. */
        public static final int GRANT_VERSION_MASK = 0xf;

        private CreateDomain() {
        }
    }

    /** XEN_DOMCTL_getdomaininfo, and what XEN_SYSCTL_getdomaininfolist lists. */
    public static final class GetDomainInfo {
        public static final Struct LAYOUT = Struct.of("xen_domctl_getdomaininfo").u16("domain").u16("pad1").u32("flags")
                .u64Aligned("tot_pages").u64Aligned("max_pages").u64Aligned("outstanding_pages").u64Aligned("shr_pages")
                .u64Aligned("paged_pages").u64Aligned("shared_info_frame").u64Aligned("cpu_time").u32("nr_online_vcpus")
                .u32("max_vcpu_id").u32("ssidref").array(Struct.Type.U8, "handle", 16).u32("cpupool").u8("gpaddr_bits")
                .array(Struct.Type.U8, "pad2", 7).nested(ArchDomainConfig.LAYOUT, "arch_config", 1).build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOMAIN = LAYOUT.offset("domain");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int TOT_PAGES = LAYOUT.offset("tot_pages");
        public static final int MAX_PAGES = LAYOUT.offset("max_pages");
        public static final int OUTSTANDING_PAGES = LAYOUT.offset("outstanding_pages");
        public static final int SHARED_INFO_FRAME = LAYOUT.offset("shared_info_frame");
        public static final int CPU_TIME = LAYOUT.offset("cpu_time");
        public static final int NR_ONLINE_VCPUS = LAYOUT.offset("nr_online_vcpus");
        public static final int MAX_VCPU_ID = LAYOUT.offset("max_vcpu_id");
        public static final int HANDLE = LAYOUT.offset("handle");
        public static final int CPUPOOL = LAYOUT.offset("cpupool");
        public static final int GPADDR_BITS = LAYOUT.offset("gpaddr_bits");
        /** Flags. */
        public static final int DYING = 1;
        public static final int HVM_GUEST = 1 << 1;
        public static final int SHUTDOWN = 1 << 2;
        public static final int PAUSED = 1 << 3;
        public static final int BLOCKED = 1 << 4;
        public static final int RUNNING = 1 << 5;
        public static final int DEBUGGED = 1 << 6;
        /** Where the reason of a shutdown is in the flags, and what is there without one. */
        public static final int SHUTDOWN_SHIFT = 16;
        public static final int NO_SHUTDOWN = 0xffff;

        private GetDomainInfo() {
        }
    }

    /** A set of processors or nodes in the caller's memory (xen.h). */
    public static final class Bitmap {
        public static final Struct LAYOUT = Struct.of("xenctl_bitmap").u64Aligned("bitmap").u32("nr_bits").build();
        public static final int SIZE = LAYOUT.size();
        public static final int BITMAP = LAYOUT.offset("bitmap");
        public static final int NR_BITS = LAYOUT.offset("nr_bits");

        private Bitmap() {
        }
    }

    /** XEN_DOMCTL_setnodeaffinity and getnodeaffinity. */
    public static final class NodeAffinity {
        public static final Struct LAYOUT = Struct.of("xen_domctl_nodeaffinity")
                .nested(Bitmap.LAYOUT, "nodemap", 1).build();
        public static final int SIZE = LAYOUT.size();
        public static final int NODEMAP = LAYOUT.offset("nodemap");

        private NodeAffinity() {
        }
    }

    /** XEN_DOMCTL_setvcpuaffinity and getvcpuaffinity. */
    public static final class VcpuAffinity {
        public static final Struct LAYOUT = Struct.of("xen_domctl_vcpuaffinity").u32("vcpu").u32("flags")
                .nested(Bitmap.LAYOUT, "cpumap_hard", 1).nested(Bitmap.LAYOUT, "cpumap_soft", 1).build();
        public static final int SIZE = LAYOUT.size();
        public static final int VCPU = LAYOUT.offset("vcpu");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int CPUMAP_HARD = LAYOUT.offset("cpumap_hard");
        public static final int CPUMAP_SOFT = LAYOUT.offset("cpumap_soft");
        public static final int HARD = 1;
        public static final int SOFT = 2;

        private VcpuAffinity() {
        }
    }

    /** XEN_DOMCTL_shadow_op. */
    public static final class ShadowOp {
        public static final Struct LAYOUT = Struct.of("xen_domctl_shadow_op").u32("op").u32("mode").u32("mb")
                .u64Aligned("dirty_bitmap").u64Aligned("pages").u32("stats.fault_count").u32("stats.dirty_count")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int OP = LAYOUT.offset("op");
        public static final int MODE = LAYOUT.offset("mode");
        public static final int MB = LAYOUT.offset("mb");
        public static final int OFF = 0;
        public static final int ENABLE_TEST = 1;
        public static final int ENABLE_LOGDIRTY = 2;
        public static final int GET_ALLOCATION = 30;
        public static final int SET_ALLOCATION = 31;
        public static final int ENABLE = 32;

        private ShadowOp() {
        }
    }

    /** XEN_DOMCTL_max_mem. */
    public static final class MaxMem {
        public static final Struct LAYOUT = Struct.of("xen_domctl_max_mem").u64Aligned("max_memkb").build();
        public static final int SIZE = LAYOUT.size();
        public static final int MAX_MEMKB = LAYOUT.offset("max_memkb");

        private MaxMem() {
        }
    }

    /** XEN_DOMCTL_setvcpucontext and getvcpucontext. */
    public static final class VcpuContext {
        public static final Struct LAYOUT = Struct.of("xen_domctl_vcpucontext").u32("vcpu").u64Aligned("ctxt").build();
        public static final int SIZE = LAYOUT.size();
        public static final int VCPU = LAYOUT.offset("vcpu");
        public static final int CTXT = LAYOUT.offset("ctxt");

        private VcpuContext() {
        }
    }

    /** XEN_DOMCTL_getvcpuinfo. */
    public static final class GetVcpuInfo {
        public static final Struct LAYOUT = Struct.of("xen_domctl_getvcpuinfo").u32("vcpu").u8("online").u8("blocked")
                .u8("running").u64Aligned("cpu_time").u32("cpu").build();
        public static final int SIZE = LAYOUT.size();
        public static final int VCPU = LAYOUT.offset("vcpu");
        public static final int ONLINE = LAYOUT.offset("online");
        public static final int BLOCKED = LAYOUT.offset("blocked");
        public static final int RUNNING = LAYOUT.offset("running");
        public static final int CPU_TIME = LAYOUT.offset("cpu_time");
        public static final int CPU = LAYOUT.offset("cpu");

        private GetVcpuInfo() {
        }
    }

    /** XEN_DOMCTL_max_vcpus. */
    public static final class MaxVcpus {
        public static final Struct LAYOUT = Struct.of("xen_domctl_max_vcpus").u32("max").build();
        public static final int SIZE = LAYOUT.size();
        public static final int MAX = LAYOUT.offset("max");

        private MaxVcpus() {
        }
    }

    /** XEN_DOMCTL_scheduler_op. */
    public static final class SchedulerOp {
        private static final Struct CREDIT2 = Struct.of("credit2").u16("weight").u16("cap").build();
        private static final Struct VCPUS = Struct.of("v").u64Aligned("vcpus").u32("nr_vcpus").u32("padding").build();
        public static final Struct LAYOUT = Struct.of("xen_domctl_scheduler_op").u32("sched_id").u32("cmd")
                .union("u", CREDIT2, VCPUS).build();
        public static final int SIZE = LAYOUT.size();
        public static final int SCHED_ID = LAYOUT.offset("sched_id");
        public static final int CMD = LAYOUT.offset("cmd");
        public static final int WEIGHT = LAYOUT.offset("u.credit2.weight");
        public static final int CAP = LAYOUT.offset("u.credit2.cap");
        public static final int PUTINFO = 0;
        public static final int GETINFO = 1;
        public static final int PUTVCPUINFO = 2;
        public static final int GETVCPUINFO = 3;
        /** A cap that says "leave it". */
        public static final int SAME_CAP = 0xffff;

        private SchedulerOp() {
        }
    }

    /** XEN_DOMCTL_setdomainhandle. */
    public static final class SetDomainHandle {
        public static final Struct LAYOUT = Struct.of("xen_domctl_setdomainhandle")
                .array(Struct.Type.U8, "handle", 16).build();
        public static final int SIZE = LAYOUT.size();
        public static final int HANDLE = LAYOUT.offset("handle");

        private SetDomainHandle() {
        }
    }

    /** XEN_DOMCTL_setdebugging. */
    public static final class SetDebugging {
        public static final Struct LAYOUT = Struct.of("xen_domctl_setdebugging").u8("enable").build();
        public static final int SIZE = LAYOUT.size();
        public static final int ENABLE = LAYOUT.offset("enable");

        private SetDebugging() {
        }
    }

    /** XEN_DOMCTL_hypercall_init. */
    public static final class HypercallInit {
        public static final Struct LAYOUT = Struct.of("xen_domctl_hypercall_init").u64Aligned("gmfn").build();
        public static final int SIZE = LAYOUT.size();
        public static final int GMFN = LAYOUT.offset("gmfn");

        private HypercallInit() {
        }
    }

    /** XEN_DOMCTL_settimeoffset. */
    public static final class SetTimeOffset {
        public static final Struct LAYOUT = Struct.of("xen_domctl_settimeoffset")
                .u64Aligned("time_offset_seconds").build();
        public static final int SIZE = LAYOUT.size();
        public static final int SECONDS = LAYOUT.offset("time_offset_seconds");

        private SetTimeOffset() {
        }
    }

    /** XEN_DOMCTL_set_address_size and get_address_size. */
    public static final class AddressSize {
        public static final Struct LAYOUT = Struct.of("xen_domctl_address_size").u32("size").build();
        public static final int SIZE = LAYOUT.size();
        public static final int BITS = LAYOUT.offset("size");

        private AddressSize() {
        }
    }

    /** XEN_DOMCTL_sendtrigger. */
    public static final class SendTrigger {
        public static final Struct LAYOUT = Struct.of("xen_domctl_sendtrigger").u32("trigger").u32("vcpu").build();
        public static final int SIZE = LAYOUT.size();
        public static final int TRIGGER = LAYOUT.offset("trigger");
        public static final int VCPU = LAYOUT.offset("vcpu");

        private SendTrigger() {
        }
    }

    /** XEN_DOMCTL_gettscinfo and settscinfo. */
    public static final class TscInfo {
        public static final Struct LAYOUT = Struct.of("xen_domctl_tsc_info").u32("tsc_mode").u32("gtsc_khz")
                .u32("incarnation").u32("pad").u64Aligned("elapsed_nsec").build();
        public static final int SIZE = LAYOUT.size();
        public static final int TSC_MODE = LAYOUT.offset("tsc_mode");
        public static final int GTSC_KHZ = LAYOUT.offset("gtsc_khz");
        public static final int INCARNATION = LAYOUT.offset("incarnation");
        public static final int ELAPSED_NSEC = LAYOUT.offset("elapsed_nsec");
        /** Modes: as the hypervisor finds right, always emulated, never. */
        public static final int DEFAULT = 0;
        public static final int ALWAYS_EMULATE = 1;
        public static final int NEVER_EMULATE = 2;

        private TscInfo() {
        }
    }

    /** XEN_DOMCTL_set_virq_handler. */
    public static final class SetVirqHandler {
        public static final Struct LAYOUT = Struct.of("xen_domctl_set_virq_handler").u32("virq").build();
        public static final int SIZE = LAYOUT.size();
        public static final int VIRQ = LAYOUT.offset("virq");

        private SetVirqHandler() {
        }
    }

    /** XEN_DOMCTL_get_cpu_policy and set_cpu_policy. */
    public static final class CpuPolicy {
        public static final Struct LAYOUT = Struct.of("xen_domctl_cpu_policy").u32("nr_leaves").u32("nr_msrs")
                .u64Aligned("leaves").u64Aligned("msrs").u32("err_leaf").u32("err_subleaf").u32("err_msr").build();
        public static final int SIZE = LAYOUT.size();
        public static final int NR_LEAVES = LAYOUT.offset("nr_leaves");
        public static final int NR_MSRS = LAYOUT.offset("nr_msrs");
        public static final int LEAVES = LAYOUT.offset("leaves");
        public static final int MSRS = LAYOUT.offset("msrs");
        public static final int ERR_LEAF = LAYOUT.offset("err_leaf");
        public static final int ERR_SUBLEAF = LAYOUT.offset("err_subleaf");
        public static final int ERR_MSR = LAYOUT.offset("err_msr");

        private CpuPolicy() {
        }
    }

    private Domctl() {
    }
}
