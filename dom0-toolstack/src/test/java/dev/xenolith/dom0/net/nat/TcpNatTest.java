package dev.xenolith.dom0.net.nat;

import static dev.xenolith.dom0.net.nat.NatFixture.GATEWAY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.net.nat.GuestStack.Weather;
import dev.xenolith.dom0.net.packet.OffloadFeatures;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Guests' TCP connections to real sockets. */
class TcpNatTest {
    private static final int MEBI = 1 << 20;

    private static byte[] data(int length, long seed) {
        byte[] data = new byte[length];
        new SplittableRandom(seed).nextBytes(data);
        return data;
    }

    private static long crc(byte[] data) {
        CRC32 crc = new CRC32();
        crc.update(data);
        return crc.getValue();
    }

    /** 64 MiB from a host's server to a guest and back at once; each side checks what it gets. */
    @ParameterizedTest
    @CsvSource({"0, 0, 0, false", "0, 0, 0, true", "0, 0, 100000, true", "0.01, 0.01, 200000, false",
        "0.003, 0.003, 200000, true"})
    void transfersBothWays(double loss, double doubling, long delay, boolean offload) throws Exception {
        byte[] down = data(64 * MEBI, 1);
        byte[] up = data(64 * MEBI, 2);
        AtomicLong upCrc = new AtomicLong();
        try (HostServer server = new HostServer(socket -> {
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    socket.getOutputStream().write(down);
                    socket.shutdownOutput();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            CRC32 crc = new CRC32();
            byte[] buffer = new byte[65536];
            int got;
            while ((got = socket.getInputStream().read(buffer)) > 0) {
                crc.update(buffer, 0, got);
            }
            upCrc.set(crc.getValue());
            writer.join();
        });
                NatFixture f = new NatFixture(NatSettings.standard(),
                        offload ? OffloadFeatures.ALL : OffloadFeatures.NONE,
                        7)) {
            f.guest.setWeather(new Weather(loss, doubling, delay));
            GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 40000);
            tcp.collect = false;
            tcp.write(up);
            tcp.end();
            f.context.runUntil("both ends", () -> tcp.ended && tcp.isAllAcknowledged() || tcp.reset);
            assertThat(tcp.reset).isFalse();
            assertThat(tcp.crc.getValue()).isEqualTo(crc(down));
            f.context.runUntil("served", server.served::isDone);
            server.served.get();
            assertThat(upCrc.get()).isEqualTo(crc(up));
            assertThat(f.guest.gsoSeen > 0).isEqualTo(offload);
            f.context.runUntil("the connection's end", () -> f.nat.tcp().size() == 0);
            f.assertNothingLeft();
        }
    }

    @Test
    void sequenceNumbersWrap() throws Exception {
        byte[] down = data(MEBI, 3);
        try (HostServer server = new HostServer(socket -> {
            socket.getOutputStream().write(down);
            socket.shutdownOutput();
            assertThat(socket.getInputStream().readAllBytes()).hasSize(MEBI);
        }); NatFixture f = NatFixture.aboutToWrap(OffloadFeatures.NONE)) {
            f.guest.setWeather(new Weather(0.02, 0.01, 100_000));
            GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 40000);
            tcp.write(data(MEBI, 4));
            tcp.end();
            f.context.runUntil("both ends", () -> tcp.ended && tcp.isAllAcknowledged());
            assertThat(tcp.bytes()).isEqualTo(down);
            f.context.runUntil("served", server.served::isDone);
            server.served.get();
        }
    }

    @Test
    void aSlowGuestIsWaitedFor() throws Exception {
        byte[] down = data(4 * MEBI, 5);
        AtomicLong written = new AtomicLong();
        try (HostServer server = new HostServer(socket -> {
            // The buffers of a loopback connection grow by themselves, on some hosts beyond what there is to send.
            socket.setSendBufferSize(65536);
            for (int i = 0; i < down.length; i += 65536) {
                socket.getOutputStream().write(down, i, 65536);
                written.addAndGet(65536);
            }
            socket.shutdownOutput();
            socket.getInputStream().readAllBytes();
        }); NatFixture f = new NatFixture()) {
            GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 40000);
            tcp.reading = false;
            tcp.receiveLimit = 20_000;
            f.context.runUntil("the window is closed", () -> tcp.receivedBytes() >= 19_000);
            f.context.settle(2_000_000_000L);
            // A closed window: only the bounded buffers of both sides have been filled.
            assertThat(tcp.receivedBytes()).isLessThanOrEqualTo(20_000);
            assertThat(written.get()).isLessThan(down.length);
            long probed = f.guest.framesSeen;
            f.context.advance(20_000_000_000L);
            assertThat(f.guest.framesSeen).as("zero window probes").isBetween(probed + 2, probed + 12);
            // The guest opens it without saying so: only a probe can find out.
            f.guest.silent = true;
            tcp.read(20_000);
            f.guest.silent = false;
            f.context.runUntil("everything", () -> {
                if (tcp.receivedBytes() % 20_000 > 9_000) {
                    tcp.read(20_000);
                }
                tcp.read(5_000);
                return tcp.ended;
            });
            assertThat(tcp.bytes()).isEqualTo(down);
            tcp.end();
            f.context.runUntil("the end", tcp::isAllAcknowledged);
            f.context.runUntil("served", server.served::isDone);
            server.served.get();
        }
    }

    @Test
    void aSlowHostIsWaitedFor() throws Exception {
        byte[] up = data(32 * MEBI, 6);
        CountDownLatch go = new CountDownLatch(1);
        AtomicLong crc = new AtomicLong();
        try (HostServer server = new HostServer(socket -> {
            go.await();
            crc.set(crc(socket.getInputStream().readAllBytes()));
        }); NatFixture f = new NatFixture()) {
            GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 40000);
            tcp.write(up);
            tcp.end();
            f.context.runUntil("the window is closed", () -> tcp.windowSeen() == 0 && tcp.connected);
            f.context.settle(500_000_000L);
            assertThat(tcp.isAllAcknowledged()).isFalse();
            assertThat(tcp.windowSeen()).isZero();
            go.countDown();
            f.context.runUntil("everything", () -> tcp.ended && tcp.isAllAcknowledged());
            f.context.runUntil("served", server.served::isDone);
            server.served.get();
            assertThat(crc.get()).isEqualTo(crc(up));
        }
    }

    @Test
    void theGuestMayCloseFirstAndStillRead() throws Exception {
        try (HostServer server = new HostServer(socket -> {
            byte[] all = socket.getInputStream().readAllBytes();
            socket.getOutputStream().write(("got " + all.length).getBytes());
        }); NatFixture f = new NatFixture()) {
            GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 40000);
            tcp.write(new byte[12345]);
            tcp.end();
            f.context.runUntil("the answer", () -> tcp.ended);
            assertThat(new String(tcp.bytes())).isEqualTo("got 12345");
            // The guest closed first: nothing is to be kept here.
            f.context.runUntil("the connection's end", () -> f.nat.tcp().size() == 0);
            f.assertNothingLeft();
        }
    }

    @Test
    void theHostMayCloseFirstAndStillRead() throws Exception {
        List<byte[]> got = new ArrayList<>();
        try (HostServer server = new HostServer(socket -> {
            socket.getOutputStream().write("hello".getBytes());
            socket.shutdownOutput();
            got.add(socket.getInputStream().readAllBytes());
        }); NatFixture f = new NatFixture()) {
            GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 40000);
            f.context.runUntil("the host's end", () -> tcp.ended);
            assertThat(new String(tcp.bytes())).isEqualTo("hello");
            tcp.write(new byte[54321]);
            tcp.end();
            f.context.runUntil("the guest's end", tcp::isAllAcknowledged);
            // Time would go on to the end of TIME_WAIT if the host took a while.
            f.context.waitUntil("served", server.served::isDone);
            server.served.get();
            assertThat(got.getFirst()).hasSize(54321);
            // The NAT closed first and waits for late segments.
            assertThat(f.nat.tcp().size()).isEqualTo(1);
            f.context.advance(TcpConnection.TIME_WAIT + 1);
            f.assertNothingLeft();
        }
    }

    @Test
    void aNewConnectionTakesThePlaceOfOneInTimeWait() throws Exception {
        try (HostServer server = new HostServer(socket -> {
            socket.shutdownOutput();
            socket.getInputStream().readAllBytes();
        }); NatFixture f = new NatFixture()) {
            GuestTcp first = f.guest.connect(GATEWAY, server.port(), 40000);
            f.context.runUntil("the host's end", () -> first.ended);
            first.end();
            f.context.runUntil("the guest's end", first::isAllAcknowledged);
            f.context.settle(0);
            assertThat(f.nat.tcp().size()).isEqualTo(1);
            for (int i = 0; i < 20; i++) {
                GuestTcp again = f.guest.connect(GATEWAY, server.port(), 40000);
                f.context.settle(100_000_000L);
                if (again.connected) {
                    assertThat(f.nat.tcp().opened()).isGreaterThan(1);
                    return;
                }
            }
            throw new AssertionError("no initial number was new enough");
        }
    }

    @Test
    void refusedIsReset() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0)) {
            port = closed.getLocalPort();
        }
        try (NatFixture f = new NatFixture()) {
            GuestTcp tcp = f.guest.connect(GATEWAY, port, 40000);
            f.context.runUntil("a reset", () -> tcp.reset);
            assertThat(tcp.connected).isFalse();
            f.assertNothingLeft();
        }
    }

    @Test
    void whatCannotBeReachedIsUnreachable() throws Exception {
        try (NatFixture f = new NatFixture()) {
            f.guest.connect(GuestStack.ip("127.0.0.1"), 80, 40000);
            f.context.runUntil("an ICMP message", () -> !f.guest.icmp.isEmpty());
            ByteBuffer icmp = ByteBuffer.wrap(f.guest.icmp.getFirst());
            assertThat(icmp.get(0)).isEqualTo((byte) 3);
            assertThat(icmp.get(1)).isEqualTo((byte) 1);
            // The packet in question: to whom, and its ports.
            assertThat(icmp.getInt(8 + 16)).isEqualTo(GuestStack.ip("127.0.0.1"));
            assertThat(icmp.getShort(28)).isEqualTo((short) 40000);
            assertThat(icmp.getShort(30)).isEqualTo((short) 80);
            f.assertNothingLeft();
        }
    }

    @Test
    void theGuestsResetReachesTheHost() throws Exception {
        try (HostServer server = new HostServer(socket -> {
            socket.getOutputStream().write(1);
            InputStream in = socket.getInputStream();
            while (in.read() >= 0) {
                // Until it is reset.
            }
        }); NatFixture f = new NatFixture()) {
            GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 40000);
            f.context.runUntil("a byte", () -> tcp.receivedBytes() == 1);
            tcp.abort();
            f.context.settle(0);
            assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> server.served.get(30, TimeUnit.SECONDS)))
                    .isInstanceOf(ExecutionException.class).hasMessageContaining("reset");
            f.assertNothingLeft();
        }
    }

    @Test
    void theHostsResetReachesTheGuest() throws Exception {
        try (HostServer server = new HostServer(socket -> {
            socket.getInputStream().read();
            socket.setSoLinger(true, 0);
        }); NatFixture f = new NatFixture()) {
            GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 40000);
            tcp.write(new byte[]{1});
            f.context.runUntil("a reset", () -> tcp.reset);
            f.assertNothingLeft();
        }
    }

    @Test
    void aGuestThatIsGoneIsGivenUp() throws Exception {
        CountDownLatch gone = new CountDownLatch(1);
        try (HostServer server = new HostServer(socket -> {
            try {
                while (true) {
                    socket.getOutputStream().write(new byte[1000]);
                }
            } catch (IOException e) {
                gone.countDown();
            }
        }); NatFixture f = new NatFixture()) {
            GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 40000);
            f.context.runUntil("some bytes", () -> tcp.receivedBytes() > 0);
            f.guest.silent = true;
            f.guest.setWeather(new Weather(1, 0, 0));
            f.context.runUntil("given up", () -> f.nat.tcp().size() == 0);
            gone.await();
            f.assertNothingLeft();
        }
    }

    @Test
    void manyConnectionsAtOnce() throws Exception {
        try (HostServer server = new HostServer(socket -> {
            byte[] all = socket.getInputStream().readAllBytes();
            socket.getOutputStream().write(all);
        }); NatFixture f = new NatFixture()) {
            f.guest.setWeather(new Weather(0.01, 0.01, 50_000));
            List<GuestTcp> all = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 20_000 + i);
                tcp.write(data(10_000, i));
                tcp.end();
                all.add(tcp);
                if (i % 50 == 0) {
                    f.context.settle(1_000_000);
                }
            }
            f.context.runUntil("all", () -> all.stream().allMatch(t -> t.ended && t.isAllAcknowledged() || t.reset));
            for (int i = 0; i < all.size(); i++) {
                if (!all.get(i).reset) {
                    assertThat(all.get(i).bytes()).isEqualTo(data(10_000, i));
                }
            }
            assertThat(all.stream().filter(t -> t.reset).count()).isEqualTo(f.nat.tcp().refused());
            f.context.runUntil("the ends", () -> f.nat.tcp().size() == 0);
            f.assertNothingLeft();
        }
    }

    @Test
    void aFloodOfSynsIsBounded() throws Exception {
        try (HostServer server = new HostServer(socket -> socket.getInputStream().readAllBytes());
                NatFixture f = new NatFixture()) {
            for (int i = 0; i < 5000; i++) {
                f.guest.sendTcp(syn(1000 + i, server.port(), i), GATEWAY);
            }
            f.context.runUntil("all", () -> {
                assertThat(f.nat.tcp().size()).isLessThanOrEqualTo(TcpNat.MAX_CONNECTIONS);
                return f.nat.tcp().refused() + f.nat.tcp().opened() == 5000;
            });
            assertThat(f.nat.tcp().refused()).isPositive();
            // The guest does not know of them and resets them.
            f.context.runUntil("the ends", () -> f.nat.tcp().size() == 0);
            f.assertNothingLeft();
        }
    }

    static byte[] syn(int port, int remotePort, int sequence) {
        return ByteBuffer.allocate(24).putShort((short) port).putShort((short) remotePort).putInt(sequence).putInt(0)
                .putShort((short) 0x6002).putShort((short) 65535).putInt(0).putInt(0x020405b4).array();
    }

    @Test
    void forwardsAPortToAGuest() throws Exception {
        try (NatFixture f = new NatFixture()) {
            f.guest.listen(22);
            var host = f.nat.forward(new PortForward(PortForward.Protocol.TCP, loopback(0), NatFixture.GUEST, 22))
                    .get();
            byte[] question = data(300_000, 8);
            byte[] answer = data(200_000, 9);
            f.guest.setWeather(new Weather(0.01, 0.01, 50_000));
            var client = new java.util.concurrent.FutureTask<>(() -> {
                try (Socket socket = new Socket(host.getAddress(), host.getPort())) {
                    socket.getOutputStream().write(question);
                    socket.shutdownOutput();
                    return socket.getInputStream().readAllBytes();
                }
            });
            Thread.ofVirtual().start(client);
            List<GuestTcp> accepted = Objects.requireNonNull(f.guest.listeners.get(22));
            f.context.runUntil("the question", () -> !accepted.isEmpty() && accepted.getFirst().ended);
            assertThat(accepted.getFirst().bytes()).isEqualTo(question);
            accepted.getFirst().write(answer);
            accepted.getFirst().end();
            f.context.runUntil("the answer", client::isDone);
            assertThat(client.get()).isEqualTo(answer);
            f.context.runUntil("the end", () -> f.nat.tcp().size() == 0);
            f.assertNothingLeft();
        }
    }

    @Test
    void aForwardedPortThatNobodyServesIsReset() throws Exception {
        try (NatFixture f = new NatFixture()) {
            var host = f.nat.forward(new PortForward(PortForward.Protocol.TCP, loopback(0), NatFixture.GUEST, 22))
                    .get();
            try (Socket socket = new Socket(host.getAddress(), host.getPort())) {
                f.context.runUntil("refused", () -> f.nat.tcp().opened() == 1 && f.nat.tcp().size() == 0);
                assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> socket.getInputStream().read()))
                        .hasMessageContaining("reset");
            }
            f.assertNothingLeft();
        }
    }

    @Test
    void aTakenPortIsNamed() throws Exception {
        try (NatFixture f = new NatFixture(); ServerSocket taken = new ServerSocket(0, 1, loopback(0).getAddress())) {
            int port = taken.getLocalPort();
            var forward = f.nat
                    .forward(new PortForward(PortForward.Protocol.TCP, loopback(port), NatFixture.GUEST, 22));
            assertThat(org.assertj.core.api.Assertions.catchThrowable(forward::get))
                    .hasMessageContaining("cannot listen at tcp 127.0.0.1:" + port)
                    .hasMessageContaining("Address already in use");
            assertThat(f.nat.forward(new PortForward(PortForward.Protocol.TCP, loopback(0), GATEWAY, 22)))
                    .isCompletedExceptionally();
        }
    }

    private static java.net.InetSocketAddress loopback(int port) {
        return new java.net.InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), port);
    }

    @Test
    void closingResetsEverybody() throws Exception {
        CountDownLatch gone = new CountDownLatch(3);
        try (HostServer server = new HostServer(socket -> {
            try {
                socket.getInputStream().readAllBytes();
            } catch (IOException e) {
                gone.countDown();
            }
        }); NatFixture f = new NatFixture()) {
            List<GuestTcp> all = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                all.add(f.guest.connect(GATEWAY, server.port(), 40_000 + i));
            }
            f.context.runUntil("connected", () -> all.stream().allMatch(t -> t.connected));
            f.nat.close();
            f.context.settle(0);
            assertThat(all).allMatch(t -> t.reset);
            gone.await();
            assertThat(f.bridge.links()).doesNotContain(f.nat.link());
            f.assertNothingLeft();
        }
    }

    @Test
    void segmentsOutOfTheWindowAreAnsweredAndForgedResetsAreNot() throws Exception {
        try (HostServer server = new HostServer(socket -> socket.getInputStream().readAllBytes());
                NatFixture f = new NatFixture()) {
            GuestTcp tcp = f.guest.connect(GATEWAY, server.port(), 40000);
            f.context.runUntil("connected", () -> tcp.connected);
            long seen = f.guest.framesSeen;
            byte[] reset = syn(40000, server.port(), 12345);
            reset[13] = 0x04;
            f.guest.sendTcp(Arrays.copyOf(reset, reset.length), GATEWAY);
            f.context.settle(0);
            assertThat(f.nat.tcp().size()).isEqualTo(1);
            assertThat(f.guest.framesSeen).isEqualTo(seen);
            byte[] syn = syn(40000, server.port(), 12345);
            f.guest.sendTcp(syn, GATEWAY);
            f.context.settle(0);
            assertThat(f.nat.tcp().size()).isEqualTo(1);
            assertThat(f.guest.framesSeen).isGreaterThan(seen);
        }
    }
}
