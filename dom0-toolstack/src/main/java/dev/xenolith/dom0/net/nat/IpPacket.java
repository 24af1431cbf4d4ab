package dev.xenolith.dom0.net.nat;

/**
 * A whole IPv4 packet of a guest, its header checked. The payload is valid as long as the frame.
 *
 * @param source 0 for a guest that has no address yet
 * @param protocol of the payload
 * @param timeToLive hops
 * @param verified the checksum of the payload need not be verified
 * @param buffer what holds the payload
 * @param offset where it begins
 * @param length of it, bytes
 */
record IpPacket(int source, int destination, int protocol, int timeToLive, boolean verified, byte[] buffer, int offset,
        int length) {
}
