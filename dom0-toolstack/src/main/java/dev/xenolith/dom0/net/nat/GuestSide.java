package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.Bridge;
import dev.xenolith.dom0.net.Link;
import dev.xenolith.dom0.net.packet.Bytes;
import dev.xenolith.dom0.net.packet.Gso;
import dev.xenolith.dom0.net.packet.Headers;
import dev.xenolith.dom0.net.packet.InternetChecksum;
import dev.xenolith.dom0.net.packet.Mac;
import dev.xenolith.dom0.net.packet.Offload;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The NAT's way to its guests: knows who has which address (ARP, RFC 826), makes IPv4 packets, and sends them. Packets are built
 * in buffers from {@link #buffer}, their payload at {@link #PAYLOAD}.
 */
final class GuestSide {
    /** Where the payload of a packet begins in its frame. */
    static final int PAYLOAD = Headers.ETHERNET + GuestSide.IP_HEADER;

    /** Addresses known at most; the one learned first makes room. */
    static final int MAX_NEIGHBOURS = 1024;

    /** Packets that wait for an answer to ARP at most, and their bytes; the oldest make room. */
    static final int MAX_WAITING = 64;
    private static final int MAX_WAITING_BYTES = 1 << 20;

    private static final int IP_HEADER = 20;
    private static final int MAX_BUFFERS = 4;
    private static final int TIME_TO_LIVE = 64;
    private static final int ARP_LENGTH = 28;
    private static final int ARP_REQUEST = 1;
    private static final int ARP_REPLY = 2;

    private record Waiting(int destination, byte[] frame, Offload offload) {
    }

    private final NatSettings settings;
    private final long mac;
    private final Map<Integer, Long> neighbours = new LinkedHashMap<>();
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private final Deque<byte[]> buffers = new ArrayDeque<>();
    private @Nullable Link link;
    private boolean sending;
    private int waitingBytes;
    private int identification;

    /** @param mac of the gateway, which answers for all addresses of the NAT */
    GuestSide(NatSettings settings, long mac) {
        this.settings = settings;
        this.mac = mac;
    }

    /** Whether we are in the middle of sending a frame. */
    boolean isSending() { return sending; }

    void attach(Link newLink) {
        link = newLink;
    }

    int neighbourCount() {
        return neighbours.size();
    }

    int waitingCount() {
        return waiting.size();
    }

    /** Notes where a guest's packets come from. */
    void learn(int address, long source) {
        if (!settings.isGuest(address) || Mac.isGroup(source) || source == 0) {
            return;
        }
        Long known = neighbours.get(address);
        if (known != null && known == source) {
            return;
        }
        if (known == null && neighbours.size() == MAX_NEIGHBOURS) {
            neighbours.remove(neighbours.keySet().iterator().next());
        }
        neighbours.put(address, source);
        sendWaiting(address, source);
    }

    private void sendWaiting(int address, long to) {
        if (waiting.isEmpty()) {
            return;
        }
        Deque<Waiting> now = new ArrayDeque<>();
        for (Iterator<Waiting> all = waiting.iterator(); all.hasNext();) {
            Waiting packet = all.next();
            if (packet.destination == address) {
                all.remove();
                waitingBytes -= packet.frame.length;
                now.add(packet);
            }
        }
        for (Waiting packet : now) {
            Mac.write(packet.frame, 0, to);
            transmit(packet.frame, packet.frame.length, packet.offload);
        }
    }

    /** Takes an ARP packet: learns, and answers for the NAT's addresses. */
    void arp(byte[] frame, int offset, int length) {
        int at = offset + Headers.ETHERNET;
        if (length < Headers.ETHERNET + ARP_LENGTH || Bytes.get32(frame, at) != 0x0001_0800
                || Bytes.get16(frame, at + 4) != 0x0604) {
            return;
        }
        int operation = Bytes.get16(frame, at + 6);
        long sender = Mac.read(frame, at + 8);
        int senderAddress = Bytes.get32(frame, at + 14);
        int target = Bytes.get32(frame, at + 24);
        learn(senderAddress, sender);
        if (operation == ARP_REQUEST && (target == settings.gateway() || target == settings.dns())) {
            sendArp(ARP_REPLY, target, sender, senderAddress, sender);
        }
    }

    private void sendArp(int operation, int source, long targetMac, int target, long to) {
        byte[] frame = new byte[60];
        Mac.write(frame, 0, to);
        Mac.write(frame, Mac.LENGTH, mac);
        Bytes.put16(frame, 12, Headers.TYPE_ARP);
        Bytes.put32(frame, 14, 0x0001_0800);
        Bytes.put16(frame, 18, 0x0604);
        Bytes.put16(frame, 20, operation);
        Mac.write(frame, 22, mac);
        Bytes.put32(frame, 28, source);
        Mac.write(frame, 32, targetMac);
        Bytes.put32(frame, 38, target);
        transmit(frame, frame.length, Offload.NONE);
    }

    /** A buffer for a packet, to be given to one of the methods that send. */
    byte[] buffer() {
        byte[] buffer = buffers.poll();
        return buffer != null ? buffer : new byte[Bridge.MAX_FRAME];
    }

    private void giveBack(byte[] buffer) {
        if (buffers.size() < MAX_BUFFERS) {
            buffers.push(buffer);
        }
    }

    /** Sends a TCP segment, whose header and payload are there but for the checksum; the bridge cuts what is longer. */
    void sendTcp(byte[] buffer, int source, int destination, int length, int header, int segmentSize) {
        putPseudoSum(buffer, source, destination, Headers.TCP, length, Offload.TCP_CHECKSUM);
        Offload offload = length - header > segmentSize && segmentSize > 0
                ? Offload.segments(Gso.TCPV4, segmentSize, PAYLOAD)
                : Offload.blank(PAYLOAD, Offload.TCP_CHECKSUM);
        putIp(buffer, source, destination, Headers.TCP, length, 0);
        route(buffer, destination, length, offload);
        giveBack(buffer);
    }

    /** Sends a UDP datagram. One that is too long for an IP packet is dropped. */
    void sendUdp(int source, int sourcePort, int destination, int destinationPort, byte[] payload) {
        sendUdp(source, sourcePort, destination, destinationPort, payload, 0);
    }

    /** The same to a MAC address, whoever has the IP address; 0 to whoever has it. */
    void sendUdp(int source, int sourcePort, int destination, int destinationPort, byte[] payload, long to) {
        int length = UdpDatagram.HEADER + payload.length;
        if (IP_HEADER + length > 0xffff) {
            return;
        }
        byte[] buffer = buffer();
        Bytes.put16(buffer, PAYLOAD, sourcePort);
        Bytes.put16(buffer, PAYLOAD + 2, destinationPort);
        Bytes.put16(buffer, PAYLOAD + 4, length);
        System.arraycopy(payload, 0, buffer, PAYLOAD + UdpDatagram.HEADER, payload.length);
        putPseudoSum(buffer, source, destination, Headers.UDP, length, Offload.UDP_CHECKSUM);
        if (IP_HEADER + length <= settings.mtu()) {
            putIp(buffer, source, destination, Headers.UDP, length, 0);
            Offload offload = Offload.blank(PAYLOAD, Offload.UDP_CHECKSUM);
            if (to != 0) {
                putEthernet(buffer, to);
                transmit(buffer, PAYLOAD + length, offload);
            } else {
                route(buffer, destination, length, offload);
            }
            giveBack(buffer);
        } else {
            int checksum = InternetChecksum.of(buffer, PAYLOAD, length);
            Bytes.put16(buffer, PAYLOAD + Offload.UDP_CHECKSUM, checksum == 0 ? 0xffff : checksum);
            send(buffer, source, destination, Headers.UDP, length);
        }
    }

    /** Sends a packet whose payload is complete, in fragments if it is longer than the MTU. */
    void send(byte[] buffer, int source, int destination, int protocol, int length) {
        int most = settings.mtu() - IP_HEADER & -8;
        if (IP_HEADER + length <= settings.mtu()) {
            putIp(buffer, source, destination, protocol, length, 0);
            route(buffer, destination, length, Offload.VALIDATED);
        } else {
            int number = identification++;
            byte[] fragment = buffer();
            for (int start = 0; start < length; start += most) {
                int part = Math.min(most, length - start);
                System.arraycopy(buffer, PAYLOAD + start, fragment, PAYLOAD, part);
                identification = number;
                putIp(fragment, source, destination, protocol, part, start / 8 | (start + part < length ? 0x2000 : 0));
                route(fragment, destination, part, Offload.NONE);
            }
            giveBack(fragment);
        }
        giveBack(buffer);
    }

    private static void putPseudoSum(byte[] buffer, int source, int destination, int protocol, int length, int at) {
        Bytes.put16(buffer, PAYLOAD + at,
                InternetChecksum.fold(InternetChecksum.pseudoV4(source, destination, protocol, length)));
    }

    private void putIp(byte[] buffer, int source, int destination, int protocol, int length, int fragment) {
        putIpHeader(buffer, Headers.ETHERNET, source, destination, protocol, length, identification++, fragment);
    }

    /** Writes an IPv4 header without options. */
    static void putIpHeader(byte[] buffer, int at, int source, int destination, int protocol, int length,
            int identification, int fragment) {
        Bytes.put16(buffer, at, 0x4500);
        Bytes.put16(buffer, at + 2, IP_HEADER + length);
        Bytes.put16(buffer, at + 4, identification);
        Bytes.put16(buffer, at + 6, fragment);
        Bytes.put16(buffer, at + 8, TIME_TO_LIVE << 8 | protocol);
        Bytes.put16(buffer, at + 10, 0);
        Bytes.put32(buffer, at + 12, source);
        Bytes.put32(buffer, at + 16, destination);
        Bytes.put16(buffer, at + 10, InternetChecksum.of(buffer, at, IP_HEADER));
    }

    private void putEthernet(byte[] frame, long to) {
        Mac.write(frame, 0, to);
        Mac.write(frame, Mac.LENGTH, mac);
        Bytes.put16(frame, 12, Headers.TYPE_IPV4);
    }

    private void route(byte[] frame, int destination, int length, Offload offload) {
        Long known = neighbours.get(destination);
        putEthernet(frame, known == null ? Mac.BROADCAST : known);
        if (known != null) {
            transmit(frame, PAYLOAD + length, offload);
            return;
        }
        waitingBytes += PAYLOAD + length;
        waiting.add(new Waiting(destination, Arrays.copyOf(frame, PAYLOAD + length), offload));
        while (waiting.size() > MAX_WAITING || waitingBytes > MAX_WAITING_BYTES) {
            waitingBytes -= waiting.remove().frame.length;
        }
        sendArp(ARP_REQUEST, settings.gateway(), 0, destination, Mac.BROADCAST);
    }

    private void transmit(byte[] frame, int length, Offload offload) {
        if (link != null) {
            boolean outer = sending;
            sending = true;
            try {
                link.send(frame, 0, length, offload);
            } finally {
                sending = outer;
            }
        }
    }
}
