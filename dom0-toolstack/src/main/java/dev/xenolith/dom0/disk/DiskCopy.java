package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.function.LongConsumer;

/** Copies the contents of a disk to a new one, and leaves out what is zero. */
public final class DiskCopy {
    private static final int PIECE = 1 << 20;
    /** Zeroes fewer than these are copied: holes have a price of their own. */
    private static final int GRAIN = 4096;

    private DiskCopy() {
    }

    /**
     * Copies all of {@code source}, and has it on stable storage when it returns.
     *
     * @param target a disk that is not smaller and reads as zeroes so far
     * @param progress is given how many bytes are done, now and then
     */
    public static void copy(DiskImage source, DiskImage target, LongConsumer progress) throws IOException {
        ByteBuffer piece = ByteBuffer.allocate(PIECE);
        for (long at = 0; at < source.size();) {
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedIOException(source.file() + ": the copy was interrupted");
            }
            DiskImage.Extent extent = source.extent(at, source.size() - at);
            if (extent.kind() == DiskImage.Kind.ZERO) {
                at += extent.length();
            } else {
                piece.clear().limit((int) Math.min(PIECE, extent.length()));
                source.read(at, piece);
                writeData(target, at, piece.flip());
                at += piece.limit();
            }
            progress.accept(at);
        }
        target.flush();
    }

    /** Writes the grains that are not zero, those in a row at once. */
    private static void writeData(DiskImage target, long offset, ByteBuffer data) throws IOException {
        int length = data.limit();
        for (int from = 0; from < length;) {
            boolean zero = isZero(data, from, Math.min(from + GRAIN, length));
            int to = Math.min(from + GRAIN, length);
            while (to < length && isZero(data, to, Math.min(to + GRAIN, length)) == zero) {
                to = Math.min(to + GRAIN, length);
            }
            if (!zero) {
                target.write(offset + from, data.slice(from, to - from));
            }
            from = to;
        }
    }

    private static boolean isZero(ByteBuffer data, int from, int to) {
        for (int i = from; i < to; i++) {
            if (data.get(i) != 0) {
                return false;
            }
        }
        return true;
    }
}
