package dev.xenolith.dom0.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.xl.TestClient;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.Xenolith;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** With a package client that is a few lines of shell, in front of packages made here. */
@Timeout(60)
class ImageCommandTest {
    @TempDir
    private Path directory = Path.of("");

    private TestClient client = new TestClient(directory, Map.of());

    @BeforeEach
    void packages() throws IOException {
        client = new TestClient(directory, Map.of("PATH", directory.resolve("bin").toString(), "XDG_CACHE_HOME",
                directory.resolve("cache").toString()));
        Files.createDirectories(directory.resolve("bin"));
        Files.createDirectories(directory.resolve("mirror"));
        program("apt-cache",
                "[ \"$3\" = linux-image-amd64 ] && echo 'Depends: linux-image-6.1.0-56-amd64 (= 6.1.192-2)'");
        program("apt-get", """
                for name; do :; done
                file=$(cd "$mirror" && echo "$name"_*.deb)
                if [ ! -f "$mirror/$file" ]; then
                    echo "E: Unable to locate package $name" >&2
                    exit 100
                fi
                if [ "$2" = --print-uris ]; then
                    echo "'ftp://nowhere/$file' $file 1000 SHA256:00"
                else
                    echo "W: a warning" >&2
                    cat "$mirror/$file" >"$file"
                fi
                """);
        debianPackage("linux-image-6.1.0-56-amd64_6.1.192-2_amd64.deb", Map.of("./boot/config-6.1.0", "CONFIG=y",
                "./boot/vmlinuz-6.1.0-56-amd64", "a kernel"));
        debianPackage("busybox-static_1%3a1.35_amd64.deb", Map.of("./usr/bin/busybox", "a shell"));
    }

    private void program(String name, String script) throws IOException {
        Path file = directory.resolve("bin").resolve(name);
        Files.writeString(file, "#!/bin/sh\nPATH=/usr/bin:/bin\nmirror=" + directory.resolve("mirror") + '\n' + script
                + '\n');
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private void debianPackage(String name, Map<String, String> files) throws IOException {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(new XZCompressorOutputStream(data))) {
            for (Map.Entry<String, String> file : files.entrySet()) {
                byte[] content = file.getValue().getBytes(StandardCharsets.UTF_8);
                TarArchiveEntry entry = new TarArchiveEntry(file.getKey());
                entry.setSize(content.length);
                tar.putArchiveEntry(entry);
                tar.write(content);
                tar.closeArchiveEntry();
            }
        }
        try (ArArchiveOutputStream ar = new ArArchiveOutputStream(
                Files.newOutputStream(directory.resolve("mirror").resolve(name)))) {
            for (Map.Entry<String, byte[]> member : List.of(
                    Map.entry("debian-binary", "2.0\n".getBytes(StandardCharsets.US_ASCII)),
                    Map.entry("data.tar.xz", data.toByteArray()))) {
                ar.putArchiveEntry(new ArArchiveEntry(member.getKey(), member.getValue().length));
                ar.write(member.getValue());
                ar.closeArchiveEntry();
            }
        }
    }

    private int image(String... arguments) {
        client.clear();
        return Xenolith.run(List.of(arguments), client, () -> {
            throw new AssertionError();
        }, Map.of("image", new ImageCommand(client)));
    }

    private int pull() {
        return image("image", "pull", "linux");
    }

    private Path images() {
        return directory.resolve("cache/xenolith/images");
    }

    private String error() {
        return client.errText();
    }

    @Test
    void pulls() throws IOException {
        assertThat(pull()).as(error()).isZero();
        assertThat(client.outText()).isEqualTo("image linux is in " + images() + "/linux\n");
        assertThat(error()).as("quiet in a pipe").isEmpty();
        Image image = new ImageStore(images()).get("linux");
        assertThat(Files.readString(image.kernel())).isEqualTo("a kernel");
        assertThat(image.commandLine()).isEqualTo("console=ttyS0");
        try (InputStream initrd = new GZIPInputStream(Files.newInputStream(image.initrd()))) {
            assertThat(new String(initrd.readAllBytes(), StandardCharsets.ISO_8859_1)).contains("a shell",
                    "#!/bin/busybox sh", "TRAILER!!!");
        }
        assertThat(images().resolve(".downloads")).doesNotExist();
    }

    @Test
    void showsProgressOnATerminal() {
        client.makeOutATerminal();
        assertThat(pull()).isZero();
        assertThat(error()).contains("downloading linux-image-6.1.0-56-amd64: 0.0 of 0.0 MiB\n",
                "downloading busybox-static", "unpacking\n");
    }

    @Test
    void aFailureKeepsWhatWasThereAndWhatHasBeenDownloaded() throws IOException {
        assertThat(pull()).isZero();
        Files.delete(directory.resolve("mirror/busybox-static_1%3a1.35_amd64.deb"));
        debianPackage("linux-image-6.1.0-56-amd64_6.1.192-2_amd64.deb",
                Map.of("./boot/vmlinuz-6.1.0-56-amd64", "another"));
        assertThat(pull()).isEqualTo(ToolstackException.FAILURE);
        assertThat(error()).isEqualTo(
                "xenolith: apt-get cannot download busybox-static: Unable to locate package busybox-static\n");
        assertThat(Files.readString(new ImageStore(images()).get("linux").kernel())).isEqualTo("a kernel");
        assertThat(images().resolve(".downloads/linux-image-6.1.0-56-amd64_6.1.192-2_amd64.deb")).exists();
        debianPackage("busybox-static_1%3a1.35_amd64.deb", Map.of("./bin/busybox", "a shell"));
        assertThat(pull()).isZero();
        assertThat(Files.readString(new ImageStore(images()).get("linux").kernel())).isEqualTo("another");
    }

    /** A process that is killed leaves what it has made beside the image's place. */
    @Test
    void halfAnImageIsNone() throws IOException {
        Files.createDirectories(images().resolve("linux.new"));
        Files.writeString(images().resolve("linux.new/kernel"), "half");
        assertThatThrownBy(() -> new ImageStore(images()).get("linux"))
                .hasMessageContaining("there is no image 'linux'").hasMessageContaining("xenolith image pull linux");
        assertThat(pull()).isZero();
        assertThat(images().resolve("linux.new")).doesNotExist();
    }

    @Test
    void aPackageThatIsNoneIsNamed() throws IOException {
        Files.writeString(directory.resolve("mirror/linux-image-6.1.0-56-amd64_6.1.192-2_amd64.deb"), "no archive");
        assertThat(pull()).isEqualTo(ToolstackException.FAILURE);
        assertThat(error()).startsWith("xenolith: image 'linux': ").hasLineCount(1);
        assertThat(images().resolve("linux")).doesNotExist();
        debianPackage("linux-image-6.1.0-56-amd64_6.1.192-2_amd64.deb", Map.of("./usr/share/doc", "nothing"));
        assertThat(pull()).isEqualTo(ToolstackException.FAILURE);
        assertThat(error()).contains("linux-image-6.1.0-56-amd64_6.1.192-2_amd64.deb: ", "not in it");
    }

    @Test
    void withoutAPackageClientItSaysWhatToGive() throws IOException {
        Files.delete(directory.resolve("bin/apt-get"));
        assertThat(pull()).isEqualTo(ToolstackException.FAILURE);
        assertThat(error()).contains("no package client", "--kernel", "--initrd").hasLineCount(1);
    }

    @Test
    void withoutListsItSaysWhatToDo() throws IOException {
        program("apt-cache", "exit 100");
        assertThat(pull()).isEqualTo(ToolstackException.FAILURE);
        assertThat(error()).contains("apt-cache knows no kernel package", "apt-get update").hasLineCount(1);
    }

    @Test
    void usage() {
        assertThat(image("image", "pull", "windows")).isEqualTo(ToolstackException.USAGE);
        assertThat(error()).contains("no image 'windows'; there are linux, debian, debian-generic");
        assertThat(image("image", "pull")).isEqualTo(ToolstackException.USAGE);
        assertThat(image("image", "pull", "--help")).isZero();
        assertThat(client.outText()).contains("Usage: xenolith image pull");
        assertThatThrownBy(() -> new ImageStore(images()).get("../linux")).hasMessageContaining("no name of an image");
    }
}
