package dev.xenolith.device.pci;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * The MSI-X capability (PCI Local Bus Specification 3.0, 6.8.2) and its two structures in memory: the table with an entry of 16 bytes per
 * vector, and the bits of those that wait.
 */
public final class Msix implements Saveable {
    /** Its id, and bytes in configuration space. */
    public static final int ID = 0x11;
    public static final int SIZE = 12;

    private static final int CONTROL = 2;
    private static final int TABLE = 4;
    private static final int PENDING = 8;
    private static final int CONTROL_MASK_ALL = 1 << 14;
    private static final int CONTROL_ENABLE = 1 << 15;
    private static final int MAX_VECTORS = 2048;
    /** Words of an entry: address, upper half of it, data, control. */
    private static final int WORDS = 4;
    private static final int WORD_DATA = 2;
    private static final int WORD_CONTROL = 3;
    private static final int VECTOR_MASKED = 1;

    private final ConfigSpace config;
    private final int offset;
    private final MessageSink sink;
    private final int[] table;
    private final long[] pending;

    /**
     * Adds the capability to {@code config} at {@code offset}; the function maps {@link #table} and {@link #pending} where it says here.
     *
     * @param vectors 1 to 2048
     * @param bar whose memory holds both structures
     * @param tableOffset where in it the table is, a multiple of 8; {@code pendingOffset} the same of the pending bits
     */
    public Msix(ConfigSpace config, int offset, int vectors, int bar, int tableOffset, int pendingOffset,
            MessageSink sink) {
        if (vectors < 1 || vectors > MAX_VECTORS) {
            throw new IllegalArgumentException("MSI-X of " + vectors + " vectors");
        }
        this.config = config;
        this.offset = offset;
        this.sink = sink;
        table = new int[vectors * WORDS];
        pending = new long[vectors + Long.SIZE - 1 >>> 6];
        for (int vector = 0; vector < vectors; vector++) {
            table[vector * WORDS + WORD_CONTROL] = VECTOR_MASKED;
        }
        config.capability(ID, offset).set(offset + CONTROL, 2, vectors - 1)
                .allow(offset + CONTROL, 2, CONTROL_ENABLE | CONTROL_MASK_ALL)
                .set(offset + TABLE, 4, tableOffset | bar).set(offset + PENDING, 4, pendingOffset | bar)
                .onWrite((register, size) -> deliverPending());
    }

    /** Bytes of the table. */
    public int tableSize() {
        return table.length * Integer.BYTES;
    }

    /** Bytes of the pending bits. */
    public int pendingSize() {
        return pending.length * Long.BYTES;
    }

    /** Whether software has chosen this way to be interrupted. */
    public boolean isEnabled() {
        return (config.get(offset + CONTROL, 2) & CONTROL_ENABLE) != 0;
    }

    private boolean isMasked(int vector) {
        return (config.get(offset + CONTROL, 2) & CONTROL_MASK_ALL) != 0
                || (table[vector * WORDS + WORD_CONTROL] & VECTOR_MASKED) != 0;
    }

    /** Sends the message of {@code vector}, from 0; one that is masked waits. Does nothing while this is not enabled. */
    public void raise(int vector) {
        if (!isEnabled() || vector < 0 || vector >= table.length / WORDS) {
            return;
        }
        if (isMasked(vector)) {
            pending[vector >>> 6] |= 1L << vector;
            return;
        }
        pending[vector >>> 6] &= ~(1L << vector);
        int entry = vector * WORDS;
        sink.write(table[entry] & ~3L & 0xffff_ffffL | (long) table[entry + 1] << 32, table[entry + WORD_DATA]);
    }

    private void deliverPending() {
        if (!isEnabled()) {
            return;
        }
        for (int word = 0; word < pending.length; word++) {
            for (long rest = pending[word]; rest != 0; rest &= rest - 1) {
                int vector = word << 6 | Long.numberOfTrailingZeros(rest);
                if (!isMasked(vector)) {
                    raise(vector);
                }
            }
        }
    }

    /** The table, for aligned accesses of 4 and 8 bytes; others read as zero and write nothing. */
    public MmioDevice table() {
        return new MmioDevice() {
            @Override
            public long read(long at, int size) {
                int word = (int) at >>> 2;
                if (size < 4 || (at & size - 1) != 0 || word >= table.length) {
                    return 0;
                }
                return size == 4 ? table[word] : table[word] & 0xffff_ffffL | (long) table[word + 1] << 32;
            }

            @Override
            public void write(long at, int size, long value) {
                int word = (int) at >>> 2;
                if (size < 4 || (at & size - 1) != 0 || word >= table.length) {
                    return;
                }
                put(word, (int) value);
                if (size == 8) {
                    put(word + 1, (int) (value >>> 32));
                }
                deliverPending();
            }

            private void put(int word, int value) {
                table[word] = (word & WORDS - 1) == WORD_CONTROL ? value & VECTOR_MASKED : value;
            }
        };
    }

    /** The pending bits, read-only. */
    public MmioDevice pending() {
        return new MmioDevice() {
            @Override
            public long read(long at, int size) {
                int word = (int) at >>> 3;
                return (at & size - 1) != 0 || word >= pending.length ? 0 : pending[word] >>> (at & 7) * 8;
            }

            @Override
            public void write(long at, int size, long value) {
                // "Software should never write".
            }
        };
    }

    @Override
    public String stateName() {
        return "msix";
    }

    @Override
    public void save(StateWriter out) {
        out.put("table", table).put("pending", pending);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get("table", table);
        in.get("pending", pending);
    }
}
