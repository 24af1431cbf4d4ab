package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.translate.Translation;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainType;
import dev.xenolith.dom0.config.LifecycleAction;
import dev.xenolith.dom0.disk.CheckReport;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.NewDisk;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.image.Image;
import dev.xenolith.dom0.image.ImageCommand;
import dev.xenolith.dom0.image.ImageStore;
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
    private static final Pattern COMPLAINT = Pattern.compile("(?i).*(warning:|bug:|unchecked msr|unstable|stall|skew"
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
        return new DomainConfig(name, UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)), DomainType.PV,
                new DomainConfig.Boot(image.kernel(), image.initrd(),
                        image.commandLine() + " panic=-1 -- sh -c \"" + command + "\""),
                192 << 10, 192 << 10, vcpus, vcpus, List.of(),
                new DomainConfig.Scheduling(OptionalInt.empty(), OptionalInt.empty()),
                new DomainConfig.Lifecycle(LifecycleAction.DESTROY, LifecycleAction.DESTROY, LifecycleAction.DESTROY,
                        LifecycleAction.DESTROY, LifecycleAction.DESTROY),
                DomainConfig.Limits.DEFAULT, new DomainConfig.Devices(disks, List.of()));
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
                    "Grant tables using version 1 layout", "reboot: Power down");
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

    /** Two domains with two vCPUs each, which take turns on two processors, and their disks: twice the same, to the nanosecond. */
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
        String work = "mke2fs -q /dev/xvda >/dev/null; mount /dev/xvda /mnt; head -c 300000 /bin/busybox >/mnt/a; sync; umount /mnt;"
                + " sha256sum /dev/xvda; dmesg | tail -3";
        CountDownLatch ended = new CountDownLatch(2);
        BootHooks hooks = BootHooks.NONE.withFirst(host -> {
            Machine machine = host.machine();
            host.dom0().host().setTraceMask(TraceClass.ALL);
            for (DomainConfig config : List.of(
                    config("one", 2, work, List.of(DiskSpec.parse(file + ",raw,xvda,w"))),
                    config("other", 2, "seq 1 20000 | sha256sum; sleep 1", List.of()))) {
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
        digest.add(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file))));
        return digest;
    }
}
