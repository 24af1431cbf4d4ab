package dev.xenolith.dom0.disk;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;

/**
 * What Java has no call for, on Linux: fallocate(2) for holes, lseek(2) to find them, locks of open file descriptions (fcntl(2)).
 * Offsets are 64 bits wide on every Linux that JDK 25 supports.
 */
final class Libc {
    static {
        Native.register(Libc.class, Platform.C_LIBRARY_NAME);
    }

    static final int O_RDONLY = 0;
    static final int O_RDWR = 2;
    static final int O_CLOEXEC = 0x80000;
    static final int FALLOC_FL_KEEP_SIZE = 1;
    static final int FALLOC_FL_PUNCH_HOLE = 2;
    static final int SEEK_DATA = 3;
    static final int SEEK_HOLE = 4;
    static final int F_OFD_GETLK = 36;
    static final int F_OFD_SETLK = 37;
    static final short F_RDLCK = 0;
    static final short F_WRLCK = 1;
    static final short F_UNLCK = 2;
    static final int ENXIO = 6;
    static final int EAGAIN = 11;
    static final int EACCES = 13;

    /** Size and offsets of struct flock with 64-bit offsets. */
    private static final int FLOCK_BYTES = 32;
    private static final int FLOCK_START = 8;
    private static final int FLOCK_LENGTH = 16;

    private Libc() {
    }

    static native int open(String path, int flags, int mode);

    static native int close(int descriptor);

    static native int fallocate(int descriptor, int mode, long offset, long length);

    static native long lseek(int descriptor, long offset, int whence);

    static native int fcntl(int descriptor, int command, Pointer argument);

    /**
     * Calls fcntl with a struct flock.
     *
     * @param length 0 for everything from {@code start} on
     * @return the type that the call left in it, or -1 - errno
     */
    static int lock(int descriptor, int command, short type, long start, long length) {
        try (Memory flock = new Memory(FLOCK_BYTES)) {
            flock.clear();
            flock.setShort(0, type);
            flock.setLong(FLOCK_START, start);
            flock.setLong(FLOCK_LENGTH, length);
            return fcntl(descriptor, command, flock) < 0 ? -1 - Native.getLastError() : flock.getShort(0);
        }
    }
}
