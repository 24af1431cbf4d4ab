package dev.xenolith.dom0.backend.network;

import static dev.xenolith.dom0.backend.network.NetworkFixture.GUEST_MAC;
import static dev.xenolith.dom0.backend.network.NetworkFixture.OTHER_MAC;
import static dev.xenolith.dom0.backend.network.NetworkFixture.frame;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.backend.network.FakeFrontend.Sent;
import dev.xenolith.dom0.net.packet.Gso;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.hypervisor.abi.Netif;
import dev.xenolith.hypervisor.abi.Ring;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frontends that lie: none gets anything, harms anybody, or leaves anything behind. */
class HostileFrontendTest {
    private static final int PAGE = FakeFrontend.SENT_PAGES;

    private static final Map<String, Consumer<FakeFrontend>> FATAL = Map.of(
            "index", guest -> guest.transmitRing(0).put32(Ring.REQ_PROD, FakeFrontend.TRANSMIT_SIZE + 1),
            "index of pages", guest -> {
                guest.receiveRing(0).put32(Ring.REQ_PROD, -1);
                guest.receiveRing(0).put32(Ring.REQ_EVENT, 0);
            }, "page", guest -> guest.request(PAGE, 4000, 0, 97),
            "later page", guest -> {
                guest.request(PAGE, 0, Netif.TX_MORE_DATA, 200);
                guest.request(PAGE + 1, 4095, 0, 2);
            }, "missing slot", guest -> guest.request(PAGE, 0, Netif.TX_MORE_DATA, 200),
            "missing extra", guest -> guest.request(PAGE, 0, Netif.TX_EXTRA_INFO, 200),
            "endless extra", guest -> {
                guest.request(PAGE, 0, Netif.TX_EXTRA_INFO, 200);
                for (int i = 0; i < 100; i++) {
                    guest.extra(Netif.EXTRA_TYPE_HASH, Netif.EXTRA_FLAG_MORE, 0, 0);
                }
            }, "segments of nothing", guest -> {
                guest.request(PAGE, 0, Netif.TX_EXTRA_INFO, 200);
                guest.extra(Netif.EXTRA_TYPE_GSO, 0, 0, Netif.GSO_TYPE_TCPV4);
            }, "slots", guest -> {
                for (int i = 0; i <= TransmitRing.FATAL_SLOTS; i++) {
                    guest.request(PAGE, 0, Netif.TX_MORE_DATA, 1000);
                }
            });

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"index | request index is not one that its transmit ring",
        "index of pages | request index is not one that its receive ring",
        "page | slot 0 of a packet, 97 bytes at 4000",
        "later page | slot 1 of a packet, 2 bytes at 4095", "missing slot | a slot 1 of a packet that it has not sent",
        "missing extra | extra information that it has not sent",
        "endless extra | extra information that it has not sent",
        "segments of nothing | segments of no bytes", "slots | more than 21 slots"})
    void endsWhatCannotBeAMistake(String lie, String message) throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, true, "feature-sg", "feature-rx-notify");
        Objects.requireNonNull(FATAL.get(lie)).accept(net.guest);
        if (lie.startsWith("index")) {
            net.guest.signal();
        } else {
            net.guest.push();
            net.hypervisor.run();
        }
        // What looks at the ring for pages is a frame.
        net.send(frame(GUEST_MAC, OTHER_MAC, 60, 1));
        assertThat(net.guest.told("error")).contains(message);
        assertThat(net.guest.told("state")).isEqualTo("5");
        net.assertLetGo();
        net.send(frame(GUEST_MAC, OTHER_MAC, 60, 1));
        net.guest.signal();
        net.guest.become(6);
        net.withdraw();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5, 6, 255})
    void endsUnknownExtras(int type) throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false);
        net.guest.request(PAGE, 0, Netif.TX_EXTRA_INFO, 200);
        net.guest.extra(type, 0, 0, 0);
        net.guest.push();
        net.hypervisor.run();
        assertThat(net.guest.told("error")).contains("extra information of unknown type " + type);
        net.withdraw();
    }

    @Test
    void endsAFrontendThatStartsWithALie() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.prepare(3, false);
        net.guest.transmitRing(1).put32(Ring.REQ_PROD, -5);
        net.guest.become(4);
        assertThat(net.guest.told("state")).isEqualTo("5");
        net.assertLetGo();
        net.withdraw();
    }

    @Test
    void answersWhatMayBeAMistakeWithAnError() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false, "feature-sg");
        // Too short; a page that is not granted; slots larger than the whole; more slots than there may be.
        net.guest.request(PAGE, 0, 0, 13);
        net.guest.request(5, 0, 0, 60);
        net.guest.request(PAGE, 0, Netif.TX_MORE_DATA, 100);
        net.guest.request(PAGE + 1, 0, 0, 101);
        for (int i = 0; i <= TransmitRing.MOST_SLOTS; i++) {
            net.guest.request(PAGE + i, 0, i < TransmitRing.MOST_SLOTS ? Netif.TX_MORE_DATA : 0, i == 0 ? 1000 : 10);
        }
        net.guest.push();
        net.hypervisor.run();
        assertThat(net.guest.sent()).hasSize(4 + TransmitRing.MOST_SLOTS + 1).extracting(Sent::status)
                .containsOnly(Netif.RSP_ERROR);
        assertThat(net.delivered).isEmpty();
        assertThat(net.guest.told("state")).isEqualTo("4");
        // As many slots as there may be.
        int[] lengths = new int[TransmitRing.MOST_SLOTS];
        Arrays.fill(lengths, 100);
        byte[] frame = frame(OTHER_MAC, GUEST_MAC, 100 * TransmitRing.MOST_SLOTS, 1);
        net.guest.frame(frame, 0, lengths);
        net.guest.push();
        net.hypervisor.run();
        assertThat(net.delivered).hasSize(1).first().extracting(NetworkFixture.Delivered::bytes).isEqualTo(frame);
        net.withdraw();
    }

    @Test
    void saysWhichPagesCouldNotBeFilled() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false, "feature-sg");
        net.guest.post(3);
        net.guest.receiveRing(0).put32(Ring.ENTRIES + 8 + 4, 77);
        net.send(frame(GUEST_MAC, OTHER_MAC, 9000, 1));
        FakePage ring = net.guest.receiveRing(0);
        assertThat((short) ring.get16(Ring.ENTRIES + 6)).isEqualTo((short) 4096);
        assertThat((short) ring.get16(Ring.ENTRIES + 8 + 6)).isEqualTo((short) Netif.RSP_ERROR);
        assertThat((short) ring.get16(Ring.ENTRIES + 16 + 6)).isEqualTo((short) 808);
        net.withdraw();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"request-rx-copy | 0 | pages are not flipped",
        "multi-queue-num-queues | 5 | wants 5 queues, 4 are the most",
        "multi-queue-num-queues | 0 | wants 0 queues", "multi-queue-num-queues | 2 | names no queue-0/event-channel",
        "tx-ring-ref | 999999 | tx-ring-ref cannot be mapped", "rx-ring-ref | x | does not say where rx-ring-ref is",
        "rx-ring-ref | 99999999999 | does not say where rx-ring-ref is", "event-channel | 5000 | cannot be bound",
        "event-channel | -1 | names no event-channel", "event-channel-tx | 7 | names no event-channel-rx"})
    void refusesWhatCannotBeConnected(String node, String value, String message) throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.prepare(1, false);
        net.guest.write(node, value);
        net.guest.become(4);
        assertThat(net.guest.told("error")).contains(message);
        assertThat(net.guest.told("state")).isEqualTo("5");
        net.assertLetGo();
        net.withdraw();
    }

    @ParameterizedTest
    @CsvSource({"bridge, nowhere, no bridge nowhere", "bridge, '', names no bridge", "rate, x, rate 'x' is no",
        "rate, '0,5', are no rate"})
    void refusesSettings(String node, String value, String message) throws Exception {
        NetworkFixture net = new NetworkFixture(node, value);
        assertThat(net.guest.told("error")).contains(message);
        assertThat(net.guest.told("state")).isEqualTo("6");
        net.guest.connect(1, false);
        net.assertLetGo();
        net.withdraw();
    }

    /** Rings full of anything, indexes that are anything, while frames come. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void survivesAnything(long seed) throws Exception {
        Random random = new Random(seed);
        for (int round = 0; round < 20; round++) {
            NetworkFixture net = new NetworkFixture();
            net.guest.connect(1, random.nextBoolean(), "feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6",
                    "feature-ipv6-csum-offload");
            FakePage transmit = net.guest.transmitRing(0);
            FakePage receive = net.guest.receiveRing(0);
            for (int step = 0; step < 50 && "4".equals(net.guest.told("state")); step++) {
                scribble(random, transmit, receive);
                net.guest.signal();
                net.send(NetworkFixture.tcp(GUEST_MAC, OTHER_MAC, 60 + random.nextInt(9000), step),
                        random.nextBoolean() ? Offload.NONE : Offload.segments(Gso.TCPV4, 1000, 34));
                net.hypervisor.advance(random.nextInt(50_000_000));
            }
            net.withdraw();
        }
    }

    private static void scribble(Random random, FakePage transmit, FakePage receive) {
        for (int i = 0; i < FakeFrontend.TRANSMIT_SIZE; i++) {
            int at = Ring.ENTRIES + i * 12;
            // Mostly what is answered, or a connection would not last.
            transmit.put32(at, random.nextInt(8) == 0 ? random.nextInt() : PAGE + random.nextInt(256));
            transmit.put16(at + 4, random.nextInt(400) == 0 ? random.nextInt() : random.nextInt(100));
            transmit.put16(at + 6, random.nextInt(100) == 0 ? random.nextInt(16) : random.nextInt(2) * 4);
            transmit.put16(at + 10, random.nextInt(400) == 0 ? random.nextInt() : random.nextInt(3000));
            receive.put32(Ring.ENTRIES + i * 8 + 4,
                    random.nextInt(8) == 0 ? random.nextInt() : FakeFrontend.RECEIVED_PAGES + random.nextInt(256));
        }
        for (FakePage ring : new FakePage[]{transmit, receive}) {
            int produced = ring.get32(Ring.RSP_PROD);
            ring.put32(Ring.REQ_PROD, random.nextInt(200) == 0 ? random.nextInt() : produced + random.nextInt(257));
            ring.put32(Ring.RSP_EVENT, random.nextInt());
            if (random.nextInt(300) == 0) {
                ring.put32(Ring.RSP_PROD, random.nextInt());
            }
        }
    }
}
