package dev.xenolith.dom0.display;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.display.rfb.SharePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VncSettingsTest {
    private static final Path HERE = Path.of("/here");

    @TempDir
    private Path directory = Path.of("");

    @Test
    void everythingIsUnderstood() {
        VncSettings plain = VncSettings.parse(":3", HERE);
        assertThat(plain.rfb().getPort()).isEqualTo(5903);
        assertThat(plain.rfb().getAddress().isLoopbackAddress()).isTrue();
        assertThat(plain.web()).isNull();
        assertThat(plain.sharing()).isEqualTo(SharePolicy.ALLOW_EXCLUSIVE);
        VncSettings all = VncSettings.parse("0.0.0.0:1,password=p,tls,web,share=ignore", HERE);
        assertThat(all.rfb().getPort()).isEqualTo(5901);
        assertThat(Objects.requireNonNull(all.web()).getPort()).isEqualTo(5701);
        assertThat(Objects.requireNonNull(all.web()).getAddress()).isEqualTo(all.rfb().getAddress());
        assertThat(all.passwordFile()).isEqualTo(Path.of("/here/p"));
        assertThat(all.tls()).isTrue();
        assertThat(all.sharing()).isEqualTo(SharePolicy.IGNORE);
        assertThat(VncSettings.parse("[::1]:0", HERE).rfb().getAddress().isLoopbackAddress()).isTrue();
        assertThat(VncSettings.parse("0.0.0.0:0,insecure", HERE).passwordFile()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1", ":", ":x", ":-1", ":59636", "::1:0", ":1,", ":1,tsl", ":1,tls=yes", ":1,password",
        ":1,password=", ":1,share=me", ":1,web,web", "0.0.0.0:1", "0.0.0.0:1,tls", "[::]:1,web"})
    void theRestIsRefused(String text) {
        assertThatThrownBy(() -> VncSettings.parse(text, HERE)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({"'',there is none", "'\nsecret',there is none", "longerthan8,at most 8"})
    void passwordsThatAreNoneAreRefused(String content, String problem) throws IOException {
        Path file = Files.writeString(directory.resolve("p"), content);
        assertThatThrownBy(() -> new TestMachine(file, false, SharePolicy.IGNORE)).isInstanceOf(IOException.class)
                .hasMessageContaining(problem).hasMessageContaining(file.toString());
        assertThatThrownBy(() -> new TestMachine(directory.resolve("none"), false, SharePolicy.IGNORE))
                .hasMessageContaining("cannot be read");
    }
}
