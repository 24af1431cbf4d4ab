package dev.xenolith.hypervisor.memory;

import dev.xenolith.cpu.memory.PhysicalMemory;
import java.util.Objects;

/**
 * The door to one frame that the hypervisor holds: its own, or one it has a reference to. Integers are little-endian; an access
 * outside the frame throws {@link IndexOutOfBoundsException}, so offsets that come from a guest are checked first.
 */
public final class Frame {
    /** Bytes of a frame. */
    public static final int SIZE = PhysicalMemory.FRAME_SIZE;

    private final PhysicalMemory ram;
    private final long base;

    Frame(PhysicalMemory ram, int mfn) {
        this.ram = ram;
        base = (long) mfn << PhysicalMemory.FRAME_SHIFT;
    }

    /** Machine frame number. */
    public int mfn() {
        return (int) (base >>> PhysicalMemory.FRAME_SHIFT);
    }

    private long at(int offset, int length) {
        return base + Objects.checkFromIndexSize(offset, length, SIZE);
    }

    public int get8(int offset) {
        return ram.read8(at(offset, 1));
    }

    public int get16(int offset) {
        return ram.read16(at(offset, 2));
    }

    public int get32(int offset) {
        return ram.read32(at(offset, 4));
    }

    public long get64(int offset) {
        return ram.read64(at(offset, 8));
    }

    public void put8(int offset, int value) {
        ram.write8(at(offset, 1), value);
    }

    public void put16(int offset, int value) {
        ram.write16(at(offset, 2), value);
    }

    public void put32(int offset, int value) {
        ram.write32(at(offset, 4), value);
    }

    public void put64(int offset, long value) {
        ram.write64(at(offset, 8), value);
    }

    /** Atomically replaces the {@code size} (1, 2, 4, 8) bytes if they equal {@code expected}; returns what was found. */
    public long compareExchange(int offset, int size, long expected, long value) {
        return ram.compareExchange(at(offset, size), size, expected, value);
    }

    /** Zeroes the frame. */
    public void clear() {
        ram.fill(base, SIZE, 0);
    }

    public void read(int offset, byte[] target, int targetOffset, int length) {
        ram.copyOut(at(offset, length), target, targetOffset, length);
    }

    public void write(int offset, byte[] source, int sourceOffset, int length) {
        ram.copyIn(source, sourceOffset, at(offset, length), length);
    }
}
