package dev.xenolith.device;

import dev.xenolith.cpu.memory.MmioDevice;

/**
 * Registers of a part with an 8-bit data bus. The bus in front of it splits a wider access into byte cycles at ascending
 * addresses, as an ISA bridge does (82371SB, section 4.2).
 */
public interface ByteRegisters extends MmioDevice {
    /** The byte at {@code offset}, 0 to 255. */
    int readByte(int offset);

    /** Writes the byte {@code value}, 0 to 255. */
    void writeByte(int offset, int value);

    @Override
    default long read(long offset, int size) {
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (readByte((int) offset + i) & 0xffL) << i * 8;
        }
        return value;
    }

    @Override
    default void write(long offset, int size, long value) {
        for (int i = 0; i < size; i++) {
            writeByte((int) offset + i, (int) (value >>> i * 8) & 0xff);
        }
    }
}
