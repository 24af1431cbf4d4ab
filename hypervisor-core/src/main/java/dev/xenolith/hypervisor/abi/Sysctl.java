package dev.xenolith.hypervisor.abi;

/** xen/include/public/sysctl.h: operations of toolstacks on the host. */
public final class Sysctl {
    /** The interface version of Xen 4.17; callers must name it exactly. */
    public static final int INTERFACE_VERSION = 0x15;

    public static final int XEN_SYSCTL_READCONSOLE = 1;
    public static final int XEN_SYSCTL_PHYSINFO = 3;
    public static final int XEN_SYSCTL_SCHED_ID = 4;
    public static final int XEN_SYSCTL_GETDOMAININFOLIST = 6;
    public static final int XEN_SYSCTL_GETCPUINFO = 8;
    public static final int XEN_SYSCTL_AVAILHEAP = 9;
    public static final int XEN_SYSCTL_CPUTOPOINFO = 16;
    public static final int XEN_SYSCTL_NUMAINFO = 17;
    public static final int XEN_SYSCTL_CPUPOOL_OP = 18;
    public static final int XEN_SYSCTL_SCHEDULER_OP = 19;
    public static final int XEN_SYSCTL_GET_CPU_LEVELLING_CAPS = 25;
    public static final int XEN_SYSCTL_GET_CPU_FEATURESET = 26;
    public static final int XEN_SYSCTL_GET_CPU_POLICY = 29;

    /** What sysctl is given: a command, and its argument at {@link #U}. */
    public static final class Op {
        public static final Struct LAYOUT = Struct.of("xen_sysctl").u32("cmd").u32("interface_version")
                .array(Struct.Type.U8, "u.pad", 128).build();
        public static final int SIZE = LAYOUT.size();
        public static final int CMD = LAYOUT.offset("cmd");
        public static final int INTERFACE_VERSION = LAYOUT.offset("interface_version");
        public static final int U = LAYOUT.offset("u.pad");

        private Op() {
        }
    }

    /** XEN_SYSCTL_readconsole. */
    public static final class ReadConsole {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_readconsole").u8("clear").u8("incremental").u8("pad0")
                .u8("pad1").u32("index").u64Aligned("buffer").u32("count").build();
        public static final int SIZE = LAYOUT.size();
        public static final int CLEAR = LAYOUT.offset("clear");
        public static final int INCREMENTAL = LAYOUT.offset("incremental");
        public static final int INDEX = LAYOUT.offset("index");
        public static final int BUFFER = LAYOUT.offset("buffer");
        public static final int COUNT = LAYOUT.offset("count");

        private ReadConsole() {
        }
    }

    /** XEN_SYSCTL_physinfo. */
    public static final class PhysInfo {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_physinfo").u32("threads_per_core")
                .u32("cores_per_socket").u32("nr_cpus").u32("max_cpu_id").u32("nr_nodes").u32("max_node_id")
                .u32("cpu_khz")
                .u32("capabilities").u32("arch_capabilities").u32("pad").u64Aligned("total_pages")
                .u64Aligned("free_pages")
                .u64Aligned("scrub_pages").u64Aligned("outstanding_pages").u64Aligned("max_mfn")
                .array(Struct.Type.U32, "hw_cap", 8).build();
        public static final int SIZE = LAYOUT.size();
        public static final int THREADS_PER_CORE = LAYOUT.offset("threads_per_core");
        public static final int CORES_PER_SOCKET = LAYOUT.offset("cores_per_socket");
        public static final int NR_CPUS = LAYOUT.offset("nr_cpus");
        public static final int MAX_CPU_ID = LAYOUT.offset("max_cpu_id");
        public static final int NR_NODES = LAYOUT.offset("nr_nodes");
        public static final int MAX_NODE_ID = LAYOUT.offset("max_node_id");
        public static final int CPU_KHZ = LAYOUT.offset("cpu_khz");
        public static final int CAPABILITIES = LAYOUT.offset("capabilities");
        public static final int TOTAL_PAGES = LAYOUT.offset("total_pages");
        public static final int FREE_PAGES = LAYOUT.offset("free_pages");
        public static final int SCRUB_PAGES = LAYOUT.offset("scrub_pages");
        public static final int OUTSTANDING_PAGES = LAYOUT.offset("outstanding_pages");
        public static final int MAX_MFN = LAYOUT.offset("max_mfn");
        public static final int HW_CAP = LAYOUT.offset("hw_cap");
        public static final int PHYSCAP_PV = 1 << 1;
        public static final int PHYSCAP_GNTTAB_V1 = 1 << 8;
        public static final int PHYSCAP_GNTTAB_V2 = 1 << 9;

        private PhysInfo() {
        }
    }

    /** XEN_SYSCTL_sched_id. */
    public static final class SchedId {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_sched_id").u32("sched_id").build();
        public static final int SIZE = LAYOUT.size();
        public static final int SCHED_ID = LAYOUT.offset("sched_id");

        private SchedId() {
        }
    }

    /** XEN_SYSCTL_getdomaininfolist. */
    public static final class GetDomainInfoList {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_getdomaininfolist").u16("first_domain")
                .u32("max_domains").u64Aligned("buffer").u32("num_domains").build();
        public static final int SIZE = LAYOUT.size();
        public static final int FIRST_DOMAIN = LAYOUT.offset("first_domain");
        public static final int MAX_DOMAINS = LAYOUT.offset("max_domains");
        public static final int BUFFER = LAYOUT.offset("buffer");
        public static final int NUM_DOMAINS = LAYOUT.offset("num_domains");

        private GetDomainInfoList() {
        }
    }

    /** XEN_SYSCTL_getcpuinfo. */
    public static final class GetCpuInfo {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_getcpuinfo").u32("max_cpus").u64Aligned("info")
                .u32("nr_cpus").build();
        public static final int SIZE = LAYOUT.size();
        public static final int MAX_CPUS = LAYOUT.offset("max_cpus");
        public static final int INFO = LAYOUT.offset("info");
        public static final int NR_CPUS = LAYOUT.offset("nr_cpus");

        private GetCpuInfo() {
        }
    }

    /** XEN_SYSCTL_availheap. */
    public static final class AvailHeap {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_availheap").u32("min_bitwidth").u32("max_bitwidth")
                .u32("node").u64Aligned("avail_bytes").build();
        public static final int SIZE = LAYOUT.size();
        public static final int MIN_BITWIDTH = LAYOUT.offset("min_bitwidth");
        public static final int MAX_BITWIDTH = LAYOUT.offset("max_bitwidth");
        public static final int NODE = LAYOUT.offset("node");
        public static final int AVAIL_BYTES = LAYOUT.offset("avail_bytes");

        private AvailHeap() {
        }
    }

    /** One processor of XEN_SYSCTL_cputopoinfo. */
    public static final class CpuTopo {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_cputopo").u32("core").u32("socket").u32("node")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int CORE = LAYOUT.offset("core");
        public static final int SOCKET = LAYOUT.offset("socket");
        public static final int NODE = LAYOUT.offset("node");

        private CpuTopo() {
        }
    }

    /** XEN_SYSCTL_cputopoinfo. */
    public static final class CpuTopoInfo {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_cputopoinfo").u32("num_cpus").u64Aligned("cputopo")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int NUM_CPUS = LAYOUT.offset("num_cpus");
        public static final int CPUTOPO = LAYOUT.offset("cputopo");

        private CpuTopoInfo() {
        }
    }

    /** One node of XEN_SYSCTL_numainfo. */
    public static final class MemInfo {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_meminfo").u64("memsize").u64("memfree").build();
        public static final int SIZE = LAYOUT.size();
        public static final int MEMSIZE = LAYOUT.offset("memsize");
        public static final int MEMFREE = LAYOUT.offset("memfree");

        private MemInfo() {
        }
    }

    /** XEN_SYSCTL_numainfo. */
    public static final class NumaInfo {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_numainfo").u32("num_nodes").u64Aligned("meminfo")
                .u64Aligned("distance").build();
        public static final int SIZE = LAYOUT.size();
        public static final int NUM_NODES = LAYOUT.offset("num_nodes");
        public static final int MEMINFO = LAYOUT.offset("meminfo");
        public static final int DISTANCE = LAYOUT.offset("distance");

        private NumaInfo() {
        }
    }

    /** XEN_SYSCTL_cpupool_op. */
    public static final class CpuPoolOp {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_cpupool_op").u32("op").u32("cpupool_id")
                .u32("sched_id")
                .u32("domid").u32("cpu").u32("n_dom").nested(Domctl.Bitmap.LAYOUT, "cpumap", 1).build();
        public static final int SIZE = LAYOUT.size();
        public static final int OP = LAYOUT.offset("op");
        public static final int CPUPOOL_ID = LAYOUT.offset("cpupool_id");
        public static final int SCHED_ID = LAYOUT.offset("sched_id");
        public static final int DOMID = LAYOUT.offset("domid");
        public static final int N_DOM = LAYOUT.offset("n_dom");
        public static final int CPUMAP = LAYOUT.offset("cpumap");
        public static final int INFO = 3;
        public static final int MOVEDOMAIN = 6;
        public static final int FREEINFO = 7;

        private CpuPoolOp() {
        }
    }

    /** XEN_SYSCTL_scheduler_op. */
    public static final class SchedulerOp {
        private static final Struct ARINC653 = Struct.of("sched_arinc653").u64Aligned("schedule").build();
        private static final Struct CREDIT = Struct.of("sched_credit").u32("tslice_ms").u32("ratelimit_us")
                .u32("vcpu_migr_delay_us").build();
        private static final Struct CREDIT2 = Struct.of("sched_credit2").u32("ratelimit_us").build();
        public static final Struct LAYOUT = Struct.of("xen_sysctl_scheduler_op").u32("cpupool_id").u32("sched_id")
                .u32("cmd")
                .union("u", ARINC653, CREDIT, CREDIT2).build();
        public static final int SIZE = LAYOUT.size();
        public static final int CPUPOOL_ID = LAYOUT.offset("cpupool_id");
        public static final int SCHED_ID = LAYOUT.offset("sched_id");
        public static final int CMD = LAYOUT.offset("cmd");
        public static final int RATELIMIT_US = LAYOUT.offset("u.sched_credit2.ratelimit_us");

        private SchedulerOp() {
        }
    }

    /** XEN_SYSCTL_get_cpu_levelling_caps. */
    public static final class LevellingCaps {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_cpu_levelling_caps").u32("caps").build();
        public static final int SIZE = LAYOUT.size();
        public static final int CAPS = LAYOUT.offset("caps");
        /** CPUID can be made to fault. */
        public static final int FAULTING = 1;

        private LevellingCaps() {
        }
    }

    /** XEN_SYSCTL_get_cpu_featureset. */
    public static final class CpuFeatureset {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_cpu_featureset").u32("index").u32("nr_features")
                .u64Aligned("features").build();
        public static final int SIZE = LAYOUT.size();
        public static final int INDEX = LAYOUT.offset("index");
        public static final int NR_FEATURES = LAYOUT.offset("nr_features");
        public static final int FEATURES = LAYOUT.offset("features");
        public static final int RAW = 0;
        public static final int HOST = 1;
        public static final int PV = 2;
        public static final int HVM = 3;
        public static final int PV_MAX = 4;
        public static final int HVM_MAX = 5;

        private CpuFeatureset() {
        }
    }

    /** XEN_SYSCTL_get_cpu_policy. */
    public static final class CpuPolicy {
        public static final Struct LAYOUT = Struct.of("xen_sysctl_cpu_policy").u32("index").u32("nr_leaves")
                .u32("nr_msrs").u32("_rsvd")
                .u64Aligned("leaves").u64Aligned("msrs").build();
        public static final int SIZE = LAYOUT.size();
        public static final int INDEX = LAYOUT.offset("index");
        public static final int NR_LEAVES = LAYOUT.offset("nr_leaves");
        public static final int NR_MSRS = LAYOUT.offset("nr_msrs");
        public static final int RSVD = LAYOUT.offset("_rsvd");
        public static final int LEAVES = LAYOUT.offset("leaves");
        public static final int MSRS = LAYOUT.offset("msrs");
        public static final int RAW = 0;
        public static final int HOST = 1;
        public static final int PV_MAX = 2;
        public static final int HVM_MAX = 3;
        public static final int PV_DEFAULT = 4;
        public static final int HVM_DEFAULT = 5;

        private CpuPolicy() {
        }
    }

    private Sysctl() {
    }
}
