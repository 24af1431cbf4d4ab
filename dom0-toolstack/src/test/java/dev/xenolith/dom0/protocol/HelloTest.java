package dev.xenolith.dom0.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HelloTest {
    private static final Hello HELLO = new Hello("xl", List.of("create", "-c", "ünïcode.cfg", ""), "/home/a b",
            Map.of("TZ", "UTC", "TERM", "xterm"), true, false, 132, 43);

    @Test
    void survivesTheWay() throws Exception {
        assertThat(Hello.decode(HELLO.encode())).isEqualTo(HELLO);
    }

    @Test
    void refusesOtherVersionsByName() throws Exception {
        byte[] later = HELLO.encode();
        later[5]++;
        assertThatThrownBy(() -> Hello.decode(later)).isInstanceOf(ProtocolException.class)
                .hasMessageContaining("speaks protocol 1, this client 2");
        byte[] stranger = "GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        assertThatThrownBy(() -> Hello.decode(stranger)).hasMessage("not a client of ours");
    }

    @Test
    void refusesEveryCut() throws Exception {
        byte[] whole = HELLO.encode();
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> Hello.decode(cut)).as("length %d", length).isInstanceOf(ProtocolException.class);
        }
        assertThatThrownBy(() -> Hello.decode(Arrays.copyOf(whole, whole.length + 1)))
                .isInstanceOf(ProtocolException.class);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void damageNeverThrowsAnythingElse(long seed) throws Exception {
        Random random = new Random(seed);
        byte[] whole = HELLO.encode();
        for (int round = 0; round < 2000; round++) {
            byte[] damaged = whole.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            try {
                assertThat(Hello.decode(damaged)).isNotNull();
            } catch (ProtocolException e) {
                assertThat(e.getMessage()).as("seed %d round %d", seed, round).isNotEmpty();
            }
        }
    }

    @Test
    void placesFollowTheEnvironment() {
        Places chosen = Places.find(Map.of("XENOLITH_SOCKET", "/tmp/x.sock", "XDG_RUNTIME_DIR", "/run/user/1"), "/h");
        assertThat(chosen.socket()).isEqualTo(Path.of("/tmp/x.sock"));
        assertThat(chosen.lock()).isEqualTo(Path.of("/tmp/x.sock.lock"));
        assertThat(chosen.log()).isEqualTo(Path.of("/tmp/x.sock.log"));
        Places runtime = Places.find(Map.of("XDG_RUNTIME_DIR", "/run/user/1", "HOME", "/home/u"), "/h");
        assertThat(runtime.socket()).isEqualTo(Path.of("/run/user/1/xenolith/host.sock"));
        assertThat(runtime.log()).isEqualTo(Path.of("/home/u/.local/state/xenolith/host.log"));
        Places bare = Places.find(Map.of("XDG_STATE_HOME", "/state", "XDG_RUNTIME_DIR", "relative"), "/h");
        assertThat(bare.socket()).isEqualTo(Path.of("/state/xenolith/host.sock"));
        assertThat(Places.find(Map.of(), "/h").socket()).isEqualTo(Path.of("/h/.local/state/xenolith/host.sock"));
    }
}
