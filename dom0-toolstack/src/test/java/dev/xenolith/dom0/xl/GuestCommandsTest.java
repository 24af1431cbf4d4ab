package dev.xenolith.dom0.xl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Output and exit codes of sysrq, trigger, dump-core, suspend and resume, as in the transcript of the real xl. */
class GuestCommandsTest {
    private final FakeToolstack toolstack = new FakeToolstack();
    private TestClient client = new TestClient(Path.of("/"));

    @BeforeEach
    void putPv2() {
        toolstack.put(new DomainInfo(4, "pv2", new UUID(1, 2), 204800, 262144, 1, false, true, false, false, null,
                "Pool-0", 256, 0, 8_400_000_000L, 0));
    }

    private int xl(String... arguments) {
        client = new TestClient(Path.of("/some/where"));
        return Xl.run(List.of(arguments), client, () -> toolstack);
    }

    @Test
    void sysrq() {
        assertThat(xl("sysrq", "pv2", "h")).isZero();
        assertThat(client.outText()).isEmpty();
        assertThat(toolstack.log()).containsExactly("sysrq 4 h");
        for (String key : List.of("", "hh", "\u00e9", " ")) {
            assertThat(xl("sysrq", "pv2", key)).isEqualTo(1);
            assertThat(client.errText()).isEqualTo("xl: sysrq: expected one letter, found '" + key + "'\n");
            assertThat(client.outText()).isEqualTo("""
                    Usage: xl [-vtTf] sysrq <Domain> <letter>

                    Send a sysrq to a domain.

                    """);
        }
        assertThat(toolstack.log()).hasSize(1);
    }

    @Test
    void trigger() {
        assertThat(xl("trigger", "pv2", "nmi")).isZero();
        assertThat(xl("trigger", "pv2", "nmi", "1")).isZero();
        assertThat(client.errText()).isEmpty();
        assertThat(xl("trigger", "pv2", "nmi", "first")).isZero();
        assertThat(client.errText()).isEqualTo("xl: trigger: 'first' is no vCPU, using 0\n");
        assertThat(toolstack.log()).containsExactly("nmi 4.0", "nmi 4.1", "nmi 4.0");
        assertThat(xl("trigger", "pv2", "bogus")).isEqualTo(1);
        assertThat(client.errText()).startsWith("xl: trigger: invalid trigger 'bogus'; expected nmi,");
        // The real one ends with 0 whatever the hypervisor says.
        assertThat(xl("trigger", "pv2", "power")).isZero();
        assertThat(client.errText()).isEqualTo("xl: trigger: sending POWER failed\n");
    }

    @Test
    void dumpsGoWhereTheClientIs() {
        assertThat(xl("dump-core", "pv2", "core")).isZero();
        assertThat(xl("dump-core", "pv2", "/tmp/core")).isZero();
        assertThat(toolstack.log()).containsExactly("dump 4 /some/where/core", "dump 4 /tmp/core");
        assertThat(xl("dump-core", "pv2", "a\0b")).isEqualTo(1);
        assertThat(client.errText()).startsWith("xl: dump-core: invalid file name");
    }

    @Test
    void suspendAndResume() {
        assertThat(xl("suspend", "pv2")).isZero();
        assertThat(xl("resume", "4")).isZero();
        assertThat(client.outText()).isEmpty();
        assertThat(toolstack.log()).containsExactly("suspend 4", "resume 4");
    }

    @ParameterizedTest
    @ValueSource(strings = {"sysrq", "trigger", "dump-core", "suspend", "resume"})
    void theDomainMustExist(String command) {
        assertThat(xl(command, "nosuch", "x")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: domain 'nosuch' does not exist\n");
        assertThat(xl(command)).isEqualTo(2);
        assertThat(toolstack.log()).isEmpty();
    }
}
