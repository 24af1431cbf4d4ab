package dev.xenolith.cpu.memory;

import com.sun.jna.Native;
import com.sun.jna.Platform;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A range of the host's address space that costs nothing until it is touched: an anonymous mapping without reservation on
 * Linux, a sparse unlinked file elsewhere.
 */
abstract class HostMapping implements AutoCloseable {
    final long address;
    final long length;

    private HostMapping(long address, long length) {
        this.address = address;
        this.length = length;
    }

    /** Maps {@code length} zero bytes, a multiple of 4 KiB. */
    static HostMapping create(long length) {
        return Platform.isLinux() ? Anonymous.map(length) : SparseFile.map(length);
    }

    /** Gives the host's memory of the range back; it reads as zero afterwards. The range is aligned to 4 KiB. */
    abstract void discard(long start, long bytes);

    /** Asks the host to back the range with huge pages when it is touched. */
    abstract void adviseHugePages(long start, long bytes);

    @Override
    public abstract void close();

    /** mmap(2), madvise(2) through JNA's direct mapping; size_t and off_t are 64 bits on every Linux that JDK 25 supports. */
    static final class Libc {
        static {
            Native.register(Libc.class, Platform.C_LIBRARY_NAME);
        }

        static final int PROT_READ_WRITE = 3;
        static final int MAP_PRIVATE = 0x02;
        static final int MAP_ANONYMOUS = 0x20;
        static final int MAP_NORESERVE = 0x4000;
        static final int MADV_DONTNEED = 4;
        static final int MADV_HUGEPAGE = 14;

        private Libc() {}

        static native long mmap(long address, long length, int protection, int flags, int descriptor, long offset);

        static native int munmap(long address, long length);

        static native int madvise(long address, long length, int advice);

        static native int getpagesize();
    }

    private static final class Anonymous extends HostMapping {
        private static final long HUGE_PAGE = 2 << 20;
        private final long hostPage = Libc.getpagesize();
        private boolean closed;

        private Anonymous(long address, long length) {
            super(address, length);
        }

        static Anonymous map(long length) {
            long address = Libc.mmap(0, length, Libc.PROT_READ_WRITE,
                    Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_NORESERVE, -1, 0);
            if (address == -1) {
                throw new OutOfMemoryError("cannot map " + (length >> 20) + " MiB of guest memory: mmap failed, errno "
                        + Native.getLastError());
            }
            return new Anonymous(address, length);
        }

        @Override
        void discard(long start, long bytes) {
            // A host page may be larger than a frame (arm64): what does not fill one is zeroed instead.
            long first = Math.min((start + hostPage - 1) & -hostPage, start + bytes);
            long last = Math.max((start + bytes) & -hostPage, first);
            if (first < last && Libc.madvise(first, last - first, Libc.MADV_DONTNEED) != 0) {
                HostMemory.fill(first, last - first, 0);
            }
            HostMemory.fill(start, first - start, 0);
            HostMemory.fill(last, start + bytes - last, 0);
        }

        @Override
        void adviseHugePages(long start, long bytes) {
            long first = (start + HUGE_PAGE - 1) & -HUGE_PAGE;
            long last = (start + bytes) & -HUGE_PAGE;
            if (first < last) {
                // Advice only: a kernel without huge pages refuses, and nothing is lost.
                int unused = Libc.madvise(first, last - first, Libc.MADV_HUGEPAGE);
            }
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                Libc.munmap(address, length);
            }
        }
    }

    private static final class SparseFile extends HostMapping {
        private final Arena arena;

        private SparseFile(Arena arena, long address, long length) {
            super(address, length);
            this.arena = arena;
        }

        static SparseFile map(long length) {
            Arena arena = Arena.ofShared();
            try {
                Path file = Files.createTempFile("xenolith", ".ram");
                try {
                    FileStore store = Files.getFileStore(file);
                    if (store.getUsableSpace() < length) {
                        throw new IOException(file + ": " + (length >> 20) + " MiB of guest memory needed, "
                                + (store.getUsableSpace() >> 20) + " MiB free");
                    }
                    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE,
                            StandardOpenOption.SPARSE)) {
                        long address = channel.map(FileChannel.MapMode.READ_WRITE, 0, length, arena).address();
                        return new SparseFile(arena, address, length);
                    }
                } finally {
                    deleteOrLater(file);
                }
            } catch (IOException e) {
                arena.close();
                throw new UncheckedIOException(e);
            }
        }

        private static void deleteOrLater(Path file) {
            try {
                Files.delete(file);
            } catch (IOException e) {
                // Windows keeps a mapped file's name.
                file.toFile().deleteOnExit();
            }
        }

        @Override
        void discard(long start, long bytes) {
            HostMemory.fill(start, bytes, 0);
        }

        @Override
        void adviseHugePages(long start, long bytes) {}

        @Override
        public void close() {
            if (arena.scope().isAlive()) {
                arena.close();
            }
        }
    }
}
