package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** The bytes of the disk as they are. A file that ends within a sector reads as zeroes from there to the sector's end. */
final class RawImage extends CheckedImage {
    private final long size;

    RawImage(Path file, Store store, OpenMode mode) throws IOException {
        super(file, DiskFormat.RAW, mode, store);
        size = (store.size() + SECTOR_BYTES - 1) & -SECTOR_BYTES;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    void readRange(long offset, ByteBuffer target) throws IOException {
        store().read(offset, target);
    }

    @Override
    void writeRange(long offset, ByteBuffer source) throws IOException {
        store().write(offset, source);
    }

    @Override
    void zeroRange(long offset, long length) throws IOException {
        zero(store(), offset, length);
    }

    @Override
    void discardRange(long offset, long length) throws IOException {
        boolean unused = store().punch(offset, length);
    }

    @Override
    Extent extentOf(long offset, long length) throws IOException {
        return extentIn(store(), offset, length);
    }

    /** The extent of {@code store} itself from {@code position} on. */
    static Extent extentIn(Store store, long position, long length) throws IOException {
        long data = store.nextData(position);
        if (data > position || data >= store.size()) {
            return new Extent(Kind.ZERO, data >= store.size() ? length : Math.min(length, data - position));
        }
        return new Extent(Kind.DATA, Math.clamp(store.nextHole(position) - position, 1, length));
    }

    @Override
    void flushAll() throws IOException {
        store().force();
    }
}
