package dev.xenolith.device.network.e1000;

import dev.xenolith.device.Dma;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A ring of descriptors of 16 bytes in memory (3.2.6, 3.4): the card works from the head up to the tail. */
final class DescriptorRing implements Saveable {
    static final int DESCRIPTOR = 16;

    private static final int LENGTH_MASK = 0xf_ff80;

    private final String name;
    private final Dma memory;
    private final byte[] bytes = new byte[DESCRIPTOR];
    private final ByteBuffer fields = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    private long base;
    private int length;
    private int head;
    private int tail;

    DescriptorRing(String name, Dma memory) {
        this.name = name;
        this.memory = memory;
    }

    /** Register {@code index}: 0 and 1 the base's halves, 2 the length, 4 the head, 6 the tail; others read as zero. */
    int read(int index) {
        return switch (index) {
            case 0 -> (int) base;
            case 1 -> (int) (base >>> 32);
            case 2 -> length;
            case 4 -> head;
            case 6 -> tail;
            default -> 0;
        };
    }

    void write(int index, int value) {
        switch (index) {
            case 0 -> base = base & 0xffff_ffff_0000_0000L | value & 0xffff_fff0L;
            case 1 -> base = base & 0xffff_ffffL | (long) value << 32;
            case 2 -> length = value & LENGTH_MASK;
            case 4 -> head = value & 0xffff;
            case 6 -> tail = value & 0xffff;
            default -> {
                // Reserved.
            }
        }
    }

    void reset() {
        base = 0;
        length = 0;
        head = 0;
        tail = 0;
    }

    int size() {
        return length / DESCRIPTOR;
    }

    /** Descriptors that the card may use. One that software has put outside the ring is none. */
    int available() {
        int size = size();
        if (head >= size || tail >= size) {
            return 0;
        }
        return tail >= head ? tail - head : tail + size - head;
    }

    /** The next descriptor; valid until another call. Only if one is {@link #available}. */
    ByteBuffer fetch() {
        memory.read(base + (long) head * DESCRIPTOR, bytes, 0, DESCRIPTOR);
        return fields.clear();
    }

    /** Puts the upper half of the descriptor that was fetched back, with what it holds now. */
    void writeBack() {
        memory.write(base + (long) head * DESCRIPTOR + 8, bytes, 8, 8);
    }

    void advance() {
        head = head + 1 >= size() ? 0 : head + 1;
    }

    @Override
    public String stateName() {
        return name;
    }

    @Override
    public void save(StateWriter out) {
        out.put("base", base).put("length", length).put("head", head).put("tail", tail);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        base = in.getLong("base") & ~15L;
        length = in.getInt("length") & LENGTH_MASK;
        head = in.getInt("head", 0, 0xffff);
        tail = in.getInt("tail", 0, 0xffff);
    }
}
