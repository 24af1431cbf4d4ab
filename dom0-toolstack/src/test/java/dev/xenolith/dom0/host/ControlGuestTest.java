package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.xl.DomainInfo;
import dev.xenolith.dom0.xl.NoSuchDomainException;
import dev.xenolith.dom0.xl.ShutdownReason;
import dev.xenolith.dom0.xl.ToolstackException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Guest {@code control}, a toolstack in a guest, beside the one of domain 0, which is not to be disturbed by what the other does. */
@Timeout(300)
class ControlGuestTest {
    private static DomainConfig config(String commandLine, boolean privileged) {
        DomainConfig c = TestHost.config("control", TestHost.image("control"), commandLine, 1);
        DomainConfig.Boot boot = new DomainConfig.Boot(TestHost.image("control"), TestHost.image("hello"), commandLine);
        return new DomainConfig(c.name(), c.uuid(), c.type(), boot, 16 << 10, 16 << 10, 1, 1, c.hardAffinity(),
                c.scheduling(), c.lifecycle(), c.limits(), c.devices(), privileged);
    }

    private static int left(String said) {
        Matcher left = Pattern.compile("LEFT (\\d+)").matcher(said);
        assertThat(left.find()).as(said).isTrue();
        return Integer.parseInt(left.group(1));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void makesADomainByThePublicAbi(long seed) throws InterruptedException {
        try (TestHost host = TestHost.virtual(seed)) {
            long free = host.freeKiB();
            TestGuest control = host.start(config("", true));
            assertThat(control.awaitEnd()).contains("Hello from a PV guest", "VERDICT control PASS");
            host.awaitGone(control.domid);
            assertThat(host.audit()).isEmpty();
            assertThat(host.freeKiB()).isEqualTo(free);
            assertThat(host.toolstack.domains()).hasSize(1);
        }
    }

    @Test
    void withoutThePrivilegeItIsRefused() throws InterruptedException {
        try (TestHost host = TestHost.virtual(1)) {
            TestGuest control = host.start(config("", false));
            assertThat(control.awaitEnd()).contains("without privilege", "VERDICT control PASS");
        }
    }

    @Test
    void aDomainOfAnotherToolstackHasNoNameAndCanBeDestroyed() throws InterruptedException {
        try (TestHost host = TestHost.virtual(1)) {
            long free = host.freeKiB();
            TestGuest control = host.start(config("leave=paused", true));
            int domid = left(control.awaitEnd());
            host.awaitGone(control.domid);
            DomainInfo info = host.toolstack.domain(domid).orElseThrow();
            assertThat(info.name()).isEqualTo("(null)");
            assertThat(info.paused()).isTrue();
            assertThat(host.toolstack.vcpus(domid)).hasSize(1);
            assertThat(host.toolstack.configuration(domid)).isEmpty();
            assertThat(host.audit()).isEmpty();

            host.toolstack.destroy(domid);
            assertThat(host.toolstack.domain(domid)).isEmpty();
            assertThatThrownBy(() -> host.toolstack.destroy(domid)).isInstanceOf(NoSuchDomainException.class);
            assertThat(host.freeKiB()).isEqualTo(free);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void aToolstackThatIsDestroyedLetsGoOfWhatItHasMapped() throws InterruptedException {
        try (TestHost host = TestHost.virtual(1)) {
            long free = host.freeKiB();
            TestGuest control = host.start(config("leave=mapped", true));
            int domid = left(control.await("LEFT "));
            // Nobody takes what hello says, and it waits for that for two seconds.
            for (int i = 0; host.toolstack.domain(domid).orElseThrow().shutdownReason() == null; i++) {
                assertThat(i).isLessThan(5000);
                Thread.sleep(1);
            }
            assertThat(host.toolstack.domain(domid).orElseThrow().shutdownReason()).isEqualTo(ShutdownReason.POWEROFF);
            assertThat(host.audit()).isEmpty();

            host.toolstack.destroy(domid);
            assertThat(host.toolstack.domain(domid)).as("two frames are mapped").map(DomainInfo::dying).contains(true);
            host.toolstack.destroy(control.domid);
            host.awaitGone(control.domid);
            host.awaitGone(domid);
            assertThat(host.freeKiB()).isEqualTo(free);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void withDomain0TheMachineEnds() throws Exception {
        try (TestHost host = TestHost.virtual(1)) {
            TestGuest control = host.start(config("end=machine", true));
            assertThat(control.await("ending domain 0")).doesNotContain("VERDICT");
            host.host.machine().ended().get(60, TimeUnit.SECONDS);
            assertThatThrownBy(host.toolstack::domains).isInstanceOf(ToolstackException.class)
                    .hasMessageContaining("the host is stopping");
        }
    }
}
