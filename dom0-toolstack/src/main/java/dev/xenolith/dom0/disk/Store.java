package dev.xenolith.dom0.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The bytes that an image is made of: a file, or in tests something that behaves like one on a bad day. Positions and lengths
 * are in bytes. What was written since the last {@link #force} may be lost in a power cut, each sector of 512 bytes on its own.
 */
interface Store extends Closeable {
    /** Returns the file's name for messages. */
    String name();

    /** Returns where the last byte ends. */
    long size() throws IOException;

    /** Fills what remains of {@code target}; bytes behind the end are zero. */
    void read(long position, ByteBuffer target) throws IOException;

    /** Writes what remains of {@code source}, and makes the file longer if need be; what then lies between reads as zeroes. */
    void write(long position, ByteBuffer source) throws IOException;

    /** Makes the file shorter, or longer by zeroes that take no space. */
    void resize(long size) throws IOException;

    /** Returns once all that was done so far is on stable storage. */
    void force() throws IOException;

    /**
     * Gives space back: the range, as far as it is within the file, reads as zeroes afterwards. Returns false if that cannot
     * be done here, and then has done nothing.
     */
    boolean punch(long position, long length) throws IOException;

    /** Returns the first position from {@code position} on where something may be stored, {@link #size} if there is none. */
    long nextData(long position) throws IOException;

    /** Returns the first position from {@code position} on, at most {@link #size}, where nothing is stored. */
    long nextHole(long position) throws IOException;
}
