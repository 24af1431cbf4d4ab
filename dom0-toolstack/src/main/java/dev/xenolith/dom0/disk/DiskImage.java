package dev.xenolith.dom0.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * An open disk image: a range of bytes, of which each may be read, written, and given back.
 *
 * <p>Each method blocks until the file has answered and may be called by any thread but the machine thread; calls exclude each
 * other, so one image serves one request at a time. A thread must not be interrupted while it is in one: Java closes the file
 * under it. Offsets and lengths are in bytes and need no alignment; what is not a multiple of the sector size, or in the qcow2
 * format of the cluster size, may cost a read.
 *
 * <p>All failures are {@link IOException}s whose message begins with the file's name: a range that is not within the disk, a
 * write to a read-only image, metadata that makes no sense, a file system that is full or gone. After one the image may go on
 * being used; what was flushed before is still there.
 *
 * <p>A write holds after a power cut once {@link #flush} has returned, like the cache of a real disk (blkif's
 * BLKIF_OP_FLUSH_DISKCACHE). Until then each of its sectors is there or is not.
 */
public interface DiskImage extends Closeable {
    /** Bytes of a sector. */
    int SECTOR_BYTES = 512;

    /** What is known of a range without reading it. */
    enum Kind {
        /** Something is stored, in this file or in one that it is based on. */
        DATA,
        /** It reads as zeroes, and nothing is stored. */
        ZERO
    }

    /**
     * A part of a disk that is all of one kind.
     *
     * @param length bytes, at least 1
     */
    record Extent(Kind kind, long length) {
    }

    /** Returns the file, as it was named when it was opened. */
    Path file();

    /** Returns the format. */
    DiskFormat format();

    /** Returns whether the image takes no writes. */
    boolean readOnly();

    /** Returns the size of the disk in bytes, a multiple of the sector size, constant while the image is open. */
    long size();

    /** Returns the size of a sector in bytes: 512, the least that is written as a whole. */
    default int sectorSize() {
        return SECTOR_BYTES;
    }

    /** Fills what remains of {@code target} with what is at {@code offset}. */
    void read(long offset, ByteBuffer target) throws IOException;

    /** Stores what remains of {@code source} at {@code offset}. */
    void write(long offset, ByteBuffer source) throws IOException;

    /** Has the range read as zeroes, with as little space taken as the format and the file system allow. */
    void writeZeroes(long offset, long length) throws IOException;

    /**
     * Says that what is in the range is not wanted any more. Afterwards each part of it reads as zeroes or as before. That is
     * a hint: where format or file system cannot give space back nothing happens.
     */
    void discard(long offset, long length) throws IOException;

    /** Returns once everything written so far is on stable storage. */
    void flush() throws IOException;

    /**
     * Returns of what kind the bytes from {@code offset} on are, and how many in a row of them, at most {@code length}, are.
     *
     * @param length at least 1
     */
    Extent extent(long offset, long length) throws IOException;

    /** Returns what there is to tell of the image and of those it is based on. */
    DiskInfo info() throws IOException;

    /** Flushes, unless the image is read-only, and lets go of the file and its lock, also if the flush fails. */
    @Override
    void close() throws IOException;
}
