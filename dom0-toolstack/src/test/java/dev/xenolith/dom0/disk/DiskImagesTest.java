package dev.xenolith.dom0.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.jna.Platform;
import dev.xenolith.dom0.disk.CheckReport.Repair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Files, their locks, chains of images, new sizes, and file systems that are full. */
@Timeout(60)
class DiskImagesTest {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path directory = Path.of("");

    private final ImageLocks locks = new ImageLocks();

    private Path create(String name, NewDisk disk) throws IOException {
        Path file = directory.resolve(name);
        DiskImages.create(file, disk, false, locks);
        return file;
    }

    private static byte[] read(DiskImage image, long offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        image.read(offset, bytes);
        return bytes.array();
    }

    private static ByteBuffer text(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String textAt(DiskImage image, long offset, int length) throws IOException {
        return new String(read(image, offset, length), StandardCharsets.US_ASCII);
    }

    @Test
    void aSecondWriterIsKeptOut() throws IOException {
        Path file = create("disk.raw", NewDisk.of(DiskFormat.RAW, MIB));
        Path link = Files.createLink(directory.resolve("other-name.raw"), file);
        try (DiskImage first = DiskImages.open(file, DiskFormat.RAW, OpenMode.READ_WRITE, locks)) {
            for (OpenMode mode : OpenMode.values()) {
                assertThatThrownBy(() -> DiskImages.open(link, DiskFormat.RAW, mode, locks))
                        .isInstanceOf(DiskException.class).hasMessageContaining("other-name.raw: the image is in use");
                // As another process would come.
                assertThatThrownBy(() -> DiskImages.open(link, DiskFormat.RAW, mode, new ImageLocks()))
                        .isInstanceOf(DiskException.class).hasMessageContaining("other-name.raw: the image is");
            }
            first.write(0, text("first"));
        }
        DiskImage one = DiskImages.open(file, DiskFormat.RAW, OpenMode.READ_ONLY, locks);
        try (DiskImage two = DiskImages.open(link, DiskFormat.RAW, OpenMode.READ_ONLY, locks)) {
            assertThatThrownBy(() -> DiskImages.open(file, DiskFormat.RAW, OpenMode.READ_WRITE, locks))
                    .hasMessageContaining("is in use");
            one.close();
            assertThat(textAt(two, 0, 5)).isEqualTo("first");
            assertThatThrownBy(() -> two.write(0, text("x"))).isInstanceOf(DiskException.class)
                    .hasMessageContaining("reading only");
            assertThatThrownBy(() -> one.read(0, ByteBuffer.allocate(1))).hasMessageContaining("is closed");
        }
        DiskImages.open(file, DiskFormat.RAW, OpenMode.READ_WRITE, locks).close();
    }

    @Test
    void rawNeverProbes() throws IOException {
        Path file = create("disk.raw", NewDisk.of(DiskFormat.RAW, MIB));
        Path other = create("other.qcow2", NewDisk.of(DiskFormat.QCOW2, 5 * MIB));
        byte[] header = Files.readAllBytes(other);
        try (DiskImage image = DiskImages.open(file, DiskFormat.RAW, OpenMode.READ_WRITE, locks)) {
            image.write(0, ByteBuffer.wrap(header));
        }
        try (DiskImage image = DiskImages.open(file, DiskFormat.RAW, OpenMode.READ_ONLY, locks)) {
            assertThat(image.size()).isEqualTo(MIB);
            assertThat(read(image, 0, header.length)).isEqualTo(header);
        }
        assertThat(DiskImages.probe(file, locks)).isEqualTo(DiskFormat.QCOW2);
    }

    @Test
    void sparseFilesStaySparse() throws IOException {
        Path file = create("disk.raw", NewDisk.of(DiskFormat.RAW, 64 * MIB));
        try (DiskImage image = DiskImages.open(file, DiskFormat.RAW, OpenMode.READ_WRITE, locks)) {
            byte[] bytes = new byte[(int) (4 * MIB)];
            new Random(1).nextBytes(bytes);
            image.write(8 * MIB, ByteBuffer.wrap(bytes));
            long written = image.info().allocatedBytes();
            assertThat(written).isBetween(4 * MIB, 5 * MIB);
            image.discard(9 * MIB, 2 * MIB);
            assertThat(read(image, 8 * MIB, 1 << 20)).isEqualTo(Arrays.copyOf(bytes, 1 << 20));
            if (Platform.isLinux()) {
                assertThat(image.info().allocatedBytes()).isEqualTo(written - 2 * MIB);
                assertThat(image.extent(9 * MIB, MIB)).isEqualTo(new DiskImage.Extent(DiskImage.Kind.ZERO, MIB));
            }
        }
    }

    @Test
    void chains() throws IOException {
        Path base = create("base.raw", NewDisk.of(DiskFormat.RAW, MIB));
        try (DiskImage image = DiskImages.open(base, DiskFormat.RAW, OpenMode.READ_WRITE, locks)) {
            image.write(0, text("base at 0"));
            image.write(MIB - 512, text("base at the end"));
        }
        create("middle.qcow2", NewDisk.of(DiskFormat.QCOW2, 2 * MIB).on("base.raw", DiskFormat.RAW));
        Path top = create("top.qcow2", NewDisk.of(DiskFormat.QCOW2, -1).on("middle.qcow2", DiskFormat.QCOW2));
        Path twin = create("twin.qcow2", NewDisk.of(DiskFormat.QCOW2, -1).on("middle.qcow2", DiskFormat.QCOW2));
        try (DiskImage image = DiskImages.open(top, DiskFormat.QCOW2, OpenMode.READ_WRITE, locks);
                DiskImage beside = DiskImages.open(twin, DiskFormat.QCOW2, OpenMode.READ_WRITE, locks)) {
            assertThat(image.size()).isEqualTo(2 * MIB);
            image.write(5, text("top"));
            image.discard(0, 0);
            image.writeZeroes(MIB - 512, 4);
            assertThat(textAt(image, 0, 9)).isEqualTo("base topt".substring(0, 8) + "0");
            assertThat(textAt(image, MIB - 508, 11)).isEqualTo(" at the end");
            assertThat(textAt(beside, 0, 9)).isEqualTo("base at 0");
            assertThat(image.info().backing()).isNotNull();
            assertThatThrownBy(() -> DiskImages.open(base, DiskFormat.RAW, OpenMode.READ_WRITE, locks))
                    .hasMessageContaining("base.raw: the image is in use");
        }
        Files.delete(base);
        assertThatThrownBy(() -> DiskImages.open(top, DiskFormat.QCOW2, OpenMode.READ_ONLY, locks))
                .isInstanceOf(DiskException.class).hasMessageContaining("top.qcow2")
                .hasMessageContaining("base.raw: No such file");
        // Nothing is left open or locked.
        DiskImages.check(directory.resolve("middle.qcow2"), DiskFormat.QCOW2, Repair.ALL, locks);
    }

    @Test
    void aChainThatBitesItsTailIsRefused() throws IOException {
        create("a.qcow2", NewDisk.of(DiskFormat.QCOW2, MIB));
        create("b.qcow2", NewDisk.of(DiskFormat.QCOW2, MIB).on("a.qcow2", DiskFormat.QCOW2));
        Files.delete(directory.resolve("a.qcow2"));
        Files.copy(directory.resolve("b.qcow2"), directory.resolve("c.qcow2"));
        Files.move(directory.resolve("b.qcow2"), directory.resolve("a.qcow2"));
        for (OpenMode mode : OpenMode.values()) {
            assertThatThrownBy(() -> DiskImages.open(directory.resolve("c.qcow2"), DiskFormat.QCOW2, mode, locks))
                    .isInstanceOf(DiskException.class).hasMessageContaining("is based on itself");
        }
    }

    @Test
    void aBackingFileOfUnknownFormatIsNotGuessed() throws IOException {
        create("base.raw", NewDisk.of(DiskFormat.RAW, MIB));
        Path top = create("top.qcow2", NewDisk.of(DiskFormat.QCOW2, MIB).on("base.raw", DiskFormat.RAW));
        try (FileChannel channel = FileChannel.open(top, StandardOpenOption.WRITE)) {
            // The type of the extension that names it.
            channel.write(ByteBuffer.allocate(4).putInt(0, 0x12345678), 104);
        }
        assertThatThrownBy(() -> DiskImages.open(top, DiskFormat.QCOW2, OpenMode.READ_ONLY, locks))
                .hasMessageContaining("does not say of which format its backing file base.raw is");
    }

    @ParameterizedTest
    @EnumSource
    void sizesChange(Layout layout) throws IOException {
        MemoryStore store = layout.create();
        byte[] pattern = new byte[Layout.SIZE];
        new Random(2).nextBytes(pattern);
        Path file = directory.resolve(layout.name());
        Path below = directory.resolve("base");
        Files.write(below, layout.base());
        Files.write(file, store.bytes((int) store.size()));
        try (DiskImage image = DiskImages.open(file, layout.format, OpenMode.READ_WRITE, locks)) {
            image.write(0, ByteBuffer.wrap(pattern));
        }
        int[] sizes = {20 << 20, (1 << 20) + 512, 100 << 10, 900 << 10, 512, 70 << 20};
        int kept = Layout.SIZE;
        for (int size : sizes) {
            DiskImages.resize(file, layout.format, size, locks);
            kept = Math.min(kept, size);
            assertThat(DiskImages.check(file, layout.format, Repair.NONE, locks).clean()).isTrue();
            try (DiskImage image = DiskImages.open(file, layout.format, OpenMode.READ_WRITE, locks)) {
                assertThat(image.size()).isEqualTo(size);
                byte[] expected = Arrays.copyOf(Arrays.copyOf(pattern, kept), size);
                assertThat(Arrays.mismatch(read(image, 0, size), expected)).isEqualTo(-1);
                image.write(size - 512, ByteBuffer.wrap(expected, size - 512, 512));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"QCOW2_512", "QCOW2_4K", "QCOW2_64K", "QCOW2_V2", "QCOW2_BASED", "VHD_4K"})
    void aFullFileSystemCostsNothingThatWasFlushed(Layout layout) throws IOException {
        byte[] pattern = new byte[100_000];
        new Random(4).nextBytes(pattern);
        for (int room = 0; room < 20; room++) {
            MemoryStore store = layout.create();
            try (DiskImage image = layout.open(store, OpenMode.READ_WRITE)) {
                image.write(0, ByteBuffer.wrap(pattern));
                image.flush();
                store.leaveRoom(room * 4096L);
                assertThatThrownBy(() -> {
                    image.write(200_000, ByteBuffer.wrap(pattern));
                    image.write(300_000, ByteBuffer.wrap(pattern));
                    image.flush();
                }).isInstanceOf(DiskException.class).hasMessage(layout.name() + ": No space left on device");
                // As if the process ended now.
                MemoryStore left = store.copy();
                CheckReport report = DiskImages.check(left, layout.format, Repair.NONE);
                assertThat(report.errorCount()).as("%s", report).isZero();
                try (DiskImage again = layout.open(left, OpenMode.READ_WRITE)) {
                    assertThat(read(again, 0, pattern.length)).isEqualTo(pattern);
                }
                store.leaveAllRoom();
                image.write(200_000, ByteBuffer.wrap(pattern));
                assertThat(read(image, 200_000, pattern.length)).isEqualTo(pattern);
            }
            CheckReport report = DiskImages.check(store, layout.format, Repair.NONE);
            assertThat(report.clean()).as("%s", report).isTrue();
        }
    }

    @Test
    void rangesOutsideAreRefused() throws IOException {
        Path file = create("disk.qcow2", NewDisk.of(DiskFormat.QCOW2, MIB));
        try (DiskImage image = DiskImages.open(file, DiskFormat.QCOW2, OpenMode.READ_WRITE, locks)) {
            for (long offset : new long[]{-1, MIB, MIB - 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
                assertThatThrownBy(() -> image.read(offset, ByteBuffer.allocate(2))).isInstanceOf(DiskException.class)
                        .hasMessageContaining("disk.qcow2: 2 bytes at " + offset + " are not within the disk");
                assertThatThrownBy(() -> image.discard(offset, Long.MAX_VALUE)).isInstanceOf(DiskException.class);
            }
        }
    }

    @Test
    void aDirtyImageIsMendedAndACorruptOneIsNotWritten() throws IOException {
        Path file = create("disk.qcow2", NewDisk.of(DiskFormat.QCOW2, MIB));
        try (DiskImage image = DiskImages.open(file, DiskFormat.QCOW2, OpenMode.READ_WRITE, locks)) {
            image.write(0, text("kept"));
        }
        mark(file, Qcow2Header.DIRTY);
        try (DiskImage image = DiskImages.open(file, DiskFormat.QCOW2, OpenMode.READ_WRITE, locks)) {
            assertThat(image.info().details()).containsEntry("dirty", false);
            assertThat(textAt(image, 0, 4)).isEqualTo("kept");
        }
        mark(file, Qcow2Header.CORRUPT);
        assertThatThrownBy(() -> DiskImages.open(file, DiskFormat.QCOW2, OpenMode.READ_WRITE, locks))
                .hasMessageContaining("marked as corrupt");
        DiskImages.open(file, DiskFormat.QCOW2, OpenMode.READ_ONLY, locks).close();
        assertThat(DiskImages.check(file, DiskFormat.QCOW2, Repair.ALL, locks).clean()).isTrue();
        DiskImages.open(file, DiskFormat.QCOW2, OpenMode.READ_WRITE, locks).close();
    }

    private static void mark(Path file, long bit) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(8).putLong(0, bit), 72);
        }
    }

    @Test
    void wrongRefcountsAreMended() throws IOException {
        Path file = create("disk.qcow2", NewDisk.of(DiskFormat.QCOW2, MIB));
        try (DiskImage image = DiskImages.open(file, DiskFormat.QCOW2, OpenMode.READ_WRITE, locks)) {
            image.write(0, text("kept"));
        }
        long block;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer place = ByteBuffer.allocate(8);
            channel.read(place, 48);
            channel.read(place.clear(), place.getLong(0));
            block = place.getLong(0);
            // One cluster that nothing uses.
            channel.write(ByteBuffer.allocate(2).putShort(0, (short) 1), block + 2 * 1000);
        }
        CheckReport leak = DiskImages.check(file, DiskFormat.QCOW2, Repair.NONE, locks);
        assertThat(leak.leaks()).isEqualTo(1);
        assertThat(leak.errorCount()).isZero();
        assertThat(DiskImages.check(file, DiskFormat.QCOW2, Repair.LEAKS, locks).clean()).isTrue();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(64), block);
        }
        assertThat(DiskImages.check(file, DiskFormat.QCOW2, Repair.LEAKS, locks).errorCount()).isPositive();
        assertThat(DiskImages.check(file, DiskFormat.QCOW2, Repair.ALL, locks).clean()).isTrue();
        assertThat(DiskImages.check(file, DiskFormat.QCOW2, Repair.NONE, locks).clean()).isTrue();
        try (DiskImage image = DiskImages.open(file, DiskFormat.QCOW2, OpenMode.READ_ONLY, locks)) {
            assertThat(textAt(image, 0, 4)).isEqualTo("kept");
        }
    }
}
