package dev.xenolith.dom0.net.packet;

import org.jspecify.annotations.Nullable;

/**
 * Where the headers of an IP packet in a frame are. Offsets are relative to the first byte of the frame; everything up to
 * {@code end} is inside it.
 *
 * @param network where the IP header begins, behind at most two VLAN tags
 * @param version 4 or 6
 * @param protocol of the transport header; of IPv6 what follows the extension headers
 * @param transport where the transport header begins, if the packet is no later fragment
 * @param end after the last byte of the packet; padding may follow
 * @param fragment it is a part of a packet
 */
public record Headers(int network, int version, int protocol, int transport, int end, boolean fragment) {
    /** Length of an Ethernet header without VLAN tag. */
    public static final int ETHERNET = 14;

    /** EtherTypes. */
    public static final int TYPE_IPV4 = 0x0800;
    public static final int TYPE_ARP = 0x0806;
    public static final int TYPE_IPV6 = 0x86dd;
    private static final int TYPE_VLAN = 0x8100;
    private static final int TYPE_SERVICE_VLAN = 0x88a8;
    private static final int VLAN_TAG = 4;
    private static final int MAX_VLAN_TAGS = 2;

    /** Protocols. */
    public static final int ICMP = 1;
    public static final int TCP = 6;
    public static final int UDP = 17;

    private static final int IPV4_HEADER = 20;
    private static final int IPV6_HEADER = 40;
    private static final int HOP_BY_HOP = 0;
    private static final int ROUTING = 43;
    private static final int FRAGMENT = 44;
    private static final int DESTINATION_OPTIONS = 60;
    /** More extension headers than this no stack sends; they bound the work. */
    private static final int MAX_EXTENSIONS = 8;

    /** Finds the headers; null if the frame is no IP packet, or one whose lengths do not fit into it. */
    public static @Nullable Headers find(byte[] frame, int offset, int length) {
        int type = ETHERNET - 2;
        for (int tags = 0;; tags++) {
            if (type + 2 > length) {
                return null;
            }
            int value = Bytes.get16(frame, offset + type);
            if (value == TYPE_IPV4) {
                return ipv4(frame, offset, length, type + 2);
            } else if (value == TYPE_IPV6) {
                return ipv6(frame, offset, length, type + 2);
            } else if (value != TYPE_VLAN && value != TYPE_SERVICE_VLAN || tags == MAX_VLAN_TAGS) {
                return null;
            }
            type += VLAN_TAG;
        }
    }

    private static @Nullable Headers ipv4(byte[] frame, int offset, int length, int network) {
        if (network + IPV4_HEADER > length) {
            return null;
        }
        int first = Bytes.get8(frame, offset + network);
        int header = (first & 0xf) * 4;
        int total = Bytes.get16(frame, offset + network + 2);
        if (first >> 4 != 4 || header < IPV4_HEADER || total < header || network + total > length) {
            return null;
        }
        boolean fragment = (Bytes.get16(frame, offset + network + 6) & 0x3fff) != 0;
        return new Headers(network, 4, Bytes.get8(frame, offset + network + 9), network + header, network + total,
                fragment);
    }

    private static @Nullable Headers ipv6(byte[] frame, int offset, int length, int network) {
        if (network + IPV6_HEADER > length || Bytes.get8(frame, offset + network) >> 4 != 6) {
            return null;
        }
        int end = network + IPV6_HEADER + Bytes.get16(frame, offset + network + 4);
        if (end > length) {
            return null;
        }
        int protocol = Bytes.get8(frame, offset + network + 6);
        int at = network + IPV6_HEADER;
        boolean fragment = false;
        for (int i = 0; i < MAX_EXTENSIONS; i++) {
            if (protocol != HOP_BY_HOP && protocol != ROUTING && protocol != DESTINATION_OPTIONS
                    && protocol != FRAGMENT) {
                return new Headers(network, 6, protocol, at, end, fragment);
            }
            if (at + 8 > end) {
                return null;
            }
            int size = protocol == FRAGMENT ? 8 : (Bytes.get8(frame, offset + at + 1) + 1) * 8;
            fragment |= protocol == FRAGMENT;
            protocol = Bytes.get8(frame, offset + at);
            at += size;
            if (at > end) {
                return null;
            }
        }
        return null;
    }

    /**
     * The offload of a frame whose checksum is blank, or that is to be cut: null if it is neither whole TCP nor UDP, or its
     * kind is not {@code gso}'s.
     *
     * @param gso how it is to be cut
     * @param segmentSize 1..65535 with GSO, else 0
     */
    public @Nullable Offload blank(Gso gso, int segmentSize) {
        if (fragment || protocol != TCP && (protocol != UDP || gso != Gso.NONE)
                || gso != Gso.NONE && (version == 4) != (gso == Gso.TCPV4)) {
            return null;
        }
        return new Offload(transport, checksumOffset(), true, gso, segmentSize);
    }

    /** Offset of the checksum in the transport header, of TCP or UDP. */
    int checksumOffset() {
        return protocol == TCP ? Offload.TCP_CHECKSUM : Offload.UDP_CHECKSUM;
    }

    /**
     * Sum of the pseudo header for a transport header and payload of {@code length} bytes, unfolded. A routing header is not
     * looked into: the destination is that of the IP header.
     */
    public long pseudoSum(byte[] frame, int offset, int length) {
        int addresses = version == 4 ? network + 12 : network + 8;
        return InternetChecksum.add(protocol + (long) length, frame, offset + addresses, version == 4 ? 8 : 32);
    }
}
