package dev.xenolith.dom0.net.nat;

/**
 * Bytes of a stream in a circular buffer: those that are there, from its head on, and behind them room in which bytes that came
 * early may lie already. It costs nothing until it is used, and grows as far as its limit and the common budget let it.
 */
final class Ring {
    /** Each ring may have so many bytes, whatever the budget says; a power of two. */
    static final int INITIAL_CAPACITY = 32 << 10;

    private final int limit;
    private final Budget budget;
    private byte[] bytes = {};
    private int capacity = INITIAL_CAPACITY;
    private int head;
    private int size;

    /** @param limit capacity at most, bytes, a power of two */
    Ring(int limit, Budget budget) {
        this.limit = limit;
        this.budget = budget;
    }

    int capacity() {
        return capacity;
    }

    int size() {
        return size;
    }

    /** Bytes that can be appended without growing. */
    int free() {
        return capacity - size;
    }

    /** Doubles the capacity; false if the limit or the budget says no. */
    boolean grow() {
        if (capacity >= limit || !budget.take(capacity)) {
            return false;
        }
        byte[] larger = new byte[capacity * 2];
        if (bytes.length > 0) {
            // All of it: what came early lies behind what is there.
            int first = capacity - head;
            System.arraycopy(bytes, head, larger, 0, first);
            System.arraycopy(bytes, 0, larger, first, head);
        }
        bytes = larger;
        head = 0;
        capacity *= 2;
        return true;
    }

    /** Puts bytes {@code at} bytes behind the head, without counting them in; they must fit into the capacity. */
    void store(int at, byte[] source, int offset, int length) {
        if (bytes.length == 0) {
            bytes = new byte[capacity];
        }
        int to = head + at & capacity - 1;
        int first = Math.min(length, capacity - to);
        System.arraycopy(source, offset, bytes, to, first);
        System.arraycopy(source, offset + first, bytes, 0, length - first);
    }

    /** Counts in {@code length} bytes that have been stored behind the last. */
    void commit(int length) {
        size += length;
    }

    /** Appends bytes, which must fit. */
    void append(byte[] source, int offset, int length) {
        store(size, source, offset, length);
        commit(length);
    }

    /** Copies bytes that are there, from {@code at} bytes behind the head on. */
    void copy(int at, byte[] target, int offset, int length) {
        if (length > 0) {
            int from = head + at & capacity - 1;
            int first = Math.min(length, capacity - from);
            System.arraycopy(bytes, from, target, offset, first);
            System.arraycopy(bytes, 0, target, offset + first, length - first);
        }
    }

    /** Takes bytes off the head. */
    void drop(int length) {
        head = head + length & capacity - 1;
        size -= length;
    }

    /** Gives everything back; the ring is empty and not to be written again. */
    void release() {
        budget.give(capacity - INITIAL_CAPACITY);
        capacity = INITIAL_CAPACITY;
        bytes = new byte[0];
        head = 0;
        size = 0;
    }
}
