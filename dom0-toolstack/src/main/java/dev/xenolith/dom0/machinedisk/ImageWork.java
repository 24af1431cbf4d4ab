package dev.xenolith.dom0.machinedisk;

import dev.xenolith.device.board.Machine;
import dev.xenolith.device.storage.Medium;
import dev.xenolith.dom0.disk.DiskException;
import dev.xenolith.dom0.disk.DiskImage;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * What the drives of one machine have done to images by other threads. A machine that is switched off interrupts these threads, which
 * would close the files under them: so it has to be closed after this, which waits until none is in a file, and lets none in.
 */
public final class ImageWork implements AutoCloseable {
    /** What is to be done with an image. */
    @FunctionalInterface
    interface Access {
        void on(DiskImage image) throws Exception;
    }

    private final Machine machine;
    private final ReadWriteLock inFiles = new ReentrantReadWriteLock();
    private boolean closed;

    /** For the drives of the board whose machine this is, before it starts. */
    public ImageWork(Machine machine) {
        this.machine = machine;
    }

    /** Has {@code access} done; {@code answer} comes at {@code due} of machine time, with a failure that names the image. */
    void submit(DiskImage image, long due, Access access, Medium.Answer answer) {
        machine.<Void>submitAt(due, () -> {
            inFiles.readLock().lock();
            try {
                if (closed) {
                    throw new DiskException(image.file().toString(), "the machine has been switched off");
                }
                access.on(image);
                return null;
            } finally {
                inFiles.readLock().unlock();
            }
        }, (result, failure) -> answer.ended(failure == null || failure instanceof DiskException
                ? failure
                : new DiskException(image.file().toString(), failure.toString())));
    }

    @Override
    public void close() {
        inFiles.writeLock().lock();
        closed = true;
        inFiles.writeLock().unlock();
    }
}
