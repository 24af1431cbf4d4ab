package dev.xenolith.dom0.xl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Output and exit codes of the commands about memory, vCPUs and scheduling, as in the transcript of the real xl. */
class ResourceCommandsTest {
    private final FakeToolstack toolstack = new FakeToolstack();
    private TestClient client = new TestClient(Path.of("/"));

    @BeforeEach
    void putPv2() {
        toolstack.put(new DomainInfo(4, "pv2", new UUID(1, 2), 204800, 262144, 1, false, true, false, false, null,
                "Pool-0", 512, 50, 8_400_000_000L, 0));
    }

    private int xl(String... arguments) {
        client = new TestClient(Path.of("/"));
        return Xl.run(List.of(arguments), client, () -> toolstack);
    }

    @ParameterizedTest
    @CsvSource({"200, 204800", "200m, 204800", "1G, 1048576", "2t, 2147483648", "4096K, 4096", "8192b, 8"})
    void memoryIsInMebibytesOrHasAUnit(String size, long kibibytes) {
        assertThat(xl("mem-set", "pv2", size)).isZero();
        assertThat(xl("mem-max", "4", size)).isZero();
        assertThat(toolstack.log()).containsExactly("mem-set 4 " + kibibytes, "mem-max 4 " + kibibytes);
        assertThat(client.outText()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "-5", "12x", "12mb", "1b", "m", "1.5", "99999999999t", "99999999999999999999"})
    void otherSizesAreRefused(String size) {
        for (String command : List.of("mem-set", "mem-max")) {
            // A dash would be an option.
            assertThat(xl(command, "pv2", "--", size)).isEqualTo(1);
            assertThat(client.errText())
                    .startsWith("xl: " + command + ": invalid memory size '" + size + "'; expected MiB");
        }
        assertThat(toolstack.log()).isEmpty();
    }

    @Test
    void vcpuSet() {
        assertThat(xl("vcpu-set", "pv2", "1")).isZero();
        assertThat(xl("vcpu-set", "pv2", "5")).isEqualTo(1);
        assertThat(client.errText()).startsWith("xl: vcpu-set: the host has 1 physical CPUs, 5 vCPUs are more");
        assertThat(xl("vcpu-set", "-i", "pv2", "5")).isZero();
        assertThat(xl("vcpu-set", "pv2", "some")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: vcpu-set: expected a number of vCPUs, found 'some'\n");
        assertThat(toolstack.log()).containsExactly("vcpus 4 1", "vcpus 4 5");
    }

    @Test
    void vcpuPin() {
        assertThat(xl("vcpu-pin", "pv2", "0", "0")).isZero();
        assertThat(xl("vcpu-pin", "pv2", "1", "-", "0-2,^1")).isZero();
        assertThat(xl("vcpu-pin", "-f", "pv2", "0", "all", "-")).isZero();
        assertThat(xl("vcpu-pin", "pv2", "all", "0", "all")).isZero();
        assertThat(toolstack.log()).containsExactly("pin 4.0 {0} -", "pin 4.1 - {0, 2}", "pin 4.0 all -",
                "pin 4.0 {0} all");
        assertThat(client.outText()).isEmpty();
    }

    @Test
    void vcpuPinRefuses() {
        assertThat(xl("vcpu-pin", "pv2", "9", "0")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: domain 4 has no vCPU 9\n");
        assertThat(xl("vcpu-pin", "pv2", "x", "0")).isEqualTo(1);
        assertThat(client.errText()).contains("expected a vCPU or 'all', found 'x'");
        assertThat(xl("vcpu-pin", "-f", "pv2", "all", "0")).isEqualTo(1);
        assertThat(xl("vcpu-pin", "pv2", "0", "3-1")).isEqualTo(1);
        assertThat(client.errText()).contains("hard affinity: expected an ascending range");
        assertThat(xl("vcpu-pin", "pv2", "0", "0", "moon")).isEqualTo(1);
        assertThat(client.errText()).contains("soft affinity: expected processor numbers");
        assertThat(xl("vcpu-pin", "pv2", "0")).isEqualTo(2);
        assertThat(toolstack.log()).isEmpty();
    }

    @Test
    void vcpuPinHasADryRun() {
        assertThat(xl("-N", "vcpu-pin", "pv2", "0", "0", "-")).isZero();
        assertThat(client.outText()).isEqualTo("cpumap: all\n");
        assertThat(xl("-N", "vcpu-pin", "pv2", "0", "-", "1")).isZero();
        assertThat(client.outText()).isEqualTo("cpumap: - none\n");
        assertThat(toolstack.log()).isEmpty();
    }

    @Test
    void schedCredit2() {
        assertThat(xl("sched-credit2")).isZero();
        assertThat(client.outText()).isEqualTo("""
                Cpupool Pool-0: ratelimit=1000us
                Name                                ID Weight  Cap
                Domain-0                             0    256    0
                pv2                                  4    512   50
                """);
        String all = client.outText();
        assertThat(xl("sched-credit2", "-p", "Pool-0")).isZero();
        assertThat(client.outText()).isEqualTo(all);
        assertThat(xl("sched-credit2", "-d", "pv2")).isZero();
        assertThat(client.outText()).isEqualTo("""
                Name                                ID Weight  Cap
                pv2                                  4    512   50
                """);
        assertThat(xl("sched-credit2", "-d", "pv2", "-w", "700")).isZero();
        assertThat(xl("sched-credit2", "--domain=pv2", "--cap=20", "--weight=1")).isZero();
        assertThat(toolstack.log()).containsExactly("share 4 700 -", "share 4 1 20");
        assertThat(xl("sched-credit2", "-s", "-r", "5000")).isZero();
        assertThat(client.outText()).isEmpty();
        assertThat(xl("sched-credit2", "-s")).isZero();
        assertThat(client.outText()).isEqualTo("Cpupool Pool-0: ratelimit=5000us\n");
    }

    @Test
    void schedCredit2Refuses() {
        assertThat(xl("sched-credit2", "-d", "nosuch")).isEqualTo(1);
        assertThat(xl("sched-credit2", "-w", "5")).isEqualTo(1);
        assertThat(xl("sched-credit2", "-p", "Pool-0", "-d", "pv2")).isEqualTo(1);
        assertThat(xl("sched-credit2", "-p", "Pool-7")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: sched-credit2: unknown cpupool 'Pool-7'\n");
        assertThat(xl("sched-credit2", "-r", "500")).isEqualTo(1);
        assertThat(xl("sched-credit2", "-d", "pv2", "-w", "much")).isEqualTo(2);
        assertThat(client.outText()).isEmpty();
        assertThat(toolstack.log()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"mem-set", "mem-max", "vcpu-set", "vcpu-pin"})
    void theDomainMustExist(String command) {
        assertThat(xl(command, "nosuch", "1", "1")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: domain 'nosuch' does not exist\n");
        assertThat(xl(command, "pv2")).isEqualTo(2);
    }
}
