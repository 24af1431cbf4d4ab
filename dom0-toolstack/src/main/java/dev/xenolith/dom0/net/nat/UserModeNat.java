package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.Bridge;
import dev.xenolith.dom0.net.Link;
import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.net.NetworkException;
import dev.xenolith.dom0.net.NetworkPort;
import dev.xenolith.dom0.net.Uplink;
import dev.xenolith.dom0.net.packet.Bytes;
import dev.xenolith.dom0.net.packet.Headers;
import dev.xenolith.dom0.net.packet.InternetChecksum;
import dev.xenolith.dom0.net.packet.Mac;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.packet.OffloadFeatures;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A router at a bridge that needs no privileges: its guests' TCP connections end here and go on as sockets of the host, their
 * datagrams leave by sockets of the host. It gives them addresses (DHCP) and names (DNS), and answers ARP and echoes. IPv6 is not
 * supported: its frames are counted and dropped. Machine thread only.
 */
public final class UserModeNat implements NetworkPort, Uplink.Connection {
    /** Frames that came while we were sending, which wait until that is done; more are dropped. */
    private static final int MAX_DEFERRED = 256;

    /** What handling a frame takes, ns, and per KiB of it. */
    private static final long FRAME_COST = 1_000;
    private static final long KIB_COST = 100;

    /**
     * What has happened.
     *
     * @param connections TCP connections at present
     * @param connectionsOpened since the beginning
     * @param connectionsRefused for want of room
     * @param flows UDP ports of guests at present
     * @param leases addresses that DHCP knows the holders of
     * @param malformed packets dropped for wrong lengths or checksums
     * @param ignored frames that the NAT does not understand, IPv6 among them, or whose source is no guest's address
     * @param dropped packets dropped for want of room
     */
    public record Counters(int connections, long connectionsOpened, long connectionsRefused, int flows, int leases,
            long malformed, long ignored, long dropped) {
    }

    private final NetworkContext context;
    private final NatSettings settings;
    private final String name;
    private final long mac;
    private final GuestSide guests;
    private final IcmpSide icmp;
    private final TcpNat tcp;
    private final UdpNat udp;
    private final DhcpServer dhcp;
    private final Map<Integer, UdpService> services;
    private final Reassembly reassembly = new Reassembly();
    private final List<HostSockets.Listening> forwards = new ArrayList<>();
    private final Deque<Deferred> deferred = new ArrayDeque<>();
    private final Link link;
    private boolean closed;
    private long malformed;
    private long ignored;
    private long dropped;

    private record Deferred(byte[] frame, Offload offload) {
    }

    private UserModeNat(Bridge bridge, NetworkContext context, NatSettings settings, HostSockets sockets,
            DnsResponder.Lookup lookup) throws NetworkException {
        this.context = context;
        this.settings = settings;
        name = bridge.name() + "-nat";
        // Locally administered, and derived from the address, as QEMU's is.
        mac = 0x5255L << 32 | settings.gateway() & 0xffff_ffffL;
        guests = new GuestSide(settings, mac);
        icmp = new IcmpSide(context, settings, guests);
        DnsResponder responder = new DnsResponder(context, lookup);
        tcp = new TcpNat(context, settings, guests, icmp, sockets, responder);
        udp = new UdpNat(context, settings, guests, icmp, sockets, responder);
        dhcp = new DhcpServer(settings, guests, context::now);
        services = Map.of(DhcpServer.SERVER_PORT, dhcp);
        link = bridge.attach(this);
        guests.attach(link);
    }

    /** Attaches a NAT to a bridge. */
    public static UserModeNat attach(Bridge bridge, NetworkContext context, NatSettings settings, HostSockets sockets)
            throws NetworkException {
        return attach(bridge, context, settings, sockets, DnsResponder.Lookup.JAVA);
    }

    static UserModeNat attach(Bridge bridge, NetworkContext context, NatSettings settings, HostSockets sockets,
            DnsResponder.Lookup lookup) throws NetworkException {
        return new UserModeNat(bridge, context, settings, sockets, lookup);
    }

    /** What leads out of a bridge by such a NAT. */
    public static Uplink uplink(NetworkContext context, NatSettings settings, HostSockets sockets) {
        return bridge -> attach(bridge, context, settings, sockets);
    }

    public NatSettings settings() {
        return settings;
    }

    public Link link() {
        return link;
    }

    /** Returns the counters. */
    public Counters counters() {
        return new Counters(tcp.size(), tcp.opened(), tcp.refused(), udp.flowCount(), dhcp.leaseCount(),
                malformed + tcp.malformed(), ignored, dropped + udp.dropped());
    }

    /** The address that DHCP has given to a MAC address; 0 if none. */
    public int leaseOf(long guestMac) {
        return dhcp.leaseOf(guestMac);
    }

    TcpNat tcp() {
        return tcp;
    }

    UdpNat udp() {
        return udp;
    }

    GuestSide guests() {
        return guests;
    }

    Reassembly reassembly() {
        return reassembly;
    }

    /**
     * Makes a port of the host lead to a guest, as long as the NAT lives. On the machine thread; the future ends on another.
     *
     * @return where the host listens; fails with {@link NetworkException} if the port is taken or the guest's address is none
     */
    public CompletableFuture<InetSocketAddress> forward(PortForward forward) {
        if (!settings.isGuest(forward.guest()) || forward.guestPort() < 1 || forward.guestPort() > 0xffff) {
            return CompletableFuture
                    .failedFuture(new NetworkException("cannot forward " + forward + ": that is no guest of " + name));
        }
        CompletableFuture<HostSockets.Listening> listening = switch (forward.protocol()) {
            case TCP -> tcp.forward(forward);
            case UDP -> udp.forward(forward);
        };
        return listening.thenApply(port -> {
            context.post(() -> {
                if (closed) {
                    port.close();
                } else {
                    forwards.add(port);
                }
            });
            return port.address();
        });
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public OffloadFeatures features() {
        return OffloadFeatures.ALL;
    }

    @Override
    public boolean deliver(byte[] buffer, int offset, int length, Offload offload) {
        if (guests.isSending() || !deferred.isEmpty()) {
            // A guest that answers from within the delivery of our frame: connections are not to be entered twice.
            return defer(buffer, offset, length, offload);
        }
        input(buffer, offset, length, offload);
        return true;
    }

    private boolean defer(byte[] buffer, int offset, int length, Offload offload) {
        if (deferred.size() == MAX_DEFERRED) {
            return false;
        }
        deferred.add(new Deferred(Arrays.copyOfRange(buffer, offset, offset + length), offload));
        if (deferred.size() == 1) {
            context.post(this::inputDeferred);
        }
        return true;
    }

    /** Takes what has come so far; what it leads to waits for the next call. */
    private void inputDeferred() {
        for (int left = deferred.size(); left > 0 && !closed; left--) {
            Deferred next = deferred.remove();
            input(next.frame, 0, next.frame.length, next.offload);
        }
        if (!deferred.isEmpty()) {
            context.post(this::inputDeferred);
        }
    }

    private void input(byte[] frame, int offset, int length, Offload offload) {
        context.charge(FRAME_COST + (length >> 10) * KIB_COST);
        long to = Mac.read(frame, offset);
        int type = Bytes.get16(frame, offset + 12);
        if (to != mac && to != Mac.BROADCAST) {
            ignored++;
        } else if (type == Headers.TYPE_ARP) {
            guests.arp(frame, offset, length);
        } else if (type == Headers.TYPE_IPV4) {
            inputIp(frame, offset, length, offload);
        } else {
            ignored++;
        }
    }

    private void inputIp(byte[] frame, int offset, int length, Offload offload) {
        Headers headers = Headers.find(frame, offset, length);
        if (headers == null || !InternetChecksum.verifies(0, frame, offset + headers.network(),
                headers.transport() - headers.network())) {
            malformed++;
            return;
        }
        int header = offset + headers.network();
        IpPacket packet = new IpPacket(Bytes.get32(frame, header + 12), Bytes.get32(frame, header + 16),
                headers.protocol(), Bytes.get8(frame, header + 8), offload.isBlank() || offload.validated(), frame,
                offset + headers.transport(), headers.end() - headers.transport());
        long sourceMac = Mac.read(frame, offset + Mac.LENGTH);
        if (packet.source() != 0 && !settings.isGuest(packet.source())) {
            ignored++;
            return;
        }
        guests.learn(packet.source(), sourceMac);
        if (headers.fragment()) {
            IpPacket whole = reassembly.add(packet, header, context.now());
            if (whole == null) {
                return;
            }
            packet = whole;
        }
        dispatch(packet, sourceMac);
    }

    private void dispatch(IpPacket packet, long sourceMac) {
        int destination = packet.destination();
        boolean broadcast = destination == -1 || destination == settings.broadcast();
        UdpDatagram datagram = null;
        if (packet.protocol() == Headers.UDP) {
            datagram = UdpDatagram.parse(packet);
            if (datagram == null) {
                malformed++;
                return;
            }
            UdpService service = broadcast || destination == settings.gateway()
                    ? services.get(datagram.destinationPort())
                    : null;
            if (service != null) {
                service.datagram(datagram, sourceMac);
                return;
            }
        }
        boolean own = destination == settings.gateway() || destination == settings.dns();
        if (packet.source() == 0 || broadcast || !own && settings.isInside(destination)) {
            ignored++;
        } else if (!own && packet.timeToLive() <= 1) {
            icmp.error(IcmpSide.TIME_EXCEEDED, 0, packet);
        } else if (datagram != null) {
            udp.input(datagram, packet);
        } else if (packet.protocol() == Headers.TCP) {
            tcp.input(packet);
        } else if (packet.protocol() == Headers.ICMP) {
            icmp.input(packet);
        } else {
            icmp.error(IcmpSide.UNREACHABLE, IcmpSide.PROTOCOL_UNREACHABLE, packet);
        }
    }

    /** Resets all connections, closes all sockets and leaves the bridge. */
    @Override
    public void close() {
        if (!closed) {
            tcp.close();
            udp.close();
            forwards.forEach(HostSockets.Listening::close);
            forwards.clear();
            deferred.clear();
            closed = true;
            link.detach();
        }
    }

    @Override
    public String toString() {
        return name;
    }

    /** The MAC address of the gateway. */
    public long mac() {
        return mac;
    }
}
