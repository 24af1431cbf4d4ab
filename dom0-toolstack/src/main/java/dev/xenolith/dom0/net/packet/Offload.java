package dev.xenolith.dom0.net.packet;

/**
 * What the sender of a frame has left to others: to compute its TCP or UDP checksum, to cut it into segments. The fields are
 * relative to the first byte of the frame, its destination MAC address.
 *
 * @param checksumStart where the transport header begins, bytes; -1 if the checksum is complete
 * @param checksumOffset of the checksum field in that header, bytes: 16 for TCP, 6 for UDP. The field of a frame whose checksum is
 *     blank holds the sum of the pseudo header, not complemented, as a guest's network stack leaves it for hardware
 * @param validated the receiver need not verify the checksum: it has been, or the frame never left this host
 * @param gso into what the frame is to be cut
 * @param segmentSize payload of each segment but the last, bytes (gso_size), 1..65535; 0 without GSO
 */
public record Offload(int checksumStart, int checksumOffset, boolean validated, Gso gso, int segmentSize) {
    /** A frame as it is on a wire. */
    public static final Offload NONE = new Offload(-1, 0, false, Gso.NONE, 0);

    /** A frame as it is on a wire, whose checksum is known to be right. */
    public static final Offload VALIDATED = new Offload(-1, 0, true, Gso.NONE, 0);

    /** Offset of the checksum in a TCP header. */
    public static final int TCP_CHECKSUM = 16;

    /** Offset of the checksum in a UDP header. */
    public static final int UDP_CHECKSUM = 6;

    /** @throws IllegalArgumentException a frame to be cut has a complete checksum, or segments have no size */
    public Offload {
        if (gso == Gso.NONE ? segmentSize != 0 : segmentSize < 1 || segmentSize > 0xffff || checksumStart < 0) {
            throw new IllegalArgumentException(
                    "GSO " + gso + " with segments of " + segmentSize + " bytes, checksum at " + checksumStart);
        }
    }

    /** A frame with a blank checksum, that need not be verified. */
    public static Offload blank(int checksumStart, int checksumOffset) {
        return new Offload(checksumStart, checksumOffset, true, Gso.NONE, 0);
    }

    /** A TCP frame to be cut into segments. */
    public static Offload segments(Gso gso, int segmentSize, int checksumStart) {
        return new Offload(checksumStart, TCP_CHECKSUM, true, gso, segmentSize);
    }

    /** The checksum is to be computed. */
    public boolean isBlank() { return checksumStart >= 0; }

    /** The frame is to be cut. */
    public boolean isGso() { return gso != Gso.NONE; }
}
