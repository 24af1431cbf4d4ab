package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.net.packet.Bytes;
import dev.xenolith.dom0.net.packet.Headers;
import dev.xenolith.dom0.net.packet.InternetChecksum;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The TCP connections of a NAT's guests: finds the one that a segment belongs to, and makes new ones within limits. */
final class TcpNat implements TcpConnection.Owner {
    /** Connections at once, those that only wait for late segments among them. */
    static final int MAX_CONNECTIONS = 512;

    /** Connections at once whose host's side is being connected. */
    static final int MAX_CONNECTING = 128;

    /** What buffers may grow beyond {@link Ring#INITIAL_CAPACITY} each, bytes in all. */
    static final long BUFFER_BYTES = 32L << 20;

    private static final int DNS_PORT = 53;
    private static final int IP_AND_TCP = 40;
    private static final int MAX_PACKET = 65_535;
    private static final int FIRST_EPHEMERAL = 49_152;
    private static final int LAST_EPHEMERAL = 65_535;

    private final NetworkContext context;
    private final NatSettings settings;
    private final HostAddresses addresses;
    private final GuestSide guests;
    private final IcmpSide icmp;
    private final HostSockets sockets;
    private final DnsResponder responder;
    private final Budget budget = new Budget(BUFFER_BYTES);
    /** The oldest first. */
    private final Map<TcpKey, TcpConnection> connections = new LinkedHashMap<>();
    private int nextEphemeral = FIRST_EPHEMERAL;
    private long opened;
    private long refused;
    private long malformed;

    TcpNat(NetworkContext context, NatSettings settings, GuestSide guests, IcmpSide icmp, HostSockets sockets,
            DnsResponder responder) {
        this.context = context;
        this.settings = settings;
        this.guests = guests;
        this.icmp = icmp;
        this.sockets = sockets;
        this.responder = responder;
        addresses = new HostAddresses(settings);
    }

    int size() {
        return connections.size();
    }

    long opened() {
        return opened;
    }

    /** Connections that there was no room for. */
    long refused() {
        return refused;
    }

    long malformed() {
        return malformed;
    }

    long budgetLeft() {
        return budget.left();
    }

    /** Takes a packet of a guest. */
    void input(IpPacket packet) {
        TcpSegment segment = TcpSegment.parse(packet.buffer(), packet.offset(), packet.length());
        if (segment == null || segment.sourcePort() == 0 || segment.destinationPort() == 0
                || !packet.verified() && !InternetChecksum.verifies(
                        InternetChecksum.pseudoV4(packet.source(), packet.destination(), Headers.TCP, packet.length()),
                        packet.buffer(), packet.offset(), packet.length())) {
            malformed++;
            return;
        }
        TcpKey key = new TcpKey(packet.source(), segment.sourcePort(), packet.destination(),
                segment.destinationPort());
        TcpConnection connection = connections.get(key);
        if (connection != null && connection.givesWayTo(segment)) {
            connection.forget();
            connection = null;
        }
        if (connection != null) {
            connection.input(segment);
        } else if (segment.has(TcpSegment.SYN) && !segment.has(TcpSegment.ACK | TcpSegment.RST)) {
            open(key, segment, packet);
        } else if (!segment.has(TcpSegment.RST)) {
            reset(key, segment);
        }
    }

    private void open(TcpKey key, TcpSegment syn, IpPacket packet) {
        boolean local = key.remote() == settings.dns() && key.remotePort() == DNS_PORT && settings.resolver().isEmpty();
        InetSocketAddress host = host(key);
        if (host == null && !local) {
            if (key.remote() == settings.dns()) {
                reset(key, syn);
            } else {
                icmp.error(IcmpSide.UNREACHABLE, IcmpSide.HOST_UNREACHABLE, packet);
            }
            return;
        }
        if (!makeRoom() || connecting() >= MAX_CONNECTING) {
            refused++;
            reset(key, syn);
            return;
        }
        TcpConnection connection = make(key);
        connection.open(host == null
                ? new DnsStream(context, responder, connection)
                : sockets.connect(host, connection), syn);
    }

    private @Nullable InetSocketAddress host(TcpKey key) {
        if (key.remote() == settings.dns()) {
            return key.remotePort() == DNS_PORT ? settings.resolver().orElse(null) : null;
        }
        InetAddress address = addresses.toHost(key.remote());
        return address == null ? null : new InetSocketAddress(address, key.remotePort());
    }

    private TcpConnection make(TcpKey key) {
        TcpConnection connection = new TcpConnection(context, this, budget, key, settings.mtu() - IP_AND_TCP,
                MAX_PACKET - IP_AND_TCP);
        connections.put(key, connection);
        opened++;
        return connection;
    }

    private boolean makeRoom() {
        if (connections.size() < MAX_CONNECTIONS) {
            return true;
        }
        for (TcpConnection connection : connections.values()) {
            if (connection.forget()) {
                return true;
            }
        }
        return false;
    }

    private int connecting() {
        int count = 0;
        for (TcpConnection connection : connections.values()) {
            count += connection.state() == TcpConnection.State.CONNECTING ? 1 : 0;
        }
        return count;
    }

    /** Listens for clients of a guest. Fails if the host's port cannot be had. */
    CompletableFuture<HostSockets.Listening> forward(PortForward forward) {
        return sockets.listen(forward.host(), MAX_CONNECTING, stream -> {
            TcpKey key = makeRoom() ? freeKey(forward) : null;
            if (key == null) {
                refused++;
                stream.reset();
                return;
            }
            TcpConnection connection = make(key);
            stream.listen(connection);
            connection.accept(stream);
        });
    }

    private @Nullable TcpKey freeKey(PortForward forward) {
        for (int i = 0; i <= MAX_CONNECTIONS; i++) {
            TcpKey key = new TcpKey(forward.guest(), forward.guestPort(), settings.gateway(), nextEphemeral);
            nextEphemeral = nextEphemeral == LAST_EPHEMERAL ? FIRST_EPHEMERAL : nextEphemeral + 1;
            if (!connections.containsKey(key)) {
                return key;
            }
        }
        return null;
    }

    /** Answers a segment that no connection waits for (RFC 9293 3.10.7.1). */
    private void reset(TcpKey key, TcpSegment segment) {
        if (segment.has(TcpSegment.ACK)) {
            send(key, segment.acknowledgement(), 0, TcpSegment.RST, 0, 0, -1, null, 0, 0, 0);
        } else {
            send(key, 0, segment.sequence() + segment.sequenceLength(), TcpSegment.RST | TcpSegment.ACK, 0, 0, -1,
                    null, 0, 0, 0);
        }
    }

    @Override
    public void send(TcpKey key, int sequence, int acknowledgement, int flags, int window, int mss, int scale,
            @Nullable Ring ring, int at, int length, int segmentSize) {
        byte[] buffer = guests.buffer();
        int tcp = GuestSide.PAYLOAD;
        int header = TcpSegment.HEADER;
        if (mss > 0) {
            Bytes.put32(buffer, tcp + header, 0x0204_0000 | mss);
            header += 4;
        }
        if (scale >= 0) {
            Bytes.put32(buffer, tcp + header, 0x0103_0300 | scale);
            header += 4;
        }
        Bytes.put16(buffer, tcp, key.remotePort());
        Bytes.put16(buffer, tcp + 2, key.guestPort());
        Bytes.put32(buffer, tcp + 4, sequence);
        Bytes.put32(buffer, tcp + 8, acknowledgement);
        Bytes.put16(buffer, tcp + 12, header / 4 << 12 | flags);
        Bytes.put16(buffer, tcp + 14, window);
        Bytes.put32(buffer, tcp + 16, 0);
        if (ring != null) {
            ring.copy(at, buffer, tcp + header, length);
        }
        guests.sendTcp(buffer, key.remote(), key.guest(), header + length, header, segmentSize);
    }

    @Override
    public void unreachable(TcpKey key, int sequence, Throwable cause) {
        if (cause instanceof ConnectException && !(cause.getCause() instanceof NoRouteToHostException)
                && !isTimeout(cause)) {
            send(key, 0, sequence + 1, TcpSegment.RST | TcpSegment.ACK, 0, 0, -1, null, 0, 0, 0);
            return;
        }
        byte[] quoted = new byte[8];
        Bytes.put16(quoted, 0, key.guestPort());
        Bytes.put16(quoted, 2, key.remotePort());
        Bytes.put32(quoted, 4, sequence);
        icmp.error(IcmpSide.UNREACHABLE, IcmpSide.HOST_UNREACHABLE,
                new IpPacket(key.guest(), key.remote(), Headers.TCP, 1, true, quoted, 0, quoted.length));
    }

    private static boolean isTimeout(Throwable cause) {
        return cause instanceof io.netty.channel.ConnectTimeoutException;
    }

    @Override
    public void closed(TcpConnection connection) {
        connections.remove(connection.key(), connection);
    }

    /** Resets all connections. */
    void close() {
        List.copyOf(connections.values()).forEach(TcpConnection::close);
    }
}
