package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.net.packet.Bytes;
import dev.xenolith.dom0.net.packet.Headers;
import dev.xenolith.dom0.net.packet.InternetChecksum;
import dev.xenolith.dom0.net.packet.Ipv4;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Arrays;

/**
 * ICMP (RFC 792): answers echoes to the NAT itself, asks the host about others, and tells guests of what cannot be reached.
 *
 * <p>Without privileges the host cannot send echoes as they are: Java asks for an answer of any kind
 * ({@link InetAddress#isReachable}), which works with the addresses of hosts that answer to TCP port 7, if only by a reset. If
 * one answers in time the guest gets its echo back, else that the host is unreachable.
 */
final class IcmpSide {
    static final int ECHO_REPLY = 0;
    static final int UNREACHABLE = 3;
    static final int ECHO = 8;
    static final int TIME_EXCEEDED = 11;

    static final int NET_UNREACHABLE = 0;
    static final int HOST_UNREACHABLE = 1;
    static final int PROTOCOL_UNREACHABLE = 2;
    static final int PORT_UNREACHABLE = 3;

    /** Hosts that are being asked at once; further echoes are dropped. */
    static final int MAX_ASKED = 16;

    private static final int HEADER = 8;
    private static final int QUOTED = 20 + 8;
    private static final int REACH_MILLIS = 3000;

    private final NetworkContext context;
    private final NatSettings settings;
    private final GuestSide guests;
    private int asked;

    IcmpSide(NetworkContext context, NatSettings settings, GuestSide guests) {
        this.context = context;
        this.settings = settings;
        this.guests = guests;
    }

    /** Takes a packet of a guest. */
    void input(IpPacket packet) {
        byte[] buffer = packet.buffer();
        if (packet.length() < HEADER || Bytes.get8(buffer, packet.offset()) != ECHO
                || !InternetChecksum.verifies(0, buffer, packet.offset(), packet.length())) {
            return;
        }
        int destination = packet.destination();
        if (destination == settings.gateway() || destination == settings.dns()) {
            echo(packet);
        } else if (asked < MAX_ASKED) {
            asked++;
            IpPacket copy = new IpPacket(packet.source(), destination, packet.protocol(), packet.timeToLive(), true,
                    Arrays.copyOfRange(buffer, packet.offset(), packet.offset() + packet.length()), 0,
                    packet.length());
            Thread.ofVirtual().name("echo").start(() -> ask(copy));
        }
    }

    private void ask(IpPacket packet) {
        boolean reached;
        try {
            reached = Ipv4.toInetAddress(packet.destination()).isReachable(REACH_MILLIS);
        } catch (IOException e) {
            reached = false;
        }
        boolean answer = reached;
        context.post(() -> {
            asked--;
            if (answer) {
                echo(packet);
            } else {
                error(UNREACHABLE, HOST_UNREACHABLE, packet);
            }
        });
    }

    private void echo(IpPacket packet) {
        byte[] reply = guests.buffer();
        System.arraycopy(packet.buffer(), packet.offset(), reply, GuestSide.PAYLOAD, packet.length());
        reply[GuestSide.PAYLOAD] = ECHO_REPLY;
        finish(reply, packet.destination(), packet.source(), packet.length());
    }

    /** Tells the sender of a packet what is wrong with it; the sender is the gateway. */
    void error(int type, int code, IpPacket packet) {
        if (!settings.isGuest(packet.source())) {
            return;
        }
        byte[] message = guests.buffer();
        int at = GuestSide.PAYLOAD;
        int quoted = Math.min(packet.length(), QUOTED - 20);
        Bytes.put32(message, at, type << 24 | code << 16);
        Bytes.put32(message, at + 4, 0);
        GuestSide.putIpHeader(message, at + HEADER, packet.source(), packet.destination(), packet.protocol(),
                packet.length(), 0, 0);
        Arrays.fill(message, at + HEADER + 20, at + HEADER + QUOTED, (byte) 0);
        System.arraycopy(packet.buffer(), packet.offset(), message, at + HEADER + 20, quoted);
        finish(message, settings.gateway(), packet.source(), HEADER + QUOTED);
    }

    private void finish(byte[] message, int source, int destination, int length) {
        int at = GuestSide.PAYLOAD;
        Bytes.put16(message, at + 2, 0);
        Bytes.put16(message, at + 2, InternetChecksum.of(message, at, length));
        guests.send(message, source, destination, Headers.ICMP, length);
    }
}
