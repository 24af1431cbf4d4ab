package dev.xenolith.device.input;

import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/** The bytes that a PS/2 device has to send. Answers to commands always find room, for a command empties the queue before. */
final class Ps2Queue {
    /** Room for events; that of the IBM enhanced keyboard. */
    static final int EVENTS = 16;

    private static final int CAPACITY = 32;

    private final byte[] bytes = new byte[CAPACITY];
    private int first;
    private int count;
    private int last;

    boolean isEmpty() { return count == 0; }

    /** Whether {@code more} bytes of an event can be added. */
    boolean hasRoom(int more) {
        return count + more <= EVENTS;
    }

    void add(int value) {
        if (count < CAPACITY) {
            bytes[(first + count++) % CAPACITY] = (byte) value;
        }
    }

    /** Whether {@code value} is what was added last and has not been taken. */
    boolean endsWith(int value) {
        return count > 0 && (bytes[(first + count - 1) % CAPACITY] & 0xff) == value;
    }

    int take() {
        last = bytes[first] & 0xff;
        first = (first + 1) % CAPACITY;
        count--;
        return last;
    }

    /** What was taken last, 0 before. */
    int last() {
        return last;
    }

    /** Puts answers in place of what had not been fetched. */
    void answer(int... answers) {
        count = 0;
        for (int each : answers) {
            add(each);
        }
    }

    void save(StateWriter out) {
        byte[] held = new byte[count];
        for (int i = 0; i < count; i++) {
            held[i] = bytes[(first + i) % CAPACITY];
        }
        out.put("queue", held).put("lastSent", last);
    }

    void restore(StateReader in) throws StateException {
        byte[] held = in.getBytes("queue");
        if (held.length > CAPACITY) {
            throw new StateException("a PS/2 device has " + held.length + " bytes to send, more than " + CAPACITY);
        }
        last = in.getByte("lastSent");
        first = 0;
        count = held.length;
        System.arraycopy(held, 0, bytes, 0, count);
    }
}
