package dev.xenolith.hypervisor.operations;

/**
 * Guest memory that a Java domain has mapped: one or more frames seen as one range of bytes. A counted handle: the frames stay
 * allocated until {@link #unmap}, also when their domain has died. Writes mark the frames dirty and invalidate code.
 *
 * <p>Values are little-endian; offsets are bytes and need no alignment. An offset outside 0..size-width throws
 * {@link IndexOutOfBoundsException}, so check what a guest hands over before using it as an offset.
 */
public interface SharedPage {
    /** Size in bytes, a multiple of 4096. */
    int size();

    /** Reads an unsigned byte. */
    int get8(int offset);

    /** Reads an unsigned 16-bit value. */
    int get16(int offset);

    int get32(int offset);

    long get64(int offset);

    void put8(int offset, int value);

    void put16(int offset, int value);

    void put32(int offset, int value);

    void put64(int offset, long value);

    /** Copies {@code length} bytes from {@code offset} of this range to {@code target}. */
    void read(int offset, byte[] target, int targetOffset, int length);

    /** Copies {@code length} bytes of {@code source} to {@code offset} of this range. */
    void write(int offset, byte[] source, int sourceOffset, int length);

    /** Atomically replaces the aligned 16-bit value at {@code offset} if it equals {@code expected}; grant entries need it. */
    boolean compareAndSet16(int offset, int expected, int value);

    /** Gives the mapping back. Using it afterwards throws {@link IllegalStateException}; unmapping twice does nothing. */
    void unmap();
}
