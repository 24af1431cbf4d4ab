package dev.xenolith.dom0.net.nat;

/**
 * Something that the NAT itself serves at a UDP port of its gateway: DHCP, one day TFTP. Gets what guests send there and to
 * broadcast addresses, on the machine thread.
 */
@FunctionalInterface
interface UdpService {
    /**
     * A datagram whose checksum was right; its bytes are valid during the call.
     *
     * @param sourceMac of the guest
     */
    void datagram(UdpDatagram datagram, long sourceMac);
}
