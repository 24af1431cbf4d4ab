package dev.xenolith.dom0.net.packet;

/** What kind of segments a large frame is to be cut into (XEN_NETIF_GSO_TYPE_* of xen/include/public/io/netif.h). */
public enum Gso {
    /** The frame is one packet. */
    NONE,
    /** TCP over IPv4. */
    TCPV4,
    /** TCP over IPv6. */
    TCPV6
}
