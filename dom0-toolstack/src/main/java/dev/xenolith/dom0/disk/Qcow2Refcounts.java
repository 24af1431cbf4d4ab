package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How often each cluster of a qcow2 image's file is in use: a table of blocks of refcounts. Clusters are taken in memory, and the
 * file hears of it in {@link Qcow2Map#commit}; clusters are given back in two steps, for as long as the file may still point to
 * one it must not be taken anew.
 */
final class Qcow2Refcounts {
    private static final int CACHED_BYTES = 2 << 20;
    private static final int CACHED_LEAST = 8;
    private static final int MAX_RELEASED = 1 << 14;

    private final Store store;
    private final Qcow2Header header;
    private final int blockBits;
    private final Map<Integer, Qcow2Table> blocks = new LinkedHashMap<>(16, 0.75f, true);
    /** Clusters that nothing in memory points to, but perhaps something in the file, with how many uses have ended. */
    private final Map<Long, Integer> released = new HashMap<>();
    private final BitSet dirtyEntries = new BitSet();
    /** Where the blocks are. */
    private long[] table;
    /** Whether the table is to be where the file's header does not look for it yet. */
    private boolean moved;
    /** The table's place in memory; what the header has is where it is in the file. */
    private long tableOffset;
    private int tableClusters;
    private int growths;
    /** No cluster below is free. */
    private long next;

    /** Reads the table when clusters are to be taken. */
    Qcow2Refcounts(Store store, Qcow2Header header, OpenMode mode) throws IOException {
        this.store = store;
        this.header = header;
        blockBits = header.clusterBits + 3 - header.refcountOrder;
        tableOffset = header.refcountTableOffset;
        tableClusters = header.refcountTableClusters;
        ByteBuffer bytes = ByteBuffer
                .allocate(mode == OpenMode.READ_ONLY ? 0 : tableClusters << header.clusterBits);
        store.read(tableOffset, bytes);
        table = new long[bytes.capacity() / Long.BYTES];
        bytes.clear().asLongBuffer().get(table);
    }

    /** Returns how often the cluster with the number {@code cluster} is in use, as far as the file may know. */
    long get(long cluster) throws IOException {
        long index = cluster >>> blockBits;
        if (index >= table.length || table[(int) index] == 0) {
            return 0;
        }
        return block((int) index).get(indexInBlock(cluster), header.refcountOrder);
    }

    /** Takes a cluster; returns its offset in the file. */
    long allocate() throws IOException {
        while (!takes(next)) {
            next++;
        }
        return next++ << header.clusterBits;
    }

    /** Takes the cluster at {@code offset} if it is free. */
    boolean allocateAt(long offset) throws IOException {
        return takes(offset >>> header.clusterBits);
    }

    /** Takes {@code count} clusters in a row. */
    long allocateRun(long count) throws IOException {
        long start;
        int seen;
        do {
            // A table that grows on the way takes clusters too, perhaps some of those that were found free.
            seen = growths;
            start = next;
            for (long cluster = start; cluster < start + count; cluster++) {
                long index = cluster >>> blockBits;
                if (cluster > start && index < table.length && table[(int) index] == 0) {
                    // Not at this cluster: a run that is longer than what a block counts would never be found.
                    addBlock((int) index, start);
                    start++;
                }
                if (!isFree(cluster)) {
                    start = cluster + 1;
                }
            }
        } while (seen != growths);
        for (long cluster = start; cluster < start + count; cluster++) {
            set(cluster, 1);
        }
        return start << header.clusterBits;
    }

    /** Takes a cluster back that neither the file nor memory points to. */
    void giveBack(long offset) throws IOException {
        long cluster = offset >>> header.clusterBits;
        set(cluster, 0);
        next = Math.min(next, cluster);
    }

    /** Ends one use of the clusters that {@code length} bytes at {@code offset} touch, once the file does not point there any more. */
    void release(long offset, long length) {
        long last = offset + length - 1 >>> header.clusterBits;
        for (long cluster = offset >>> header.clusterBits; cluster <= last; cluster++) {
            released.merge(cluster, 1, Integer::sum);
        }
    }

    /** Returns whether so much is in memory only that it is time for a commit. */
    boolean isFull() {
        return blocks.size() > 2 * cached() || released.size() > MAX_RELEASED;
    }

    /** Writes the blocks, and a table that has moved, to where the file does not look for it yet. Returns whether there was something. */
    boolean writeBlocks() throws IOException {
        boolean any = moved;
        for (Qcow2Table block : blocks.values()) {
            if (block.dirty()) {
                block.write(store);
                any = true;
            }
        }
        if (moved) {
            ByteBuffer bytes = ByteBuffer.allocate(tableClusters << header.clusterBits);
            bytes.asLongBuffer().put(table);
            store.write(tableOffset, bytes);
        }
        return any;
    }

    /** The blocks are on stable storage. */
    void blocksAreStored() {
        blocks.values().forEach(Qcow2Table::clean);
    }

    /** Has the file look for the blocks where they are. Returns whether there was something. */
    boolean writeTable() throws IOException {
        if (moved) {
            header.refcountTableOffset = tableOffset;
            header.refcountTableClusters = tableClusters;
            header.writeFields(store);
            return true;
        }
        for (int index = dirtyEntries.nextSetBit(0); index >= 0; index = dirtyEntries.nextSetBit(index + 1)) {
            store.write(tableOffset + (long) index * Long.BYTES,
                    ByteBuffer.allocate(Long.BYTES).putLong(0, table[index]));
        }
        return !dirtyEntries.isEmpty();
    }

    /** The table is on stable storage. */
    void tableIsStored() {
        moved = false;
        dirtyEntries.clear();
    }

    /** Nothing in the file points to released clusters any more. Returns the offsets of those that are not in use now. */
    List<Long> endReleased() throws IOException {
        List<Long> free = new ArrayList<>();
        for (Iterator<Map.Entry<Long, Integer>> uses = released.entrySet().iterator(); uses.hasNext();) {
            Map.Entry<Long, Integer> ended = uses.next();
            long cluster = ended.getKey();
            long left = get(cluster) - ended.getValue();
            if (left < 0) {
                throw wrong(cluster, "is used more often than they say");
            }
            set(cluster, left);
            uses.remove();
            if (left == 0) {
                next = Math.min(next, cluster);
                free.add(cluster << header.clusterBits);
            }
        }
        return free;
    }

    private boolean takes(long cluster) throws IOException {
        if (!isFree(cluster)) {
            return false;
        }
        set(cluster, 1);
        return true;
    }

    /** Returns whether a cluster may be taken. Sees to it that there is a block to count it, which may itself take the cluster. */
    private boolean isFree(long cluster) throws IOException {
        long index = cluster >>> blockBits;
        if (index >= table.length) {
            grow(index);
        }
        if (table[(int) index] == 0) {
            addBlock((int) index, cluster);
        }
        if (block((int) index).get(indexInBlock(cluster), header.refcountOrder) != 0) {
            return false;
        }
        long offset = cluster << header.clusterBits;
        if (offset == 0 || isWithin(offset, header.l1Offset, (long) header.l1Size * Long.BYTES)
                || isWithin(offset, header.refcountTableOffset,
                        (long) header.refcountTableClusters << header.clusterBits)) {
            throw wrong(cluster, "is in use and they say it is not");
        }
        return true;
    }

    private static boolean isWithin(long offset, long start, long length) {
        return offset >= start && offset < start + length;
    }

    /** Adds a block in the cluster {@code place}, which is free. */
    private void addBlock(int index, long place) throws IOException {
        Qcow2Table block = Qcow2Table.fresh(place << header.clusterBits, header.clusterBytes());
        blocks.put(index, block);
        table[index] = block.offset();
        dirtyEntries.set(index);
        set(place, 1);
    }

    /** Gives the table room for the block {@code index} and half as many again. */
    private void grow(long index) throws IOException {
        long clusters = header.clustersOf((index + index / 2 + 2) * Long.BYTES);
        if (clusters << header.clusterBits > Qcow2Header.MAX_REFCOUNT_TABLE_BYTES) {
            throw new DiskException(store.name(), "the image cannot become larger: its refcount table is full");
        }
        growths++;
        long oldOffset = tableOffset;
        int oldClusters = tableClusters;
        boolean oldUnknown = moved;
        table = Arrays.copyOf(table, (int) (clusters << header.clusterBits) / Long.BYTES);
        moved = true;
        tableClusters = (int) clusters;
        // With the longer table in place the blocks for its own clusters find their entries.
        tableOffset = allocateRun(clusters);
        if (oldUnknown) {
            for (int i = 0; i < oldClusters; i++) {
                giveBack(oldOffset + ((long) i << header.clusterBits));
            }
        } else {
            release(oldOffset, (long) oldClusters << header.clusterBits);
        }
    }

    private void set(long cluster, long count) throws IOException {
        block((int) (cluster >>> blockBits)).set(indexInBlock(cluster), header.refcountOrder, count);
    }

    private int indexInBlock(long cluster) {
        return (int) (cluster & (1L << blockBits) - 1);
    }

    private Qcow2Table block(int index) throws IOException {
        Qcow2Table block = blocks.get(index);
        if (block == null) {
            long offset = table[index];
            if ((offset & header.clusterBytes() - 1) != 0 || offset <= 0 || offset >= store.size()) {
                throw new DiskException(store.name(), "entry " + index + " of the refcount table, "
                        + Long.toHexString(offset) + ", is no place of a block in the file; "
                        + Qcow2Map.CHECK_IT);
            }
            makeRoom();
            block = Qcow2Table.read(store, offset, header.clusterBytes());
            blocks.put(index, block);
        }
        return block;
    }

    private int cached() {
        return Math.max(CACHED_LEAST, CACHED_BYTES >> header.clusterBits);
    }

    private void makeRoom() {
        Iterator<Qcow2Table> eldest = blocks.values().iterator();
        while (blocks.size() >= cached() && eldest.hasNext()) {
            if (!eldest.next().dirty()) {
                eldest.remove();
            }
        }
    }

    private DiskException wrong(long cluster, String problem) {
        return new DiskException(store.name(), "its refcounts are wrong: the cluster at 0x"
                + Long.toHexString(cluster << header.clusterBits) + ' ' + problem + "; " + Qcow2Map.CHECK_IT);
    }
}
