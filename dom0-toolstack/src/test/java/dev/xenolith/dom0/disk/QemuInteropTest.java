package dev.xenolith.dom0.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.xenolith.dom0.disk.CheckReport.Repair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images go to qemu-img and come from it. */
@Timeout(120)
class QemuInteropTest {
    private static final int SIZE = (5 << 20) + 512 * 3;

    @TempDir
    private Path directory = Path.of("");

    private final ImageLocks locks = new ImageLocks();

    @BeforeEach
    void needsQemu() {
        boolean there = Arrays.stream(System.getenv("PATH").split(":"))
                .anyMatch(entry -> Files.isExecutable(Path.of(entry, "qemu-img")));
        assumeTrue(there, "qemu-img is not installed");
    }

    private String qemu(int exitCode, String... arguments) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("qemu-img"));
        words.addAll(List.of(arguments));
        Process process = new ProcessBuilder(words).directory(directory.toFile()).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as("%s: %s", words, output).isEqualTo(exitCode);
        return output;
    }

    /** Something with holes, zeroes and repetition in it. */
    private static byte[] contents(long seed) {
        Random random = new Random(seed);
        byte[] bytes = new byte[SIZE];
        for (int i = 0; i < 60; i++) {
            byte[] piece = new byte[1 + random.nextInt(40000)];
            if (random.nextInt(3) == 0) {
                Arrays.fill(piece, (byte) i);
            } else {
                random.nextBytes(piece);
            }
            System.arraycopy(piece, 0, bytes, random.nextInt(SIZE - piece.length), piece.length);
        }
        return bytes;
    }

    private Path raw(byte[] contents) throws IOException {
        return Files.write(directory.resolve("plain.raw"), contents);
    }

    private void write(Path file, DiskFormat format, byte[] contents) throws IOException {
        try (DiskImage image = DiskImages.open(file, format, OpenMode.READ_WRITE, locks);
                DiskImage plain = DiskImages.open(raw(contents), DiskFormat.RAW, OpenMode.READ_ONLY, locks)) {
            DiskCopy.copy(plain, image, done -> {});
        }
    }

    private byte[] read(Path file, DiskFormat format) throws IOException {
        try (DiskImage image = DiskImages.open(file, format, OpenMode.READ_ONLY, locks)) {
            ByteBuffer bytes = ByteBuffer.allocate((int) image.size());
            image.read(0, bytes);
            return bytes.array();
        }
    }

    private void change(Path file, DiskFormat format, byte[] contents) throws IOException {
        Random random = new Random(5);
        try (DiskImage image = DiskImages.open(file, format, OpenMode.READ_WRITE, locks)) {
            for (int i = 0; i < 50; i++) {
                byte[] piece = new byte[1 + random.nextInt(100_000)];
                int at = random.nextInt(SIZE - piece.length);
                if (i % 3 == 0) {
                    image.writeZeroes(at, piece.length);
                } else {
                    random.nextBytes(piece);
                    image.write(at, ByteBuffer.wrap(piece));
                }
                System.arraycopy(piece, 0, contents, at, piece.length);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"512 3", "4096 3", "65536 3", "2097152 3", "65536 2", "1024 2"})
    void qemuReadsOurQcow2(String kind) throws IOException, InterruptedException {
        String[] words = kind.split(" ");
        Path file = directory.resolve("ours.qcow2");
        DiskImages.create(file, new NewDisk(DiskFormat.QCOW2, SIZE, Integer.parseInt(words[0]),
                Integer.parseInt(words[1]), NewDisk.Preallocation.OFF, false, null), false, locks);
        qemu(0, "check", "-f", "qcow2", "ours.qcow2");
        byte[] contents = contents(1);
        write(file, DiskFormat.QCOW2, contents);
        qemu(0, "check", "-f", "qcow2", "ours.qcow2");
        change(file, DiskFormat.QCOW2, contents);
        raw(contents);
        qemu(0, "check", "-f", "qcow2", "ours.qcow2");
        qemu(0, "compare", "-f", "qcow2", "-F", "raw", "ours.qcow2", "plain.raw");
    }

    @ParameterizedTest
    @ValueSource(strings = {"cluster_size=512", "cluster_size=64k", "compat=0.10", "refcount_bits=1", "refcount_bits=2",
        "refcount_bits=8", "refcount_bits=32", "refcount_bits=64,cluster_size=2k", "preallocation=metadata",
        "lazy_refcounts=on", "preallocation=falloc,cluster_size=4k"})
    void weReadAndWriteQemusQcow2(String options) throws IOException, InterruptedException {
        byte[] contents = contents(2);
        raw(contents);
        qemu(0, "convert", "-f", "raw", "-O", "qcow2", "-o", options, "plain.raw", "theirs.qcow2");
        Path file = directory.resolve("theirs.qcow2");
        assertThat(read(file, DiskFormat.QCOW2)).isEqualTo(contents);
        CheckReport report = DiskImages.check(file, DiskFormat.QCOW2, Repair.NONE, locks);
        assertThat(report.clean()).as("%s", report).isTrue();
        change(file, DiskFormat.QCOW2, contents);
        raw(contents);
        qemu(0, "check", "-f", "qcow2", "theirs.qcow2");
        qemu(0, "compare", "-f", "qcow2", "-F", "raw", "theirs.qcow2", "plain.raw");
    }

    @ParameterizedTest
    @ValueSource(strings = {"cluster_size=64k", "cluster_size=512", "cluster_size=2M"})
    void weReadAndWriteCompressedClusters(String options) throws IOException, InterruptedException {
        byte[] contents = contents(3);
        raw(contents);
        qemu(0, "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, "plain.raw", "theirs.qcow2");
        Path file = directory.resolve("theirs.qcow2");
        assertThat(read(file, DiskFormat.QCOW2)).isEqualTo(contents);
        assertThat(DiskImages.check(file, DiskFormat.QCOW2, Repair.NONE, locks).clean()).isTrue();
        change(file, DiskFormat.QCOW2, contents);
        raw(contents);
        qemu(0, "check", "-f", "qcow2", "theirs.qcow2");
        qemu(0, "compare", "-f", "qcow2", "-F", "raw", "theirs.qcow2", "plain.raw");
    }

    @Test
    void writesBesideSnapshots() throws IOException, InterruptedException {
        byte[] before = contents(4);
        raw(before);
        qemu(0, "convert", "-f", "raw", "-O", "qcow2", "plain.raw", "theirs.qcow2");
        qemu(0, "snapshot", "-c", "first", "theirs.qcow2");
        Path file = directory.resolve("theirs.qcow2");
        byte[] after = before.clone();
        change(file, DiskFormat.QCOW2, after);
        assertThat(read(file, DiskFormat.QCOW2)).isEqualTo(after);
        CheckReport report = DiskImages.check(file, DiskFormat.QCOW2, Repair.NONE, locks);
        assertThat(report.clean()).as("%s", report).isTrue();
        qemu(0, "check", "-f", "qcow2", "theirs.qcow2");
        qemu(0, "snapshot", "-a", "first", "theirs.qcow2");
        qemu(0, "compare", "-f", "qcow2", "-F", "raw", "theirs.qcow2", "plain.raw");
    }

    @ParameterizedTest
    @ValueSource(strings = {"fixed", "dynamic"})
    void vhdGoesBothWays(String kind) throws IOException, InterruptedException {
        byte[] contents = contents(6);
        Path ours = directory.resolve("ours.vhd");
        DiskImages.create(ours, new NewDisk(DiskFormat.VHD, SIZE, NewDisk.DEFAULT_CLUSTER, 3,
                NewDisk.Preallocation.OFF, kind.equals("fixed"), null), false, locks);
        write(ours, DiskFormat.VHD, contents);
        change(ours, DiskFormat.VHD, contents);
        raw(contents);
        qemu(0, "compare", "-f", "vpc", "-F", "raw", "ours.vhd", "plain.raw");
        qemu(0, "convert", "-f", "raw", "-O", "vpc", "-o", "force_size=on,subformat=" + kind, "plain.raw",
                "theirs.vhd");
        Path theirs = directory.resolve("theirs.vhd");
        assertThat(read(theirs, DiskFormat.VHD)).isEqualTo(contents);
        assertThat(DiskImages.check(theirs, DiskFormat.VHD, Repair.NONE, locks).clean()).isTrue();
        change(theirs, DiskFormat.VHD, contents);
        raw(contents);
        qemu(0, "compare", "-f", "vpc", "-F", "raw", "theirs.vhd", "plain.raw");
        // A size that QEMU rounds to a geometry.
        qemu(0, "create", "-f", "vpc", "-o", "subformat=" + kind, "rounded.vhd", Integer.toString(SIZE));
        String info = qemu(0, "info", "-f", "vpc", "rounded.vhd");
        try (DiskImage image = DiskImages.open(directory.resolve("rounded.vhd"), DiskFormat.VHD, OpenMode.READ_ONLY,
                locks)) {
            assertThat(info).contains("(" + image.size() + " bytes)");
        }
    }

    @Test
    void chainsGoBothWays() throws IOException, InterruptedException {
        byte[] contents = contents(8);
        raw(contents);
        qemu(0, "create", "-f", "qcow2", "-b", "plain.raw", "-F", "raw", "middle.qcow2");
        Path top = directory.resolve("top.qcow2");
        DiskImages.create(top, NewDisk.of(DiskFormat.QCOW2, -1).on("middle.qcow2", DiskFormat.QCOW2), false, locks);
        change(top, DiskFormat.QCOW2, contents);
        assertThat(read(top, DiskFormat.QCOW2)).isEqualTo(contents);
        Files.write(directory.resolve("wanted.raw"), contents);
        qemu(0, "check", "-f", "qcow2", "top.qcow2");
        qemu(0, "compare", "-f", "qcow2", "-F", "raw", "top.qcow2", "wanted.raw");
        DiskImages.resize(top, DiskFormat.QCOW2, SIZE + (3 << 20), locks);
        qemu(0, "check", "-f", "qcow2", "top.qcow2");
        qemu(0, "resize", "-f", "raw", "wanted.raw", "+3M");
        qemu(0, "compare", "-f", "qcow2", "-F", "raw", "top.qcow2", "wanted.raw");
    }

    @Test
    void keepsQemuOutAndIsKeptOut() throws IOException, InterruptedException {
        Path file = directory.resolve("ours.qcow2");
        DiskImages.create(file, NewDisk.of(DiskFormat.QCOW2, SIZE), false, locks);
        try (DiskImage image = DiskImages.open(file, DiskFormat.QCOW2, OpenMode.READ_WRITE, locks)) {
            assertThat(qemu(1, "info", "-f", "qcow2", "ours.qcow2")).contains("lock");
            assertThat(image.readOnly()).isFalse();
        }
        try (DiskImage image = DiskImages.open(file, DiskFormat.QCOW2, OpenMode.READ_ONLY, locks)) {
            qemu(0, "info", "-f", "qcow2", "ours.qcow2");
            assertThat(qemu(1, "resize", "-f", "qcow2", "ours.qcow2", "+1M")).contains("lock");
            assertThat(image.readOnly()).isTrue();
        }
    }

    @Test
    void namesWhatIsNotSupported() throws IOException, InterruptedException {
        qemu(0, "create", "-f", "qcow2", "-o", "compression_type=zstd", "zstd.qcow2", "1M");
        refuses("zstd.qcow2", DiskFormat.QCOW2, "zstd");
        qemu(0, "create", "-f", "qcow2", "-o", "extended_l2=on,cluster_size=128k", "extended.qcow2", "1M");
        refuses("extended.qcow2", DiskFormat.QCOW2, "subclusters");
        qemu(0, "create", "-f", "qcow2", "-o", "data_file=data.raw", "external.qcow2", "1M");
        refuses("external.qcow2", DiskFormat.QCOW2, "external data file");
        // Making keys takes QEMU as long as it sees fit, or fails on a busy machine; the header's field is what counts.
        for (String method : List.of("AES", "LUKS")) {
            Path file = directory.resolve(method + ".qcow2");
            DiskImages.create(file, NewDisk.of(DiskFormat.QCOW2, SIZE), false, locks);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.allocate(4).putInt(0, method.equals("AES") ? 1 : 2), 32);
            }
            refuses(method + ".qcow2", DiskFormat.QCOW2, "encryption (" + method + ")");
        }
    }

    private void refuses(String name, DiskFormat format, String why) {
        assertThatThrownBy(
                () -> DiskImages.open(directory.resolve(name), format, OpenMode.READ_ONLY, locks))
                .isInstanceOf(DiskException.class).hasMessageContaining(name).hasMessageContaining(why);
    }
}
