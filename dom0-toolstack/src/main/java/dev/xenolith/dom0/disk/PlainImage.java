package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** An image whose file begins with the bytes of the disk as they are. */
abstract class PlainImage extends CheckedImage {
    PlainImage(Path file, DiskFormat format, OpenMode mode, Store store) {
        super(file, format, mode, store);
    }

    /** What is behind the end of a file would read as zeroes and could be written: another process has cut off a part of the disk. */
    private void mustBeWhole() throws IOException {
        long bytes = store().size();
        if (bytes < size() - (SECTOR_BYTES - 1)) {
            throw problem("the file has become shorter than the disk: it has " + bytes + " bytes of " + size());
        }
    }

    @Override
    final void readRange(long offset, ByteBuffer target) throws IOException {
        mustBeWhole();
        store().read(offset, target);
    }

    @Override
    final void writeRange(long offset, ByteBuffer source) throws IOException {
        mustBeWhole();
        store().write(offset, source);
    }

    @Override
    final void zeroRange(long offset, long length) throws IOException {
        mustBeWhole();
        zero(store(), offset, length);
    }

    @Override
    final void discardRange(long offset, long length) throws IOException {
        boolean unused = store().punch(offset, length);
    }

    @Override
    final Extent extentOf(long offset, long length) throws IOException {
        Store store = store();
        long data = store.nextData(offset);
        if (data > offset || data >= store.size()) {
            return new Extent(Kind.ZERO, data >= store.size() ? length : Math.min(length, data - offset));
        }
        return new Extent(Kind.DATA, Math.clamp(store.nextHole(offset) - offset, 1, length));
    }

    @Override
    final void flushAll() throws IOException {
        store().force();
    }
}
