package dev.xenolith.dom0.net.packet;

/**
 * Which unfinished frames a receiver takes. A port of a Xen vif derives them from its frontend's nodes in xenstore.
 *
 * @param checksumV4 blank checksums of TCP and UDP over IPv4 (feature-no-csum-offload = 0)
 * @param checksumV6 blank checksums of TCP and UDP over IPv6 (feature-ipv6-csum-offload)
 * @param gsoTcpV4 frames of up to 64 KiB of TCP over IPv4 (feature-gso-tcpv4); counts with {@code checksumV4} only
 * @param gsoTcpV6 the same over IPv6 (feature-gso-tcpv6); counts with {@code checksumV6} only
 */
public record OffloadFeatures(boolean checksumV4, boolean checksumV6, boolean gsoTcpV4, boolean gsoTcpV6) {
    /** Only frames as they are on a wire. */
    public static final OffloadFeatures NONE = new OffloadFeatures(false, false, false, false);

    /** Everything. */
    public static final OffloadFeatures ALL = new OffloadFeatures(true, true, true, true);

    /** Whether a frame that is to be cut into {@code gso} is taken whole. */
    public boolean takes(Gso gso) {
        return switch (gso) {
            case NONE -> true;
            case TCPV4 -> gsoTcpV4 && checksumV4;
            case TCPV6 -> gsoTcpV6 && checksumV6;
        };
    }
}
