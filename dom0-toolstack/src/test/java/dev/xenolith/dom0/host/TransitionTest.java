package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Checks.Check;
import java.util.OptionalLong;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A vCPU that keeps a warm writable translation of a frame cannot write there any more once the frame has become something else: a
 * page table, a page of descriptors, nobody's, somebody else's. Guest {@code transition} tries each.
 */
@Timeout(180)
class TransitionTest {
    @ParameterizedTest(name = "{0} processors, seed {1}")
    @CsvSource({"1, 1", "1, 2", "2, 1", "2, 2", "4, 3"})
    void noStaleTranslationWrites(int processors, long seed) throws Exception {
        try (TestHost host = boot(Checks.ALL, processors, seed)) {
            assertThat(verdict(host, "rounds=3")).contains("VERDICT transition PASS")
                    .doesNotContain("did not come back");
            assertThat(host.audit()).isEmpty();
        }
    }

    @ParameterizedTest(name = "{0} processors")
    @ValueSource(ints = {1, 2})
    void withoutTheFlushTheyDo(int processors) throws Exception {
        try (TestHost host = boot(Checks.without(Check.TLB_FLUSH), processors, 1)) {
            assertThat(verdict(host, "rounds=1 patience=20")).contains("VERDICT transition FAIL",
                    "pin as L1: vCPU 1 writes on");
        }
    }

    private static TestHost boot(Checks checks, int processors, long seed) {
        HostOptions options = new HostOptions(processors, 128, HostOptions.DEFAULT.cpuModel(), ClockMode.VIRTUAL,
                OptionalLong.of(seed), "guest_loglvl=all");
        return new TestHost(options,
                TestHost.checking(checks));
    }

    private static String verdict(TestHost host, String options) throws InterruptedException {
        TestGuest guest = host
                .start(TestHost.config("transition", TestHost.image("transition"), options, 2));
        String said = guest.awaitEnd();
        host.awaitGone(guest.domid);
        return said;
    }
}
