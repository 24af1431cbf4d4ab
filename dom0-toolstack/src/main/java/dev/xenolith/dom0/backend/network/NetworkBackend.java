package dev.xenolith.dom0.backend.network;

import dev.xenolith.dom0.backend.BackRing;
import dev.xenolith.dom0.backend.Backend;
import dev.xenolith.dom0.backend.BackendDevice;
import dev.xenolith.dom0.net.Bridges;
import dev.xenolith.dom0.net.Link;
import dev.xenolith.dom0.net.NetworkException;
import dev.xenolith.dom0.net.NetworkPort;
import dev.xenolith.dom0.net.RateLimiter;
import dev.xenolith.dom0.net.packet.Bytes;
import dev.xenolith.dom0.net.packet.Headers;
import dev.xenolith.dom0.net.packet.Mac;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.packet.OffloadFeatures;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.Grants;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A vif: a port of a bridge, from its announcement to its end, behind which is a frontend while one is connected. */
final class NetworkBackend implements Backend, NetworkPort {
    /** Pairs of rings of a device at most. */
    static final int MAX_QUEUES = 4;

    private static final int GOLDEN_RATIO = 0x9e37_79b9;
    private static final long NANOSECONDS = 1_000;

    private final BackendDevice device;
    private final DomainHandle handle;
    private final Bridges bridges;
    private final String name;
    private final MulticastFilter multicast = new MulticastFilter();
    private final List<NetworkQueue> queues = new ArrayList<>();
    private @Nullable RateLimiter limiter;
    private @Nullable Link link;
    private OffloadFeatures features = OffloadFeatures.NONE;
    private boolean gathers;

    NetworkBackend(BackendDevice device, Bridges bridges) {
        this.device = device;
        this.handle = device.handle();
        this.bridges = bridges;
        String given = device.setting("vifname");
        name = given == null || given.isEmpty() ? "vif" + device.frontendId() + '.' + device.number() : given;
    }

    // ---- the bridge --------------------------------------------------------------------------------------------------

    @Override
    public void start() {
        String bridge = device.setting("bridge");
        if (bridge == null || bridge.isEmpty()) {
            device.fail("the toolstack names no bridge");
            return;
        }
        try {
            limiter = limiter(device.setting("rate"));
            link = bridges.bridge(bridge).attach(this);
        } catch (NetworkException | IllegalArgumentException e) {
            device.fail(String.valueOf(e.getMessage()));
            return;
        }
        device.tell("feature-sg", 1);
        device.tell("feature-gso-tcpv4", 1);
        device.tell("feature-gso-tcpv6", 1);
        device.tell("feature-ipv6-csum-offload", 1);
        device.tell("feature-rx-copy", 1);
        device.tell("feature-rx-flip", 0);
        device.tell("feature-multicast-control", 1);
        device.tell("feature-split-event-channels", 1);
        device.tell("multi-queue-max-queues", MAX_QUEUES);
        device.tell("hotplug-status", "connected");
        device.ready();
    }

    /** Reads "bytes,microseconds" as libxl writes it. Returns null if there is no limit. */
    private @Nullable RateLimiter limiter(@Nullable String rate) {
        if (rate == null) {
            return null;
        }
        if (!rate.matches("[0-9]{1,18},[0-9]{1,12}")) {
            throw new IllegalArgumentException("rate '" + rate + "' is no number of bytes and one of microseconds");
        }
        long bytes = Long.parseLong(rate.substring(0, rate.indexOf(',')));
        long micros = Long.parseLong(rate.substring(rate.indexOf(',') + 1));
        return micros == 0 ? null : new RateLimiter(bytes, micros * NANOSECONDS, handle.now());
    }

    @Override
    public void stop(Runnable whenDone) {
        if (link != null) {
            link.detach();
            link = null;
        }
        whenDone.run();
    }

    // ---- the frontend ------------------------------------------------------------------------------------------------

    @Override
    public void connect() {
        Link attached = link;
        if (attached == null) {
            return;
        }
        try {
            connectQueues(attached);
        } catch (FrontendException e) {
            device.fail(String.valueOf(e.getMessage()));
            return;
        }
        device.connected();
        // What the first has sent may end the connection.
        List.copyOf(queues).forEach(NetworkQueue::start);
    }

    private void connectQueues(Link attached) throws FrontendException {
        if (!asks("request-rx-copy")) {
            throw new FrontendException("the frontend does not ask to have data copied, and pages are not flipped");
        }
        long count = device.askedNumber("multi-queue-num-queues", 1);
        if (count < 1 || count > MAX_QUEUES) {
            throw new FrontendException("the frontend wants " + count + " queues, " + MAX_QUEUES + " are the most");
        }
        gathers = asks("feature-sg");
        features = new OffloadFeatures(!asks("feature-no-csum-offload"), asks("feature-ipv6-csum-offload"),
                gathers && asks("feature-gso-tcpv4"), gathers && asks("feature-gso-tcpv6"));
        multicast.reset(asks("request-multicast-control"));
        boolean notified = asks("feature-rx-notify");
        for (int i = 0; i < count; i++) {
            queues.add(connectQueue(attached, count == 1 ? "" : "queue-" + i + '/', notified));
        }
    }

    private boolean asks(String feature) {
        return device.askedNumber(feature, 0) != 0;
    }

    private NetworkQueue connectQueue(Link attached, String prefix, boolean notified) throws FrontendException {
        boolean split = device.asked(prefix + "event-channel-tx") != null;
        int transmitPort = bind(prefix + (split ? "event-channel-tx" : "event-channel"));
        int receivePort = transmitPort;
        SharedPage transmitPage = null;
        boolean complete = false;
        try {
            receivePort = split ? bind(prefix + "event-channel-rx") : transmitPort;
            transmitPage = map(prefix + "tx-ring-ref");
            BackRing receive = new BackRing(map(prefix + "rx-ring-ref"), ReceiveRing.ENTRY);
            BackRing transmit = new BackRing(transmitPage, TransmitRing.ENTRY);
            complete = true;
            return new NetworkQueue(handle,
                    new TransmitRing(device, attached, limiter, multicast, transmit, transmitPort), transmitPort,
                    new ReceiveRing(device, receive, receivePort, notified), receivePort);
        } finally {
            if (!complete) {
                handle.events().close(transmitPort);
                if (receivePort != transmitPort) {
                    handle.events().close(receivePort);
                }
                if (transmitPage != null) {
                    transmitPage.unmap();
                }
            }
        }
    }

    private int bind(String node) throws FrontendException {
        long remote = device.askedNumber(node, -1);
        if (remote < 0 || remote > Integer.MAX_VALUE) {
            throw new FrontendException("the frontend names no " + node);
        }
        int port = handle.events().bindInterdomain(device.frontendId(), (int) remote);
        if (port < 0) {
            throw new FrontendException(
                    "the frontend's " + node + ' ' + remote + " cannot be bound: " + Errno.name(port));
        }
        return port;
    }

    private SharedPage map(String node) throws FrontendException {
        long reference = device.askedNumber(node, -1);
        if (reference < 0 || reference > 0xffff_ffffL) {
            throw new FrontendException("the frontend does not say where " + node + " is");
        }
        try {
            return handle.grants().map(device.frontendId(), (int) reference, false);
        } catch (OperationException e) {
            throw new FrontendException("the frontend's " + node + " cannot be mapped: " + e.getMessage());
        }
    }

    /** Those of the frontend that is connected. */
    List<NetworkQueue> queues() {
        return queues;
    }

    @Override
    public void disconnect() {
        features = OffloadFeatures.NONE;
        queues.forEach(NetworkQueue::close);
        queues.clear();
    }

    // ---- the port ----------------------------------------------------------------------------------------------------

    @Override
    public String name() {
        return name;
    }

    @Override
    public OffloadFeatures features() {
        return features;
    }

    @Override
    public boolean deliver(byte[] buffer, int offset, int length, Offload offload) {
        if (queues.isEmpty() || length > Grants.PAGE && !gathers) {
            return false;
        }
        if (!multicast.passes(Mac.read(buffer, offset))) {
            // Not lost: the guest wants none of it.
            return true;
        }
        int queue = queues.size() == 1 ? 0 : Math.floorMod(flow(buffer, offset, length), queues.size());
        return queues.get(queue).receive().deliver(buffer, offset, length, offload);
    }

    /** A number that all frames of a conversation have in common, so that they stay in order. */
    private static int flow(byte[] buffer, int offset, int length) {
        Headers headers = Headers.find(buffer, offset, length);
        int hash = (int) Mac.read(buffer, offset + Mac.LENGTH);
        if (headers != null) {
            int addresses = headers.version() == 4 ? 12 : 8;
            hash = 0;
            for (int at = addresses; at < (headers.version() == 4 ? 20 : 40); at += Integer.BYTES) {
                hash = hash * 31 + Bytes.get32(buffer, offset + headers.network() + at);
            }
            boolean ports = headers.protocol() == Headers.TCP || headers.protocol() == Headers.UDP;
            if (ports && !headers.fragment() && headers.transport() + Integer.BYTES <= headers.end()) {
                hash = hash * 31 + Bytes.get32(buffer, offset + headers.transport());
            }
        }
        return hash * GOLDEN_RATIO >>> 16;
    }

    @Override
    public String toString() {
        return name;
    }
}
