package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.file.Path;

/** Opens images. */
public final class DiskImages {
    private DiskImages() {
    }

    /**
     * Opens an image that is known to be of a format, and what it is based on, the latter for reading. Nothing is guessed: a raw
     * disk whose guest has written the header of another format remains a raw disk.
     *
     * @throws IOException with the file's name, if it cannot be opened, is in use, is not of this format, or makes use of
     *         something that is not supported
     */
    public static DiskImage open(Path file, DiskFormat format, OpenMode mode, ImageLocks locks) throws IOException {
        Store store = locks.open(file, mode);
        try {
            return switch (format) {
                case RAW -> new RawImage(file, store, mode);
                case QCOW2, VHD -> throw new DiskException(store.name(), format.key() + " is not supported yet");
            };
        } catch (IOException | RuntimeException e) {
            store.close();
            throw e;
        }
    }
}
