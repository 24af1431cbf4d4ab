package dev.xenolith.hypervisor.abi;

import dev.xenolith.hypervisor.abi.Struct.Type;

/** xen/include/public/io/blkif.h: requests of block frontends, and responses. The 32-bit layout is protocol x86_32-abi. */
public final class Blkif {
    public static final int OP_READ = 0;
    public static final int OP_WRITE = 1;
    public static final int OP_WRITE_BARRIER = 2;
    public static final int OP_FLUSH_DISKCACHE = 3;
    public static final int OP_DISCARD = 5;
    public static final int OP_INDIRECT = 6;

    public static final int RSP_OKAY = 0;
    public static final int RSP_ERROR = -1;
    public static final int RSP_EOPNOTSUPP = -2;

    /** Segments in a request itself. */
    public static final int MAX_SEGMENTS = 11;
    /** Pages of segments that an indirect request may name. */
    public static final int MAX_INDIRECT_PAGES = 8;
    /** Sectors of the ring are of 512 bytes, whatever the device has. */
    public static final int SECTOR_SHIFT = 9;
    /** First and last sector of a segment are below this. */
    public static final int SECTORS_PER_PAGE = 8;

    public static final int VDISK_CDROM = 1;
    public static final int VDISK_REMOVABLE = 2;
    public static final int VDISK_READONLY = 4;

    public static final Struct SEGMENT = Struct.of("blkif_request_segment").u32("gref").u8("first_sect").u8("last_sect")
            .build();
    public static final Struct REQUEST = Struct.of("blkif_request").u8("operation").u8("nr_segments").u16("handle")
            .u64("id").u64("sector_number").nested(SEGMENT, "seg", MAX_SEGMENTS).build();
    public static final Struct REQUEST_DISCARD = Struct.of("blkif_request_discard").u8("operation").u8("flag")
            .u16("handle").u64("id").u64("sector_number").u64("nr_sectors").build();
    public static final Struct REQUEST_INDIRECT = Struct.of("blkif_request_indirect").u8("operation").u8("indirect_op")
            .u16("nr_segments").u64("id").u64("sector_number").u16("handle")
            .array(Type.U32, "indirect_grefs", MAX_INDIRECT_PAGES).u64OnlyCompat("pad").build();
    public static final Struct RESPONSE = Struct.of("blkif_response").u64("id").u8("operation").u16("status").build();

    private Blkif() {
    }
}
