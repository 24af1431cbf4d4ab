package dev.xenolith.dom0.net.nat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.net.packet.Offload;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A hostile guest: frames of all kinds with fields changed. Nothing throws, and every table stays within its bound. */
class NatFuzzTest {
    private static final int FRAMES = 1_000_000;

    private static List<byte[]> seeds(NatFixture f) {
        List<byte[]> seeds = new ArrayList<>();
        int guest = NatFixture.GUEST;
        int gateway = NatFixture.GATEWAY;
        List<byte[]> packets = List.of(GuestStack.udp(guest, 68, gateway, 67, new byte[300]),
                GuestStack.udp(guest, 5, NatFixture.DNS, 53, new byte[40]),
                GuestStack.udp(guest, 5, gateway, 9, new byte[40]),
                new byte[]{8, 0, (byte) 0xf7, (byte) 0xff, 0, 0, 0, 0});
        for (byte[] packet : packets) {
            seeds.add(ip(f, packet.length == 8 ? 1 : 17, packet, gateway));
        }
        for (int flags = 0; flags < 64; flags++) {
            byte[] segment = TcpNatTest.syn(1000 + flags % 4, 1, flags * 1000);
            segment[13] = (byte) flags;
            seeds.add(ip(f, 6, Arrays.copyOf(segment, 24 + flags % 3 * 10), flags % 2 == 0 ? gateway : 0x7f000001));
        }
        ByteBuffer arp = f.guest.frame(-1, 0x0806, 28).putInt(0x00010800).putInt(0x06040001);
        seeds.add(arp.putLong(1).putInt(guest).putLong(gateway).array());
        return seeds;
    }

    private static byte[] ip(NatFixture f, int protocol, byte[] payload, int destination) {
        return f.guest.frame(f.nat.mac(), 0x0800, 20 + payload.length)
                .put(GuestStack.ipHeader(NatFixture.GUEST, destination, protocol, payload.length, 0, 64)).put(payload)
                .array();
    }

    @Test
    void nothingThrowsAndNothingGrows() throws Exception {
        try (NatFixture f = new NatFixture(NatSettings.standard().withResolver(null),
                dev.xenolith.dom0.net.packet.OffloadFeatures.NONE, 1)) {
            f.guest.silent = true;
            SplittableRandom random = new SplittableRandom(99);
            List<byte[]> seeds = seeds(f);
            for (int i = 0; i < FRAMES; i++) {
                byte[] frame = seeds.get(random.nextInt(seeds.size())).clone();
                for (int n = random.nextInt(5); n > 0; n--) {
                    frame[12 + random.nextInt(frame.length - 12)] = (byte) random.nextInt();
                }
                int length = random.nextInt(8) == 0 ? 14 + random.nextInt(frame.length - 13) : frame.length;
                frame = Arrays.copyOf(frame, length);
                // What the checksum of the IP header hides is to be looked at too.
                if (random.nextInt(4) > 0 && length >= 34) {
                    int header = Math.max(20, Math.min((frame[14] & 0xf) * 4, length - 14));
                    ByteBuffer.wrap(frame).putShort(24, (short) 0);
                    ByteBuffer.wrap(frame).putShort(24,
                            (short) GuestStack.checksum(Arrays.copyOfRange(frame, 14, 14 + header), 0));
                }
                f.guest.link.send(frame, 0, length, random.nextInt(4) > 0 ? Offload.VALIDATED : Offload.NONE);
                if (i % 2000 == 0) {
                    f.context.advance(random.nextLong(100_000_000_000L));
                }
                if (i % 100_000 == 0) {
                    assertBounded(f);
                }
            }
            f.context.settle(0);
            f.context.advance(1_000_000_000_000L);
            f.context.settle(0);
            assertBounded(f);
            assertThat(f.nat.counters().malformed()).isPositive();
            assertThat(f.nat.tcp().opened()).isPositive();
            // It still works.
            f.guest.silent = false;
            f.guest.ping(NatFixture.GATEWAY, new byte[8]);
            f.context.runUntil("an echo", () -> !f.guest.icmp.isEmpty());
        }
    }

    private static void assertBounded(NatFixture f) {
        UserModeNat.Counters counters = f.nat.counters();
        assertThat(counters.connections()).isLessThanOrEqualTo(TcpNat.MAX_CONNECTIONS);
        assertThat(counters.flows()).isLessThanOrEqualTo(UdpNat.MAX_FLOWS);
        assertThat(counters.leases()).isLessThanOrEqualTo(NatSettings.MAX_LEASES);
        assertThat(f.nat.guests().neighbourCount()).isLessThanOrEqualTo(GuestSide.MAX_NEIGHBOURS);
        assertThat(f.nat.guests().waitingCount()).isLessThanOrEqualTo(GuestSide.MAX_WAITING);
        assertThat(f.nat.reassembly().size()).isLessThanOrEqualTo(Reassembly.MAX_PACKETS);
        assertThat(f.nat.tcp().budgetLeft()).isNotNegative();
        assertThat(f.context.timerCount()).isLessThan(4 * TcpNat.MAX_CONNECTIONS + 10);
    }

    /** Segments of a connection that is open, its own numbers among them, in any order and with any flags. */
    @Test
    void anOpenConnectionComesThrough() throws Exception {
        try (HostServer server = new HostServer(socket -> socket.getInputStream().readAllBytes());
                NatFixture f = new NatFixture()) {
            SplittableRandom random = new SplittableRandom(5);
            for (int round = 0; round < 200; round++) {
                GuestTcp tcp = f.guest.connect(NatFixture.GATEWAY, server.port(), 2000 + round);
                f.context.runUntil("connected", () -> tcp.connected || tcp.reset);
                f.guest.silent = true;
                for (int i = 0; i < 2000; i++) {
                    byte[] segment = TcpNatTest.syn(2000 + round, server.port(), 0);
                    ByteBuffer b = ByteBuffer.wrap(Arrays.copyOf(segment, 20 + random.nextInt(1400)));
                    b.putInt(4, tcp.initial() + random.nextInt(-10, 70_000))
                            .putInt(8, tcp.initialRemote() + random.nextInt(-3, 5))
                            .putShort(12, (short) (0x5000 | random.nextInt(64) & ~(random.nextInt(50) > 0 ? 0x06 : 0)))
                            .putShort(14, (short) random.nextInt(random.nextBoolean() ? 2 : 65536));
                    f.guest.sendTcp(b.array(), NatFixture.GATEWAY);
                }
                f.context.settle(0);
                f.guest.silent = false;
            }
            assertThat(f.guest.complaints).isEmpty();
            assertThat(f.nat.tcp().size()).isLessThanOrEqualTo(TcpNat.MAX_CONNECTIONS);
        }
    }
}
