package dev.xenolith.device.storage;

import org.jspecify.annotations.Nullable;

/**
 * What a drive's disk or disc is kept in: a range of bytes, read and written by requests that end later.
 *
 * <p>All calls and answers are on the machine thread. Each request says when it is due: its answer comes at that machine time, or
 * when the host is done with it if the clock follows the host's, and never from within the call. Requests may end in any order; a flush
 * covers the writes that have ended before it was asked for. A drive that is reset ignores answers that still come.
 *
 * <p>Requests on their way are the drive's state: it saves what was asked for, with what it was to write and when it is due, and asks
 * again when it is restored; doing a request twice does what doing it once does.
 */
public interface Medium {
    /** Bytes of a sector, the unit of offsets and lengths. */
    int SECTOR_BYTES = 512;

    /** Is told that a request has ended. */
    @FunctionalInterface
    interface Answer {
        /** @param failure null if all went well; else its message names the image and what happened */
        void ended(@Nullable Exception failure);
    }

    /** Size in bytes, a multiple of {@link #SECTOR_BYTES}; does not change. */
    long size();

    /** Whether writes fail. */
    boolean readOnly();

    /** Reads {@code length} bytes at {@code offset} into {@code destination}, which belongs to the medium until the answer. */
    void read(long due, long offset, byte[] destination, int at, int length, Answer answer);

    /** Writes {@code length} bytes at {@code offset} from {@code source}, which belongs to the medium until the answer. */
    void write(long due, long offset, byte[] source, int at, int length, Answer answer);

    /** Ends when all that has been written holds even if the host loses its power. */
    void flush(long due, Answer answer);

    /** Says that the bytes are not needed any more; they read as zeroes or as before. */
    void discard(long due, long offset, long length, Answer answer);
}
