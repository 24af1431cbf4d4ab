package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.translate.Translation;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.LifecycleAction;
import dev.xenolith.dom0.config.VifSpec;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;

/** What happens to devices of the unmodified kernel while it uses them: the death of their backends, suspends, and many domains. */
class PvLinuxDevicesIT extends PvLinux {
    /** The driver domain is destroyed while its guest writes, four times, and started again: the guest goes on, and what it wrote is there. */
    @Test
    void driverDomainDiesUnderLoadAndNothingIsLost() throws Exception {
        Path file = image("disk.raw", DiskFormat.RAW, 32);
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
        Path file = image("disk.qcow2", DiskFormat.QCOW2, 32);
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
            Path more = image("more.raw", DiskFormat.RAW, 1);
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

    /** Eight domains at once, each with a disk, a vif and work to do, as often as the property {@code xenolith.rounds} says: nothing stays. */
    @Test
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    void eightAtOnceLeaveNothing(TestReporter reporter) throws Exception {
        int rounds = Integer.getInteger("xenolith.rounds", 1);
        HostOptions options = new HostOptions(2, 4096, HostOptions.CpuVendor.INTEL, ClockMode.VIRTUAL,
                OptionalLong.of(8), "", Translation.ON, NetworkOptions.DEFAULT);
        AuditedTurns audits = new AuditedTurns();
        try (TestHost host = new TestHost(options, BootHooks.NONE.withSupervisor(audits::of))) {
            long free = host.freeKiB();
            List<Object> held = held(host);
            for (int round = 0; round < rounds; round++) {
                List<TestGuest> guests = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    Path file = image("disk" + i, i % 2 == 0 ? DiskFormat.RAW : DiskFormat.QCOW2, 16);
                    guests.add(host.start(config("guest" + i, 1 + i % 2,
                            "mke2fs -q /dev/xvda >/dev/null; mount /dev/xvda /mnt; cp /bin/busybox /mnt; sync; umount /mnt;"
                                    + " ping -c 2 -W 1 10.0.2.2; echo done",
                            devices(List.of(DiskSpec.parse(file + (i % 2 == 0 ? ",raw" : ",qcow2") + ",xvda,w")),
                                    VifSpec.DEFAULT))));
                }
                for (TestGuest guest : guests) {
                    String said = guest.awaitEnd();
                    assertThat(said).contains("2 packets transmitted, 2 packets received", "done\r\n");
                    assertThat(said.lines()).noneMatch(line -> COMPLAINT.matcher(line).matches());
                    host.awaitGone(guest.domid);
                }
                assertThat(host.freeKiB()).isEqualTo(free);
                assertThat(held(host)).isEqualTo(held);
                assertThat(host.audit()).isEmpty();
                reporter.publishEntry("rounds", Integer.toString(round + 1));
            }
        }
        assertThat(audits.findings()).isEmpty();
        reporter.publishEntry("audits", Integer.toString(rounds + audits.count()));
    }

    /** What domain 0 holds: grants that it has mapped, and the port and the watch that would be the next. */
    private static List<Object> held(TestHost host) {
        return host.host.machine().call(() -> {
            DomainHandle dom0 = host.host.dom0();
            int port = dom0.events().allocUnbound(1);
            dom0.events().close(port);
            return List.<Object>of(dom0.grants().mapped(), port, dom0.control().list().size(),
                    host.host.xenstored().usage(0));
        }).join();
    }
}
