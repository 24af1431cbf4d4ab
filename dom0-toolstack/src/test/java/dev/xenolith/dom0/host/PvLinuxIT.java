package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.translate.Translation;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainType;
import dev.xenolith.dom0.config.LifecycleAction;
import dev.xenolith.dom0.config.VifSpec;
import dev.xenolith.dom0.console.ConsoleClient;
import dev.xenolith.dom0.console.ConsoleDaemon;
import dev.xenolith.dom0.disk.CheckReport;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.NewDisk;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.image.Image;
import dev.xenolith.dom0.image.ImageCommand;
import dev.xenolith.dom0.image.ImageStore;
import dev.xenolith.dom0.lifecycle.DomainListener;
import dev.xenolith.dom0.xl.TestClient;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.Xenolith;
import dev.xenolith.hypervisor.trace.TraceClass;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The unmodified kernel of a distribution as a PV domain, with disks. Pulls the image {@code debian} into the build directory; skipped where
 * there is no package client, or it cannot fetch anything.
 */
@Tag("image")
@Timeout(1200)
class PvLinuxIT {
    /** What kernels say when the domain is not as they expect it. */
    private static final Pattern COMPLAINT = Pattern.compile("(?i).*(warning:|bug:|unchecked msr|unstable|\\bstall|skew"
            + "|call trace|unable to|failed to get|hung|i/o error|disabled for further use).*");
    private static final Pattern CHECKSUM = Pattern.compile("([0-9a-f]{64})  /mnt/file");
    /** Writes a file of random bytes to a new file system on each disk, and tells its checksum. */
    private static final String WRITE = "for d in xvda xvdb xvdc; do mke2fs -q /dev/$d >/dev/null; mount /dev/$d /mnt;"
            + " dd if=/dev/urandom of=/mnt/file bs=64k count=24 2>/dev/null; sha256sum /mnt/file; umount /mnt; done";
    private static final String READ = "for d in xvda xvdb xvdc; do mount -r /dev/$d /mnt; sha256sum /mnt/file; umount /mnt; done";

    private static final Map<String, String> ENVIRONMENT = new HashMap<>(System.getenv());
    private static Image image;

    @TempDir
    Path directory;

    @BeforeAll
    static void pull() {
        ENVIRONMENT.put("XDG_CACHE_HOME", Path.of("target", "pulled").toAbsolutePath().toString());
        ImageStore store = ImageStore.of(ENVIRONMENT);
        try {
            image = store.get("debian");
        } catch (ToolstackException notYet) {
            TestClient client = new TestClient(Path.of("").toAbsolutePath(), ENVIRONMENT);
            int exitCode = Xenolith.run(List.of("image", "pull", "debian"), client, () -> {
                throw new AssertionError();
            }, Map.of("image", new ImageCommand(client)));
            Assumptions.assumeTrue(exitCode == 0, client.err().toString(StandardCharsets.UTF_8));
            image = store.get("debian");
        }
    }

    private static HostOptions options(int processors, String vendor, long seed) {
        return new HostOptions(processors, 640, HostOptions.CpuVendor.valueOf(vendor), ClockMode.VIRTUAL,
                OptionalLong.of(seed), "", Translation.ON, NetworkOptions.DEFAULT);
    }

    private static DomainConfig config(String name, int vcpus, String command, List<DiskSpec> disks) {
        return config(name, vcpus, command, new DomainConfig.Devices(disks, List.of()));
    }

    private static DomainConfig config(String name, int vcpus, String command, DomainConfig.Devices devices) {
        return new DomainConfig(name, UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)), DomainType.PV,
                new DomainConfig.Boot(image.kernel(), image.initrd(),
                        image.commandLine() + " panic=-1 -- sh -c \"" + command + "\""),
                192 << 10, 192 << 10, vcpus, vcpus, List.of(),
                new DomainConfig.Scheduling(OptionalInt.empty(), OptionalInt.empty()),
                new DomainConfig.Lifecycle(LifecycleAction.DESTROY, LifecycleAction.DESTROY, LifecycleAction.DESTROY,
                        LifecycleAction.DESTROY, LifecycleAction.DESTROY),
                DomainConfig.Limits.DEFAULT, devices);
    }

    /** A disk of each format. */
    private List<DiskSpec> disks() throws IOException {
        List<DiskSpec> disks = new ArrayList<>();
        ImageLocks locks = new ImageLocks();
        char letter = 'a';
        for (DiskFormat format : List.of(DiskFormat.RAW, DiskFormat.QCOW2, DiskFormat.VHD)) {
            Path file = directory.resolve("disk." + letter);
            DiskImages.create(file, NewDisk.of(format, 24 << 20), false, locks);
            disks.add(DiskSpec.parse(file + "," + format.name().toLowerCase(Locale.ROOT) + ",xvd" + letter + ",w"));
            letter++;
        }
        return disks;
    }

    private static String run(TestHost host, DomainConfig config) throws InterruptedException {
        TestGuest guest = host.start(config);
        String said = guest.awaitEnd();
        host.awaitGone(guest.domid);
        assertThat(said.lines()).noneMatch(line -> COMPLAINT.matcher(line).matches());
        return said;
    }

    private static List<String> checksums(String said) {
        Matcher matcher = CHECKSUM.matcher(said);
        List<String> found = new ArrayList<>();
        while (matcher.find()) {
            found.add(matcher.group(1));
        }
        return found;
    }

    @ParameterizedTest
    @CsvSource({"INTEL,1,1", "AMD,2,1", "INTEL,2,2"})
    void bootsWritesDisksAndFindsThemAgain(String vendor, int vcpus, int processors) throws Exception {
        List<DiskSpec> disks = disks();
        try (TestHost host = new TestHost(options(processors, vendor, 1), BootHooks.NONE)) {
            long free = host.freeKiB();
            String said = run(host, config("writer", vcpus, "nproc; " + WRITE, disks));
            assertThat(said).contains("\n" + vcpus + "\r\n", "xen:events: Using FIFO-based ABI",
                    "Grant tables using version 1 layout", "reboot: System halted");
            List<String> written = checksums(said);
            assertThat(written).as(said).hasSize(3).doesNotHaveDuplicates();
            assertThat(checksums(run(host, config("reader", vcpus, READ, disks)))).isEqualTo(written);
            assertThat(host.audit()).isEmpty();
            assertThat(host.freeKiB()).isEqualTo(free);
        }
        for (DiskSpec disk : disks) {
            CheckReport report = DiskImages.check(Path.of(String.valueOf(disk.target())), disk.format(),
                    CheckReport.Repair.NONE, new ImageLocks());
            assertThat(report.errorCount() + report.leaks()).as("%s: %s", disk, report).isZero();
        }
    }

    /** The driver domain is destroyed while its guest writes, four times, and started again: the guest goes on, and what it wrote is there. */
    @Test
    void driverDomainDiesUnderLoadAndNothingIsLost() throws Exception {
        Path file = directory.resolve("disk.raw");
        DiskImages.create(file, NewDisk.of(DiskFormat.RAW, 32 << 20), false, new ImageLocks());
        String work = "mke2fs -q /dev/xvda >/dev/null; mount /dev/xvda /mnt; for i in $(seq 30); do"
                + " dd if=/dev/urandom of=/mnt/$i bs=64k count=4 conv=fsync 2>/dev/null; sha256sum /mnt/$i >>/tmp/sums;"
                + " echo wrote $i; done; umount /mnt; mount /dev/xvda /mnt; sha256sum -c -s /tmp/sums && echo all is well;"
                + " ping -c 3 -W 1 10.0.2.2; umount /mnt";
        try (TestHost host = new TestHost(options(2, "INTEL", 5), BootHooks.NONE)) {
            long free = host.freeKiB();
            int driver = startDriver(host);
            TestGuest guest = host.start(config("writer", 2, work, new DomainConfig.Devices(
                    List.of(DiskSpec.parse("format=raw,vdev=xvda,access=rw,backend=storage,target=" + file)),
                    List.of(VifSpec.parse("backend=storage")))));
            for (int life = 1; life <= 4; life++) {
                guest.await("wrote " + 5 * life + "\r");
                host.toolstack.destroy(driver);
                host.awaitGone(driver);
                assertThat(startDriver(host)).isEqualTo(driver);
            }
            String said = guest.awaitEnd();
            host.awaitGone(guest.domid);
            assertThat(said).contains("wrote 30", "all is well", "3 packets transmitted, 3 packets received");
            assertThat(said.lines()).noneMatch(line -> COMPLAINT.matcher(line).matches());
            host.toolstack.destroy(driver);
            host.awaitGone(driver);
            assertThat(host.audit()).isEmpty();
            assertThat(host.freeKiB()).isEqualTo(free);
        }
    }

    private static int startDriver(TestHost host) {
        int driver = host.toolstack.create(DriverDomainTest.driver("storage", LifecycleAction.DESTROY));
        host.toolstack.unpause(driver);
        return driver;
    }

    /** Suspended and resumed with new ports, rings and backends while it writes: I/O, console, store and network go on, time goes forward. */
    @Test
    void goesOnAfterSuspendsWithEverythingConnectedAnew() throws Exception {
        Path file = directory.resolve("disk.qcow2");
        DiskImages.create(file, NewDisk.of(DiskFormat.QCOW2, 32 << 20), false, new ImageLocks());
        String work = "mke2fs -q /dev/xvda >/dev/null; mount /dev/xvda /mnt; i=0; last=0; while ! [ -e /dev/xvdb ]; do"
                + " i=$((i+1)); dd if=/dev/urandom of=/mnt/$((i%30)) bs=64k count=4 conv=fsync 2>/dev/null;"
                + " sha256sum /mnt/$((i%30)) >/tmp/$((i%30)).sum; t=$(tr -d . </proc/uptime); t=${t%% *};"
                + " [ $t -ge $last ] || echo time went back; last=$t; echo wrote $i; done; umount /mnt;"
                + " mount /dev/xvda /mnt; cat /tmp/*.sum | sha256sum -c -s && echo all is well; ping -c 3 -W 1 10.0.2.2; umount /mnt";
        try (TestHost host = new TestHost(options(2, "AMD", 6), BootHooks.NONE)) {
            long free = host.freeKiB();
            TestGuest guest = host.start(config("sleeper", 2, work, new DomainConfig.Devices(
                    List.of(DiskSpec.parse("format=qcow2,vdev=xvda,access=rw,target=" + file)),
                    List.of(VifSpec.DEFAULT))));
            guest.await("wrote 1\r");
            for (int cycle = 1; cycle <= Integer.getInteger("xenolith.suspends", 5); cycle++) {
                host.toolstack.guests().suspend(guest.domid);
                assertThat(host.audit()).isEmpty();
                int before = guest.said().lastIndexOf("wrote ");
                host.toolstack.guests().resume(guest.domid, cycle % 4 != 0);
                while (guest.said().lastIndexOf("wrote ") == before) {
                    assertThat(guest.hasEnded()).as(guest.said()).isFalse();
                    Thread.sleep(1);
                }
            }
            // A device that comes through the store, told of by the watch that was set anew.
            Path more = directory.resolve("more.raw");
            DiskImages.create(more, NewDisk.of(DiskFormat.RAW, 1 << 20), false, new ImageLocks());
            host.toolstack.attachDisk(guest.domid, DiskSpec.parse(more + ",raw,xvdb,w"));
            String said = guest.awaitEnd();
            host.awaitGone(guest.domid);
            assertThat(said).contains("all is well", "3 packets transmitted, 3 packets received");
            assertThat(said.lines()).noneMatch(line -> COMPLAINT.matcher(line).matches())
                    .noneMatch(line -> line.startsWith("time went back"));
            assertThat(host.audit()).isEmpty();
            assertThat(host.freeKiB()).isEqualTo(free);
        }
    }

    /** Two domains with two vCPUs each, which take turns on two processors, a disk, and what they send each other: twice the same, to the nanosecond. */
    @Test
    void runsWithOneSeedAreIdentical() throws Exception {
        List<String> first = session();
        assertThat(session()).isEqualTo(first);
    }

    private List<String> session() throws Exception {
        List<String> digest = new ArrayList<>();
        Path file = directory.resolve("disk.raw");
        Files.deleteIfExists(file);
        DiskImages.create(file, NewDisk.of(DiskFormat.RAW, 16 << 20), false, new ImageLocks());
        DomainConfig sender = config("sender", 2, "ip addr add 10.9.0.1/24 dev eth0; mke2fs -q /dev/xvda >/dev/null;"
                + " mount /dev/xvda /mnt; head -c 300000 /bin/busybox >/mnt/a; umount /mnt; sha256sum /dev/xvda;"
                + " until ping -c 1 -W 1 10.9.0.2 >/dev/null; do sleep 0.1; done; nc 10.9.0.2 7 </dev/xvda; dmesg | tail -3",
                new DomainConfig.Devices(List.of(DiskSpec.parse(file + ",raw,xvda,w")),
                        List.of(VifSpec.DEFAULT.withMac(0x00_16_3e_00_00_01L).withDevice(0))));
        DomainConfig receiver = config("receiver", 2, "ip addr add 10.9.0.2/24 dev eth0; nc -l -p 7 >/tmp/received;"
                + " sha256sum /tmp/received",
                new DomainConfig.Devices(List.of(),
                        List.of(VifSpec.DEFAULT.withMac(0x00_16_3e_00_00_02L).withDevice(0))));
        Map<String, StringBuilder> said = new TreeMap<>();
        CountDownLatch ended = new CountDownLatch(2);
        BootHooks hooks = BootHooks.NONE.withFirst(host -> {
            Machine machine = host.machine();
            host.dom0().host().setTraceMask(TraceClass.ALL);
            host.addListener(new Captures(host.consoles(), said));
            for (DomainConfig config : List.of(sender, receiver)) {
                host.createAndRun(config, () -> {
                    digest.add(config.name() + " ended at " + machine.clock().now() + ", trace "
                            + host.hypervisor().traceDigest());
                    machine.processors().forEach(processor -> digest.add(Long.toString(processor.retired)));
                    ended.countDown();
                }, whyNot -> digest.add(whyNot));
            }
        });
        try (TestHost host = new TestHost(options(2, "INTEL", 7), hooks)) {
            assertThat(ended.await(300, TimeUnit.SECONDS)).isTrue();
            host.host.machine().call(() -> 0).join();
            assertThat(host.audit()).isEmpty();
        }
        String sent = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        assertThat(said.get("sender")).contains(sent + "  /dev/xvda");
        assertThat(said.get("receiver")).contains(sent + "  /tmp/received");
        said.values().forEach(text -> digest.add(text.toString()));
        return digest;
    }

    /** Keeps what domains say, from their first byte on, by their names. Belongs to the machine thread. */
    private record Captures(ConsoleDaemon consoles, Map<String, StringBuilder> said) implements DomainListener {
        @Override
        public void created(int domid, String name) {
            StringBuilder text = said.computeIfAbsent(name, _ -> new StringBuilder());
            assertThat(consoles.attach(domid, new ConsoleClient() {
                @Override
                public int offer(byte[] bytes, int offset, int length) {
                    text.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
                    return length;
                }

                @Override
                public void inputHasRoom() {
                    // Nothing is typed.
                }

                @Override
                public void closed() {
                    text.append("(closed)");
                }
            })).isNotNull();
        }

        @Override
        public void shutDown(int domid, int reason) {
            // The lines of the console tell.
        }

        @Override
        public void restarted(int domid, int newDomid) {
            // Domains of this test are not restarted.
        }

        @Override
        public void destroyed(int domid) {
            // The console is closed.
        }
    }
}
