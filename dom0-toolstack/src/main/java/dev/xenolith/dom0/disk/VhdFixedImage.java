package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A fixed VHD: the bytes of the disk as they are, and a footer. */
final class VhdFixedImage extends PlainImage {
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
    void describe(Map<String, Object> details) {
        details.put("subformat", "fixed");
        details.put("creator", footer.creator());
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
