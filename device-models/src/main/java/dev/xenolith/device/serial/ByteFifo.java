package dev.xenolith.device.serial;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/** A queue of bytes of fixed capacity. */
final class ByteFifo implements Saveable {
    private final String name;
    private final byte[] bytes;
    private int first;
    private int size;

    ByteFifo(String name, int capacity) {
        this.name = name;
        bytes = new byte[capacity];
    }

    int size() {
        return size;
    }

    boolean isEmpty() { return size == 0; }

    /** Appends the low byte of {@code value}; the caller has checked that there is room. */
    void add(int value) {
        bytes[(first + size++) % bytes.length] = (byte) value;
    }

    /** Removes the oldest, 0 to 255; the caller has checked that there is one. */
    int take() {
        int value = bytes[first] & 0xff;
        first = (first + 1) % bytes.length;
        size--;
        return value;
    }

    void clear() {
        size = 0;
    }

    @Override
    public String stateName() {
        return name;
    }

    @Override
    public void save(StateWriter out) {
        byte[] content = new byte[size];
        for (int i = 0; i < size; i++) {
            content[i] = bytes[(first + i) % bytes.length];
        }
        out.put("content", content);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        byte[] content = in.getBytes("content");
        if (content.length > bytes.length) {
            throw new StateException(name + ": " + content.length + " bytes do not fit");
        }
        System.arraycopy(content, 0, bytes, 0, content.length);
        first = 0;
        size = content.length;
    }
}
