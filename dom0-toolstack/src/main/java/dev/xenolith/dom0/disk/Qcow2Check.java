package dev.xenolith.dom0.disk;

import static dev.xenolith.dom0.disk.Qcow2Map.COMPRESSED;
import static dev.xenolith.dom0.disk.Qcow2Map.COPIED;
import static dev.xenolith.dom0.disk.Qcow2Map.OFFSET;

import dev.xenolith.dom0.disk.CheckReport.Repair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares a qcow2 image's refcounts with what its tables point to. Each table is read once, however often something points to it,
 * so that the work is bounded by the file's size.
 */
final class Qcow2Check {
    private static final int MAX_ERRORS = 100;
    private static final long BITMAPS = 1;
    private static final int SNAPSHOT_BYTES = 40;

    private final Store store;
    private final Qcow2Header header;
    private final Qcow2Compression compression;
    private final int blockBits;
    private final long fileClusters;
    private final List<String> errors = new ArrayList<>();
    private long errorCount;
    /** Errors of refcounts and of flags that follow from them, which can be mended. */
    private long mendable;
    private long leaks;
    private long snapshotTableBytes;

    /** Where an L1 table is. */
    private record L1(long offset, int size) {
    }

    /** A cluster whose refcount is not what it is to be. */
    @FunctionalInterface
    private interface Difference {
        void found(long cluster, long refcount, int uses) throws IOException;
    }

    Qcow2Check(Store store, Qcow2Header header) {
        this.store = store;
        this.header = header;
        compression = new Qcow2Compression(store, header);
        blockBits = header.clusterBits + 3 - header.refcountOrder;
        fileClusters = header.clustersOf(sizeOrZero(store));
    }

    private static long sizeOrZero(Store store) {
        try {
            return store.size();
        } catch (IOException e) {
            // The first read says it again.
            return 0;
        }
    }

    CheckReport run(Repair repair) throws IOException {
        if ((header.autoclear & BITMAPS) != 0) {
            throw new DiskException(store.name(), "the check does not support persistent bitmaps");
        }
        Map<L1, Integer> roots = roots();
        Map<Long, Integer> tables = new HashMap<>();
        Qcow2References uses = countRoots(roots, tables);
        countTables(uses, tables);
        long broken = errorCount;
        Qcow2References withRefcounts = uses.copy();
        boolean refcountsBroken = countRefcounts(withRefcounts);
        long before = errorCount;
        compare(withRefcounts, (cluster, refcount, count) -> {
            if (refcount > count) {
                leaks++;
            } else {
                mendable++;
                error("the cluster at 0x" + Long.toHexString(cluster << header.clusterBits) + " is used " + count
                        + " times and counted " + refcount);
            }
        });
        refcountsBroken |= errorCount > before;
        flags(withRefcounts, false);
        long found = errorCount;
        long foundLeaks = leaks;
        if (repair == Repair.ALL && (refcountsBroken || mendable > 0)) {
            if (refcountsBroken) {
                new Qcow2Rebuild(store, header).run(uses);
                leaks = 0;
                withRefcounts = uses;
            }
            flags(withRefcounts, true);
            errorCount = broken;
        }
        if (repair != Repair.NONE && leaks > 0 && broken == 0 && (!refcountsBroken || repair == Repair.ALL)) {
            endLeaks(withRefcounts);
        }
        if (repair == Repair.ALL && errorCount == 0 && header.incompatible != 0) {
            header.incompatible = 0;
            header.writeFields(store);
            store.force();
        }
        return new CheckReport(List.copyOf(errors), errorCount, leaks, found - errorCount, foundLeaks - leaks,
                notes(broken));
    }

    private List<String> notes(long broken) {
        List<String> notes = new ArrayList<>();
        if ((header.incompatible & Qcow2Header.DIRTY) != 0) {
            notes.add("the image is marked as dirty: whoever had it open did not close it");
        }
        if ((header.incompatible & Qcow2Header.CORRUPT) != 0) {
            notes.add("the image is marked as corrupt");
        }
        if (broken > 0 && leaks > 0) {
            notes.add("leaks are left alone as long as tables are damaged: what uses them may be missing");
        }
        return notes;
    }

    private void error(String text) {
        errorCount++;
        if (errors.size() < MAX_ERRORS) {
            errors.add(text);
        }
    }

    /** The L1 tables, of the disk and of its snapshots, and how often each is one. */
    private Map<L1, Integer> roots() throws IOException {
        Map<L1, Integer> roots = new HashMap<>();
        roots.put(new L1(header.l1Offset, header.l1Size), 1);
        long at = header.snapshotsOffset;
        ByteBuffer entry = ByteBuffer.allocate(SNAPSHOT_BYTES);
        for (int i = 0; i < header.snapshots; i++) {
            if (at < 0 || at + SNAPSHOT_BYTES > store.size()) {
                throw new DiskException(store.name(), "its table of snapshots is not within the file");
            }
            store.read(at, entry.clear());
            long offset = entry.getLong(0);
            int size = entry.getInt(8);
            if (offset < 0 || size < 0 || (long) size * Long.BYTES > Qcow2Header.MAX_L1_BYTES
                    || offset + (long) size * Long.BYTES > store.size() || isUnaligned(offset)) {
                error("the L1 table of snapshot " + i + " is not within the file");
            } else {
                roots.merge(new L1(offset, size), 1, Integer::sum);
            }
            long length = SNAPSHOT_BYTES + Integer.toUnsignedLong(entry.getInt(36)) + (entry.getShort(12) & 0xffff)
                    + (entry.getShort(14) & 0xffff);
            at += length + 7 & -8;
        }
        snapshotTableBytes = at - header.snapshotsOffset;
        return roots;
    }

    private Qcow2References countRoots(Map<L1, Integer> roots, Map<Long, Integer> tables) throws IOException {
        Qcow2References uses = new Qcow2References(store.name());
        count(uses, 0, header.clusterBytes(), 1, "the header");
        if (snapshotTableBytes > 0) {
            count(uses, header.snapshotsOffset, snapshotTableBytes, 1, "the table of snapshots");
        }
        for (Map.Entry<L1, Integer> root : roots.entrySet()) {
            L1 l1 = root.getKey();
            count(uses, l1.offset, (long) l1.size * Long.BYTES, root.getValue(), "an L1 table");
            ByteBuffer bytes = ByteBuffer.allocate(l1.size * Long.BYTES);
            store.read(l1.offset, bytes);
            for (int i = 0; i < l1.size; i++) {
                long entry = bytes.getLong(i * Long.BYTES);
                long offset = entry & OFFSET;
                if (entry == 0) {
                    continue;
                }
                if (offset == 0 || isUnaligned(offset) || offset >= store.size()) {
                    error("entry " + i + " of an L1 table, " + Long.toHexString(entry) + ", is no place of a table");
                } else {
                    tables.merge(offset, root.getValue(), Integer::sum);
                }
            }
        }
        return uses;
    }

    private void countTables(Qcow2References uses, Map<Long, Integer> tables) throws IOException {
        for (Map.Entry<Long, Integer> each : tables.entrySet()) {
            long place = each.getKey();
            count(uses, place, header.clusterBytes(), each.getValue(), "an L2 table");
            Qcow2Table table = Qcow2Table.read(store, place, header.clusterBytes());
            for (int i = 0; i < header.clusterBytes() / Long.BYTES; i++) {
                long entry = table.get(i);
                String what = "entry " + i + " of the L2 table at 0x" + Long.toHexString(place);
                if ((entry & COMPRESSED) != 0) {
                    count(uses, compression.start(entry), compression.length(entry), each.getValue(), what);
                } else if ((entry & OFFSET) != 0) {
                    if (isUnaligned(entry & OFFSET)) {
                        error(what + ", " + Long.toHexString(entry) + ", is no place of a cluster");
                    } else {
                        count(uses, entry & OFFSET, header.clusterBytes(), each.getValue(), what);
                    }
                }
            }
        }
    }

    /** Adds what counts; returns whether that is damaged itself. */
    private boolean countRefcounts(Qcow2References uses) throws IOException {
        long before = errorCount;
        count(uses, header.refcountTableOffset, (long) header.refcountTableClusters << header.clusterBits, 1,
                "the refcount table");
        long[] table = refcountTable();
        for (int i = 0; i < table.length; i++) {
            if (table[i] != 0) {
                if (isBlock(table[i])) {
                    count(uses, table[i], header.clusterBytes(), 1, "a block of refcounts");
                } else {
                    error("entry " + i + " of the refcount table, " + Long.toHexString(table[i])
                            + ", is no place of a block");
                }
            }
        }
        mendable += errorCount - before;
        return errorCount > before;
    }

    private long[] refcountTable() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(header.refcountTableClusters << header.clusterBits);
        store.read(header.refcountTableOffset, bytes);
        long[] table = new long[bytes.capacity() / Long.BYTES];
        bytes.clear().asLongBuffer().get(table);
        return table;
    }

    private boolean isBlock(long offset) {
        return offset > 0 && !isUnaligned(offset) && offset >>> header.clusterBits < fileClusters;
    }

    private boolean isUnaligned(long offset) {
        return (offset & header.clusterBytes() - 1) != 0;
    }

    private void count(Qcow2References uses, long offset, long length, int times, String what) throws IOException {
        if (length == 0) {
            return;
        }
        long last = offset + length - 1 >>> header.clusterBits;
        if (last >= fileClusters) {
            error(what + " points behind the end of the file");
            return;
        }
        for (long cluster = offset >>> header.clusterBits; cluster <= last; cluster++) {
            uses.add(cluster, times);
        }
    }

    /** Finds clusters whose refcount is not the number of their uses. */
    private void compare(Qcow2References uses, Difference difference) throws IOException {
        long[] table = refcountTable();
        Map<Long, Boolean> seen = new HashMap<>();
        for (int i = 0; i < table.length; i++) {
            if (isBlock(table[i]) && seen.put(table[i], true) == null) {
                Qcow2Table block = Qcow2Table.read(store, table[i], header.clusterBytes());
                for (int k = 0; k < 1 << blockBits; k++) {
                    long cluster = ((long) i << blockBits) + k;
                    long refcount = block.get(k, header.refcountOrder);
                    int count = uses.get(cluster);
                    if (refcount != count) {
                        difference.found(cluster, refcount, count);
                    }
                }
            }
        }
        List<Long> uncounted = new ArrayList<>();
        uses.forEach((cluster, count) -> {
            long index = cluster >>> blockBits;
            if ((index >= table.length || !isBlock(table[(int) index])) && uncounted.size() <= MAX_ERRORS) {
                uncounted.add(cluster);
            }
        });
        for (long cluster : uncounted) {
            difference.found(cluster, 0, uses.get(cluster));
        }
    }

    /** Looks whether what the disk's tables say to be of nobody else is so, or makes it so. */
    private void flags(Qcow2References uses, boolean mend) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(header.l1Size * Long.BYTES);
        store.read(header.l1Offset, bytes);
        Map<Long, Boolean> seen = new HashMap<>();
        for (int i = 0; i < header.l1Size; i++) {
            long entry = bytes.getLong(i * Long.BYTES);
            long place = entry & OFFSET;
            if (place == 0 || isUnaligned(place) || place >= store.size() || seen.put(place, true) != null) {
                continue;
            }
            if (isMarkedWrong(uses, entry, "entry " + i + " of the L1 table", mend)) {
                store.write(header.l1Offset + (long) i * Long.BYTES,
                        ByteBuffer.allocate(Long.BYTES).putLong(0, entry ^ COPIED));
            }
            Qcow2Table table = Qcow2Table.read(store, place, header.clusterBytes());
            for (int k = 0; k < header.clusterBytes() / Long.BYTES; k++) {
                long cluster = table.get(k);
                if ((cluster & COMPRESSED) == 0 && (cluster & OFFSET) != 0 && !isUnaligned(cluster & OFFSET)
                        && isMarkedWrong(uses, cluster, "entry " + k + " of the L2 table at 0x"
                                + Long.toHexString(place), mend)) {
                    table.set(k, cluster ^ COPIED);
                }
            }
            if (table.dirty()) {
                table.write(store);
            }
        }
        if (mend) {
            store.force();
        }
    }

    /** Returns whether the entry's flag is to be turned over. */
    private boolean isMarkedWrong(Qcow2References uses, long entry, String what, boolean mend) {
        int count = uses.get((entry & OFFSET) >>> header.clusterBits);
        boolean wrong = count > 0 && count == 1 != ((entry & COPIED) != 0);
        if (wrong && !mend) {
            mendable++;
            error(what + " says that its cluster is " + (count == 1 ? "shared" : "not shared") + "; it is used "
                    + count + (count == 1 ? " time" : " times"));
        }
        return wrong && mend;
    }

    /** Lowers the refcounts of clusters that are used less often. */
    private void endLeaks(Qcow2References uses) throws IOException {
        long[] table = refcountTable();
        compare(uses, (cluster, refcount, count) -> {
            if (refcount > count) {
                long place = table[(int) (cluster >>> blockBits)];
                Qcow2Table block = Qcow2Table.read(store, place, header.clusterBytes());
                block.set((int) (cluster & (1L << blockBits) - 1), header.refcountOrder, count);
                block.write(store);
                leaks--;
            }
        });
        store.force();
    }
}
