package dev.xenolith.dom0.host;

import dev.xenolith.dom0.protocol.Places;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The lock that the living daemon of a socket holds. The operating system drops it when the process dies, however it dies,
 * so a socket without a lock is stale. The file stays: removing it would let two daemons hold locks on two files.
 */
final class DaemonLock implements AutoCloseable {
    private final FileChannel channel;

    private DaemonLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Takes the lock and writes our pid into the file.
     *
     * @return null if another daemon holds it
     */
    static @Nullable DaemonLock acquire(Places places) throws IOException {
        Path file = places.lock();
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
                channel.truncate(0);
                channel.write(
                        ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)));
                return new DaemonLock(channel);
            }
        } catch (OverlappingFileLockException e) {
            // Another daemon in this process, as in tests.
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        channel.close();
        return null;
    }

    /** Returns the pid of the daemon that holds the lock; empty if none does. */
    static OptionalLong holder(Places places) throws IOException {
        try (FileChannel channel = FileChannel.open(places.lock(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return OptionalLong.empty();
            }
        } catch (OverlappingFileLockException e) {
            // Held by this process.
        } catch (NoSuchFileException e) {
            return OptionalLong.empty();
        }
        try {
            return OptionalLong.of(Long.parseLong(Files.readString(places.lock()).strip()));
        } catch (NumberFormatException e) {
            return OptionalLong.of(0); // It has the lock, but has not written yet.
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
