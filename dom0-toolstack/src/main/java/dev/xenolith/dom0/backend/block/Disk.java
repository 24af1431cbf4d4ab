package dev.xenolith.dom0.backend.block;

import dev.xenolith.dom0.backend.HostWork;
import dev.xenolith.dom0.disk.DiskImage;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** An open image as a backend uses it: nothing here blocks. Completions are called on the machine thread, in any order. */
final class Disk {
    /** Modelled times of a request, of each byte moved, and of a flush, in ns: those of a fast disk on SATA. */
    private static final long REQUEST = 60_000;
    private static final long BYTES_PER_NANOSECOND_SHIFT = 1;
    private static final long FLUSH = 500_000;

    private final HostWork work;
    private final DiskImage image;
    private final long sectors;
    private int underWay;
    private boolean closing;
    private Runnable whenClosed = () -> {};

    Disk(HostWork work, DiskImage image) {
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
        submit(REQUEST + (length >> BYTES_PER_NANOSECOND_SHIFT),
                disk -> disk.read(sector * DiskImage.SECTOR_BYTES, ByteBuffer.wrap(target, 0, length)), done);
    }

    /**
     * Writes {@code length} bytes of {@code source}, which may be none.
     *
     * @param flushBefore whether everything before it, and {@code flushAfter} whether it too, is to be on stable storage when this is done
     */
    void write(long sector, byte[] source, int length, boolean flushBefore, boolean flushAfter, Done done) {
        long latency = REQUEST + (length >> BYTES_PER_NANOSECOND_SHIFT) + (flushBefore || flushAfter ? FLUSH : 0);
        submit(latency, disk -> {
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
        submit(REQUEST, disk -> disk.discard(sector * DiskImage.SECTOR_BYTES, count * DiskImage.SECTOR_BYTES), done);
    }

    private void submit(long latency, Access access, Done done) {
        underWay++;
        work.<Void>submit(latency, () -> {
            access.on(image);
            return null;
        }, (result, failure) -> {
            underWay--;
            done.done(failure);
            closeIfIdle();
        });
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
