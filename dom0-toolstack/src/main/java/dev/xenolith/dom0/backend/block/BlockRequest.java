package dev.xenolith.dom0.backend.block;

import dev.xenolith.hypervisor.abi.Blkif;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.operations.Grants;
import dev.xenolith.hypervisor.operations.Grants.Parts;

/** A request of a frontend, read once from its ring and checked. Objects are used again, so that a busy ring makes no garbage. */
final class BlockRequest {
    /** Segments that a frontend may put into pages of an indirect request ("feature-max-indirect-segments"); as Linux offers. */
    static final int MAX_INDIRECT_SEGMENTS = 256;
    private static final int SEGMENT = Blkif.SEGMENT.size();
    private static final int SEGMENTS_PER_PAGE = 4096 / SEGMENT;
    private static final int FIRST = Blkif.SEGMENT.offset("first_sect");
    private static final int LAST = Blkif.SEGMENT.offset("last_sect");

    private static final byte[] NOTHING = new byte[0];

    /** BLKIF_OP_*: what is to be done, and what the response says was done. For an indirect request what its segments are for. */
    int operation;
    long id;
    long sector;
    /** Sectors of a discard. */
    long discarded;
    /** What it is to be answered, once it is {@link #finished}. */
    int status;
    boolean finished;
    final Parts parts = new Parts(MAX_INDIRECT_SEGMENTS);
    byte[] data = NOTHING;

    private final byte[] indirect = new byte[MAX_INDIRECT_SEGMENTS * SEGMENT];

    /**
     * Reads a request.
     *
     * @param entry a copy of the ring's entry
     * @return {@link Blkif#RSP_OKAY}, or what the frontend is to be answered instead
     */
    int parse(BlockProtocol protocol, byte[] entry, Grants grants, int domid) {
        operation = entry[0] & 0xff;
        id = Bytes.get64(entry, protocol.id);
        sector = Bytes.get64(entry, protocol.sector);
        discarded = 0;
        finished = false;
        parts.clear();
        switch (operation) {
            case Blkif.OP_READ, Blkif.OP_WRITE, Blkif.OP_WRITE_BARRIER, Blkif.OP_FLUSH_DISKCACHE -> {
                int count = entry[1] & 0xff;
                if (count > Blkif.MAX_SEGMENTS || count == 0 && operation <= Blkif.OP_WRITE) {
                    return Blkif.RSP_ERROR;
                }
                return segments(entry, protocol.segments, count) ? prepare() : Blkif.RSP_ERROR;
            }
            case Blkif.OP_DISCARD -> {
                discarded = Bytes.get64(entry, protocol.discardSectors);
                // Secure erasure was not offered.
                return entry[1] == 0 ? Blkif.RSP_OKAY : Blkif.RSP_EOPNOTSUPP;
            }
            case Blkif.OP_INDIRECT -> {
                return parseIndirect(protocol, entry, grants, domid);
            }
            default -> {
                return Blkif.RSP_EOPNOTSUPP;
            }
        }
    }

    private int parseIndirect(BlockProtocol protocol, byte[] entry, Grants grants, int domid) {
        operation = entry[1] & 0xff;
        int count = Bytes.get16(entry, protocol.indirectSegments);
        if (operation != Blkif.OP_READ && operation != Blkif.OP_WRITE || count == 0 || count > MAX_INDIRECT_SEGMENTS) {
            return Blkif.RSP_ERROR;
        }
        for (int done = 0; done < count; done += SEGMENTS_PER_PAGE) {
            int here = Math.min(count - done, SEGMENTS_PER_PAGE);
            int reference = Bytes.get32(entry, protocol.indirectGrefs + done / SEGMENTS_PER_PAGE * Integer.BYTES);
            if (grants.copyFrom(domid, reference, 0, indirect, done * SEGMENT, here * SEGMENT) != 0) {
                return Blkif.RSP_ERROR;
            }
        }
        return segments(indirect, 0, count) ? prepare() : Blkif.RSP_ERROR;
    }

    private boolean segments(byte[] from, int at, int count) {
        for (int i = 0; i < count; i++, at += SEGMENT) {
            int first = from[at + FIRST] & 0xff;
            int last = from[at + LAST] & 0xff;
            if (first > last || last >= Blkif.SECTORS_PER_PAGE) {
                return false;
            }
            parts.add(Bytes.get32(from, at), first << Blkif.SECTOR_SHIFT, last - first + 1 << Blkif.SECTOR_SHIFT);
        }
        return true;
    }

    private int prepare() {
        if (data.length < parts.bytes()) {
            data = new byte[parts.bytes()];
        }
        return Blkif.RSP_OKAY;
    }

    void dropBuffer() {
        data = NOTHING;
    }

    /** Sectors that are moved or given back. */
    long sectors() {
        return operation == Blkif.OP_DISCARD ? discarded : parts.bytes() >> Blkif.SECTOR_SHIFT;
    }

    /** Whether what it touches lies on a disk of so many sectors. */
    boolean fits(long diskSectors) {
        long count = sectors();
        return count == 0 || sector >= 0 && count > 0 && count <= diskSectors && sector <= diskSectors - count;
    }

    /** Whether it changes the disk. */
    boolean writes() {
        return operation != Blkif.OP_READ;
    }
}
