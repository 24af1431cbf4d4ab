package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where each cluster of a qcow2 disk is: an L1 table of L2 tables. Changes are made in memory, and reach the file in
 * {@link #commit}, in such an order that a power cut at any moment leaves an image without errors, in which at worst clusters are
 * counted that nothing uses.
 */
final class Qcow2Map {
    /** What to do about metadata that contradict each other. */
    static final String CHECK_IT = "'xenolith disk check' tells more";

    /** The cluster is of nobody else, and may be written in place (bit 63 of an entry). */
    static final long COPIED = 1L << 63;
    static final long COMPRESSED = 1L << 62;
    /** The cluster reads as zeroes, whatever its offset (version 3). */
    static final long ZERO = 1;
    static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

    private static final int CACHED_BYTES = 4 << 20;
    private static final int CACHED_LEAST = 8;

    private final Store store;
    private final Qcow2Header header;
    private final Qcow2Refcounts refcounts;
    private final Map<Integer, Qcow2Table> tables = new LinkedHashMap<>(16, 0.75f, true);
    private final BitSet dirtyEntries = new BitSet();
    private long[] l1;

    /** Reads the L1 table. */
    Qcow2Map(Store store, Qcow2Header header, Qcow2Refcounts refcounts) throws IOException {
        this.store = store;
        this.header = header;
        this.refcounts = refcounts;
        l1 = new long[header.l1Size];
        ByteBuffer bytes = ByteBuffer.allocate(l1.length * Long.BYTES);
        store.read(header.l1Offset, bytes);
        bytes.clear().asLongBuffer().get(l1);
    }

    /** Returns the L2 entry for the cluster of the disk's byte {@code offset}, 0 if there is none. */
    long get(long offset) throws IOException {
        Qcow2Table table = table(l1Index(offset));
        return table == null ? 0 : table.get(l2Index(offset));
    }

    /** Changes the L2 entry for the cluster of the disk's byte {@code offset}. */
    void set(long offset, long entry) throws IOException {
        int index = l1Index(offset);
        Qcow2Table table = table(index);
        if (table == null) {
            table = Qcow2Table.fresh(refcounts.allocate(), header.clusterBytes());
            put(index, table);
        } else if ((l1[index] & COPIED) == 0) {
            long shared = table.offset();
            table = table.copyTo(refcounts.allocate());
            put(index, table);
            refcounts.release(shared, header.clusterBytes());
        }
        table.set(l2Index(offset), entry);
    }

    /** Returns the bytes of the disk that an L2 table maps. */
    long tableReach() {
        return (long) header.clusterBytes() << header.clusterBits - 3;
    }

    /** Keeps what is in memory only within bounds. Not to be called in the middle of a change. */
    void trim() throws IOException {
        int most = Math.max(CACHED_LEAST, CACHED_BYTES >> header.clusterBits);
        if (tables.size() > most) {
            dropClean(most * 3 / 4);
        }
        if (tables.size() > most || refcounts.isFull()) {
            commit();
            dropClean(most * 3 / 4);
        }
    }

    /**
     * Has everything on stable storage. At each moment what the file points to is there and counted: first counts and tables that
     * nothing points to yet, then what points to them, and last the end of what was pointed to before.
     */
    void commit() throws IOException {
        boolean counted = refcounts.writeBlocks();
        for (Qcow2Table table : tables.values()) {
            if (table.fresh() && table.dirty()) {
                table.write(store);
            }
        }
        // This is also the moment from which on data is there.
        store.force();
        if (counted) {
            refcounts.blocksAreStored();
        }
        for (Qcow2Table table : tables.values()) {
            if (table.fresh()) {
                table.clean();
            }
        }
        if (refcounts.writeTable()) {
            store.force();
            refcounts.tableIsStored();
        }
        if (writeMap()) {
            store.force();
            dirtyEntries.clear();
            tables.values().forEach(Qcow2Table::clean);
        }
        List<Long> free = refcounts.endReleased();
        if (refcounts.writeBlocks()) {
            store.force();
            refcounts.blocksAreStored();
        }
        CheckedImage.punchAll(store, free, header.clusterBytes());
    }

    /** Gives the L1 table room for a disk of {@code bytes}. The header says so after the next {@link #commit}. */
    void reserve(long bytes) throws IOException {
        long entries = header.l1EntriesFor(bytes);
        if (entries > Qcow2Header.MAX_L1_BYTES / Long.BYTES) {
            throw new DiskException(store.name(), "a disk of " + bytes + " bytes is too large for clusters of "
                    + header.clusterBytes());
        }
        if (entries <= l1.length) {
            return;
        }
        commit();
        long clusters = header.clustersOf(entries * Long.BYTES);
        long place = refcounts.allocateRun(clusters);
        ByteBuffer longer = ByteBuffer.allocate((int) (clusters << header.clusterBits));
        longer.asLongBuffer().put(l1);
        store.write(place, longer);
        // Counted and stored; then one sector says where it is.
        commit();
        refcounts.release(header.l1Offset, Math.max(1, (long) l1.length * Long.BYTES));
        l1 = Arrays.copyOf(l1, (int) entries);
        header.l1Offset = place;
        header.l1Size = l1.length;
        header.writeFields(store);
        store.force();
        commit();
    }

    /** Writes where tables are, and what has changed in those that the file pointed to already. Returns whether there was something. */
    private boolean writeMap() throws IOException {
        boolean any = !dirtyEntries.isEmpty();
        for (int index = dirtyEntries.nextSetBit(0); index >= 0; index = dirtyEntries.nextSetBit(index + 1)) {
            // From here on the file may point to it, whether we hear that it does or not.
            Qcow2Table table = tables.get(index);
            if (table != null) {
                table.noLongerFresh();
            }
            store.write(header.l1Offset + (long) index * Long.BYTES,
                    ByteBuffer.allocate(Long.BYTES).putLong(0, l1[index]));
        }
        for (Qcow2Table table : tables.values()) {
            if (table.dirty()) {
                table.write(store);
                any = true;
            }
        }
        return any;
    }

    private void put(int index, Qcow2Table table) {
        tables.put(index, table);
        l1[index] = table.offset() | COPIED;
        dirtyEntries.set(index);
    }

    private @Nullable Qcow2Table table(int index) throws IOException {
        Qcow2Table table = tables.get(index);
        if (table == null && l1[index] != 0) {
            long offset = l1[index] & OFFSET;
            if ((offset & header.clusterBytes() - 1) != 0 || offset == 0 || offset >= store.size()) {
                throw new DiskException(store.name(), "entry " + index + " of the L1 table, "
                        + Long.toHexString(l1[index]) + ", is no place of a table in the file; " + CHECK_IT);
            }
            table = Qcow2Table.read(store, offset, header.clusterBytes());
            tables.put(index, table);
        }
        return table;
    }

    private void dropClean(int most) {
        Iterator<Map.Entry<Integer, Qcow2Table>> eldest = tables.entrySet().iterator();
        while (tables.size() > most && eldest.hasNext()) {
            Map.Entry<Integer, Qcow2Table> entry = eldest.next();
            if (!entry.getValue().dirty() && !dirtyEntries.get(entry.getKey())) {
                eldest.remove();
            }
        }
    }

    private int l1Index(long offset) {
        return (int) (offset >>> 2 * header.clusterBits - 3);
    }

    private int l2Index(long offset) {
        return (int) (offset >>> header.clusterBits) & (1 << header.clusterBits - 3) - 1;
    }
}
