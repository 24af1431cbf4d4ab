package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * UDP to the outside: each port of a guest gets a socket of the host, by which whoever knows it can answer, until nothing has
 * passed for a while (RFC 4787: endpoint-independent). Queries to the name server have sockets of their own, since their answers
 * come from the resolver's address. Clients of forwarded ports get ports of the gateway.
 */
final class UdpNat {
    /** Sockets at once, and clients of forwarded ports; beyond that the longest idle one makes room, if it is idle at all. */
    static final int MAX_FLOWS = 512;

    /** An idle flow is forgotten after this, ns; one to the name server sooner. */
    static final long IDLE = 120_000_000_000L;
    static final long IDLE_DNS = 15_000_000_000L;

    private static final long SWEEP = 10_000_000_000L;
    /** What has passed so recently is not idle. */
    private static final long BUSY = 5_000_000_000L;
    private static final int DNS_PORT = 53;
    private static final int FIRST_EPHEMERAL = 49_152;
    private static final int EPHEMERALS = 65_536 - FIRST_EPHEMERAL;

    private record Key(int guest, int port, boolean dns) {
    }

    private record Client(PortForward forward, InetSocketAddress address) {
    }

    private final NetworkContext context;
    private final NatSettings settings;
    private final HostAddresses addresses;
    private final GuestSide guests;
    private final IcmpSide icmp;
    private final HostSockets sockets;
    private final DnsResponder responder;
    private final LazyTimer sweep;
    /** The longest idle first. */
    private final Map<Key, Flow> flows = new LinkedHashMap<>(16, 0.75f, true);
    /** The longest idle first. */
    private final Map<Client, Path> paths = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<Integer, Path> pathsByPort = new HashMap<>();
    private final List<Forwarding> forwardings = new ArrayList<>();
    private int nextEphemeral;
    private long dropped;

    UdpNat(NetworkContext context, NatSettings settings, GuestSide guests, IcmpSide icmp, HostSockets sockets,
            DnsResponder responder) {
        this.context = context;
        this.settings = settings;
        this.guests = guests;
        this.icmp = icmp;
        this.sockets = sockets;
        this.responder = responder;
        addresses = new HostAddresses(settings);
        sweep = new LazyTimer(context, this::sweep);
    }

    int flowCount() {
        return flows.size();
    }

    int clientCount() {
        return paths.size();
    }

    /** Datagrams dropped for want of room. */
    long dropped() {
        long sum = dropped;
        for (Flow flow : flows.values()) {
            sum += flow.socket.dropped();
        }
        for (Forwarding forwarding : forwardings) {
            sum += forwarding.socket.dropped();
        }
        return sum;
    }

    /** Takes a datagram of a guest for the outside, the host or the name server. */
    void input(UdpDatagram datagram, IpPacket packet) {
        if (datagram.sourcePort() == 0 || datagram.destinationPort() == 0) {
            return;
        }
        boolean dns = datagram.destination() == settings.dns();
        Path path = datagram.destination() == settings.gateway() ? pathsByPort.get(datagram.destinationPort()) : null;
        if (path != null && path.client.forward.guest() == datagram.source()
                && path.client.forward.guestPort() == datagram.sourcePort()) {
            paths.get(path.client);
            path.lastUsed = context.now();
            path.forwarding.socket.send(datagram.payload(), path.client.address);
            return;
        }
        if (dns && datagram.destinationPort() == DNS_PORT && settings.resolver().isEmpty()) {
            answer(datagram);
            return;
        }
        InetSocketAddress host = host(datagram, dns);
        if (host == null) {
            icmp.error(IcmpSide.UNREACHABLE, dns ? IcmpSide.PORT_UNREACHABLE : IcmpSide.HOST_UNREACHABLE, packet);
            return;
        }
        Flow flow = flow(new Key(datagram.source(), datagram.sourcePort(), dns));
        if (flow == null) {
            dropped++;
            return;
        }
        flow.lastUsed = context.now();
        flow.socket.send(datagram.payload(), host);
    }

    private @Nullable InetSocketAddress host(UdpDatagram datagram, boolean dns) {
        if (dns) {
            return datagram.destinationPort() == DNS_PORT ? settings.resolver().orElse(null) : null;
        }
        InetAddress address = addresses.toHost(datagram.destination());
        return address == null ? null : new InetSocketAddress(address, datagram.destinationPort());
    }

    private void answer(UdpDatagram query) {
        responder.answer(query.payload(), answer -> {
            if (answer != null) {
                guests.sendUdp(settings.dns(), DNS_PORT, query.source(), query.sourcePort(), answer);
            }
        });
    }

    private @Nullable Flow flow(Key key) {
        Flow flow = flows.get(key);
        if (flow == null) {
            if (flows.size() == MAX_FLOWS) {
                Flow eldest = flows.values().iterator().next();
                if (context.now() - eldest.lastUsed < BUSY) {
                    return null;
                }
                eldest.close();
            }
            flow = new Flow(key);
            flows.put(key, flow);
            if (!sweep.isSet()) {
                sweep.set(SWEEP);
            }
        }
        return flow;
    }

    private void sweep() {
        long now = context.now();
        for (Flow flow : List.copyOf(flows.values())) {
            if (now - flow.lastUsed >= (flow.key.dns ? IDLE_DNS : IDLE)) {
                flow.close();
            }
        }
        for (Iterator<Path> all = paths.values().iterator(); all.hasNext();) {
            Path path = all.next();
            if (now - path.lastUsed >= IDLE) {
                all.remove();
                pathsByPort.remove(path.port);
            }
        }
        if (!flows.isEmpty() || !paths.isEmpty()) {
            sweep.set(SWEEP);
        }
    }

    /** A guest's port and the socket that stands for it. */
    private final class Flow implements HostDatagrams.Listener {
        final Key key;
        final HostDatagrams socket;
        long lastUsed;
        boolean closed;

        Flow(Key key) {
            this.key = key;
            lastUsed = context.now();
            socket = HostDatagrams.open(sockets, this);
        }

        @Override
        public void received(byte[] data, InetSocketAddress from) {
            if (closed) {
                return;
            }
            OptionalInt source = addresses.toGuest(from.getAddress());
            if (key.dns) {
                // Whatever the resolver's address is; nobody else may answer for it.
                source = settings.resolver().filter(from::equals).isPresent()
                        ? OptionalInt.of(settings.dns())
                        : OptionalInt.empty();
            }
            if (source.isPresent()) {
                flows.get(key);
                lastUsed = context.now();
                guests.sendUdp(source.getAsInt(), from.getPort(), key.guest, key.port, data);
            }
        }

        @Override
        public void failed(Throwable cause) {
            close();
        }

        void close() {
            if (!closed) {
                closed = true;
                flows.remove(key, this);
                socket.close();
            }
        }
    }

    /** A client of a forwarded port, and the gateway's port that stands for it. */
    private static final class Path {
        final Client client;
        final Forwarding forwarding;
        final int port;
        long lastUsed;

        Path(Client client, Forwarding forwarding, int port) {
            this.client = client;
            this.forwarding = forwarding;
            this.port = port;
        }
    }

    /** A forwarded port. */
    private final class Forwarding implements HostDatagrams.Listener {
        private final PortForward forward;
        private final HostDatagrams socket;
        private final CompletableFuture<HostSockets.Listening> listening;

        Forwarding(PortForward forward) {
            this.forward = forward;
            HostDatagrams.Bound bound = HostDatagrams.listen(sockets, forward.host(), this);
            socket = bound.datagrams();
            listening = bound.listening();
        }

        @Override
        public void received(byte[] data, InetSocketAddress from) {
            Path path = path(new Client(forward, from), this);
            if (path == null) {
                dropped++;
                return;
            }
            path.lastUsed = context.now();
            guests.sendUdp(settings.gateway(), path.port, forward.guest(), forward.guestPort(), data);
        }

        @Override
        public void failed(Throwable cause) {
            // The future says so.
        }
    }

    private @Nullable Path path(Client client, Forwarding forwarding) {
        Path path = paths.get(client);
        if (path == null) {
            if (paths.size() == MAX_FLOWS) {
                Path eldest = paths.values().iterator().next();
                if (context.now() - eldest.lastUsed < BUSY) {
                    return null;
                }
                paths.remove(eldest.client);
                pathsByPort.remove(eldest.port);
            }
            int port;
            do {
                port = FIRST_EPHEMERAL + nextEphemeral;
                nextEphemeral = (nextEphemeral + 1) % EPHEMERALS;
            } while (pathsByPort.containsKey(port));
            path = new Path(client, forwarding, port);
            paths.put(client, path);
            pathsByPort.put(port, path);
            if (!sweep.isSet()) {
                sweep.set(SWEEP);
            }
        }
        return path;
    }

    /** Listens for clients of a guest. Fails if the host's port cannot be had. */
    CompletableFuture<HostSockets.Listening> forward(PortForward forward) {
        Forwarding forwarding = new Forwarding(forward);
        forwardings.add(forwarding);
        forwarding.listening.whenComplete((listening, failure) -> {
            if (failure != null) {
                context.post(() -> forwardings.remove(forwarding));
            }
        });
        return forwarding.listening;
    }

    /** Closes all sockets. */
    void close() {
        sweep.cancel();
        List.copyOf(flows.values()).forEach(Flow::close);
        forwardings.forEach(f -> f.socket.close());
        forwardings.clear();
        paths.clear();
        pathsByPort.clear();
    }
}
