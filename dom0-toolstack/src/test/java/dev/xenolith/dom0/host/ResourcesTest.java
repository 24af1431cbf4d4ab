package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.CpuSelection;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.DomainEvents;
import dev.xenolith.dom0.xl.DomainInfo;
import dev.xenolith.dom0.xl.DomainResources;
import dev.xenolith.dom0.xl.NoSuchDomainException;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.VcpuInfo;
import dev.xenolith.dom0.xl.Xenstore;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Memory, vCPUs and shares of running domains, down to the hypervisor. */
@Timeout(120)
class ResourcesTest {
    private static DomainInfo info(TestHost host, int domid) {
        return host.toolstack.domain(domid).orElseThrow();
    }

    @Test
    void memoryFollowsTargetAndLimit() throws Exception {
        try (TestHost host = TestHost.virtual(21);
                Xenstore store = host.toolstack.xenstore();
                DomainEvents events = host.toolstack.events()) {
            DomainResources resources = host.toolstack.resources();
            TestGuest shell = host.start("shell", "minishell");
            shell.await("Type help.");
            String target = "/local/domain/" + shell.domid + "/memory/target";
            assertThatThrownBy(() -> resources.setMemoryTarget(shell.domid, 9 << 10))
                    .hasMessageContainingAll("9 MiB", "8 MiB of memory/static-max");
            assertThat(store.readText(target)).isEqualTo("8192");
            resources.setMemoryTarget(shell.domid, 6 << 10);
            assertThat(store.readText(target)).isEqualTo("6144");
            assertThat(info(host, shell.domid).maxMemoryKiB()).isEqualTo(7 << 10);
            assertThatThrownBy(() -> resources.setMaxMemory(shell.domid, 5 << 10))
                    .hasMessageContainingAll("5 MiB", "6 MiB of memory/target");
            resources.setMaxMemory(shell.domid, 7 << 10);
            assertThat(info(host, shell.domid).maxMemoryKiB()).isEqualTo(8 << 10);

            // The next life begins as this one ends.
            resources.setScheduling(shell.domid, OptionalInt.of(700), OptionalInt.empty());
            shell.type("reboot");
            DomainEvent event = events.take();
            while (!(event instanceof DomainEvent.Restarted)) {
                event = events.take();
            }
            int again = ((DomainEvent.Restarted) event).newDomid();
            assertThat(store.readText("/local/domain/" + again + "/memory/target")).isEqualTo("6144");
            assertThat(info(host, again).weight()).isEqualTo(700);
        }
    }

    @Test
    void vcpusAreAskedForInXenstore() throws Exception {
        try (TestHost host = TestHost.virtual(22); Xenstore store = host.toolstack.xenstore()) {
            DomainConfig config = TestHost.config("shell", TestHost.image("minishell"), "", 2);
            TestGuest shell = host.start(config);
            shell.await("Type help.");
            String cpu1 = "/local/domain/" + shell.domid + "/cpu/1/availability";
            assertThat(store.readText(cpu1)).isEqualTo("online");
            host.toolstack.resources().setVcpus(shell.domid, 1);
            assertThat(store.readText(cpu1)).isEqualTo("offline");
            assertThat(store.readText("/local/domain/" + shell.domid + "/cpu/0/availability")).isEqualTo("online");
            for (int count : new int[]{0, -1, 3, Integer.MAX_VALUE}) {
                assertThatThrownBy(() -> host.toolstack.resources().setVcpus(shell.domid, count))
                        .hasMessageContaining("expected 1 to 2 vCPUs");
            }
        }
    }

    @Test
    void affinityAndShareReachTheScheduler() throws Exception {
        HostOptions two = new HostOptions(2, 128, HostOptions.DEFAULT.cpuModel(), ClockMode.VIRTUAL,
                OptionalLong.of(23), "loglvl=all");
        try (TestHost host = new TestHost(two, BootHooks.NONE)) {
            DomainResources resources = host.toolstack.resources();
            TestGuest shell = host.start(TestHost.config("shell", TestHost.image("minishell"), "", 2));
            shell.await("Type help.");
            resources.setAffinity(shell.domid, 0, CpuSelection.parse("1"), null);
            resources.setAffinity(shell.domid, 0, null, CpuSelection.parse("0"));
            VcpuInfo first = host.toolstack.vcpus(shell.domid).getFirst();
            assertThat(first.hardAffinity().stream().boxed()).containsExactly(1);
            assertThat(first.softAffinity().stream().boxed()).containsExactly(0);
            assertThat(host.toolstack.vcpus(shell.domid).get(1).hardAffinity().cardinality()).isEqualTo(64);
            shell.type("echo moved");
            shell.await("\nmoved");
            assertThat(host.toolstack.vcpus(shell.domid).getFirst().cpu()).isEqualTo(1);
            assertThatThrownBy(() -> resources.setAffinity(shell.domid, 0, CpuSelection.parse("7"), null))
                    .hasMessageContainingAll("vCPU 0", "EINVAL");
            assertThatThrownBy(() -> resources.setAffinity(shell.domid, 2, CpuSelection.ALL, null))
                    .hasMessageContaining("no vCPU 2");

            resources.setScheduling(shell.domid, OptionalInt.of(512), OptionalInt.of(150));
            resources.setScheduling(shell.domid, OptionalInt.empty(), OptionalInt.of(50));
            assertThat(info(host, shell.domid).weight()).isEqualTo(512);
            assertThat(info(host, shell.domid).cap()).isEqualTo(50);
            assertThatThrownBy(
                    () -> resources.setScheduling(shell.domid, OptionalInt.of(65536), OptionalInt.empty()))
                    .hasMessageContaining("1 to 65535");
            assertThatThrownBy(() -> resources.setScheduling(shell.domid, OptionalInt.empty(), OptionalInt.of(201)))
                    .hasMessageContaining("0 to 200");
            resources.setScheduling(0, OptionalInt.of(300), OptionalInt.empty());
            assertThat(info(host, 0).weight()).isEqualTo(300);

            assertThat(resources.ratelimitMicros()).isEqualTo(1000);
            resources.setRatelimitMicros(0);
            assertThat(resources.ratelimitMicros()).isZero();
            assertThatThrownBy(() -> resources.setRatelimitMicros(99)).isInstanceOf(ToolstackException.class);
            shell.type("echo still-here");
            shell.await("\nstill-here");
        }
    }

    @Test
    void domainsThatAreNotThereAreNamed() {
        try (TestHost host = TestHost.virtual(24)) {
            DomainResources resources = host.toolstack.resources();
            assertThatThrownBy(() -> resources.setMemoryTarget(77, 4096)).isInstanceOf(NoSuchDomainException.class);
            assertThatThrownBy(() -> resources.setVcpus(77, 1)).isInstanceOf(NoSuchDomainException.class);
            assertThatThrownBy(() -> resources.setAffinity(77, 0, CpuSelection.ALL, null))
                    .isInstanceOf(NoSuchDomainException.class);
            assertThatThrownBy(() -> resources.setScheduling(77, OptionalInt.of(1), OptionalInt.empty()))
                    .isInstanceOf(NoSuchDomainException.class);
            assertThatThrownBy(() -> resources.setMemoryTarget(0, 4096)).hasMessageContaining("Domain-0");
        }
    }
}
