package dev.xenolith.cpu.memory;

import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * What a processor has written to memory since {@link #clear}, so that it can be undone. Each entry is one write: where, and what was
 * there before it, or what it left while it is undone.
 *
 * <p>Besides stores there are marks: accessed and dirty flags that a walk has set in the page tables. They are undone with the stores, for
 * whoever repeats what was undone may read them, but they are not compared: the instruction that caused the last of them may not have been
 * executed. Those after the last store are therefore taken back before stores are looked at; the others have come before it in any repetition.
 */
public final class WriteLog {
    /** A difference between what two logs say was left. */
    @FunctionalInterface
    public interface Difference {
        /** The {@code size} bytes at host address {@code host} are {@code own} after the one, {@code other} after the other. */
        void found(long host, int size, long own, long other);
    }

    /** In place of a mark's page. */
    private static final long STORE = -1;
    private static final int FIRST_CAPACITY = 64;

    private long[] host = new long[FIRST_CAPACITY];
    private byte[] size = new byte[FIRST_CAPACITY];
    private long[] content = new long[FIRST_CAPACITY];
    private long[] cause = new long[FIRST_CAPACITY];
    private long[] left = new long[FIRST_CAPACITY];
    private int count;
    /** Entries up to the last store. */
    private int stores;

    /** Forgets everything. */
    public void clear() {
        count = 0;
        stores = 0;
    }

    /** Notes that {@code bytes} (1, 2, 4, 8) at host address {@code at} are about to be stored. */
    public void store(long at, int bytes) {
        add(at, bytes, STORE);
        stores = count;
    }

    /** Notes that a walk for {@code linear} is about to set flags in the {@code bytes} at host address {@code at}. */
    public void mark(long at, int bytes, long linear) {
        add(at, bytes, linear & -PhysicalMemory.FRAME_SIZE);
    }

    private void add(long at, int bytes, long why) {
        if (count == host.length) {
            int capacity = 2 * count;
            host = Arrays.copyOf(host, capacity);
            size = Arrays.copyOf(size, capacity);
            content = Arrays.copyOf(content, capacity);
            cause = Arrays.copyOf(cause, capacity);
            left = Arrays.copyOf(left, capacity);
        }
        host[count] = at;
        size[count] = (byte) bytes;
        content[count] = HostMemory.get(at, bytes);
        cause[count++] = why;
    }

    /** Notes what the stores have left, and undoes all. */
    public void undo() {
        undo(count, stores);
        noteLeft();
        undo(stores, 0);
    }

    /** Shows {@code page} the page of each mark: it must walk again to set it again. */
    public void visitMarks(LongConsumer page) {
        for (int i = 0; i < count; i++) {
            if (cause[i] != STORE) {
                page.accept(cause[i]);
            }
        }
    }

    /**
     * Compares what the stores of this log, which is undone, had left with what those of {@code other} have left, which has been filled
     * since from the same memory: everything that either wrote. Afterwards memory is as it was before.
     */
    public void compare(WriteLog other, Difference difference) {
        if (stores == 0 && other.stores == 0) {
            return;
        }
        other.undo(other.count, other.stores);
        other.noteLeft();
        for (int i = 0; i < stores; i++) {
            long now = HostMemory.get(host[i], size[i]);
            if (cause[i] == STORE && now != left[i]) {
                difference.found(host[i], size[i], left[i], now);
            }
        }
        other.undo(other.stores, 0);
        redo(stores);
        for (int i = 0; i < other.stores; i++) {
            long now = HostMemory.get(other.host[i], other.size[i]);
            if (other.cause[i] == STORE && now != other.left[i]) {
                difference.found(other.host[i], other.size[i], now, other.left[i]);
            }
        }
        undo(stores, 0);
        other.redo(other.count);
    }

    private void noteLeft() {
        for (int i = 0; i < stores; i++) {
            left[i] = HostMemory.get(host[i], size[i]);
        }
    }

    private void undo(int from, int to) {
        for (int i = from - 1; i >= to; i--) {
            exchange(i);
        }
    }

    private void redo(int to) {
        for (int i = 0; i < to; i++) {
            exchange(i);
        }
    }

    private void exchange(int i) {
        long now = HostMemory.get(host[i], size[i]);
        HostMemory.put(host[i], size[i], content[i]);
        content[i] = now;
    }
}
