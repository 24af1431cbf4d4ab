package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;

/** A fixed VHD: the bytes of the disk as they are, and a footer. */
final class VhdFixedImage extends CheckedImage {
    private final VhdFooter footer;

    VhdFixedImage(Path file, Store store, OpenMode mode, VhdFooter footer) throws IOException {
        super(file, DiskFormat.VHD, mode, store);
        this.footer = footer;
        if (footer.size() > store.size() - VhdFooter.BYTES) {
            throw problem("the file is cut off: the disk of " + footer.size() + " bytes is not within it");
        }
    }

    @Override
    public long size() {
        return footer.size();
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
        return RawImage.extentIn(store(), offset, length);
    }

    @Override
    void describe(Map<String, Object> details) {
        details.put("subformat", "fixed");
        details.put("creator", footer.creator());
    }

    @Override
    void flushAll() throws IOException {
        store().force();
    }

    /** Makes the disk longer or shorter. */
    void resize(long bytes) throws IOException {
        long old = store().size() - VhdFooter.BYTES;
        footer.setSize(bytes);
        footer.write(store(), bytes);
        store().force();
        if (bytes < old) {
            store().resize(bytes + VhdFooter.BYTES);
        } else if (bytes > old) {
            // What was the footer is a part of the disk now.
            zero(store(), old, Math.min(VhdFooter.BYTES, bytes - old));
        }
        store().force();
    }
}
