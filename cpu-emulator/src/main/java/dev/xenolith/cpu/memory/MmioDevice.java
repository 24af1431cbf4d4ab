package dev.xenolith.cpu.memory;

/** A device's registers in physical memory; it does not know where it is mapped. */
public interface MmioDevice {
    /** The {@code size} (1, 2, 4, 8) bytes at {@code offset} from the start of the mapping, zero-extended. */
    long read(long offset, int size);

    /** Writes the low {@code size} bytes of {@code value}. */
    void write(long offset, int size, long value);
}
