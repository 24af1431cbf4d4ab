package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.TreeMap;

/**
 * Writes a qcow2 image's refcounts anew, behind everything that is in the file, and lets the header point to them when they are
 * on stable storage: for a new image, and for one whose refcounts are wrong.
 */
final class Qcow2Rebuild {
    private final Store store;
    private final Qcow2Header header;
    private final int blockBits;

    Qcow2Rebuild(Store store, Qcow2Header header) {
        this.store = store;
        this.header = header;
        blockBits = header.clusterBits + 3 - header.refcountOrder;
    }

    /** Lays out a new image in an empty store; what it is to be says {@code header}. */
    static void create(Store store, Qcow2Header header) throws IOException {
        long entries = header.l1EntriesFor(header.size);
        if (entries > Qcow2Header.MAX_L1_BYTES / Long.BYTES) {
            throw new DiskException(store.name(), "a disk of " + header.size + " bytes is too large for clusters of "
                    + header.clusterBytes());
        }
        header.l1Size = (int) entries;
        header.l1Offset = header.clusterBytes();
        header.writeAll(store);
        long clusters = 1 + Math.max(1, header.clustersOf(entries * Long.BYTES));
        store.resize(clusters << header.clusterBits);
        Qcow2References uses = new Qcow2References(store.name());
        for (long cluster = 0; cluster < clusters; cluster++) {
            uses.add(cluster, 1);
        }
        new Qcow2Rebuild(store, header).run(uses);
    }

    /**
     * Writes refcounts that say what {@code uses} says, and that they themselves are in use.
     *
     * @param uses without those of the refcounts; they are added
     */
    void run(Qcow2References uses) throws IOException {
        long most = header.refcountOrder == 6 ? Long.MAX_VALUE : (1L << (1 << header.refcountOrder)) - 1;
        TreeMap<Long, Qcow2Table> blocks = new TreeMap<>();
        uses.forEach((cluster, count) -> {
            if (count > most) {
                throw new DiskException(store.name(), "a cluster is used " + count
                        + " times, for which its refcounts are too narrow");
            }
            blocks.put(cluster >>> blockBits, Qcow2Table.fresh(0, header.clusterBytes()));
        });
        long end = header.clustersOf(store.size());
        long tableClusters = 0;
        long taken;
        do {
            // What is to be counted grows with what counts it.
            taken = tableClusters + blocks.size();
            for (long cluster = end; cluster < end + taken; cluster++) {
                blocks.putIfAbsent(cluster >>> blockBits, Qcow2Table.fresh(0, header.clusterBytes()));
            }
            tableClusters = header.clustersOf((blocks.isEmpty() ? 1 : blocks.lastKey() + 1) * Long.BYTES);
        } while (taken < tableClusters + blocks.size());
        if (tableClusters << header.clusterBits > Qcow2Header.MAX_REFCOUNT_TABLE_BYTES) {
            throw new DiskException(store.name(), "the image is too large for clusters of " + header.clusterBytes());
        }
        for (long cluster = end; cluster < end + taken; cluster++) {
            uses.add(cluster, 1);
        }
        uses.forEach((cluster, count) -> blocks
                .computeIfAbsent(cluster >>> blockBits, any -> Qcow2Table.fresh(0, header.clusterBytes()))
                .set((int) (cluster & (1L << blockBits) - 1), header.refcountOrder, count));
        ByteBuffer table = ByteBuffer.allocate((int) (tableClusters << header.clusterBits));
        long place = end + tableClusters << header.clusterBits;
        for (var block : blocks.entrySet()) {
            table.putLong((int) (block.getKey() * Long.BYTES), place);
            block.getValue().copyTo(place).write(store);
            place += header.clusterBytes();
        }
        store.write(end << header.clusterBits, table);
        store.force();
        header.refcountTableOffset = end << header.clusterBits;
        header.refcountTableClusters = (int) tableClusters;
        header.writeFields(store);
        store.force();
    }
}
