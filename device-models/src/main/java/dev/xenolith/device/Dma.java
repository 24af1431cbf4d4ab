package dev.xenolith.device;

/**
 * Memory as a device that masters the bus sees it. Any address is valid: bytes that are not there read as ones, and writes to
 * them are lost.
 */
public interface Dma {
    /** Copies {@code length} bytes at {@code address} into {@code destination}. */
    void read(long address, byte[] destination, int offset, int length);

    /** Copies {@code length} bytes of {@code source} to {@code address}. */
    void write(long address, byte[] source, int offset, int length);
}
