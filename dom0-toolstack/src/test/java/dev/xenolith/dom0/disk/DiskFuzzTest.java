package dev.xenolith.dom0.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.disk.CheckReport.Repair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever is in a file: an error that names it, or an image that works. */
@Timeout(120)
class DiskFuzzTest {
    private static final int ROUNDS = 200;
    private static final long[] VALUES = {0, 1, 2, 3, 8, 511, 512, 4096, 65536, 0x7fff_ffffL, 0x8000_0000L,
        0xffff_ffffL,
        0x7fff_ffff_ffff_ffffL, 0x8000_0000_0000_0000L, -1, 1L << 40, 1L << 56, 0x4000_0000_0000_0001L};

    private static MemoryStore used(Layout layout) throws IOException {
        MemoryStore store = layout.create();
        DiskModel model = new DiskModel(layout, new Random(3));
        try (DiskImage image = layout.open(store, OpenMode.READ_WRITE)) {
            for (int i = 0; i < 40; i++) {
                model.step(image);
            }
        }
        return store;
    }

    @ParameterizedTest
    @EnumSource(names = {"QCOW2_512", "QCOW2_4K", "QCOW2_V2", "QCOW2_BASED", "VHD_FIXED", "VHD_4K", "VHD_2M"})
    void everyFieldWithEveryValue(Layout layout) throws IOException {
        MemoryStore good = used(layout);
        long[] starts = layout.format == DiskFormat.QCOW2 ? new long[]{0} : new long[]{0, 512, good.size() - 512};
        int errors = 0;
        for (long start : starts) {
            for (int at = 0; at < (start == 512 ? 64 : 136); at += 2) {
                for (long value : VALUES) {
                    for (int width : new int[]{2, 4, 8}) {
                        if (at % width == 0) {
                            MemoryStore store = good.copy();
                            byte[] bytes = ByteBuffer.allocate(8).putLong(value).array();
                            store.write(start + at, ByteBuffer.wrap(bytes, 8 - width, width));
                            if (layout.format == DiskFormat.VHD && width == 2) {
                                // A checksum that is wrong is an error, too, or there is a copy that is right.
                                errors += use(layout, store);
                            }
                            sign(layout, store);
                            errors += use(layout, store);
                        }
                    }
                }
            }
        }
        assertThat(errors).as("errors").isPositive();
    }

    @ParameterizedTest
    @EnumSource(names = {"QCOW2_512", "QCOW2_4K", "QCOW2_V2", "QCOW2_BASED", "VHD_FIXED", "VHD_4K", "VHD_2M"})
    void metadataAtRandom(Layout layout) throws IOException {
        MemoryStore good = used(layout);
        Random random = new Random(11);
        int errors = 0;
        for (int round = 0; round < ROUNDS; round++) {
            MemoryStore store = good.copy();
            for (int i = random.nextInt(4); i >= 0; i--) {
                long at = random.nextInt((int) Math.min(good.size(), 16 << 10)) & -8;
                long value = random.nextBoolean()
                        ? random.nextLong() >>> random.nextInt(64)
                        : VALUES[random.nextInt(VALUES.length)];
                store.write(at, ByteBuffer.allocate(8).putLong(0, value));
            }
            if (random.nextInt(4) == 0) {
                store.resize(random.nextInt((int) good.size()));
            }
            sign(layout, store);
            errors += use(layout, store);
        }
        assertThat(errors).as("errors").isPositive();
    }

    /** Has a VHD's checksums right, so that what they cover is looked at. */
    private static void sign(Layout layout, MemoryStore store) throws IOException {
        if (layout.format != DiskFormat.VHD || store.size() < 2048) {
            return;
        }
        sign(store, 0, 512, 64);
        sign(store, store.size() - 512, 512, 64);
        if (layout != Layout.VHD_FIXED) {
            sign(store, 512, 1024, 36);
        }
    }

    private static void sign(MemoryStore store, long position, int length, int at) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        store.read(position, bytes);
        bytes.putInt(at, VhdFooter.checksum(bytes, at));
        store.write(position, bytes.clear());
    }

    /** Does all there is to be done; returns 1 if there was an error. */
    private static int use(Layout layout, MemoryStore damaged) throws IOException {
        int errors = 0;
        for (Repair repair : Repair.values()) {
            MemoryStore store = damaged.copy();
            // A file system has an end, too.
            store.leaveRoom(8 << 20);
            try {
                DiskImages.check(store, layout.format, repair);
            } catch (DiskException e) {
                assertThat(e.getMessage()).startsWith(layout.name());
                errors = 1;
            }
        }
        MemoryStore store = damaged.copy();
        store.leaveRoom(8 << 20);
        try (DiskImage image = DiskImages.open(Path.of(layout.name()), store, layout.format, OpenMode.READ_WRITE,
                null)) {
            long size = image.size();
            for (long at : new long[]{0, size / 3, size - 5000}) {
                if (at >= 0 && at + 5000 <= size) {
                    touch(image, at);
                }
            }
            image.info();
        } catch (DiskException e) {
            assertThat(e.getMessage()).startsWith(layout.name());
            errors = 1;
        }
        return errors;
    }

    private static void touch(DiskImage image, long at) throws IOException {
        image.extent(at, 5000);
        image.read(at, ByteBuffer.allocate(5000));
        image.write(at + 100, ByteBuffer.allocate(3000));
        image.writeZeroes(at, 4000);
        image.discard(at, 5000);
        image.flush();
    }
}
