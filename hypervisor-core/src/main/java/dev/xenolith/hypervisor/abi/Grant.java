package dev.xenolith.hypervisor.abi;

/** xen/include/public/grant_table.h: entries of both versions, operations, flags and statuses. */
public final class Grant {
    /** Operations of grant_table_op; the bits above CMD_MASK carry progress of cache_flush. */
    public static final int GNTTABOP_MAP_GRANT_REF = 0;
    public static final int GNTTABOP_UNMAP_GRANT_REF = 1;
    public static final int GNTTABOP_SETUP_TABLE = 2;
    public static final int GNTTABOP_DUMP_TABLE = 3;
    public static final int GNTTABOP_TRANSFER = 4;
    public static final int GNTTABOP_COPY = 5;
    public static final int GNTTABOP_QUERY_SIZE = 6;
    public static final int GNTTABOP_UNMAP_AND_REPLACE = 7;
    public static final int GNTTABOP_SET_VERSION = 8;
    public static final int GNTTABOP_GET_STATUS_FRAMES = 9;
    public static final int GNTTABOP_GET_VERSION = 10;
    public static final int GNTTABOP_SWAP_GRANT_REF = 11;
    public static final int GNTTABOP_CACHE_FLUSH = 12;
    public static final int GNTTABOP_CMD_MASK = 0xfff;

    /** Statuses, one for each operation of a batch. */
    public static final int GNTST_OKAY = 0;
    public static final int GNTST_GENERAL_ERROR = -1;
    public static final int GNTST_BAD_DOMAIN = -2;
    public static final int GNTST_BAD_GNTREF = -3;
    public static final int GNTST_BAD_HANDLE = -4;
    public static final int GNTST_BAD_VIRT_ADDR = -5;
    public static final int GNTST_BAD_DEV_ADDR = -6;
    public static final int GNTST_NO_DEVICE_SPACE = -7;
    public static final int GNTST_PERMISSION_DENIED = -8;
    public static final int GNTST_BAD_PAGE = -9;
    public static final int GNTST_BAD_COPY_ARG = -10;
    public static final int GNTST_ADDRESS_TOO_BIG = -11;
    public static final int GNTST_EAGAIN = -12;
    public static final int GNTST_NO_SPACE = -13;

    /** Entry flags: the type, and what the granter and the hypervisor note beside it. */
    public static final int GTF_INVALID = 0;
    public static final int GTF_PERMIT_ACCESS = 1;
    public static final int GTF_ACCEPT_TRANSFER = 2;
    /** Version 2, for copies: hands on what another domain has granted. */
    public static final int GTF_TRANSITIVE = 3;
    public static final int GTF_TYPE_MASK = 3;
    public static final int GTF_READONLY = 1 << 2;
    public static final int GTF_READING = 1 << 3;
    public static final int GTF_WRITING = 1 << 4;
    public static final int GTF_SUB_PAGE = 1 << 8;
    /** Flags of an ACCEPT_TRANSFER entry. */
    public static final int GTF_TRANSFER_COMMITTED = 1 << 2;
    public static final int GTF_TRANSFER_COMPLETED = 1 << 3;

    /** Flags of map_grant_ref; three bits for the guest's use in the page table entry follow from bit 16. */
    public static final int GNTMAP_DEVICE_MAP = 1;
    public static final int GNTMAP_HOST_MAP = 1 << 1;
    public static final int GNTMAP_READONLY = 1 << 2;
    public static final int GNTMAP_APPLICATION_MAP = 1 << 3;
    public static final int GNTMAP_CONTAINS_PTE = 1 << 4;
    public static final int GNTMAP_GUEST_AVAIL_SHIFT = 16;

    public static final int GNTCOPY_SOURCE_GREF = 1;
    public static final int GNTCOPY_DEST_GREF = 1 << 1;

    public static final int GNTTAB_CACHE_CLEAN = 1;
    public static final int GNTTAB_CACHE_INVAL = 1 << 1;
    public static final int GNTTAB_CACHE_SOURCE_GREF = 1 << 31;

    /** Entries that the toolstack fills in; they survive a change of version. */
    public static final int GNTTAB_NR_RESERVED_ENTRIES = 8;
    public static final int GNTTAB_RESERVED_CONSOLE = 0;
    public static final int GNTTAB_RESERVED_XENSTORE = 1;

    /** A version 1 entry: 512 in a frame. */
    public static final class EntryV1 {
        public static final Struct LAYOUT = Struct.of("grant_entry_v1").u16("flags").u16("domid").u32("frame").build();
        public static final int SIZE = LAYOUT.size();
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int DOMID = LAYOUT.offset("domid");
        public static final int FRAME = LAYOUT.offset("frame");

        private EntryV1() {
        }
    }

    /**
     * A version 2 entry: 256 in a frame. Header and frame are those of a full page; {@code page_off} and {@code length} of a part of
     * one, {@code trans_domid} and {@code gref} of a transitive entry are in its place or beside it.
     */
    public static final class EntryV2 {
        public static final Struct HEADER = Struct.of("grant_entry_header").u16("flags").u16("domid").build();
        public static final Struct LAYOUT = Struct.unionOf("grant_entry_v2",
                Struct.of("full_page").nested(HEADER, "hdr", 1).u32("pad0").u64("frame").build(),
                Struct.of("sub_page").nested(HEADER, "hdr", 1).u16("page_off").u16("length").u64("frame").build(),
                Struct.of("transitive").nested(HEADER, "hdr", 1).u16("trans_domid").u16("pad0").u32("gref").build());
        public static final int SIZE = LAYOUT.size();
        public static final int FRAME = LAYOUT.offset("full_page.frame");
        public static final int PAGE_OFF = LAYOUT.offset("sub_page.page_off");
        public static final int LENGTH = LAYOUT.offset("sub_page.length");
        public static final int TRANS_DOMID = LAYOUT.offset("transitive.trans_domid");
        public static final int GREF = LAYOUT.offset("transitive.gref");

        private EntryV2() {
        }
    }

    /** GNTTABOP_map_grant_ref. */
    public static final class Map {
        public static final Struct LAYOUT = Struct.of("gnttab_map_grant_ref").u64("host_addr").u32("flags").u32("ref")
                .u16("dom").u16("status").u32("handle").u64("dev_bus_addr").build();
        public static final int SIZE = LAYOUT.size();
        public static final int HOST_ADDR = LAYOUT.offset("host_addr");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int REF = LAYOUT.offset("ref");
        public static final int DOM = LAYOUT.offset("dom");
        public static final int STATUS = LAYOUT.offset("status");
        public static final int HANDLE = LAYOUT.offset("handle");
        public static final int DEV_BUS_ADDR = LAYOUT.offset("dev_bus_addr");

        private Map() {
        }
    }

    /** GNTTABOP_unmap_grant_ref. */
    public static final class Unmap {
        public static final Struct LAYOUT = Struct.of("gnttab_unmap_grant_ref").u64("host_addr").u64("dev_bus_addr")
                .u32("handle").u16("status").build();
        public static final int SIZE = LAYOUT.size();
        public static final int HOST_ADDR = LAYOUT.offset("host_addr");
        public static final int DEV_BUS_ADDR = LAYOUT.offset("dev_bus_addr");
        public static final int HANDLE = LAYOUT.offset("handle");
        public static final int STATUS = LAYOUT.offset("status");

        private Unmap() {
        }
    }

    /** GNTTABOP_setup_table. */
    public static final class Setup {
        public static final Struct LAYOUT = Struct.of("gnttab_setup_table").u16("dom").u32("nr_frames").u16("status")
                .ulong("frame_list").build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOM = LAYOUT.offset("dom");
        public static final int NR_FRAMES = LAYOUT.offset("nr_frames");
        public static final int STATUS = LAYOUT.offset("status");
        public static final int FRAME_LIST = LAYOUT.offset("frame_list");

        private Setup() {
        }
    }

    /** GNTTABOP_transfer. */
    public static final class Transfer {
        public static final Struct LAYOUT = Struct.of("gnttab_transfer").ulong("mfn").u16("domid").u32("ref")
                .u16("status").build();
        public static final int SIZE = LAYOUT.size();
        public static final int MFN = LAYOUT.offset("mfn");
        public static final int DOMID = LAYOUT.offset("domid");
        public static final int REF = LAYOUT.offset("ref");
        public static final int STATUS = LAYOUT.offset("status");

        private Transfer() {
        }
    }

    /** GNTTABOP_copy; each end is a grant reference or, of the caller's own, a frame. */
    public static final class Copy {
        public static final Struct POINTER = Struct.of("gnttab_copy_ptr").ulong("u.gmfn").u16("domid").u16("offset")
                .build();
        public static final Struct LAYOUT = Struct.of("gnttab_copy").nested(POINTER, "source", 1)
                .nested(POINTER, "dest", 1).u16("len").u16("flags").u16("status").build();
        public static final int SIZE = LAYOUT.size();
        public static final int SOURCE_REF = LAYOUT.offset("source.u.gmfn");
        public static final int SOURCE_DOMID = LAYOUT.offset("source.domid");
        public static final int SOURCE_OFFSET = LAYOUT.offset("source.offset");
        public static final int DEST_REF = LAYOUT.offset("dest.u.gmfn");
        public static final int DEST_DOMID = LAYOUT.offset("dest.domid");
        public static final int DEST_OFFSET = LAYOUT.offset("dest.offset");
        public static final int LEN = LAYOUT.offset("len");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int STATUS = LAYOUT.offset("status");

        private Copy() {
        }
    }

    /** GNTTABOP_query_size. */
    public static final class QuerySize {
        public static final Struct LAYOUT = Struct.of("gnttab_query_size").u16("dom").u32("nr_frames")
                .u32("max_nr_frames").u16("status").build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOM = LAYOUT.offset("dom");
        public static final int NR_FRAMES = LAYOUT.offset("nr_frames");
        public static final int MAX_NR_FRAMES = LAYOUT.offset("max_nr_frames");
        public static final int STATUS = LAYOUT.offset("status");

        private QuerySize() {
        }
    }

    /** GNTTABOP_unmap_and_replace. */
    public static final class UnmapAndReplace {
        public static final Struct LAYOUT = Struct.of("gnttab_unmap_and_replace").u64("host_addr").u64("new_addr")
                .u32("handle").u16("status").build();
        public static final int SIZE = LAYOUT.size();
        public static final int HOST_ADDR = LAYOUT.offset("host_addr");
        public static final int NEW_ADDR = LAYOUT.offset("new_addr");
        public static final int HANDLE = LAYOUT.offset("handle");
        public static final int STATUS = LAYOUT.offset("status");

        private UnmapAndReplace() {
        }
    }

    /** GNTTABOP_set_version. */
    public static final class SetVersion {
        public static final Struct LAYOUT = Struct.of("gnttab_set_version").u32("version").build();
        public static final int SIZE = LAYOUT.size();
        public static final int VERSION = LAYOUT.offset("version");

        private SetVersion() {
        }
    }

    /** GNTTABOP_get_status_frames. */
    public static final class GetStatusFrames {
        public static final Struct LAYOUT = Struct.of("gnttab_get_status_frames").u32("nr_frames").u16("dom")
                .u16("status").ulong("frame_list").build();
        public static final int SIZE = LAYOUT.size();
        public static final int NR_FRAMES = LAYOUT.offset("nr_frames");
        public static final int DOM = LAYOUT.offset("dom");
        public static final int STATUS = LAYOUT.offset("status");
        public static final int FRAME_LIST = LAYOUT.offset("frame_list");

        private GetStatusFrames() {
        }
    }

    /** GNTTABOP_get_version. */
    public static final class GetVersion {
        public static final Struct LAYOUT = Struct.of("gnttab_get_version").u16("dom").u16("pad").u32("version")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOM = LAYOUT.offset("dom");
        public static final int VERSION = LAYOUT.offset("version");

        private GetVersion() {
        }
    }

    /** GNTTABOP_swap_grant_ref. */
    public static final class SwapGrantRef {
        public static final Struct LAYOUT = Struct.of("gnttab_swap_grant_ref").u32("ref_a").u32("ref_b").u16("status")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int REF_A = LAYOUT.offset("ref_a");
        public static final int REF_B = LAYOUT.offset("ref_b");
        public static final int STATUS = LAYOUT.offset("status");

        private SwapGrantRef() {
        }
    }

    /** GNTTABOP_cache_flush. */
    public static final class CacheFlush {
        public static final Struct LAYOUT = Struct.of("gnttab_cache_flush").u64("a.dev_bus_addr").u16("offset")
                .u16("length").u32("op").build();
        public static final int SIZE = LAYOUT.size();
        public static final int ADDRESS = LAYOUT.offset("a.dev_bus_addr");
        public static final int OFFSET = LAYOUT.offset("offset");
        public static final int LENGTH = LAYOUT.offset("length");
        public static final int OP = LAYOUT.offset("op");

        private CacheFlush() {
        }
    }

    private Grant() {
    }
}
