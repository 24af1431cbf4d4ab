package dev.xenolith.dom0.disk;

import com.sun.jna.Native;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file, or a block device of the host. */
final class FileStore implements Store {
    /** Java copies what is in its heap to memory of this size at a time, and keeps that per thread. */
    private static final int PIECE = 1 << 20;

    private final String name;
    private final SharedFile file;
    private final ImageLocks locks;
    private boolean canPunch;
    private boolean closed;

    FileStore(Path path, SharedFile file, ImageLocks locks) {
        name = path.toString();
        this.file = file;
        this.locks = locks;
        canPunch = file.hasDescriptor();
    }

    /** A piece of work on the file. */
    @FunctionalInterface
    private interface Work {
        void run() throws IOException;
    }

    /** A question to the file. */
    @FunctionalInterface
    private interface Question<T> {
        T ask() throws IOException;
    }

    /** Asks, and gives a failure the file's name. */
    private <T> T ask(Question<T> question) throws IOException {
        try {
            if (closed) {
                // The file itself may be open still, for others.
                throw new ClosedChannelException();
            }
            return question.ask();
        } catch (IOException e) {
            throw DiskException.of(name, e);
        }
    }

    private void work(Work work) throws IOException {
        Boolean unused = ask(() -> {
            work.run();
            return true;
        });
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long size() throws IOException {
        return ask(file.channel()::size);
    }

    @Override
    public void read(long position, ByteBuffer target) throws IOException {
        work(() -> {
            int end = target.limit();
            long at = position;
            while (target.position() < end) {
                target.limit(Math.min(end, target.position() + PIECE));
                int count = file.channel().read(target, at);
                target.limit(end);
                if (count < 0) {
                    while (target.hasRemaining()) {
                        target.put((byte) 0);
                    }
                    return;
                }
                at += count;
            }
        });
    }

    @Override
    public void write(long position, ByteBuffer source) throws IOException {
        work(() -> {
            int end = source.limit();
            long at = position;
            while (source.position() < end) {
                source.limit(Math.min(end, source.position() + PIECE));
                try {
                    at += file.channel().write(source, at);
                } finally {
                    source.limit(end);
                }
            }
        });
    }

    @Override
    public void resize(long size) throws IOException {
        work(() -> {
            long present = file.channel().size();
            if (size < present) {
                file.channel().truncate(size);
            } else if (size > present) {
                file.channel().write(ByteBuffer.allocate(1), size - 1);
            }
        });
    }

    @Override
    public void force() throws IOException {
        work(() -> {
            file.channel().force(true);
            if (isDeleted()) {
                throw new DiskException(name, "the file has been deleted; what is in it goes when it is closed");
            }
        });
    }

    /** Whether no directory has the file any more. It may have been moved, and then is as stable as ever. */
    private boolean isDeleted() {
        try {
            return file.hasDescriptor()
                    && Files.getAttribute(Path.of("/proc/self/fd/" + file.descriptor()), "unix:nlink").equals(0);
        } catch (IOException e) {
            // Without a /proc nobody can tell.
            return false;
        }
    }

    @Override
    public boolean punch(long position, long length) throws IOException {
        return ask(() -> {
            long end = Math.min(position + length, file.channel().size());
            if (!canPunch || end <= position) {
                return canPunch;
            }
            canPunch = Libc.fallocate(file.descriptor(), Libc.FALLOC_FL_PUNCH_HOLE | Libc.FALLOC_FL_KEEP_SIZE, position,
                    end - position) == 0;
            return canPunch;
        });
    }

    @Override
    public long nextData(long position) throws IOException {
        return ask(() -> {
            long size = file.channel().size();
            if (position >= size || !file.hasDescriptor()) {
                return Math.min(position, size);
            }
            long found = Libc.lseek(file.descriptor(), position, Libc.SEEK_DATA);
            if (found >= 0) {
                return Math.min(found, size);
            }
            return Native.getLastError() == Libc.ENXIO ? size : position;
        });
    }

    @Override
    public long nextHole(long position) throws IOException {
        return ask(() -> {
            long size = file.channel().size();
            if (position >= size || !file.hasDescriptor()) {
                return size;
            }
            long found = Libc.lseek(file.descriptor(), position, Libc.SEEK_HOLE);
            return found >= 0 ? Math.min(found, size) : size;
        });
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            locks.release(file);
        } catch (IOException e) {
            throw DiskException.of(name, e);
        }
    }
}
