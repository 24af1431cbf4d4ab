package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.LifecycleAction;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.DomainEvents;
import dev.xenolith.dom0.xl.DomainInfo;
import dev.xenolith.dom0.xl.GuestControl;
import dev.xenolith.dom0.xl.GuestControl.Trigger;
import dev.xenolith.dom0.xl.ShutdownReason;
import dev.xenolith.dom0.xl.Xenstore;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.BitSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is done to running guests from outside, the whole path: keys, NMIs, core dumps, suspend and resume. */
@Timeout(180)
class GuestControlTest {
    private static DomainConfig config(String name, LifecycleAction onCrash) {
        DomainConfig c = TestHost.config(name, TestHost.image("minishell"), "", 1);
        return new DomainConfig(c.name(), c.uuid(), c.type(), c.boot(), c.memoryKiB(), c.maxMemoryKiB(), c.vcpus(),
                c.maxVcpus(), c.hardAffinity(), c.scheduling(),
                new DomainConfig.Lifecycle(LifecycleAction.DESTROY, LifecycleAction.RESTART, LifecycleAction.DESTROY,
                        onCrash, LifecycleAction.DESTROY),
                c.limits(), c.devices());
    }

    private static DomainInfo info(TestHost host, TestGuest guest) {
        return host.toolstack.domain(guest.domid).orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"minishell", "pae/minishell"})
    void aSuspendedGuestGoesOnWhereItWas(String image) throws Exception {
        try (TestHost host = TestHost.virtual(31)) {
            GuestControl guests = host.toolstack.guests();
            TestGuest shell = host.start("shell", image);
            shell.await("Type help.");
            for (int i = 0; i < 5; i++) {
                guests.suspend(shell.domid);
                DomainInfo suspended = info(host, shell);
                assertThat(suspended.shutdownReason()).isEqualTo(ShutdownReason.SUSPEND);
                long used = suspended.cpuTimeNanos();
                assertThat(info(host, shell).cpuTimeNanos()).isEqualTo(used);
                assertThatThrownBy(() -> guests.suspend(shell.domid)).hasMessageContaining("has shut down already");
                assertThat(host.audit()).isEmpty();
                // In place, and as if it had been restored.
                guests.resume(shell.domid, i % 2 != 0);
                assertThat(info(host, shell).shutdownReason()).isNull();
                // Store and console work, and time has gone on.
                shell.type("read domid");
                shell.type("echo round-" + i);
                shell.await("\nround-" + i);
                shell.type("uptime");
            }
            assertThat(shell.said()).contains("suspend requested", "running again")
                    .doesNotContain("panic", "not handled");
            assertThatThrownBy(() -> guests.resume(shell.domid, false)).hasMessageContaining("is not suspended");
            host.toolstack.destroy(shell.domid);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void aGuestThatDoesNotAnswerIsNotAskedForEver() throws Exception {
        try (TestHost host = TestHost.virtual(32); Xenstore store = host.toolstack.xenstore()) {
            TestGuest shell = host.start("shell", "minishell");
            shell.await("Type help.");
            host.toolstack.pause(shell.domid);
            assertThatThrownBy(() -> host.toolstack.guests().suspend(shell.domid))
                    .hasMessageContaining("did not acknowledge the request to suspend within a minute");
            assertThat(store.readText("/local/domain/" + shell.domid + "/control/shutdown")).isEmpty();
            host.toolstack.unpause(shell.domid);
            shell.type("echo alive");
            shell.await("\nalive");
            assertThat(info(host, shell).shutdownReason()).isNull();
        }
    }

    @Test
    void aDomainThatEndsWhileItIsToSuspendEndsTheWait() throws Exception {
        try (TestHost host = TestHost.virtual(33)) {
            TestGuest shell = host.start("shell", "minishell");
            shell.await("Type help.");
            host.toolstack.pause(shell.domid);
            Thread destroyer = Thread.ofVirtual().start(() -> host.toolstack.destroy(shell.domid));
            assertThatThrownBy(() -> host.toolstack.guests().suspend(shell.domid)).isInstanceOf(RuntimeException.class);
            destroyer.join();
            assertThat(host.toolstack.domains()).hasSize(1);
        }
    }

    @Test
    void sysrqIsWrittenForTheGuestToRemove() throws Exception {
        try (TestHost host = TestHost.virtual(34); Xenstore store = host.toolstack.xenstore()) {
            TestGuest shell = host.start("shell", "minishell");
            shell.await("Type help.");
            host.toolstack.guests().sysrq(shell.domid, 'h');
            assertThat(store.readText("/local/domain/" + shell.domid + "/control/sysrq")).isEqualTo("h");
            shell.type("write control/sysrq");
            shell.type("echo removed");
            shell.await("\nremoved");
            assertThat(store.readText("/local/domain/" + shell.domid + "/control/sysrq")).isEmpty();
            assertThatThrownBy(() -> host.toolstack.guests().sysrq(0, 'h')).hasMessageContaining("Domain-0");
        }
    }

    @Test
    void otherTriggersThanNmisAreRefused() throws Exception {
        try (TestHost host = TestHost.virtual(35)) {
            GuestControl guests = host.toolstack.guests();
            TestGuest shell = host.start("shell", "minishell");
            shell.await("Type help.");
            for (Trigger trigger : List.of(Trigger.RESET, Trigger.INIT)) {
                assertThatThrownBy(() -> guests.trigger(shell.domid, trigger, 0)).hasMessageContaining("ENOSYS");
            }
            for (Trigger trigger : List.of(Trigger.POWER, Trigger.SLEEP, Trigger.S3RESUME)) {
                assertThatThrownBy(() -> guests.trigger(shell.domid, trigger, 0)).hasMessageContaining("EINVAL");
            }
            for (int vcpu : new int[]{1, -1, Integer.MAX_VALUE}) {
                assertThatThrownBy(() -> guests.trigger(shell.domid, Trigger.NMI, vcpu))
                        .hasMessageContaining("no vCPU " + vcpu);
            }
            shell.type("echo alive");
            shell.await("\nalive");
        }
    }

    /** minishell has no handler for NMIs: it says so and crashes, and what happens then its configuration says. */
    @ParameterizedTest
    @EnumSource(value = LifecycleAction.class, names = {"COREDUMP_DESTROY", "COREDUMP_RESTART"})
    void aGuestThatCrashesIsDumped(LifecycleAction onCrash, @TempDir Path directory) throws Exception {
        Path dumps = directory.resolve("state").resolve("dump");
        try (TestHost host = new TestHost(TestHost.options(ClockMode.VIRTUAL, 36), BootHooks.NONE.withDumps(dumps));
                DomainEvents events = host.toolstack.events()) {
            long free = host.freeKiB();
            TestGuest shell = host.start(config("shell", onCrash));
            shell.await("Type help.");
            host.toolstack.guests().trigger(shell.domid, Trigger.NMI, 0);
            shell.await("NMI not handled");
            DomainEvent event = events.take();
            while (!(event instanceof DomainEvent.ShutDown)) {
                event = events.take();
            }
            assertThat(event).isEqualTo(new DomainEvent.ShutDown(shell.domid, ShutdownReason.CRASH));
            host.awaitGone(shell.domid);
            try (Stream<Path> files = Files.list(dumps)) {
                assertThat(files).singleElement().satisfies(file -> {
                    assertThat(file.getFileName().toString()).matches("2026-0101-0000\\.[0-9]{2}-shell\\.core");
                    assertThat(Files.size(file)).isGreaterThan(8 << 20);
                    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                            .isEqualTo("rw-------");
                });
            }
            if (onCrash == LifecycleAction.COREDUMP_RESTART) {
                while (!(event instanceof DomainEvent.Restarted)) {
                    event = events.take();
                }
                TestGuest again = new TestGuest(host.toolstack, ((DomainEvent.Restarted) event).newDomid());
                again.await("Type help.");
                host.toolstack.destroy(again.domid);
            }
            assertThat(host.freeKiB()).isEqualTo(free);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void aDumpThatCannotBeWrittenSaysWhy(@TempDir Path directory) throws Exception {
        try (TestHost host = TestHost.virtual(37)) {
            GuestControl guests = host.toolstack.guests();
            TestGuest shell = host.start("shell", "minishell");
            shell.await("Type help.");
            assertThatThrownBy(() -> guests.dumpCore(shell.domid, directory)).hasMessageContaining("Is a directory");
            assertThatThrownBy(() -> guests.dumpCore(shell.domid, Path.of("/dev/full")))
                    .hasMessageContaining("not a file");
            assertThatThrownBy(() -> guests.dumpCore(shell.domid, directory.resolve("no/core")))
                    .hasMessageContaining("No such file or directory");
            assertThatThrownBy(() -> guests.dumpCore(77, directory.resolve("core"))).hasMessageContaining("77");
            assertThatThrownBy(() -> guests.dumpCore(0, directory.resolve("core"))).hasMessageContaining("Domain-0");
            assertThat(directory).isEmptyDirectory();
            assertThat(info(host, shell).paused()).isFalse();
            shell.type("echo alive");
            shell.await("\nalive");
        }
    }

    /** More pages than one step lists: each is there once, with its contents. */
    @ParameterizedTest
    @CsvSource({"minishell,xen-3.0-x86_64", "pae/minishell,xen-3.0-x86_32p"})
    void aDumpHasEveryPageOfTheDomain(String image, String guestType, @TempDir Path directory) throws Exception {
        int pages = 24 << 8;
        try (TestHost host = TestHost.virtual(38)) {
            DomainConfig c = TestHost.config("shell", TestHost.image(image), "words-to-find", 2);
            TestGuest shell = host.start(new DomainConfig(c.name(), c.uuid(), c.type(), c.boot(), pages * 4L,
                    pages * 4L, 2, 2, c.hardAffinity(), c.scheduling(), c.lifecycle(), c.limits(), c.devices()));
            shell.await("Type help.");
            Path file = directory.resolve("core");
            host.toolstack.guests().dumpCore(shell.domid, file);
            assertThat(host.audit()).isEmpty();
            ByteBuffer core = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            int[] offsets = new int[7];
            for (int section = 1; section < 7; section++) {
                offsets[section] = (int) core.getLong(64 + section * 64 + 24);
            }
            assertThat(core.getLong(64 + 5 * 64 + 32)).isEqualTo(pages * 4096L);
            assertThat(core.capacity()).isEqualTo(offsets[1] + 72);
            BitSet present = new BitSet();
            for (int i = 0; i < pages; i++) {
                present.set((int) core.getLong(offsets[6] + 16 * i));
            }
            assertThat(present.cardinality()).isEqualTo(pages);
            assertThat(present.length()).isEqualTo(pages);
            String contents = new String(core.array(), offsets[5], pages * 4096, StandardCharsets.ISO_8859_1);
            assertThat(contents.contains(guestType + '\0')).as("start_info").isTrue();
            assertThat(contents.contains("words-to-find")).as("command line").isTrue();
            shell.type("echo alive");
            shell.await("\nalive");
        }
    }
}
