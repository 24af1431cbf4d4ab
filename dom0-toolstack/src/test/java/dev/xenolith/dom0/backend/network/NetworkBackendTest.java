package dev.xenolith.dom0.backend.network;

import static dev.xenolith.dom0.backend.network.NetworkFixture.GUEST_MAC;
import static dev.xenolith.dom0.backend.network.NetworkFixture.OTHER_MAC;
import static dev.xenolith.dom0.backend.network.NetworkFixture.frame;
import static dev.xenolith.dom0.backend.network.NetworkFixture.tcp;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.backend.network.FakeFrontend.Received;
import dev.xenolith.dom0.backend.network.FakeFrontend.Sent;
import dev.xenolith.dom0.net.packet.Gso;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.hypervisor.abi.Netif;
import dev.xenolith.hypervisor.abi.Ring;
import java.util.List;
import org.junit.jupiter.api.Test;

class NetworkBackendTest {
    private static final byte[] GROUP = {1, 0, 0x5e, 0, 0, 5};
    private static final long MILLISECOND = 1_000_000;

    @Test
    void offersWhatItCan() throws Exception {
        NetworkFixture net = new NetworkFixture("vifname", "web0");
        assertThat(net.guest.told("state")).isEqualTo("2");
        assertThat(net.guest.told("hotplug-status")).isEqualTo("connected");
        for (String feature : List.of("feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6",
                "feature-ipv6-csum-offload", "feature-rx-copy", "feature-multicast-control",
                "feature-split-event-channels")) {
            assertThat(net.guest.told(feature)).as(feature).isEqualTo("1");
        }
        assertThat(net.guest.told("feature-rx-flip")).isEqualTo("0");
        assertThat(net.guest.told("multi-queue-max-queues")).isEqualTo("4");
        assertThat(net.vif().port().name()).isEqualTo("web0");
        net.guest.connect(1, false);
        assertThat(net.guest.told("state")).isEqualTo("4");
        net.withdraw();
    }

    @Test
    void carriesFramesOfOneSlotAndOfMany() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, true, "feature-sg", "feature-rx-notify");
        byte[] small = frame(OTHER_MAC, GUEST_MAC, 60, 1);
        byte[] large = frame(OTHER_MAC, GUEST_MAC, 9000, 2);
        net.guest.frame(small, 0, 60);
        net.guest.frame(large, Netif.TX_DATA_VALIDATED, 4000, 3000, 2000);
        net.guest.push();
        net.hypervisor.run();
        assertThat(net.guest.sent()).containsExactly(new Sent(0, 0), new Sent(1, 0), new Sent(2, 0), new Sent(3, 0));
        assertThat(net.hypervisor.takeSignals(1)).isEqualTo(1);
        assertThat(net.delivered).extracting(NetworkFixture.Delivered::bytes).containsExactly(small, large);
        assertThat(net.delivered).extracting(NetworkFixture.Delivered::offload).containsExactly(Offload.NONE,
                Offload.VALIDATED);

        net.guest.post(10);
        net.send(frame(GUEST_MAC, OTHER_MAC, 9000, 3), Offload.VALIDATED);
        net.send(frame(GUEST_MAC, OTHER_MAC, 100, 4));
        assertThat(net.hypervisor.takeSignals(1)).isEqualTo(1);
        List<Received> received = net.guest.received();
        assertThat(received).extracting(Received::bytes).containsExactly(frame(GUEST_MAC, OTHER_MAC, 9000, 3),
                frame(GUEST_MAC, OTHER_MAC, 100, 4));
        assertThat(received).extracting(Received::flags).containsExactly(
                Netif.RX_DATA_VALIDATED | Netif.RX_MORE_DATA, 0);
        net.withdraw();
    }

    @Test
    void carriesWhatIsToBeCutAndBlankChecksums() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false, "feature-sg", "feature-gso-tcpv4");
        byte[] large = tcp(OTHER_MAC, GUEST_MAC, 5000, 80);
        byte[] small = tcp(OTHER_MAC, GUEST_MAC, 100, 80);
        int blank = Netif.TX_CSUM_BLANK | Netif.TX_DATA_VALIDATED;
        net.guest.frame(large, blank | Netif.TX_EXTRA_INFO,
                () -> net.guest.extra(Netif.EXTRA_TYPE_GSO, 0, 1448, Netif.GSO_TYPE_TCPV4), 3000, 2000);
        net.guest.frame(small, blank, 100);
        // A checksum that is complete does not go with segments; it is made one that is blank.
        net.guest.frame(large, Netif.TX_EXTRA_INFO,
                () -> net.guest.extra(Netif.EXTRA_TYPE_GSO, 0, 1000, Netif.GSO_TYPE_TCPV4), 3000, 2000);
        // No transport header to which a checksum could belong: lost.
        net.guest.frame(frame(OTHER_MAC, GUEST_MAC, 100, 0), blank, 100);
        net.guest.push();
        net.hypervisor.run();
        assertThat(net.guest.sent()).extracting(Sent::status).containsExactly(0, Netif.RSP_NULL, 0, 0, 0,
                Netif.RSP_NULL, 0, 0);
        assertThat(net.delivered).extracting(NetworkFixture.Delivered::offload).containsExactly(
                Offload.segments(Gso.TCPV4, 1448, 34), Offload.blank(34, Offload.TCP_CHECKSUM),
                Offload.segments(Gso.TCPV4, 1000, 34));
        assertThat(net.delivered.getFirst().bytes()).isEqualTo(large);

        net.guest.post(10);
        byte[] back = tcp(GUEST_MAC, OTHER_MAC, 5000, 80);
        net.send(back, Offload.segments(Gso.TCPV4, 1448, 34));
        net.send(tcp(GUEST_MAC, OTHER_MAC, 100, 80), Offload.blank(34, Offload.TCP_CHECKSUM));
        List<Received> received = net.guest.received();
        int flags = Netif.RX_CSUM_BLANK | Netif.RX_DATA_VALIDATED;
        assertThat(received).extracting(Received::flags)
                .containsExactly(flags | Netif.RX_EXTRA_INFO | Netif.RX_MORE_DATA, flags);
        assertThat(received.getFirst().bytes()).isEqualTo(back);
        assertThat(received.getFirst().segmentSize()).isEqualTo(1448);
        assertThat(received.getFirst().gsoType()).isEqualTo(Netif.GSO_TYPE_TCPV4);
        net.withdraw();
    }

    @Test
    void givesASimpleFrontendSimpleFrames() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false, "feature-no-csum-offload", "feature-gso-tcpv4");
        net.guest.post(10);
        net.send(tcp(GUEST_MAC, OTHER_MAC, 5000, 80), Offload.segments(Gso.TCPV4, 2000, 34));
        net.send(frame(GUEST_MAC, OTHER_MAC, 5000, 1));
        List<Received> received = net.guest.received();
        // Without feature-sg there is no room for 5000 bytes, cut or not; segments have complete checksums.
        assertThat(received).extracting(frame -> frame.bytes().length).containsExactly(2054, 2054, 1000);
        assertThat(received).extracting(Received::flags).containsOnly(Netif.RX_DATA_VALIDATED);
        assertThat(net.vif().counters().droppedFrames()).isEqualTo(1);
        net.withdraw();
    }

    @Test
    void servesSeveralQueuesAndKeepsConversationsTogether() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(4, true, "feature-sg");
        for (int port = 1; port <= 64; port++) {
            net.send(tcp(GUEST_MAC, OTHER_MAC, 100, port));
            net.send(tcp(GUEST_MAC, OTHER_MAC, 100, port));
        }
        int used = 0;
        int waiting = 0;
        for (NetworkQueue queue : net.queues()) {
            int queued = queue.receive().queued();
            used += queued > 0 ? 1 : 0;
            waiting += queued;
            assertThat(queued % 2).isZero();
        }
        assertThat(used).isEqualTo(4);
        assertThat(waiting).isEqualTo(128);
        net.withdraw();
    }

    @Test
    void holdsSomeFramesForPagesAndDropsMore() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false, "feature-sg", "feature-rx-notify");
        for (int i = 0; i < 20_000; i++) {
            net.send(frame(GUEST_MAC, OTHER_MAC, 1500, i));
        }
        ReceiveRing ring = net.queues().getFirst().receive();
        int kept = ReceiveRing.MAX_QUEUED_BYTES / 1500;
        assertThat(ring.queued()).isEqualTo(kept);
        assertThat(net.vif().counters().droppedFrames()).isEqualTo(20_000 - kept);
        net.guest.post(100);
        assertThat(net.guest.receiveRing(0).get32(Ring.REQ_EVENT)).as("the next request is to be told").isEqualTo(1);
        net.guest.signal();
        assertThat(net.guest.received()).hasSize(100).first().extracting(Received::bytes)
                .isEqualTo(frame(GUEST_MAC, OTHER_MAC, 1500, 0));
        net.hypervisor.advance(ReceiveRing.DRAIN_TIME + MILLISECOND);
        assertThat(ring.queued()).isZero();
        net.guest.post(100);
        net.guest.signal();
        assertThat(net.guest.received()).isEmpty();
        net.send(frame(GUEST_MAC, OTHER_MAC, 60, 9));
        assertThat(net.guest.received()).hasSize(1);
        net.withdraw();
    }

    @Test
    void boundsSmallFramesToo() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false, "feature-rx-notify");
        for (int i = 0; i < 5000; i++) {
            net.send(frame(GUEST_MAC, OTHER_MAC, 60, i));
        }
        assertThat(net.queues().getFirst().receive().queued()).isEqualTo(ReceiveRing.MAX_QUEUED_FRAMES);
        net.withdraw();
    }

    @Test
    void waitsForEnoughPagesForALargeFrame() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false, "feature-sg", "feature-rx-notify");
        net.guest.post(2);
        net.send(frame(GUEST_MAC, OTHER_MAC, 9000, 1));
        assertThat(net.guest.received()).isEmpty();
        assertThat(net.guest.receiveRing(0).get32(Ring.REQ_EVENT)).isEqualTo(3);
        net.guest.post(1);
        net.guest.signal();
        assertThat(net.guest.received()).hasSize(1);
        net.withdraw();
    }

    @Test
    void looksForPagesByItselfIfItIsNotTold() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false);
        net.send(frame(GUEST_MAC, OTHER_MAC, 60, 1));
        net.guest.post(1);
        net.hypervisor.advance(ReceiveRing.DRAIN_TIME_UNNOTIFIED);
        assertThat(net.guest.received()).hasSize(1);
        net.send(frame(GUEST_MAC, OTHER_MAC, 60, 2));
        net.hypervisor.advance(ReceiveRing.DRAIN_TIME_UNNOTIFIED);
        net.guest.post(1);
        net.hypervisor.advance(ReceiveRing.DRAIN_TIME_UNNOTIFIED);
        assertThat(net.guest.received()).isEmpty();
        net.withdraw();
    }

    @Test
    void holdsToTheRate() throws Exception {
        NetworkFixture net = new NetworkFixture("rate", "2500,50000");
        net.guest.connect(1, false);
        for (int i = 0; i < 5; i++) {
            net.guest.frame(frame(OTHER_MAC, GUEST_MAC, 1000, i), 0, 1000);
        }
        net.guest.push();
        net.hypervisor.run();
        assertThat(net.delivered).hasSize(2);
        net.guest.push();
        net.hypervisor.run();
        assertThat(net.delivered).hasSize(2);
        net.hypervisor.advance(50 * MILLISECOND);
        assertThat(net.delivered).hasSize(4);
        net.hypervisor.advance(50 * MILLISECOND);
        assertThat(net.delivered).hasSize(5);
        assertThat(net.guest.sent()).hasSize(5);
        net.withdraw();
    }

    @Test
    void takesTurns() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false);
        net.hypervisor.run();
        for (int i = 0; i < FakeFrontend.TRANSMIT_SIZE; i++) {
            net.guest.frame(frame(OTHER_MAC, GUEST_MAC, 60, i), 0, 60);
        }
        net.guest.push();
        assertThat(net.hypervisor.runOne()).isTrue();
        assertThat(net.delivered).hasSize(TransmitRing.PACKETS_PER_TURN);
        net.hypervisor.run();
        assertThat(net.delivered).hasSize(FakeFrontend.TRANSMIT_SIZE);
        assertThat(net.guest.sent()).hasSize(FakeFrontend.TRANSMIT_SIZE);
        net.withdraw();
    }

    @Test
    void filtersGroups() throws Exception {
        NetworkFixture net = new NetworkFixture();
        net.guest.connect(1, false, "request-multicast-control");
        net.guest.post(10);
        net.send(frame(GROUP, OTHER_MAC, 60, 1));
        assertThat(net.guest.received()).isEmpty();
        net.guest.request(0, 0, Netif.TX_EXTRA_INFO, 0);
        net.guest.extraGroup(Netif.EXTRA_TYPE_MCAST_ADD, GROUP);
        net.guest.push();
        net.hypervisor.run();
        assertThat(net.guest.sent()).extracting(Sent::status).containsExactly(0, Netif.RSP_NULL);
        net.send(frame(GROUP, OTHER_MAC, 60, 2));
        assertThat(net.guest.received()).hasSize(1);
        net.guest.request(0, 0, Netif.TX_EXTRA_INFO, 0);
        net.guest.extraGroup(Netif.EXTRA_TYPE_MCAST_DEL, GROUP);
        for (int i = 0; i <= MulticastFilter.MAX_GROUPS; i++) {
            net.guest.request(0, 0, Netif.TX_EXTRA_INFO, 0);
            net.guest.extraGroup(Netif.EXTRA_TYPE_MCAST_ADD, new byte[]{1, 0, 0x5e, 1, 0, (byte) i});
        }
        net.guest.push();
        net.hypervisor.run();
        assertThat(net.guest.sent().get(2 + 2 * MulticastFilter.MAX_GROUPS).status()).isEqualTo(Netif.RSP_ERROR);
        net.send(frame(GROUP, OTHER_MAC, 60, 3));
        assertThat(net.guest.received()).isEmpty();
        net.send(frame(new byte[]{-1, -1, -1, -1, -1, -1}, OTHER_MAC, 60, 3));
        assertThat(net.guest.received()).hasSize(1);
        net.withdraw();
    }

    @Test
    void comesBackAfterItsFrontendHasGone() throws Exception {
        NetworkFixture net = new NetworkFixture();
        for (int i = 0; i < 3; i++) {
            net.guest.connect(1, i == 1, "feature-sg");
            net.guest.post(1);
            net.send(frame(GUEST_MAC, OTHER_MAC, 60, i));
            assertThat(net.guest.received()).hasSize(1);
            net.guest.become(5);
            assertThat(net.guest.told("state")).isEqualTo("5");
            net.assertLetGo();
            net.guest.become(6);
            assertThat(net.guest.told("state")).isEqualTo("6");
            net.send(frame(GUEST_MAC, OTHER_MAC, 60, i));
            net.guest.become(1);
            assertThat(net.guest.told("state")).isEqualTo("2");
        }
        net.withdraw();
    }
}
