package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.VifSpec;
import dev.xenolith.dom0.console.ConsoleClient;
import dev.xenolith.dom0.console.ConsoleDaemon;
import dev.xenolith.dom0.disk.CheckReport;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.lifecycle.DomainListener;
import dev.xenolith.hypervisor.trace.TraceClass;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The unmodified kernel of a distribution as a PV domain, with disks and company. */
class PvLinuxIT extends PvLinux {
    private static final Pattern CHECKSUM = Pattern.compile("([0-9a-f]{64})  /mnt/file");
    /** Writes a file of random bytes to a new file system on each disk, and tells its checksum. */
    private static final String WRITE = "for d in xvda xvdb xvdc; do mke2fs -q /dev/$d >/dev/null; mount /dev/$d /mnt;"
            + " dd if=/dev/urandom of=/mnt/file bs=64k count=24 2>/dev/null; sha256sum /mnt/file; umount /mnt; done";
    private static final String READ = "for d in xvda xvdb xvdc; do mount -r /dev/$d /mnt; sha256sum /mnt/file; umount /mnt; done";

    /** A disk of each format. */
    private List<DiskSpec> disks() throws IOException {
        List<DiskSpec> disks = new ArrayList<>();
        char letter = 'a';
        for (DiskFormat format : List.of(DiskFormat.RAW, DiskFormat.QCOW2, DiskFormat.VHD)) {
            Path file = image("disk." + letter, format, 24);
            disks.add(DiskSpec.parse(file + "," + format.name().toLowerCase(Locale.ROOT) + ",xvd" + letter + ",w"));
            letter++;
        }
        return disks;
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

    /** As many seeds as the property {@code xenolith.seeds} says, with {@code xenolith.vcpus}; each run audited as it goes. */
    @Test
    void bootsWithAnySeed(TestReporter reporter) throws Exception {
        int vcpus = Integer.getInteger("xenolith.vcpus", 2);
        int audits = 0;
        for (int seed = 1; seed <= Integer.getInteger("xenolith.seeds", 1); seed++) {
            AuditedTurns audited = new AuditedTurns();
            try (TestHost host = new TestHost(options(1 + seed % 2, seed % 4 < 2 ? "INTEL" : "AMD", 1000 + seed),
                    BootHooks.NONE.withSupervisor(audited::of))) {
                long free = host.freeKiB();
                assertThat(run(host, config("seed" + seed, vcpus, "nproc; sleep 1; ps | wc -l", List.of())))
                        .contains("\n" + vcpus + "\r\n", "reboot: System halted");
                assertThat(host.audit()).isEmpty();
                assertThat(host.freeKiB()).isEqualTo(free);
            }
            assertThat(audited.findings()).isEmpty();
            audits += 1 + audited.count();
        }
        reporter.publishEntry("audits", Integer.toString(audits));
    }

    /** Two domains with two vCPUs each, which take turns on two processors, a disk, and what they send each other: twice the same, to the nanosecond. */
    @Test
    void runsWithOneSeedAreIdentical() throws Exception {
        List<String> first = session();
        assertThat(session()).isEqualTo(first);
    }

    private List<String> session() throws Exception {
        List<String> digest = new ArrayList<>();
        Path file = image("disk.raw", DiskFormat.RAW, Integer.getInteger("xenolith.mebibytes", 16));
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
