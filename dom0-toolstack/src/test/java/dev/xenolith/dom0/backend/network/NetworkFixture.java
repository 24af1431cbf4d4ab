package dev.xenolith.dom0.backend.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.backend.BackendBus;
import dev.xenolith.dom0.net.Bridges;
import dev.xenolith.dom0.net.Link;
import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.net.NetworkException;
import dev.xenolith.dom0.net.NetworkPort;
import dev.xenolith.dom0.net.Uplink;
import dev.xenolith.dom0.net.packet.Headers;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.packet.OffloadFeatures;
import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.Xenstored;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** A bridge with a vif and another port, in a hypervisor of queues and byte arrays. */
final class NetworkFixture implements NetworkPort {
    static final byte[] GUEST_MAC = {0, 0x16, 0x3e, 0, 0, 1};
    static final byte[] OTHER_MAC = {0, 0x16, 0x3e, 0, 0, 2};
    private static final int DOMID = 1;

    /** A frame that the other port got. */
    record Delivered(byte[] bytes, Offload offload) {
    }

    final FakeHypervisor hypervisor = new FakeHypervisor();
    final DomainHandle dom0 = hypervisor.handle(0);
    final FakeFrontend guest;
    final Bridges bridges;
    final Link other;
    final List<Delivered> delivered = new ArrayList<>();
    final BackendBus bus;
    private final XenstoreClient store;
    private final int portsBefore;

    NetworkFixture(String... settings) throws XenstoreException, NetworkException {
        Xenstored xenstored = new Xenstored(dom0);
        store = xenstored.connect(dom0);
        bridges = new Bridges(context(), name -> name.equals("nowhere") ? bridge -> {
            throw new NetworkException("there is no bridge nowhere");
        } : Uplink.NONE);
        other = bridges.bridge("xenbr0").attach(this);
        bus = new BackendBus(dom0, xenstored.connect(dom0));
        bus.add(new NetworkDriver(bridges));
        guest = new FakeFrontend(hypervisor, store, DOMID);
        hypervisor.run();
        portsBefore = hypervisor.openPorts();
        Map<String, String> nodes = new HashMap<>(Map.of("bridge", "xenbr0", "mac", "00:16:3e:00:00:01"));
        for (int i = 0; i < settings.length; i += 2) {
            nodes.put(settings[i], settings[i + 1]);
        }
        guest.announce(nodes);
    }

    private NetworkContext context() {
        RandomGenerator random = new SplittableRandom(1);
        return new NetworkContext() {
            @Override
            public long now() {
                return hypervisor.now();
            }

            @Override
            public DomainHandle.Timer at(long deadline, Runnable handler) {
                return dom0.at(deadline, handler);
            }

            @Override
            public void post(Runnable message) {
                dom0.post(message);
            }

            @Override
            public void charge(long nanoseconds) {
                dom0.charge(nanoseconds);
            }

            @Override
            public RandomGenerator random() {
                return random;
            }
        };
    }

    /** The vif's end of its link. */
    Link vif() {
        return other.bridge().links().stream().filter(link -> link != other).findFirst().orElseThrow();
    }

    List<NetworkQueue> queues() {
        return ((NetworkBackend) vif().port()).queues();
    }

    // ---- the other port ----------------------------------------------------------------------------------------------

    @Override
    public String name() {
        return "other";
    }

    @Override
    public OffloadFeatures features() {
        return OffloadFeatures.ALL;
    }

    @Override
    public boolean deliver(byte[] buffer, int offset, int length, Offload offload) {
        delivered.add(new Delivered(Arrays.copyOfRange(buffer, offset, offset + length), offload));
        return true;
    }

    /** The other port sends a frame. */
    void send(byte[] frame, Offload offload) {
        other.send(frame, 0, frame.length, offload);
    }

    void send(byte[] frame) {
        send(frame, Offload.NONE);
    }

    // ---- frames ------------------------------------------------------------------------------------------------------

    /** A frame of some unknown protocol. */
    static byte[] frame(byte[] to, byte[] from, int length, int content) {
        byte[] bytes = new byte[length];
        for (int i = 14; i < length; i++) {
            bytes[i] = (byte) (content + i * 7);
        }
        return ByteBuffer.wrap(bytes).put(to).put(from).putShort((short) 0x88b5).array();
    }

    /** TCP over IPv4, from port 1000. */
    static byte[] tcp(byte[] to, byte[] from, int length, int toPort) {
        byte[] bytes = frame(to, from, length, 1);
        ByteBuffer.wrap(bytes).put(12, (byte) (Headers.TYPE_IPV4 >> 8)).put(13, (byte) 0).position(14).put((byte) 0x45)
                .put((byte) 0).putShort((short) (length - 14)).putInt(0).put((byte) 64).put((byte) Headers.TCP)
                .putShort((short) 0).putInt(0x0a000201).putInt(0x0a000202).putShort((short) 1000)
                .putShort((short) toPort).putInt(1).putInt(1).put((byte) 0x50).put((byte) 0x10);
        return bytes;
    }

    // ---- checks ------------------------------------------------------------------------------------------------------

    /** Nothing of a frontend is held. */
    void assertLetGo() {
        assertThat(hypervisor.mappedPages()).isZero();
        assertThat(hypervisor.openPorts()).isEqualTo(portsBefore);
    }

    /** The toolstack takes the device back from a frontend that is gone. */
    void withdraw() throws XenstoreException {
        store.remove(guest.frontend);
        store.writeText(guest.backend + "/online", "0");
        hypervisor.run();
        assertLetGo();
        assertThat(bus.devices()).isZero();
        assertThat(other.bridge().links()).containsExactly(other);
    }
}
