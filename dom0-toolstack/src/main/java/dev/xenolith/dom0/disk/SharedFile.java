package dev.xenolith.dom0.disk;

import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An open file with its lock, of which all who read it have a share: POSIX drops a process's locks on a file when any of its
 * descriptors of that file is closed.
 *
 * <p>On Linux the lock is one of the open file description, on the bytes that QEMU locks (block/file-posix.c,
 * RAW_LOCK_PERM_BASE): so QEMU and we keep each other from an image that the other one writes, and read together. Elsewhere it is
 * Java's, on the whole file.
 */
final class SharedFile {
    /** QEMU holds byte 100 + n to say that it makes use of a permission, 200 + n that it lets nobody else have it. */
    private static final long USED = 100;
    private static final long NOT_SHARED = 200;
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int RESIZE = 3;
    private static final int NO_DESCRIPTOR = -1;

    private final Object key;
    private final OpenMode mode;
    private final FileChannel channel;
    /** A descriptor of our own of the same file, for what Java cannot do with its; {@link #NO_DESCRIPTOR} if there is none. */
    private final int descriptor;
    private @Nullable FileLock javaLock;
    /** Guarded by the {@link ImageLocks} that it belongs to. */
    private int users = 1;

    private SharedFile(Object key, OpenMode mode, FileChannel channel, int descriptor) {
        this.key = key;
        this.mode = mode;
        this.channel = channel;
        this.descriptor = descriptor;
    }

    /** Opens and locks a file that exists. */
    static SharedFile open(Path file, Object key, OpenMode mode) throws IOException {
        Set<StandardOpenOption> options = EnumSet.of(StandardOpenOption.READ);
        if (mode == OpenMode.READ_WRITE) {
            options.add(StandardOpenOption.WRITE);
        }
        FileChannel channel = FileChannel.open(file, options);
        int descriptor = NO_DESCRIPTOR;
        if (Platform.isLinux()) {
            descriptor = Libc.open(file.toString(),
                    (mode == OpenMode.READ_WRITE ? Libc.O_RDWR : Libc.O_RDONLY) | Libc.O_CLOEXEC, 0);
        }
        SharedFile opened = new SharedFile(key, mode, channel, descriptor);
        try {
            if (!opened.lock()) {
                throw new DiskException(file.toString(), mode == OpenMode.READ_WRITE
                        ? "the image is in use by another process"
                        : "the image is being written by another process");
            }
            return opened;
        } catch (IOException | RuntimeException e) {
            opened.closeAll();
            throw e;
        }
    }

    Object key() {
        return key;
    }

    OpenMode mode() {
        return mode;
    }

    FileChannel channel() {
        return channel;
    }

    boolean hasDescriptor() {
        return descriptor != NO_DESCRIPTOR;
    }

    int descriptor() {
        return descriptor;
    }

    void share() {
        users++;
    }

    /** Ends one use; returns whether it was the last, with which the file is closed. */
    boolean release() throws IOException {
        if (--users > 0) {
            return false;
        }
        closeAll();
        return true;
    }

    private void closeAll() throws IOException {
        if (hasDescriptor()) {
            Libc.close(descriptor);
        }
        channel.close();
    }

    private boolean lock() throws IOException {
        if (hasDescriptor()) {
            int result = mode == OpenMode.READ_WRITE
                    ? Libc.lock(descriptor, Libc.F_OFD_SETLK, Libc.F_WRLCK, 0, 0)
                    : lockForReading();
            if (result >= 0) {
                return true;
            }
            int errno = -1 - result;
            if (errno == Libc.EAGAIN || errno == Libc.EACCES) {
                return false;
            }
            // A file system without such locks.
        }
        try {
            javaLock = channel.tryLock(0, Long.MAX_VALUE, mode == OpenMode.READ_ONLY);
            return javaLock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /** Says what we do, then looks whether others do what that does not go with: one of two who come at once sees the other. */
    private int lockForReading() {
        for (long mine : new long[]{USED + READ, NOT_SHARED + WRITE, NOT_SHARED + RESIZE}) {
            int result = Libc.lock(descriptor, Libc.F_OFD_SETLK, Libc.F_RDLCK, mine, 1);
            if (result < 0) {
                return result;
            }
        }
        for (long theirs : new long[]{NOT_SHARED + READ, USED + WRITE, USED + RESIZE}) {
            int result = Libc.lock(descriptor, Libc.F_OFD_GETLK, Libc.F_WRLCK, theirs, 1);
            if (result != Libc.F_UNLCK) {
                return result < 0 ? result : -1 - Libc.EAGAIN;
            }
        }
        return 0;
    }
}
