package dev.xenolith.dom0.net.nat;

import static dev.xenolith.dom0.net.nat.NatFixture.DNS;
import static dev.xenolith.dom0.net.nat.NatFixture.GATEWAY;
import static dev.xenolith.dom0.net.nat.NatFixture.GUEST;
import static dev.xenolith.dom0.net.nat.NatFixture.LOOKUP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.net.packet.OffloadFeatures;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What the NAT is to its guests besides TCP: ARP, ICMP, DHCP, DNS, UDP. */
class NatServicesTest {
    private static final NatSettings WITHOUT_RESOLVER = NatSettings.standard().withResolver(null);

    @Test
    void answersArpForItsAddressesOnly() throws Exception {
        try (NatFixture f = new NatFixture()) {
            for (String address : List.of("10.0.2.2", "10.0.2.3", "10.0.2.4", "10.0.2.15", "8.8.8.8")) {
                long before = f.guest.framesSeen;
                f.guest.sendArpRequest(GuestStack.ip(address));
                f.context.settle(0);
                assertThat(f.guest.framesSeen - before).as(address).isEqualTo(address.matches(".*[.][23]") ? 1 : 0);
            }
            assertThat(f.nat.guests().neighbourCount()).isEqualTo(1);
        }
    }

    @Test
    void answersEchoesOfAnySize() throws Exception {
        try (NatFixture f = new NatFixture()) {
            f.guest.ping(GATEWAY, "hello".getBytes(StandardCharsets.US_ASCII));
            f.guest.ping(DNS, new byte[1400]);
            f.context.settle(0);
            assertThat(f.guest.icmp).hasSize(2);
            assertThat(f.guest.icmp.getFirst()[0]).isZero();
            assertThat(Arrays.copyOfRange(f.guest.icmp.getFirst(), 4, 13)).asString()
                    .isEqualTo(new String(new byte[]{0x12, 0x34, 0, 1}) + "hello");
            f.assertNothingLeft();
        }
    }

    @Test
    void aHostThatIsNotThereIsUnreachable() throws Exception {
        try (NatFixture f = new NatFixture()) {
            // TEST-NET-1: nobody has it.
            f.guest.ping(GuestStack.ip("192.0.2.77"), new byte[8]);
            f.context.waitUntil("an answer", () -> !f.guest.icmp.isEmpty());
            assertThat(f.guest.icmp.getFirst()).startsWith(3, 1);
        }
    }

    @Test
    void timeToLiveEndsHere() throws Exception {
        try (NatFixture f = new NatFixture()) {
            byte[] udp = GuestStack.udp(GUEST, 1000, GuestStack.ip("192.0.2.1"), 33434, new byte[4]);
            ByteBuffer frame = f.guest.frame(f.nat.mac(), 0x0800, 20 + udp.length)
                    .put(GuestStack.ipHeader(GUEST, GuestStack.ip("192.0.2.1"), 17, udp.length, 0, 1)).put(udp);
            f.guest.sendFrame(frame.array());
            f.context.settle(0);
            assertThat(f.guest.icmp.getFirst()).startsWith(11, 0);
        }
    }

    // DHCP

    private static byte[] dhcp(long mac, int type, int clientAddress, int requested, int server, boolean broadcast) {
        ByteBuffer message = ByteBuffer.allocate(300).putInt(0x01010600).putInt(0xabcd1234)
                .putInt(broadcast ? 0x8000 : 0).putInt(clientAddress);
        message.position(28);
        GuestStack.putMac(message, mac);
        message.putInt(236, 0x63825363).position(240);
        message.put((byte) 53).put((byte) 1).put((byte) type).put((byte) 0);
        if (requested != 0) {
            message.put((byte) 50).put((byte) 4).putInt(requested);
        }
        if (server != 0) {
            message.put((byte) 54).put((byte) 4).putInt(server);
        }
        return message.put((byte) 255).array();
    }

    private static Map<Integer, byte[]> options(byte[] message) {
        Map<Integer, byte[]> options = new HashMap<>();
        for (int at = 240; message[at] != -1; at += 2 + message[at + 1]) {
            options.put((int) message[at], Arrays.copyOfRange(message, at + 2, at + 2 + message[at + 1]));
        }
        return options;
    }

    /** Sends and returns the answer, or null. */
    private static byte[] ask(NatFixture f, byte[] message) {
        f.guest.datagrams.clear();
        f.guest.sendIp(0, -1, 17, GuestStack.udp(0, 68, -1, 67, message), 0xffffffffffffL);
        f.context.advance(0);
        GuestStack.Udp answer = f.guest.lastDatagram();
        if (answer == null) {
            return new byte[0];
        }
        assertThat(answer.source()).isEqualTo(GATEWAY);
        assertThat(answer.sourcePort()).isEqualTo(67);
        assertThat(answer.destinationPort()).isEqualTo(68);
        assertThat(ByteBuffer.wrap(answer.data()).getInt(4)).as("transaction").isEqualTo(0xabcd1234);
        return answer.data();
    }

    private static int type(byte[] answer) {
        return answer.length == 0 ? 0 : Objects.requireNonNull(options(answer).get(53))[0];
    }

    private static int yours(byte[] answer) {
        return ByteBuffer.wrap(answer).getInt(16);
    }

    @Test
    void givesLeases() throws Exception {
        try (NatFixture f = new NatFixture()) {
            byte[] offer = ask(f, dhcp(f.guest.mac, 1, 0, 0, 0, true));
            assertThat(type(offer)).isEqualTo(2);
            assertThat(yours(offer)).isEqualTo(GUEST);
            Map<Integer, byte[]> options = options(offer);
            assertThat(options.get(1)).containsExactly(255, 255, 255, 0);
            assertThat(options.get(3)).containsExactly(10, 0, 2, 2);
            assertThat(options.get(6)).containsExactly(10, 0, 2, 3);
            assertThat(options.get(26)).containsExactly(0x05, 0xdc);
            assertThat(options.get(51)).containsExactly(0, 1, 0x51, 0x80);
            assertThat(options.get(54)).containsExactly(10, 0, 2, 2);
            byte[] ack = ask(f, dhcp(f.guest.mac, 3, 0, GUEST, GATEWAY, false));
            assertThat(type(ack)).isEqualTo(5);
            assertThat(yours(ack)).isEqualTo(GUEST);
            assertThat(f.nat.leaseOf(f.guest.mac)).isEqualTo(GUEST);
            // Renewal, another client, release, and the same address again.
            assertThat(type(ask(f, dhcp(f.guest.mac, 3, GUEST, 0, 0, true)))).isEqualTo(5);
            assertThat(yours(ask(f, dhcp(77, 1, 0, GUEST, 0, true)))).isEqualTo(GUEST + 1);
            assertThat(type(ask(f, dhcp(77, 3, 0, GUEST, GATEWAY, true)))).as("another's").isEqualTo(6);
            assertThat(type(ask(f, dhcp(77, 3, 0, GUEST + 1, GuestStack.ip("10.0.2.9"), true)))).as("another server's")
                    .isZero();
            assertThat(type(ask(f, dhcp(f.guest.mac, 7, GUEST, 0, GATEWAY, true)))).isZero();
            assertThat(yours(ask(f, dhcp(f.guest.mac, 1, 0, 0, 0, true)))).isEqualTo(GUEST);
            byte[] inform = ask(f, dhcp(78, 8, GUEST, 0, 0, true));
            assertThat(type(inform)).isEqualTo(5);
            assertThat(yours(inform)).isZero();
            assertThat(options(inform)).doesNotContainKey(51);
            f.assertNothingLeft();
        }
    }

    @Test
    void leasesAreBoundedAndReused() throws Exception {
        try (NatFixture f = new NatFixture()) {
            int given = 0;
            for (int i = 0; i < 1000; i++) {
                given += type(ask(f, dhcp(1000 + i, 1, 0, 0, 0, true))) == 2 ? 1 : 0;
            }
            assertThat(given).isEqualTo(240);
            assertThat(f.nat.counters().leases()).isEqualTo(240);
            f.context.advance(61_000_000_000L);
            byte[] late = ask(f, dhcp(5, 1, 0, 0, 0, true));
            assertThat(yours(late)).as("the oldest offer's").isEqualTo(GUEST);
            assertThat(type(ask(f, dhcp(5, 4, 0, GUEST, GATEWAY, true)))).isZero();
            assertThat(f.nat.leaseOf(5)).as("declined").isZero();
            assertThat(yours(ask(f, dhcp(5, 1, 0, GUEST, 0, true)))).isNotEqualTo(GUEST);
        }
    }

    // DNS

    private static byte[] query(String name, int type) {
        ByteBuffer query = ByteBuffer.allocate(512).putInt(0x4242_0100).putInt(0x0001_0000).putInt(0);
        for (String label : name.split("\\.")) {
            query.put((byte) label.length()).put(label.getBytes(StandardCharsets.US_ASCII));
        }
        query.put((byte) 0).putShort((short) type).putShort((short) 1);
        return Arrays.copyOf(query.array(), query.position());
    }

    @Test
    void answersQueriesWithoutAResolver() throws Exception {
        try (NatFixture f = new NatFixture(WITHOUT_RESOLVER, OffloadFeatures.NONE, 1)) {
            f.guest.sendUdp(5000, DNS, 53, query("known.example", 1));
            f.context.waitUntil("an answer", () -> f.guest.datagrams.size() == 1);
            GuestStack.Udp answer = f.guest.datagrams.getFirst();
            assertThat(answer.source()).isEqualTo(DNS);
            ByteBuffer dns = ByteBuffer.wrap(answer.data());
            assertThat(dns.getInt(0)).isEqualTo(0x4242_8180);
            assertThat(dns.getInt(4)).isEqualTo(0x0001_0002);
            assertThat(answer.data()).endsWith(192, 0, 2, 2);
            f.guest.sendUdp(5000, DNS, 53, query("unknown.example", 1));
            f.context.waitUntil("an answer", () -> f.guest.datagrams.size() == 2);
            assertThat(f.guest.datagrams.get(1).data()[3] & 0xf).isEqualTo(3);
        }
    }

    @Test
    void answersEachTypeOfQuery() {
        DnsResponder responder = new DnsResponder(new dev.xenolith.dom0.net.TestContext(1), LOOKUP);
        assertThat(responder.answerNow(query("known.example", 28))).endsWith(0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                0,
                1);
        byte[] pointer = responder.answerNow(query("1.2.0.192.in-addr.arpa", 12));
        assertThat(new String(pointer, StandardCharsets.ISO_8859_1)).endsWith("\5known\7example\0");
        assertThat(responder.answerNow(query("2.2.0.192.in-addr.arpa", 12))[3] & 0xf).isEqualTo(3);
        assertThat(responder.answerNow(query("999.2.0.192.in-addr.arpa", 12))[3] & 0xf).isEqualTo(3);
        assertThat(responder.answerNow(query("known.example", 15))[3] & 0xf).isEqualTo(4);
        assertThat(responder.answerNow(Arrays.copyOf(query("known.example", 1), 20))[3] & 0xf).isEqualTo(1);
        byte[] status = query("known.example", 1);
        status[2] = 0x10;
        assertThat(responder.answerNow(status)[3] & 0xf).isEqualTo(4);
    }

    @Test
    void answersQueriesOverTcp() throws Exception {
        try (NatFixture f = new NatFixture(WITHOUT_RESOLVER, OffloadFeatures.NONE, 1)) {
            GuestTcp tcp = f.guest.connect(DNS, 53, 6000);
            byte[] query = query("known.example", 1);
            for (int i = 0; i < 100; i++) {
                byte[] framed = ByteBuffer.allocate(2 + query.length).putShort((short) query.length).put(query).array();
                tcp.write(Arrays.copyOf(framed, 5));
                tcp.write(Arrays.copyOfRange(framed, 5, framed.length));
            }
            tcp.end();
            f.context.runUntil("the answers", () -> tcp.ended);
            assertThat(tcp.receivedBytes()).isEqualTo(100 * (2 + query.length + 2 * 16));
            f.context.runUntil("the end", () -> f.nat.tcp().size() == 0);
            f.assertNothingLeft();
        }
    }

    @Test
    void sendsQueriesToTheResolver() throws Exception {
        try (DatagramSocket resolver = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                NatFixture f = new NatFixture(
                        NatSettings.standard().withResolver((InetSocketAddress) resolver.getLocalSocketAddress()),
                        OffloadFeatures.NONE, 1)) {
            echo(resolver);
            f.guest.sendUdp(5000, DNS, 53, new byte[]{1, 2, 3});
            f.context.waitUntil("an answer", () -> f.guest.datagrams.size() == 1);
            assertThat(f.guest.datagrams.getFirst().source()).isEqualTo(DNS);
            assertThat(f.guest.datagrams.getFirst().data()).containsExactly(1, 2, 3);
            assertThat(f.nat.udp().flowCount()).isEqualTo(1);
            f.context.advance(UdpNat.IDLE_DNS + 10_000_000_001L);
            assertThat(f.nat.udp().flowCount()).isZero();
        }
    }

    @Test
    void findsTheResolver() {
        assertThat(ResolverFile.nameServer(List.of("# nameserver 1.1.1.1", "search x", "nameserver name",
                " nameserver\t9.9.9.9 # x", "nameserver 8.8.8.8"))).contains(new InetSocketAddress("9.9.9.9", 53));
        assertThat(ResolverFile.nameServer(List.of("nameserver 2001:db8::1"))).isPresent();
        assertThat(ResolverFile.nameServer(List.of("nameserver", "nameserver 1.2.3.999"))).isEmpty();
    }

    // UDP

    private static void echo(DatagramSocket socket) {
        Thread.ofVirtual().start(() -> {
            try {
                while (true) {
                    DatagramPacket packet = new DatagramPacket(new byte[65536], 65536);
                    socket.receive(packet);
                    socket.send(packet);
                }
            } catch (java.io.IOException e) {
                // Closed.
            }
        });
    }

    @Test
    void datagramsGoOutAndComeBack() throws Exception {
        try (DatagramSocket server = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                NatFixture f = new NatFixture()) {
            echo(server);
            for (int i = 0; i < 20; i++) {
                f.guest.sendUdp(5000 + i % 2, GATEWAY, server.getLocalPort(), new byte[1 + i * 70]);
                int expected = i + 1;
                f.context.waitUntil("an answer", () -> f.guest.datagrams.size() == expected);
                GuestStack.Udp answer = f.guest.datagrams.getLast();
                assertThat(answer.source()).isEqualTo(GATEWAY);
                assertThat(answer.sourcePort()).isEqualTo(server.getLocalPort());
                assertThat(answer.destinationPort()).isEqualTo(5000 + i % 2);
                assertThat(answer.data()).hasSize(1 + i * 70);
            }
            assertThat(f.nat.udp().flowCount()).isEqualTo(2);
            f.context.advance(UdpNat.IDLE + 10_000_000_001L);
            assertThat(f.nat.udp().flowCount()).isZero();
            assertThat(f.guest.complaints).isEmpty();
        }
    }

    @Test
    void largeDatagramsAreReassembledAndFragmented() throws Exception {
        try (DatagramSocket server = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                NatFixture f = new NatFixture()) {
            echo(server);
            byte[] data = new byte[30_000];
            new java.util.SplittableRandom(1).nextBytes(data);
            byte[] udp = GuestStack.udp(GUEST, 5000, GATEWAY, server.getLocalPort(), data);
            int pieces = (udp.length + 1479) / 1480;
            for (int i = pieces - 1; i >= 0; i--) {
                int from = i * 1480;
                byte[] part = Arrays.copyOfRange(udp, from, Math.min(udp.length, from + 1480));
                ByteBuffer frame = f.guest.frame(f.nat.mac(), 0x0800, 20 + part.length)
                        .put(GuestStack.ipHeader(GUEST, GATEWAY, 17, part.length,
                                from / 8 | (i < pieces - 1 ? 0x2000 : 0), 64))
                        .put(part);
                f.guest.sendFrame(frame.array());
                if (i == 5) {
                    f.guest.sendFrame(frame.array());
                }
            }
            f.context.waitUntil("all fragments", () -> f.guest.fragments.size() == pieces);
            byte[] back = new byte[udp.length];
            for (byte[] fragment : f.guest.fragments) {
                int at = (ByteBuffer.wrap(fragment).getShort(20) & 0x1fff) * 8;
                System.arraycopy(fragment, 34, back, at, fragment.length - 34);
            }
            assertThat(Arrays.copyOfRange(back, 8, back.length)).isEqualTo(data);
            assertThat(f.nat.reassembly().size()).isZero();
            long sum = GuestStack.pseudo(GATEWAY, GUEST, 17, back.length);
            assertThat(GuestStack.checksum(back, sum)).isZero();
        }
    }

    @Test
    void flowsAreBounded() throws Exception {
        try (NatFixture f = new NatFixture()) {
            for (int port = 1; port <= 700; port++) {
                f.guest.sendUdp(port, GATEWAY, 9, new byte[1]);
            }
            f.context.settle(0);
            assertThat(f.nat.udp().flowCount()).isEqualTo(UdpNat.MAX_FLOWS);
            assertThat(f.nat.counters().dropped()).isGreaterThanOrEqualTo(700 - UdpNat.MAX_FLOWS);
        }
    }

    @Test
    void forwardsDatagramsToAGuest() throws Exception {
        try (NatFixture f = new NatFixture();
                DatagramSocket client = new DatagramSocket(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            InetSocketAddress host = f.nat.forward(new PortForward(PortForward.Protocol.UDP,
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), GUEST, 69)).get();
            client.send(new DatagramPacket("ask".getBytes(StandardCharsets.US_ASCII), 3, host));
            f.context.waitUntil("the question", () -> f.guest.datagrams.size() == 1);
            GuestStack.Udp question = f.guest.datagrams.getFirst();
            assertThat(question.source()).isEqualTo(GATEWAY);
            assertThat(question.destinationPort()).isEqualTo(69);
            f.guest.sendUdp(69, GATEWAY, question.sourcePort(), "answer".getBytes(StandardCharsets.US_ASCII));
            f.context.settle(0);
            DatagramPacket answer = new DatagramPacket(new byte[100], 100);
            client.setSoTimeout(30_000);
            client.receive(answer);
            assertThat(new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII))
                    .isEqualTo("answer");
            assertThat(answer.getSocketAddress()).isEqualTo(host);
            assertThatThrownBy(() -> f.nat.forward(new PortForward(PortForward.Protocol.UDP, host, GUEST, 70)).get())
                    .hasMessageContaining("cannot listen at udp 127.0.0.1:" + host.getPort());
        }
    }

    @Test
    void settingsAreChecked() {
        assertThat(NatSettings.parse("192.168.7.0/24").gateway()).isEqualTo(GuestStack.ip("192.168.7.2"));
        for (String wrong : List.of("10.0.2.0", "10.0.2.1/24", "10.0.2.0/30", "10.0.2.0/x", "300.0.0.0/24")) {
            assertThatThrownBy(() -> NatSettings.parse(wrong)).as(wrong).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected");
        }
    }
}
