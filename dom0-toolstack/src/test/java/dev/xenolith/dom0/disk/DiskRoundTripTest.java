package dev.xenolith.dom0.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.disk.CheckReport.Repair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Reads, writes, zeroes and discards at random, beside a disk in memory. */
@Timeout(120)
class DiskRoundTripTest {
    private static final int ROUNDS = 6;
    private static final int STEPS = 300;

    @ParameterizedTest
    @EnumSource
    void holdsWhatWasWritten(Layout layout) throws IOException {
        Random random = new Random(layout.ordinal());
        MemoryStore store = layout.create();
        DiskModel model = new DiskModel(layout, random);
        for (int round = 0; round < ROUNDS; round++) {
            try (DiskImage image = layout.open(store, OpenMode.READ_WRITE)) {
                assertThat(image.size()).isEqualTo(Layout.SIZE);
                for (int step = 0; step < STEPS; step++) {
                    model.step(image);
                }
            }
            model.closed();
            try (DiskImage image = layout.open(store, OpenMode.READ_ONLY)) {
                model.compareAll(image);
            }
            CheckReport report = DiskImages.check(store, layout.format, Repair.NONE);
            assertThat(report.clean()).as("%s", report).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RAW", "QCOW2_512", "QCOW2_4K", "QCOW2_64K", "QCOW2_V2", "VHD_FIXED", "VHD_4K", "VHD_2M"})
    void takesNoSpaceForWhatIsNotThere(Layout layout) throws IOException {
        MemoryStore store = layout.create();
        long empty = store.taken();
        assertThat(empty).isLessThan(7L * Math.max(4096, 65536));
        try (DiskImage image = layout.open(store, OpenMode.READ_WRITE)) {
            image.write(0, ByteBuffer.wrap(layout.base()));
            image.flush();
            assertThat(store.taken()).isGreaterThan(layout.base().length);
            image.discard(0, Layout.SIZE);
            image.flush();
            // Maps and counts stay.
            assertThat(store.taken()).isLessThan(empty + layout.base().length / 10 + 3 * 65536);
        }
    }
}
