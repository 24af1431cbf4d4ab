package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.packet.Bytes;
import dev.xenolith.dom0.net.packet.Headers;
import dev.xenolith.dom0.net.packet.InternetChecksum;
import dev.xenolith.dom0.net.packet.Offload;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A UDP datagram of a guest (RFC 768).
 *
 * @param source 0 for a guest that has no address yet
 * @param buffer what holds the payload
 * @param offset where it begins
 * @param length of it, bytes
 */
record UdpDatagram(int source, int sourcePort, int destination, int destinationPort, byte[] buffer, int offset,
        int length) {
    static final int HEADER = 8;

    /** Reads the datagram in a packet; null if its length or checksum is wrong. */
    static @Nullable UdpDatagram parse(IpPacket packet) {
        byte[] buffer = packet.buffer();
        int at = packet.offset();
        if (packet.length() < HEADER) {
            return null;
        }
        int length = Bytes.get16(buffer, at + 4);
        if (length < HEADER || length > packet.length()) {
            return null;
        }
        if (!packet.verified() && Bytes.get16(buffer, at + Offload.UDP_CHECKSUM) != 0 && !InternetChecksum.verifies(
                InternetChecksum.pseudoV4(packet.source(), packet.destination(), Headers.UDP, length), buffer, at,
                length)) {
            return null;
        }
        return new UdpDatagram(packet.source(), Bytes.get16(buffer, at), packet.destination(),
                Bytes.get16(buffer, at + 2), buffer, at + HEADER, length - HEADER);
    }

    /** A copy of the payload. */
    byte[] payload() {
        return Arrays.copyOfRange(buffer, offset, offset + length);
    }
}
