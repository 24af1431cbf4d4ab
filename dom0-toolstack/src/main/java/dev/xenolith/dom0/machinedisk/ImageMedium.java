package dev.xenolith.dom0.machinedisk;

import dev.xenolith.device.storage.Medium;
import dev.xenolith.dom0.disk.DiskImage;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An open image as a drive's medium: other threads do the reading and writing. It goes from one machine to the next. */
final class ImageMedium implements Medium {
    private final DiskImage image;
    private final long size;
    private final boolean readOnly;
    private @Nullable ImageWork work;

    ImageMedium(DiskImage image) {
        this.image = image;
        size = image.size();
        readOnly = image.readOnly();
    }

    /** Says for whose machine requests come from now on. */
    void attach(ImageWork powered) {
        work = powered;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public void read(long due, long offset, byte[] destination, int at, int length, Answer answer) {
        submit(due, disk -> disk.read(offset, ByteBuffer.wrap(destination, at, length)), answer);
    }

    @Override
    public void write(long due, long offset, byte[] source, int at, int length, Answer answer) {
        submit(due, disk -> disk.write(offset, ByteBuffer.wrap(source, at, length)), answer);
    }

    @Override
    public void flush(long due, Answer answer) {
        submit(due, disk -> {
            if (!readOnly) {
                disk.flush();
            }
        }, answer);
    }

    @Override
    public void discard(long due, long offset, long length, Answer answer) {
        submit(due, disk -> disk.discard(offset, length), answer);
    }

    private void submit(long due, ImageWork.Access access, Answer answer) {
        Objects.requireNonNull(work).submit(image, due, access, answer);
    }
}
