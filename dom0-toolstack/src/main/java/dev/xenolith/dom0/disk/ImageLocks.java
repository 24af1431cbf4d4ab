package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who has which image open: one writer, or any number of readers. A host owns one of these for all its images; files are told
 * apart by what they are, not by their names. Other processes, and QEMU where the system is Linux, are kept out by locks on the
 * files. Safe for use by several threads.
 */
public final class ImageLocks {
    private final Map<Object, SharedFile> held = new HashMap<>();

    /** Opens and locks a file that exists. */
    synchronized Store open(Path file, OpenMode mode) throws IOException {
        try {
            return new FileStore(file, acquire(file, mode), this);
        } catch (IOException e) {
            throw DiskException.of(file.toString(), e);
        }
    }

    /**
     * Opens and locks a file for a new image, and makes it empty.
     *
     * @param overwrite whether the file may exist
     */
    synchronized Store create(Path file, boolean overwrite) throws IOException {
        try {
            if (!overwrite || !Files.exists(file)) {
                Files.createFile(file);
            }
            Store store = open(file, OpenMode.READ_WRITE);
            try {
                store.resize(0);
            } catch (IOException e) {
                store.close();
                throw e;
            }
            return store;
        } catch (IOException e) {
            throw DiskException.of(file.toString(), e);
        }
    }

    /** Ends one use of a file. */
    synchronized void release(SharedFile file) throws IOException {
        try {
            if (file.release()) {
                held.remove(file.key());
            }
        } catch (IOException e) {
            held.remove(file.key());
            throw e;
        }
    }

    /** Returns what tells the file from all others. */
    static Object key(Path file) throws IOException {
        Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        return key == null ? file.toRealPath() : key;
    }

    private SharedFile acquire(Path file, OpenMode mode) throws IOException {
        Object key = key(file);
        if (Files.isDirectory(file)) {
            throw new DiskException(file.toString(), "Is a directory");
        }
        // Before anything is opened: to close it again could drop the lock that is there.
        SharedFile present = held.get(key);
        if (present != null) {
            return share(file, present, mode);
        }
        SharedFile opened = SharedFile.open(file, key, mode);
        if (!key.equals(keyOrNull(file))) {
            opened.release();
            throw new DiskException(file.toString(), "the file was replaced while it was being opened");
        }
        held.put(key, opened);
        return opened;
    }

    private static SharedFile share(Path file, SharedFile present, OpenMode mode) throws DiskException {
        if (present.mode() == OpenMode.READ_WRITE) {
            throw new DiskException(file.toString(), "the image is in use: it is open for writing already");
        }
        if (mode == OpenMode.READ_WRITE) {
            throw new DiskException(file.toString(),
                    "the image is in use: it is open for reading, which does not go with writing");
        }
        present.share();
        return present;
    }

    private static @Nullable Object keyOrNull(Path file) {
        try {
            return key(file);
        } catch (IOException e) {
            return null;
        }
    }
}
