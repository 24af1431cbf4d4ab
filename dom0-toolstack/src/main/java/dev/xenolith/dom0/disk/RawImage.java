package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.file.Path;

/** The bytes of the disk and nothing else. A file that ends within a sector reads as zeroes from there to the sector's end. */
final class RawImage extends PlainImage {
    private final long size;

    RawImage(Path file, Store store, OpenMode mode) throws IOException {
        super(file, DiskFormat.RAW, mode, store);
        size = (store.size() + SECTOR_BYTES - 1) & -SECTOR_BYTES;
    }

    @Override
    public long size() {
        return size;
    }
}
