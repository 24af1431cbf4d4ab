package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainType;
import dev.xenolith.dom0.config.LifecycleAction;
import dev.xenolith.dom0.config.VifSpec;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.xl.BlockDeviceInfo;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.DomainEvents;
import dev.xenolith.dom0.xl.NetworkPortInfo;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.VifInfo;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.OperationException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jspecify.annotations.Nullable;

/** A second domain that serves disks and vifs: its life, its death, and the next one. */
@Timeout(180)
class DriverDomainTest {
    @TempDir
    Path directory;

    static DomainConfig driver(String name, LifecycleAction onCrash) {
        return new DomainConfig(name, UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)), DomainType.JAVA,
                null, 8 << 10, 8 << 10, 1, 1, List.of(),
                new DomainConfig.Scheduling(OptionalInt.empty(), OptionalInt.empty()),
                new DomainConfig.Lifecycle(LifecycleAction.DESTROY, LifecycleAction.DESTROY, LifecycleAction.DESTROY,
                        onCrash, LifecycleAction.DESTROY),
                DomainConfig.Limits.DEFAULT, DomainConfig.Devices.NONE);
    }

    private static <T> T onMachine(TestHost host, Supplier<T> action) {
        return host.host.machine().call(action::get).join();
    }

    private static DomainHandle handle(TestHost host, int domid) {
        return Objects.requireNonNull(onMachine(host, () -> host.host.dom0().control().handle(domid)));
    }

    private DiskSpec disk(String name) throws Exception {
        Path image = Files.write(directory.resolve(name), new byte[1 << 20]);
        return DiskSpec.parse("format=raw,vdev=xvda,access=rw,backend=storage,target=" + image);
    }

    private static int start(TestHost host, DomainConfig config) {
        int domid = host.toolstack.create(config);
        host.toolstack.unpause(domid);
        return domid;
    }

    @Test
    void servesDevicesUntilItDiesAndAgainWhenItIsBack() throws Exception {
        DiskSpec disk = disk("a.img");
        VifSpec vif = VifSpec.parse("backend=storage");
        DomainConfig shell = TestHost.config("minishell", TestHost.image("minishell"), "", 1)
                .withDevices(new DomainConfig.Devices(List.of(disk), List.of(vif)));
        try (TestHost host = TestHost.virtual(1)) {
            long free = host.freeKiB();
            assertThatThrownBy(() -> host.toolstack.create(shell))
                    .hasMessageContaining("backend=storage: there is no such domain");
            int driver = start(host, driver("storage", LifecycleAction.DESTROY));
            DomainHandle first = handle(host, driver);
            TestGuest guest = host.start(shell);
            assertThat(host.toolstack.disks(guest.domid)).extracting(BlockDeviceInfo::backend).containsExactly(
                    "/local/domain/" + driver + "/backend/vbd/" + guest.domid + "/51712");
            assertThat(host.toolstack.vifs(guest.domid)).extracting(VifInfo::backendDomid).containsExactly(driver);
            assertThat(ports(host)).contains("vif" + guest.domid + ".0");
            assertThat(state(host, driver, guest.domid)).isEqualTo("2");

            host.toolstack.destroy(driver);
            host.awaitGone(driver);
            assertThat(ports(host)).doesNotContain("vif" + guest.domid + ".0");
            assertThat(state(host, driver, guest.domid)).isNull();
            refuses(host, first);
            guest.await("> ");
            assertThat(host.audit()).isEmpty();
            // Whatever comes meanwhile has another domid: the guest's grants are not for it.
            int other = start(host, driver("other", LifecycleAction.DESTROY));
            assertThat(other).isNotEqualTo(driver);

            assertThat(start(host, driver("storage", LifecycleAction.DESTROY))).isEqualTo(driver);
            while (!"2".equals(state(host, driver, guest.domid)) || !ports(host).contains("vif" + guest.domid + ".0")) {
                Thread.sleep(1);
            }
            refuses(host, first);
            handle(host, driver);
            host.toolstack.destroy(guest.domid);
            host.awaitGone(guest.domid);
            host.toolstack.destroy(driver);
            host.toolstack.destroy(other);
            host.awaitGone(driver);
            host.awaitGone(other);
            assertThat(host.audit()).isEmpty();
            assertThat(host.freeKiB()).isEqualTo(free);
        }
    }

    /** A handle of a dead domain can do nothing, also when another domain has its domid. */
    private static void refuses(TestHost host, DomainHandle dead) {
        onMachine(host, () -> {
            assertThat(dead.events().allocUnbound(0)).isEqualTo(-Errno.ESRCH);
            assertThat(dead.events().bindInterdomain(0, 1)).isEqualTo(-Errno.ESRCH);
            assertThat(dead.events().close(1)).isEqualTo(-Errno.ESRCH);
            assertThat(dead.grants().mapped()).isZero();
            assertThatThrownBy(() -> dead.grants().map(0, 1, true)).isInstanceOf(OperationException.class)
                    .extracting(e -> ((OperationException) e).error()).isEqualTo(-Errno.ESRCH);
            assertThat(dead.control().pause(0)).isEqualTo(-Errno.ESRCH);
            dead.post(() -> {
                throw new AssertionError("a handler of a dead domain ran");
            });
            return true;
        });
    }

    private static List<String> ports(TestHost host) {
        return host.toolstack.networkPorts().stream().map(NetworkPortInfo::port).toList();
    }

    private static @Nullable String state(TestHost host, int driver, int guest) {
        return onMachine(host, () -> host.host.nodes()
                .find("/local/domain/" + driver + "/backend/vbd/" + guest + "/51712/state"));
    }

    @Test
    void imagesOfADeadOneAreClosedBeforeItsNameIsFree() throws Exception {
        DiskSpec disk = disk("a.img");
        try (TestHost host = TestHost.virtual(2)) {
            int driver = start(host, driver("storage", LifecycleAction.DESTROY));
            TestGuest guest = host.start(TestHost.config("minishell", TestHost.image("minishell"), "", 1));
            host.toolstack.attachDisk(guest.domid, disk);
            DiskSpec here = DiskSpec.parse("format=raw,vdev=xvdb,access=rw,target=" + disk.target());
            assertThatThrownBy(() -> host.toolstack.attachDisk(guest.domid, here))
                    .isInstanceOf(ToolstackException.class).hasMessageContaining("vbd/51728");
            host.toolstack.destroy(driver);
            host.toolstack.attachDisk(guest.domid, here);
            // The device that has no backend goes without one.
            host.toolstack.detachDisk(guest.domid, 51712, true);
            host.toolstack.destroy(guest.domid);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void aDefectInItEndsItAndNobodyElse() throws Exception {
        HostOptions options = TestHost.options(ClockMode.VIRTUAL, 3);
        try (Host host = Host.boot(options); DomainEvents events = host.toolstack().events()) {
            int driver = host.toolstack().create(driver("storage", LifecycleAction.RESTART));
            host.toolstack().unpause(driver);
            host.machine().call(() -> {
                Objects.requireNonNull(host.dom0().control().handle(driver)).post(() -> {
                    throw new IllegalStateException("planted");
                });
                return true;
            }).join();
            int restarted = -1;
            while (restarted < 0) {
                if (events.take() instanceof DomainEvent.Restarted(int old, int fresh)) {
                    assertThat(old).isEqualTo(driver);
                    restarted = fresh;
                }
            }
            assertThat(host.hypervisor().bugs()).isEqualTo(1);
            assertThat(host.toolstack().consoleRing(false)).contains("planted", "d" + driver + " domain_crash");
            assertThat(host.toolstack().domain(restarted)).isPresent();
        }
    }
}
