package dev.xenolith.dom0.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** What a disk is to hold, and what it may hold after a power cut: of each sector what was flushed, or something written since. */
final class DiskModel {
    private static final int SECTOR = DiskImage.SECTOR_BYTES;
    private static final int LONGEST = 40 << 10;

    private final Random random;
    private byte[] content;
    private byte[] flushed;
    private final Map<Integer, List<byte[]>> since = new HashMap<>();

    DiskModel(Layout layout, Random random) {
        this.random = random;
        content = new byte[Layout.SIZE];
        if (layout.based()) {
            System.arraycopy(layout.base(), 0, content, 0, layout.base().length);
        }
        flushed = content.clone();
    }

    /** Does something at random, and compares. */
    void step(DiskImage image) throws IOException {
        int offset = random.nextInt(content.length);
        int length = 1 + random.nextInt(Math.min(content.length - offset, random.nextInt(8) == 0 ? LONGEST : 3000));
        if (random.nextBoolean()) {
            offset &= -SECTOR;
            length = Math.min(content.length - offset, length + SECTOR - 1 & -SECTOR);
        }
        switch (random.nextInt(10)) {
            case 0, 1, 2, 3 -> write(image, offset, length);
            case 4 -> zero(image, offset, length);
            case 5 -> discard(image, offset, length);
            case 6 -> flush(image);
            default -> compare(image, offset, length);
        }
    }

    private void write(DiskImage image, int offset, int length) throws IOException {
        byte[] bytes = new byte[length];
        if (random.nextInt(8) != 0) {
            random.nextBytes(bytes);
        }
        change(offset, bytes);
        ByteBuffer source = ByteBuffer.wrap(bytes);
        image.write(offset, source);
        assertThat(source.hasRemaining()).isFalse();
    }

    private void zero(DiskImage image, int offset, int length) throws IOException {
        change(offset, new byte[length]);
        image.writeZeroes(offset, length);
    }

    private void discard(DiskImage image, int offset, int length) throws IOException {
        byte[] before = Arrays.copyOfRange(content, offset, offset + length);
        change(offset, new byte[length]);
        image.discard(offset, length);
        byte[] after = read(image, offset, length);
        for (int i = 0; i < length; i++) {
            if (after[i] != 0 && after[i] != before[i]) {
                throw new AssertionError("discarded byte " + (offset + i) + " of " + image.file() + " is another one");
            }
        }
        change(offset, after);
    }

    void flush(DiskImage image) throws IOException {
        image.flush();
        flushed = content.clone();
        since.clear();
    }

    /** The image has been closed. */
    void closed() {
        flushed = content.clone();
        since.clear();
    }

    void compareAll(DiskImage image) throws IOException {
        compare(image, 0, content.length);
    }

    private void compare(DiskImage image, int offset, int length) throws IOException {
        assertThat(Arrays.equals(read(image, offset, length), 0, length, content, offset, offset + length))
                .as("%s bytes at %s of %s", length, offset, image.file()).isTrue();
        DiskImage.Extent extent = image.extent(offset, length);
        assertThat(extent.length()).isBetween(1L, (long) length);
        if (extent.kind() == DiskImage.Kind.ZERO) {
            for (int i = 0; i < extent.length(); i++) {
                if (content[offset + i] != 0) {
                    throw new AssertionError("byte " + (offset + i) + " of " + image.file() + " is not zero");
                }
            }
        }
    }

    /** Compares what a power cut has left, and takes it for what is to be there from now on. Returns the first wrong sector, or -1. */
    int adopt(DiskImage image) throws IOException {
        byte[] found = read(image, 0, content.length);
        int wrong = -1;
        for (int sector = content.length / SECTOR - 1; sector >= 0; sector--) {
            int from = sector * SECTOR;
            boolean known = Arrays.equals(found, from, from + SECTOR, flushed, from, from + SECTOR);
            for (byte[] version : since.getOrDefault(sector, List.of())) {
                known |= Arrays.equals(found, from, from + SECTOR, version, 0, SECTOR);
            }
            if (!known) {
                wrong = sector;
            }
        }
        content = found;
        flushed = found.clone();
        since.clear();
        return wrong;
    }

    private void change(int offset, byte[] bytes) {
        System.arraycopy(bytes, 0, content, offset, bytes.length);
        for (int sector = offset / SECTOR; sector <= (offset + bytes.length - 1) / SECTOR; sector++) {
            since.computeIfAbsent(sector, any -> new ArrayList<>())
                    .add(Arrays.copyOfRange(content, sector * SECTOR, (sector + 1) * SECTOR));
        }
    }

    private static byte[] read(DiskImage image, int offset, int length) throws IOException {
        ByteBuffer target = ByteBuffer.allocate(length);
        image.read(offset, target);
        assertThat(target.hasRemaining()).isFalse();
        return target.array();
    }
}
