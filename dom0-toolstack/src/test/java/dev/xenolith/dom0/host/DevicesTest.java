package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.ChannelSpec;
import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.VifSpec;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xl.BlockDeviceInfo;
import dev.xenolith.dom0.xl.ChannelInfo;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.DomainEvents;
import dev.xenolith.dom0.xl.NetworkCapture;
import dev.xenolith.dom0.xl.NetworkPortInfo;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.VifInfo;
import dev.xenolith.dom0.xl.Xenstore;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.io.IOException;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Devices of domains that have no drivers for them: the toolstack's part. */
@Timeout(180)
class DevicesTest {
    @TempDir
    Path directory;

    private static DomainConfig shell(VifSpec... vifs) {
        return TestHost.config("minishell", TestHost.image("minishell"), "", 1)
                .withDevices(new DomainConfig.Devices(List.of(), List.of(vifs)));
    }

    private static List<String> macs(TestHost host, int domid) {
        return host.toolstack.vifs(domid).stream().map(VifInfo::mac).toList();
    }

    private static List<String> ports(TestHost host) {
        return host.toolstack.networkPorts().stream().map(NetworkPortInfo::port).toList();
    }

    @Test
    void vifsAreAttachedAndDetachedAndSurviveARestart() throws Exception {
        try (TestHost host = TestHost.virtual(1)) {
            TestGuest guest = host.start(shell(VifSpec.DEFAULT, VifSpec.parse("devid=5,mac=00:16:3e:00:00:05")));
            assertThat(host.toolstack.vifs(guest.domid)).extracting(VifInfo::number).containsExactly(0, 5);
            host.toolstack.attachVif(guest.domid, VifSpec.parse("vifname=web"));
            List<String> macs = macs(host, guest.domid);
            assertThat(macs).hasSize(3).doesNotHaveDuplicates().allMatch(mac -> mac.startsWith("00:16:3e:"));
            assertThat(ports(host)).containsExactlyInAnyOrder("xenbr0-nat", "vif" + guest.domid + ".0",
                    "vif" + guest.domid + ".5", "web");
            assertThatThrownBy(() -> host.toolstack.attachVif(guest.domid, VifSpec.parse("devid=5")))
                    .hasMessageContaining("has a device vif/5 already");
            assertThatThrownBy(() -> host.toolstack.attachVif(guest.domid, VifSpec.parse("bridge=lan")))
                    .hasMessageContaining("there is no bridge lan; the host has xenbr0");
            assertThatThrownBy(() -> host.toolstack.attachVif(guest.domid, VifSpec.parse("backend=none")))
                    .hasMessageContaining("backend=none: there is no such domain");
            assertThatThrownBy(() -> host.toolstack.attachVif(0, VifSpec.DEFAULT)).hasMessageContaining("domain 0");
            assertThatThrownBy(() -> host.toolstack.detachVif(guest.domid, 3)).hasMessageContaining("no device vif/3");
            host.toolstack.detachVif(guest.domid, 0);
            assertThat(host.toolstack.vifs(guest.domid)).extracting(VifInfo::number).containsExactly(5, 6);
            assertThat(ports(host)).doesNotContain("vif" + guest.domid + ".0");

            guest.await("> ");
            try (DomainEvents events = host.toolstack.events()) {
                guest.type("reboot");
                int restarted = -1;
                while (restarted < 0) {
                    if (events.take() instanceof DomainEvent.Restarted(int old, int fresh)) {
                        restarted = fresh;
                    }
                }
                assertThat(macs(host, restarted)).isEqualTo(macs.subList(1, 3));
                host.toolstack.destroy(restarted);
            }
            assertThat(ports(host)).containsExactly("xenbr0-nat");
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void addressesAreThoseOfTheSeed() {
        try (TestHost one = TestHost.virtual(7);
                TestHost same = TestHost.virtual(7);
                TestHost other = TestHost.virtual(8)) {
            DomainConfig config = shell(VifSpec.DEFAULT, VifSpec.DEFAULT);
            List<String> macs = macs(one, one.toolstack.create(config));
            assertThat(macs(same, same.toolstack.create(config))).isEqualTo(macs);
            assertThat(macs(other, other.toolstack.create(config))).isNotEqualTo(macs);
        }
    }

    @Test
    void aDomainWithoutItsBridgeIsNotMade() {
        try (TestHost host = TestHost.virtual(1)) {
            long free = host.freeKiB();
            assertThatThrownBy(() -> host.toolstack.create(shell(VifSpec.parse("bridge=lan"))))
                    .isInstanceOf(ToolstackException.class).hasMessageContaining("there is no bridge lan");
            assertThat(host.freeKiB()).isEqualTo(free);
            assertThat(host.toolstack.domains()).hasSize(1);
        }
    }

    @Test
    void disksAreAttachedAndDetached() throws Exception {
        Path image = Files.write(directory.resolve("a.img"), new byte[1 << 20]);
        try (TestHost host = TestHost.virtual(1)) {
            TestGuest guest = host.start(shell());
            DiskSpec disk = DiskSpec.parse(image + ",raw,xvda,w");
            host.toolstack.attachDisk(guest.domid, disk);
            assertThat(host.toolstack.disks(guest.domid))
                    .containsExactly(new BlockDeviceInfo(51712, 0, guest.domid, 1, -1,
                            -1, "/local/domain/0/backend/vbd/" + guest.domid + "/51712"));
            assertThat(host.toolstack.configuration(guest.domid).orElseThrow().devices().disks()).containsExactly(disk);
            // The image is locked as long as somebody has it.
            assertThatThrownBy(() -> host.toolstack.attachDisk(guest.domid, DiskSpec.parse(image + ",raw,xvdb,w")))
                    .isInstanceOf(ToolstackException.class).hasMessageContaining("vbd/51728");
            host.toolstack.detachDisk(guest.domid, 51712, false);
            assertThat(host.toolstack.disks(guest.domid)).isEmpty();
            host.toolstack.attachDisk(guest.domid, disk);
            host.toolstack.detachDisk(guest.domid, 51712, true);
            assertThat(host.toolstack.configuration(guest.domid).orElseThrow().devices().isEmpty()).isTrue();
            host.toolstack.destroy(guest.domid);
        }
    }

    @Test
    void disksAreAnnouncedAsTheyAreAskedFor() throws Exception {
        String a = Files.write(directory.resolve("a"), new byte[1 << 20]).toString();
        String b = Files.write(directory.resolve("b"), new byte[1 << 20]).toString();
        try (TestHost host = TestHost.virtual(1)) {
            TestGuest guest = host.start(TestHost.config("minishell", TestHost.image("minishell"), "", 1)
                    .withDevices(new DomainConfig.Devices(
                            List.of(DiskSpec.parse(a + ",raw,xvda,r,untrusted,backendtype=qdisk")), List.of())));
            host.toolstack.attachDisk(guest.domid, DiskSpec.parse(b + ",raw,xvdb,w,backendtype=phy"));
            String frontends = "/local/domain/" + guest.domid + "/device/vbd/";
            assertThat(node(host, frontends + "51712/trusted")).isEqualTo("0");
            assertThat(node(host, frontends + "51728/trusted")).isEqualTo("1");
            String qdisk = "/local/domain/0/backend/qdisk/" + guest.domid + "/51712/";
            assertThat(node(host, frontends + "51712/backend") + '/').isEqualTo(qdisk);
            assertThat(node(host, qdisk + "params")).isEqualTo("aio:" + a);
            assertThat(node(host, qdisk + "type")).isEqualTo("qdisk");
            assertThat(node(host, qdisk + "sectors")).isEqualTo("2048");
            String vbd = "/local/domain/0/backend/vbd/" + guest.domid + "/51728/";
            assertThat(node(host, vbd + "params")).isEqualTo(b);
            assertThat(node(host, vbd + "type")).isEqualTo("phy");
            host.toolstack.detachDisk(guest.domid, 51712, false);
            host.toolstack.destroy(guest.domid);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void mediaOfDrivesChange() throws Exception {
        Path red = Files.write(directory.resolve("red.iso"), new byte[1 << 20]);
        Path green = Files.write(directory.resolve("green.iso"), new byte[2 << 20]);
        try (TestHost host = TestHost.virtual(1)) {
            DiskSpec empty = DiskSpec.parse("vdev=xvdc,access=r,devtype=cdrom,target=");
            DiskSpec disk = DiskSpec.parse(red + ",raw,xvda,r");
            TestGuest guest = host.start(TestHost.config("minishell", TestHost.image("minishell"), "", 1)
                    .withDevices(new DomainConfig.Devices(List.of(disk, empty), List.of())));
            DiskSpec inserted = DiskSpec.parse("vdev=xvdc,access=r,devtype=cdrom,target=" + green);
            host.toolstack.changeMedium(guest.domid, inserted);
            String backend = "/local/domain/0/backend/qdisk/" + guest.domid + "/51744/";
            assertThat(node(host, backend + "sectors")).isEqualTo("4096");
            assertThat(node(host, backend + "params")).isEqualTo("aio:" + green);
            assertThat(disks(host, guest.domid)).containsExactly(disk, inserted);
            Files.write(green, new byte[3 << 20]);
            host.toolstack.changeMedium(guest.domid, inserted);
            assertThat(node(host, backend + "sectors")).isEqualTo("6144");

            assertThatThrownBy(() -> host.toolstack.changeMedium(guest.domid,
                    DiskSpec.parse("vdev=xvdc,access=r,devtype=cdrom,target=" + directory.resolve("none.iso"))))
                    .isInstanceOf(ToolstackException.class).hasMessageContaining("device vbd/51744: ")
                    .hasMessageContaining("none.iso");
            host.toolstack.attachDisk(guest.domid,
                    DiskSpec.parse(Files.write(directory.resolve("b"), new byte[512]) + ",raw,xvdb,w"));
            assertThatThrownBy(() -> host.toolstack.changeMedium(guest.domid,
                    DiskSpec.parse("vdev=xvdc,access=r,devtype=cdrom,target=" + directory.resolve("b"))))
                    .hasMessageContaining("the image is in use");
            assertThat(node(host, backend + "params")).isEqualTo("aio:" + green);
            assertThatThrownBy(() -> host.toolstack.changeMedium(guest.domid,
                    DiskSpec.parse("vdev=xvda,access=r,devtype=cdrom,target=" + green)))
                    .hasMessageContaining("device vbd/51712 is not a cdrom");
            assertThatThrownBy(() -> host.toolstack.changeMedium(guest.domid,
                    DiskSpec.parse("vdev=xvdd,access=r,devtype=cdrom,target=" + green)))
                    .hasMessageContaining("has no device vbd/51760");
            host.toolstack.changeMedium(guest.domid, empty);
            assertThat(node(host, backend + "params")).isEmpty();
            assertThat(disks(host, guest.domid)).contains(empty);
            host.toolstack.detachDisk(guest.domid, 51744, false);
            assertThat(host.toolstack.disks(guest.domid)).extracting(BlockDeviceInfo::number).containsExactly(51712,
                    51728);
            host.toolstack.destroy(guest.domid);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void channelsComeWithTheirDomain() throws Exception {
        Path socket = directory.resolve("agent");
        List<ChannelSpec> channels = List.of(ChannelSpec.parse("name=a,connection=pty"),
                ChannelSpec.parse("name=b,connection=socket,path=" + socket));
        try (TestHost host = TestHost.virtual(1)) {
            TestGuest guest = host.start(shell().withDevices(new DomainConfig.Devices(List.of(), List.of(), channels)));
            assertThat(host.toolstack.channels(guest.domid)).containsExactly(
                    new ChannelInfo(1, 0, 1, -1, -1, "pty", null),
                    new ChannelInfo(2, 0, 1, -1, -1, "socket", socket.toString()));
            assertThat(node(host, "/local/domain/" + guest.domid + "/device/console/2/name")).isEqualTo("b");
            assertThat(node(host, "/local/domain/0/backend/console/" + guest.domid + "/2/connection"))
                    .isEqualTo("socket");
            assertThatThrownBy(() -> host.toolstack.attachConsole(guest.domid, 3, guest))
                    .hasMessageContaining("has no console 3");
            host.toolstack.attachConsole(guest.domid, 1, guest).close();
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-------");
            try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                assertThat(client.write(ByteBuffer.wrap(new byte[]{'x'}))).isEqualTo(1);
                assertThatThrownBy(
                        () -> host.toolstack.create(TestHost.config("other", TestHost.image("minishell"), "", 1)
                                .withDevices(new DomainConfig.Devices(List.of(), List.of(), channels))))
                        .hasMessageContaining("device console/2").hasMessageContaining("listens there already");
                // The domain comes again, and the socket with it; the connection ends with the domain.
                guest.await("> ");
                guest.type("reboot");
                assertThat(isAtEnd(client)).isTrue();
            }
            guest.awaitEnd();
            int domid = guest.domid + 1;
            while (host.toolstack.domain(domid).isEmpty() || host.toolstack.channels(domid).size() < 2) {
                domid += host.toolstack.domain(domid + 1).isPresent() ? 1 : 0;
                Thread.sleep(1);
            }
            host.toolstack.destroy(domid);
            assertThat(socket).doesNotExist();
            Files.createFile(socket);
            assertThatThrownBy(() -> host.toolstack.create(shell().withDevices(
                    new DomainConfig.Devices(List.of(), List.of(), channels))))
                    .hasMessageContaining("there is a file that is no socket");
            assertThat(socket).exists();
            assertThat(host.audit()).isEmpty();
        }
    }

    /** Whether the other side has closed a connection. Linux tells a reset from an end where something sent had not been read. */
    private static boolean isAtEnd(SocketChannel client) throws IOException {
        try {
            return client.read(ByteBuffer.allocate(1)) == -1;
        } catch (SocketException e) {
            return true;
        }
    }

    private static List<DiskSpec> disks(TestHost host, int domid) {
        return host.toolstack.configuration(domid).orElseThrow().devices().disks();
    }

    private static String node(TestHost host, String path) throws XenstoreException {
        try (Xenstore store = host.toolstack.xenstore()) {
            return store.readText(path);
        }
    }

    @Test
    void capturesEndWithTheirPort() throws Exception {
        Path file = directory.resolve("a.pcap");
        try (TestHost host = TestHost.virtual(1)) {
            int domid = host.toolstack.create(shell(VifSpec.DEFAULT));
            assertThatThrownBy(() -> host.toolstack.capture("vif9.0", file, 96)).hasMessageContaining("no port vif9.0");
            assertThat(file).doesNotExist();
            NetworkCapture capture = host.toolstack.capture("vif" + domid + ".0", file, 96);
            try (capture) {
                host.toolstack.detachVif(domid, 0);
                capture.await();
            }
            assertThat(file).hasSize(24);
            assertThat(capture.written()).isZero();
        }
    }

    @Test
    void forwardsPorts() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        HostOptions plain = TestHost.options(ClockMode.REAL, 1);
        HostOptions options = new HostOptions(plain.cpus(), plain.memoryMiB(), plain.cpuModel(), plain.clock(),
                plain.seed(), plain.xenCommandLine(), plain.translation(),
                NetworkOptions.parse(List.of(), List.of("tcp:" + port + "-10.0.2.15:22")));
        try (TestHost host = new TestHost(options, BootHooks.NONE);
                Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
            assertThat(client.isConnected()).isTrue();
            assertThat(ports(host)).containsExactly("xenbr0-nat");
            assertThatThrownBy(() -> Host.boot(options).close())
                    .hasMessageContaining("cannot listen at tcp 127.0.0.1:" + port);
        }
    }
}
