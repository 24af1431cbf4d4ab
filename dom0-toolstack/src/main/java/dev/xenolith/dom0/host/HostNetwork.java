package dev.xenolith.dom0.host;

import dev.xenolith.dom0.net.Bridge;
import dev.xenolith.dom0.net.Bridges;
import dev.xenolith.dom0.net.Link;
import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.net.NetworkException;
import dev.xenolith.dom0.net.Uplink;
import dev.xenolith.dom0.net.nat.HostSockets;
import dev.xenolith.dom0.net.nat.NatSettings;
import dev.xenolith.dom0.net.nat.PortForward;
import dev.xenolith.dom0.net.nat.UserModeNat;
import dev.xenolith.dom0.net.tap.TapPort;
import dev.xenolith.dom0.xl.NetworkPortInfo;
import dev.xenolith.dom0.xl.ToolstackException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The bridges of a host with what leads out of them. On the machine thread, but for {@link #closeSockets}. */
final class HostNetwork {
    private final NetworkContext context;
    private final NetworkOptions options;
    private final Bridges bridges;
    private final Map<String, UserModeNat> nats = new HashMap<>();
    /** Made with the first NAT: a host without network has no thread for it. */
    private volatile @Nullable HostSockets sockets;

    HostNetwork(NetworkContext context, NetworkOptions options) {
        this.context = context;
        this.options = options;
        bridges = new Bridges(context, this::uplink);
    }

    private Uplink uplink(String name) {
        return switch (options.bridges().get(name)) {
            case null -> bridge -> {
                throw new NetworkException("there is no bridge " + name + "; the host has "
                        + String.join(", ", options.bridges().keySet())
                        + ", and 'xenolith host start --net' makes others");
            };
            case NetworkOptions.Outside.None() -> Uplink.NONE;
            case NetworkOptions.Outside.Tap(String device) -> TapPort.uplink(context, device);
            case NetworkOptions.Outside.Nat(NatSettings settings) -> bridge -> attachNat(bridge, settings);
        };
    }

    private UserModeNat attachNat(Bridge bridge, NatSettings settings) throws NetworkException {
        HostSockets open = sockets;
        if (open == null) {
            open = new HostSockets(context);
            sockets = open;
        }
        UserModeNat nat = UserModeNat.attach(bridge, context, settings, open);
        nats.put(bridge.name(), nat);
        return nat;
    }

    Bridges bridges() {
        return bridges;
    }

    /** Whether there is nothing to be made before any guest is. */
    boolean opensByItself() {
        return options.forwards().isEmpty()
                && options.bridges().values().stream().noneMatch(NetworkOptions.Outside.Tap.class::isInstance);
    }

    /**
     * Makes what is to be there before any guest is: TAP interfaces and forwarded ports.
     *
     * @return fails with {@link NetworkException}
     */
    CompletableFuture<?> open() {
        List<CompletableFuture<InetSocketAddress>> forwards = new ArrayList<>();
        try {
            for (Map.Entry<String, NetworkOptions.Outside> entry : options.bridges().entrySet()) {
                if (entry.getValue() instanceof NetworkOptions.Outside.Tap) {
                    bridges.bridge(entry.getKey());
                }
            }
            for (PortForward forward : options.forwards()) {
                forwards.add(nat(forward).forward(forward));
            }
        } catch (NetworkException e) {
            return CompletableFuture.failedFuture(e);
        }
        return CompletableFuture.allOf(forwards.toArray(CompletableFuture<?>[]::new));
    }

    /** The NAT that a forwarded port leads through. */
    private UserModeNat nat(PortForward forward) throws NetworkException {
        for (Map.Entry<String, NetworkOptions.Outside> entry : options.bridges().entrySet()) {
            if (entry.getValue() instanceof NetworkOptions.Outside.Nat(NatSettings settings)
                    && settings.isGuest(forward.guest())) {
                bridges.bridge(entry.getKey());
                return Objects.requireNonNull(nats.get(entry.getKey()));
            }
        }
        throw new NetworkException("cannot forward " + forward + ": no bridge with a NAT has such a guest");
    }

    /** All ports of all bridges. */
    List<NetworkPortInfo> ports() {
        List<NetworkPortInfo> ports = new ArrayList<>();
        for (Bridge bridge : bridges.all()) {
            for (Link link : bridge.links()) {
                Link.Counters counters = link.counters();
                ports.add(new NetworkPortInfo(bridge.name(), link.port().name(), counters.sentFrames(),
                        counters.sentBytes(), counters.sentMalformed(), counters.deliveredFrames(),
                        counters.deliveredBytes(), counters.droppedFrames() + counters.unfinishable()));
            }
        }
        return ports;
    }

    /**
     * The link of a port.
     *
     * @throws ToolstackException there is no such port
     */
    Link require(String port) {
        for (Bridge bridge : bridges.all()) {
            for (Link link : bridge.links()) {
                if (link.port().name().equals(port)) {
                    return link;
                }
            }
        }
        throw ToolstackException.failure("there is no port " + port + "; see 'xenolith net list'");
    }

    /** Ends everything that is on the machine thread. */
    void close() {
        bridges.close();
        nats.clear();
    }

    /** Closes what sockets of the real host there are. Any thread. */
    void closeSockets() {
        HostSockets open = sockets;
        if (open != null) {
            open.close();
        }
    }
}
