package dev.xenolith.hypervisor.abi;

/** xen/include/public/memory.h: commands and structures of memory_op. */
public final class Xenmem {
    public static final int XENMEM_INCREASE_RESERVATION = 0;
    public static final int XENMEM_DECREASE_RESERVATION = 1;
    public static final int XENMEM_MAXIMUM_RAM_PAGE = 2;
    public static final int XENMEM_CURRENT_RESERVATION = 3;
    public static final int XENMEM_MAXIMUM_RESERVATION = 4;
    public static final int XENMEM_MACHPHYS_MFN_LIST = 5;
    public static final int XENMEM_POPULATE_PHYSMAP = 6;
    public static final int XENMEM_ADD_TO_PHYSMAP = 7;
    public static final int XENMEM_MEMORY_MAP = 9;
    public static final int XENMEM_MACHINE_MEMORY_MAP = 10;
    public static final int XENMEM_EXCHANGE = 11;
    public static final int XENMEM_MACHPHYS_MAPPING = 12;
    public static final int XENMEM_SET_MEMORY_MAP = 13;
    public static final int XENMEM_MAXIMUM_GPFN = 14;
    public static final int XENMEM_REMOVE_FROM_PHYSMAP = 15;
    public static final int XENMEM_SET_POD_TARGET = 16;
    public static final int XENMEM_GET_POD_TARGET = 17;
    public static final int XENMEM_GET_SHARING_FREED_PAGES = 18;
    public static final int XENMEM_GET_SHARING_SHARED_PAGES = 19;
    public static final int XENMEM_PAGING_OP = 20;
    public static final int XENMEM_ACCESS_OP = 21;
    public static final int XENMEM_SHARING_OP = 22;
    public static final int XENMEM_ADD_TO_PHYSMAP_BATCH = 23;
    public static final int XENMEM_CLAIM_PAGES = 24;
    public static final int XENMEM_MACHPHYS_COMPAT_MFN_LIST = 25;
    public static final int XENMEM_GET_VNUMAINFO = 26;
    public static final int XENMEM_RESERVED_DEVICE_MEMORY_MAP = 27;
    public static final int XENMEM_ACQUIRE_RESOURCE = 28;
    /** The command is in the low bits; where to go on after preemption is above them. */
    public static final int MEMOP_EXTENT_SHIFT = 6;
    public static final int MEMOP_CMD_MASK = (1 << MEMOP_EXTENT_SHIFT) - 1;

    /** Bits of {@code mem_flags}: the largest address, in bits. */
    public static final int XENMEMF_ADDRESS_BITS_MASK = 0xff;
    public static final int XENMEMF_POPULATE_ON_DEMAND = 1 << 16;
    public static final int XENMEMF_EXACT_NODE_REQUEST = 1 << 17;
    public static final int XENMEMF_VNODE = 1 << 18;

    public static final int XENMAPSPACE_GMFN_FOREIGN = 4;

    /** Argument of increase_reservation, decrease_reservation and populate_physmap. */
    public static final class Reservation {
        public static final Struct LAYOUT = Struct.of("xen_memory_reservation").ulong("extent_start")
                .ulong("nr_extents").u32("extent_order").u32("mem_flags").u16("domid").build();
        public static final int SIZE = LAYOUT.size();
        public static final int EXTENT_START = LAYOUT.offset("extent_start");
        public static final int NR_EXTENTS = LAYOUT.offset("nr_extents");
        public static final int EXTENT_ORDER = LAYOUT.offset("extent_order");
        public static final int MEM_FLAGS = LAYOUT.offset("mem_flags");
        public static final int DOMID = LAYOUT.offset("domid");

        private Reservation() {
        }
    }

    /** Argument of exchange. */
    public static final class Exchange {
        public static final Struct LAYOUT = Struct.of("xen_memory_exchange").nested(Reservation.LAYOUT, "in", 1)
                .nested(Reservation.LAYOUT, "out", 1).ulong("nr_exchanged").build();
        public static final int SIZE = LAYOUT.size();
        public static final int IN = LAYOUT.offset("in");
        public static final int OUT = LAYOUT.offset("out");
        public static final int NR_EXCHANGED = LAYOUT.offset("nr_exchanged");

        private Exchange() {
        }
    }

    /** Argument of machphys_mapping. */
    public static final class MachphysMapping {
        public static final Struct LAYOUT = Struct.of("xen_machphys_mapping").ulong("v_start").ulong("v_end")
                .ulong("max_mfn").build();
        public static final int SIZE = LAYOUT.size();
        public static final int V_START = LAYOUT.offset("v_start");
        public static final int V_END = LAYOUT.offset("v_end");
        public static final int MAX_MFN = LAYOUT.offset("max_mfn");

        private MachphysMapping() {
        }
    }

    /** Argument of machphys_mfn_list. */
    public static final class MachphysMfnList {
        public static final Struct LAYOUT = Struct.of("xen_machphys_mfn_list").u32("max_extents").ulong("extent_start")
                .u32("nr_extents").build();
        public static final int SIZE = LAYOUT.size();
        public static final int MAX_EXTENTS = LAYOUT.offset("max_extents");
        public static final int EXTENT_START = LAYOUT.offset("extent_start");
        public static final int NR_EXTENTS = LAYOUT.offset("nr_extents");

        private MachphysMfnList() {
        }
    }

    /** Argument of add_to_physmap. */
    public static final class AddToPhysmap {
        public static final Struct LAYOUT = Struct.of("xen_add_to_physmap").u16("domid").u16("size").u32("space")
                .ulong("idx").ulong("gpfn").build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOMID = LAYOUT.offset("domid");
        public static final int SPACE = LAYOUT.offset("space");

        private AddToPhysmap() {
        }
    }

    /** Argument of memory_map: a list of e820 entries. */
    public static final class MemoryMap {
        public static final Struct LAYOUT = Struct.of("xen_memory_map").u32("nr_entries").ulong("buffer").build();
        public static final int SIZE = LAYOUT.size();
        public static final int NR_ENTRIES = LAYOUT.offset("nr_entries");
        public static final int BUFFER = LAYOUT.offset("buffer");
        /** An e820 entry: address, size (64 bits each) and type (32 bits), packed. */
        public static final int ENTRY_SIZE = 20;
        public static final int TYPE_RAM = 1;
        /** Most entries that a domain's map may have (E820MAX). */
        public static final int MOST_ENTRIES = 1024;

        private MemoryMap() {
        }
    }

    /** Argument of set_memory_map. */
    public static final class ForeignMemoryMap {
        public static final Struct LAYOUT = Struct.of("xen_foreign_memory_map").u16("domid")
                .nested(MemoryMap.LAYOUT, "map", 1).build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOMID = LAYOUT.offset("domid");
        public static final int NR_ENTRIES = LAYOUT.offset("map.nr_entries");
        public static final int BUFFER = LAYOUT.offset("map.buffer");

        private ForeignMemoryMap() {
        }
    }

    /** Argument of set_pod_target and get_pod_target. */
    public static final class PodTarget {
        public static final Struct LAYOUT = Struct.of("xen_pod_target").u64("target_pages").u64("tot_pages")
                .u64("pod_cache_pages").u64("pod_entries").u16("domid").build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOMID = LAYOUT.offset("domid");

        private PodTarget() {
        }
    }

    /** Argument of get_vnumainfo. */
    public static final class VnumaTopology {
        public static final Struct LAYOUT = Struct.of("xen_vnuma_topology_info").u16("domid").u16("pad")
                .u32("nr_vnodes").u32("nr_vcpus").u32("nr_vmemranges").u64("vdistance.pad").u64("vcpu_to_vnode.pad")
                .u64("vmemrange.pad").build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOMID = LAYOUT.offset("domid");
        public static final int PAD = LAYOUT.offset("pad");

        private VnumaTopology() {
        }
    }

    /** Argument of reserved_device_memory_map. */
    public static final class ReservedDeviceMemory {
        public static final Struct LAYOUT = Struct.of("xen_reserved_device_memory_map").u32("flags").u32("nr_entries")
                .ulong("buffer").u16("dev.pci.seg").u8("dev.pci.bus").u8("dev.pci.devfn").build();
        public static final int SIZE = LAYOUT.size();
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int NR_ENTRIES = LAYOUT.offset("nr_entries");
        /** The one flag that there is. */
        public static final int ALL = 1;

        private ReservedDeviceMemory() {
        }
    }

    /** Argument of acquire_resource. */
    public static final class AcquireResource {
        public static final Struct LAYOUT = Struct.of("xen_mem_acquire_resource").u16("domid").u16("type").u32("id")
                .u32("nr_frames").u32("pad").u64("frame").ulong("frame_list").build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOMID = LAYOUT.offset("domid");
        public static final int TYPE = LAYOUT.offset("type");
        public static final int ID = LAYOUT.offset("id");
        public static final int NR_FRAMES = LAYOUT.offset("nr_frames");
        public static final int PAD = LAYOUT.offset("pad");
        public static final int FRAME = LAYOUT.offset("frame");
        public static final int FRAME_LIST = LAYOUT.offset("frame_list");
        /** The type of a grant table, and which of its two lists of frames. */
        public static final int GRANT_TABLE = 1;
        public static final int SHARED = 0;
        public static final int STATUS = 1;

        private AcquireResource() {
        }
    }

    private Xenmem() {
    }
}
