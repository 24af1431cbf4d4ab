package dev.xenolith.dom0.disktool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImage;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.OpenMode;
import dev.xenolith.dom0.xl.TestClient;
import dev.xenolith.dom0.xl.Xenolith;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Command lines, what they print and what they end with. */
@Timeout(60)
class DiskCommandTest {
    @TempDir
    private Path directory = Path.of("");

    private TestClient client = new TestClient(directory, Map.of());

    @BeforeEach
    void client() {
        client = new TestClient(directory, Map.of());
    }

    private int disk(String... arguments) {
        client.clear();
        String[] words = new String[arguments.length + 1];
        words[0] = "disk";
        System.arraycopy(arguments, 0, words, 1, arguments.length);
        return Xenolith.run(List.of(words), client, () -> {
            throw new AssertionError();
        }, Map.of("disk", new DiskCommand(client)));
    }

    private void succeeds(String... arguments) {
        assertThat(disk(arguments)).as("%s", client.errText()).isZero();
        assertThat(client.errText()).isEmpty();
    }

    private void fails(int exitCode, String error, String... arguments) {
        assertThat(disk(arguments)).as("%s", client.errText()).isEqualTo(exitCode);
        assertThat(client.errText()).contains(error).hasLineCount(1);
    }

    @Test
    void createsAndShows() {
        succeeds("create", "a.qcow2", "10G");
        assertThat(client.outText()).isEmpty();
        succeeds("info", "a.qcow2");
        assertThat(client.outText()).contains("image: " + directory.resolve("a.qcow2") + "\nformat: qcow2\n"
                + "size: 10 GiB (10737418240 bytes)\n", "cluster size: 65536\n", "version: 3\n", "dirty: no\n");
        succeeds("create", "--backing", "a.qcow2", "--cluster-size=4k", "--compat", "2", "b.qcow2");
        succeeds("info", "--json", "b.qcow2");
        assertThat(client.outText()).contains("\"format\":\"qcow2\"", "\"size\":10737418240",
                "\"cluster_size\":4096", "\"version\":2", "\"backing_name\":\"a.qcow2\",\"backing\":{\"image\":");
        succeeds("create", "--format", "vhd", "--subformat", "fixed", "c", "3M");
        succeeds("info", "c");
        assertThat(client.outText()).contains("format: vhd\n", "subformat: fixed\n", "size: 3 MiB (3145728 bytes)\n");
        succeeds("create", "d.img", "1000");
        succeeds("info", "d.img");
        assertThat(client.outText()).contains("format: raw\n", "size: 1 KiB (1024 bytes)\n");
    }

    @Test
    void namesMistakes() throws IOException {
        fails(2, "a size is needed", "create", "a.raw");
        fails(2, "expected a size such as 512M or 10G, found '10X'", "create", "a.raw", "10X");
        fails(2, "expected a size", "create", "a.raw", "99999999999999T");
        fails(2, "no format 'vmdk'; there are raw, qcow2, vhd", "create", "--format=vmdk", "a", "1M");
        fails(2, "disk0: give its format", "create", "disk0", "1M");
        fails(2, "--cluster-size is for qcow2 images", "create", "--cluster-size", "4K", "a.raw", "1M");
        fails(2, "--subformat is for VHDs", "create", "--subformat", "fixed", "a.raw", "1M");
        fails(2, "--repair: expected leaks or all, found 'some'", "check", "--repair=some", "a.qcow2");
        fails(1, "a.qcow2: the cluster size has to be a power of two", "create", "--cluster-size", "5000", "a.qcow2",
                "1M");
        fails(1, "a.vhd: a disk of", "create", "a.vhd", "3T");
        fails(1, "nothere/a.raw: No such file or directory", "create", "nothere/a.raw", "1M");
        fails(1, "b.raw: No such file or directory", "create", "--backing", "b.raw", "a.qcow2");
        fails(1, "a.qcow2: No such file or directory", "info", "a.qcow2");
        try (var files = Files.list(directory)) {
            assertThat(files).as("nothing is left of what failed").isEmpty();
        }
        succeeds("create", "a.raw", "1M");
        fails(1, "a.raw: File exists", "create", "a.raw", "2M");
        fails(1, "not a qcow2 image", "check", "--format", "qcow2", "a.raw");
        succeeds("create", "--force", "a.raw", "2M");
        assertThat(directory.resolve("a.raw")).hasSize(2 << 20);
    }

    @Test
    void convertsThereAndBack() throws IOException {
        byte[] bytes = new byte[12 << 20];
        new Random(1).nextBytes(bytes);
        Arrays.fill(bytes, 1 << 20, 10 << 20, (byte) 0);
        Files.write(directory.resolve("a.raw"), bytes);
        succeeds("convert", "a.raw", "b.qcow2");
        assertThat(client.outText()).as("quiet in a pipe").isEmpty();
        assertThat(directory.resolve("b.qcow2").toFile().length()).isLessThan(4 << 20);
        succeeds("convert", "b.qcow2", "c.vhd");
        succeeds("convert", "--subformat", "fixed", "c.vhd", "d.vhd");
        succeeds("convert", "d.vhd", "e.raw");
        assertThat(Files.mismatch(directory.resolve("a.raw"), directory.resolve("e.raw"))).isEqualTo(-1);
        fails(1, "e.raw: File exists", "convert", "d.vhd", "e.raw");
        assertThat(directory.resolve("e.raw")).hasSize(12 << 20);
        fails(1, "a.raw: the image is in use", "convert", "--force", "a.raw", "a.raw");
        assertThat(Files.mismatch(directory.resolve("a.raw"), directory.resolve("e.raw"))).isEqualTo(-1);
        client.makeOutATerminal();
        assertThat(disk("convert", "a.raw", "f.qcow2")).isZero();
        assertThat(client.errText()).contains("converting a.raw: 12.0 of 12.0 MiB");
    }

    @Test
    void checksAndRepairs() throws IOException {
        succeeds("create", "a.qcow2", "1M");
        succeeds("check", "a.qcow2");
        assertThat(client.outText()).isEqualTo("no errors\n");
        long block;
        try (FileChannel file = FileChannel.open(directory.resolve("a.qcow2"), StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            ByteBuffer place = ByteBuffer.allocate(8);
            file.read(place, 48);
            file.read(place.clear(), place.getLong(0));
            block = place.getLong(0);
            file.write(ByteBuffer.allocate(2).putShort(0, (short) 1), block + 400);
        }
        assertThat(disk("check", "a.qcow2")).isEqualTo(3);
        assertThat(client.outText()).isEqualTo("0 errors, 1 leaked clusters\n");
        succeeds("check", "--repair", "leaks", "a.qcow2");
        assertThat(client.outText()).isEqualTo("repaired: 0 errors, 1 leaks\nno errors\n");
        try (FileChannel file = FileChannel.open(directory.resolve("a.qcow2"), StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.allocate(2), block);
        }
        assertThat(disk("check", "a.qcow2")).isEqualTo(4);
        assertThat(client.outText()).contains("error: the cluster at 0x0 is used 1 times and counted 0\n");
        succeeds("check", "--repair", "all", "a.qcow2");
        succeeds("check", "a.qcow2");
    }

    @Test
    void resizes() throws IOException {
        succeeds("create", "a.qcow2", "1M");
        succeeds("resize", "a.qcow2", "+1M");
        fails(1, "--shrink allows that", "resize", "a.qcow2", "1M");
        fails(2, "expected a size", "resize", "a.qcow2", "+x");
        succeeds("resize", "--shrink", "a.qcow2", "512K");
        try (DiskImage image = DiskImages.open(directory.resolve("a.qcow2"), DiskFormat.QCOW2, OpenMode.READ_ONLY,
                new ImageLocks())) {
            assertThat(image.size()).isEqualTo(512 << 10);
        }
    }
}
