package dev.xenolith.dom0.backend.block;

import dev.xenolith.dom0.backend.HostWork;
import dev.xenolith.dom0.disk.DiskException;
import dev.xenolith.dom0.disk.DiskImage;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** An open image as a backend uses it: nothing here blocks. Completions are called on the machine thread, in any order. */
final class Disk {
    /** Modelled times of a request, of each byte moved, and of a flush, in ns: those of a fast disk on SATA. */
    private static final long REQUEST = 60_000;
    private static final long BYTES_PER_NANOSECOND_SHIFT = 1;
    private static final long FLUSH = 500_000;
    /** Kinds of failures that are logged, each once: what a frontend asks for again and again must not fill the log. */
    private static final int MOST_LOGGED = 16;

    private final String device;
    private final HostWork work;
    private final DiskImage image;
    private final long sectors;
    private final Set<String> logged = new HashSet<>();
    private int underWay;
    private boolean closing;
    private Runnable whenIdle = () -> {};
    private Runnable whenClosed = () -> {};

    /** The open {@code image}; {@code device} is what messages call the device that it is behind. */
    Disk(String device, HostWork work, DiskImage image) {
        this.device = device;
        this.work = work;
        this.image = image;
        sectors = image.size() / DiskImage.SECTOR_BYTES;
    }

    /** Sectors of 512 bytes. */
    long sectors() {
        return sectors;
    }

    boolean readOnly() {
        return image.readOnly();
    }

    /** What is to be done with the image. */
    @FunctionalInterface
    private interface Access {
        void on(DiskImage image) throws Exception;
    }

    /** Told that a request is done, with the failure or null. */
    @FunctionalInterface
    interface Done {
        void done(@Nullable Exception failure);
    }

    /** Fills {@code length} bytes of {@code target} with what is at {@code sector}. */
    void read(long sector, byte[] target, int length, Done done) {
        submit("reading", REQUEST + (length >> BYTES_PER_NANOSECOND_SHIFT),
                disk -> disk.read(sector * DiskImage.SECTOR_BYTES, ByteBuffer.wrap(target, 0, length)), done);
    }

    /**
     * Writes {@code length} bytes of {@code source}, which may be none.
     *
     * @param flushBefore whether everything before it, and {@code flushAfter} whether it too, is to be on stable storage when this is done
     */
    void write(long sector, byte[] source, int length, boolean flushBefore, boolean flushAfter, Done done) {
        long latency = REQUEST + (length >> BYTES_PER_NANOSECOND_SHIFT) + (flushBefore || flushAfter ? FLUSH : 0);
        submit(length == 0 ? "flushing" : "writing", latency, disk -> {
            if (flushBefore) {
                disk.flush();
            }
            if (length != 0) {
                disk.write(sector * DiskImage.SECTOR_BYTES, ByteBuffer.wrap(source, 0, length));
            }
            if (flushAfter && length != 0) {
                disk.flush();
            }
        }, done);
    }

    /** Gives sectors back. */
    void discard(long sector, long count, Done done) {
        submit("discarding", REQUEST,
                disk -> disk.discard(sector * DiskImage.SECTOR_BYTES, count * DiskImage.SECTOR_BYTES), done);
    }

    private void submit(String what, long latency, Access access, Done done) {
        underWay++;
        work.<Void>submit(latency, () -> {
            access.on(image);
            return null;
        }, (result, failure) -> {
            underWay--;
            if (failure != null) {
                log(what, failure);
            }
            done.done(failure);
            if (underWay == 0) {
                Runnable action = whenIdle;
                whenIdle = () -> {};
                action.run();
            }
            closeIfIdle();
        });
    }

    private void log(String what, Exception failure) {
        // These begin with the file's name.
        String problem = String
                .valueOf(failure instanceof DiskException ? failure.getMessage() : image.file() + ": " + failure);
        if (logged.size() < MOST_LOGGED && logged.add(what + problem)) {
            BlockBackend.LOG.warn("{}: {} fails: {}; this is not logged again{}", device, what, problem,
                    logged.size() < MOST_LOGGED ? "" : ", nor is any other failure");
        }
    }

    /** Whether it has not answered all requests yet. */
    boolean isBusy() { return underWay > 0; }

    /** {@code action} runs, once, when nothing is under way any more; instead of what was to run before. */
    void whenIdle(Runnable action) {
        whenIdle = action;
    }

    /** Closes the image when nothing is under way any more, and then runs {@code whenDone}. */
    void close(Runnable whenDone) {
        closing = true;
        whenClosed = whenDone;
        closeIfIdle();
    }

    private void closeIfIdle() {
        if (closing && underWay == 0) {
            closing = false;
            work.<Void>submit(FLUSH, () -> {
                image.close();
                return null;
            }, (result, failure) -> {
                if (failure != null) {
                    BlockBackend.LOG.error("{}: closing it failed: {}", image.file(), failure.getMessage());
                }
                whenClosed.run();
            });
        }
    }
}
