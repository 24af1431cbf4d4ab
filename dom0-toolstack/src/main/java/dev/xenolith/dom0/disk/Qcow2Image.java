package dev.xenolith.dom0.disk;

import static dev.xenolith.dom0.disk.Qcow2Map.COMPRESSED;
import static dev.xenolith.dom0.disk.Qcow2Map.COPIED;
import static dev.xenolith.dom0.disk.Qcow2Map.OFFSET;
import static dev.xenolith.dom0.disk.Qcow2Map.ZERO;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A qcow2 image, of version 2 or 3: clusters that are stored, compressed, known to be zero, or those of the image below. Clusters
 * that others use too, internal snapshots or compressed neighbours, are copied when they are written to.
 */
final class Qcow2Image extends CheckedImage {
    private static final int PIECE = 1 << 20;

    private final Qcow2Header header;
    private final Qcow2Refcounts refcounts;
    private final Qcow2Map map;
    private final Qcow2Compression compression;
    private final @Nullable DiskImage backing;
    private long size;

    /** Where clusters in a row are: how the first one's entry reads, and how many bytes go on like that. */
    private record Run(long entry, long length) {
        boolean stored() {
            return (entry & (COMPRESSED | ZERO)) == 0 && (entry & OFFSET) != 0;
        }

        boolean compressed() {
            return (entry & COMPRESSED) != 0;
        }

        boolean zero() {
            return (entry & (COMPRESSED | ZERO)) == ZERO;
        }

        /** May be written where it is. */
        boolean own() {
            return stored() && (entry & COPIED) != 0;
        }

        long offset() {
            return entry & OFFSET;
        }
    }

    /** Makes the image of a header that has been read; {@code backing} is closed with it. */
    Qcow2Image(Path file, Store store, OpenMode mode, Qcow2Header header, @Nullable DiskImage backing)
            throws IOException {
        super(file, DiskFormat.QCOW2, mode, store);
        this.header = header;
        this.backing = backing;
        size = sectors(header.size);
        refcounts = new Qcow2Refcounts(store, header, mode);
        map = new Qcow2Map(store, header, refcounts);
        compression = new Qcow2Compression(store, header);
        if (mode == OpenMode.READ_WRITE) {
            prepare();
        }
    }

    /** Sees to it that what is promised of the image will hold when it is written to. */
    private void prepare() throws IOException {
        if ((header.incompatible & Qcow2Header.CORRUPT) != 0) {
            throw problem("the image is marked as corrupt and can only be read; 'xenolith disk check --repair all' may"
                    + " mend it");
        }
        if (header.autoclear != 0) {
            // Of what describes the contents beside the map, such as dirty bitmaps, we keep nothing up to date.
            header.autoclear = 0;
            header.writeFields(store());
            store().force();
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    @Nullable
    String backingName() {
        return header.backingName;
    }

    @Override
    @Nullable
    DiskImage backing() {
        return backing;
    }

    @Override
    void describe(Map<String, Object> details) {
        details.put("version", (long) header.version);
        details.put("cluster size", (long) header.clusterBytes());
        details.put("refcount bits", 1L << header.refcountOrder);
        details.put("snapshots", (long) header.snapshots);
        details.put("dirty", (header.incompatible & Qcow2Header.DIRTY) != 0);
        details.put("corrupt", (header.incompatible & Qcow2Header.CORRUPT) != 0);
    }

    @Override
    void flushAll() throws IOException {
        map.commit();
    }

    @Override
    void readRange(long offset, ByteBuffer target) throws IOException {
        int end = target.limit();
        for (long at = offset; target.position() < end;) {
            map.trim();
            Run run = run(at, target.remaining());
            target.limit(target.position() + (int) run.length);
            readRun(run, at, target);
            target.limit(end);
            at += run.length;
        }
    }

    private void readRun(Run run, long at, ByteBuffer target) throws IOException {
        if (run.stored()) {
            store().read(place(run, at), target);
        } else if (run.compressed()) {
            compression.read(run.entry, within(at), target);
        } else if (run.zero() || backing == null) {
            fillWithZeroes(target);
        } else {
            readBacking(backing, at, target);
        }
    }

    /** Reads what is below, which may be shorter. */
    private static void readBacking(DiskImage below, long at, ByteBuffer target) throws IOException {
        int end = target.limit();
        target.limit(target.position() + Math.clamp(below.size() - at, 0, target.remaining()));
        if (target.hasRemaining()) {
            below.read(at, target);
        }
        target.limit(end);
        fillWithZeroes(target);
    }

    private static void fillWithZeroes(ByteBuffer target) {
        while (target.hasRemaining()) {
            target.put((byte) 0);
        }
    }

    @Override
    void writeRange(long offset, ByteBuffer source) throws IOException {
        int end = source.limit();
        for (long at = offset; source.position() < end;) {
            map.trim();
            Run run = run(at, source.remaining());
            long length = run.own() ? run.length : newLength(at, run);
            source.limit(source.position() + (int) length);
            try {
                if (run.own()) {
                    store().write(place(run, at), source);
                } else if (length < header.clusterBytes()) {
                    writeNewCluster(run, at, source);
                } else {
                    writeNewClusters(at, source);
                }
            } finally {
                source.limit(end);
            }
            at += length;
        }
    }

    /** How much of a run is written to new clusters at a time: a part of one, or whole ones. */
    private long newLength(long at, Run run) {
        long first = header.clusterBytes() - within(at);
        if (first < header.clusterBytes() || run.length < first) {
            return Math.min(first, run.length);
        }
        return Math.min(run.length, Math.max(PIECE, header.clusterBytes())) & -header.clusterBytes();
    }

    /** Writes a part of a cluster that is stored nowhere, or not for us alone. */
    private void writeNewCluster(Run run, long at, ByteBuffer source) throws IOException {
        long start = at - within(at);
        // A cluster that is set aside for us but reads as zeroes is as good as a new one.
        boolean aside = run.zero() && (run.entry & COPIED) != 0 && run.offset() != 0;
        boolean empty = run.zero() || run.entry == 0 && (backing == null || start >= backing.size());
        long place = aside ? place(run, start) : refcounts.allocate();
        try {
            if (empty && place >= store().size()) {
                // Behind the end of the file there are zeroes.
                store().write(place + within(at), source);
            } else {
                ByteBuffer cluster = ByteBuffer.allocate(header.clusterBytes());
                if (!empty) {
                    readRun(run, start, cluster);
                }
                cluster.position(within(at)).put(source);
                store().write(place, cluster.clear());
            }
            map.set(start, place | COPIED);
        } catch (IOException e) {
            if (!aside) {
                takeBack(place, e);
            }
            throw e;
        }
        if (!aside) {
            release(run.entry);
        }
    }

    /** Writes whole clusters that are stored nowhere, or not for us alone. */
    private void writeNewClusters(long at, ByteBuffer source) throws IOException {
        int end = source.limit();
        for (long cluster = at; source.position() < end;) {
            int wanted = (end - source.position()) >> header.clusterBits;
            long place = refcounts.allocate();
            int count = 1;
            while (count < wanted && refcounts.allocateAt(place + ((long) count << header.clusterBits))) {
                count++;
            }
            int done = 0;
            try {
                source.limit(source.position() + (count << header.clusterBits));
                store().write(place, source);
                for (; done < count; done++) {
                    long old = map.get(cluster);
                    map.set(cluster, place + ((long) done << header.clusterBits) | COPIED);
                    release(old);
                    cluster += header.clusterBytes();
                }
            } catch (IOException e) {
                for (int i = done; i < count; i++) {
                    takeBack(place + ((long) i << header.clusterBits), e);
                }
                throw e;
            } finally {
                source.limit(end);
            }
        }
    }

    private void takeBack(long place, IOException reason) {
        try {
            refcounts.giveBack(place);
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    /** Ends the use of what an entry that is there no more pointed to. */
    private void release(long entry) {
        if ((entry & COMPRESSED) != 0) {
            refcounts.release(compression.start(entry), compression.length(entry));
        } else if ((entry & OFFSET) != 0) {
            refcounts.release(entry & OFFSET, header.clusterBytes());
        }
    }

    @Override
    void zeroRange(long offset, long length) throws IOException {
        zeroUpTo(offset, offset + length);
    }

    private void zeroUpTo(long offset, long end) throws IOException {
        long at = offset;
        while (at < end) {
            map.trim();
            // What is behind the disk's end belongs to nobody, so its last cluster counts as whole.
            long next = Math.min(at - within(at) + header.clusterBytes(), end);
            long entry = map.get(at);
            boolean whole = within(at) == 0 && (next - at == header.clusterBytes() || next == size);
            if (isEmpty(entry, at)) {
                at = next;
                continue;
            }
            if (whole && header.hasZeroClusters()) {
                map.set(at, ZERO);
                release(entry);
            } else if (whole && !isBased(at)) {
                map.set(at, 0);
                release(entry);
            } else {
                writeRange(at, ByteBuffer.allocate((int) (next - at)));
            }
            at = next;
        }
    }

    @Override
    void discardRange(long offset, long length) throws IOException {
        long end = offset + length;
        for (long at = offset + header.clusterBytes() - 1 & -header.clusterBytes(); at < end; at += header
                .clusterBytes()) {
            map.trim();
            if (end - at < header.clusterBytes() && end != size) {
                return;
            }
            long entry = map.get(at);
            if (entry == 0 || entry == ZERO || isBased(at) && !header.hasZeroClusters()) {
                continue;
            }
            map.set(at, isBased(at) ? ZERO : 0);
            release(entry);
        }
    }

    /** Whether the cluster reads as zeroes and takes no space. */
    private boolean isEmpty(long entry, long at) {
        return entry == ZERO && header.hasZeroClusters() || entry == 0 && !isBased(at);
    }

    /** Whether there is something below at this place. */
    private boolean isBased(long at) {
        return backing != null && at - within(at) < backing.size();
    }

    @Override
    Extent extentOf(long offset, long length) throws IOException {
        map.trim();
        Run run = run(offset, length);
        if (run.stored() || run.compressed()) {
            return new Extent(Kind.DATA, run.length);
        }
        if (run.zero() || backing == null || offset >= backing.size()) {
            return new Extent(Kind.ZERO, run.length);
        }
        return backing.extent(offset, Math.min(run.length, backing.size() - offset));
    }

    /** Stores something, if only zeroes, in all clusters, so that none has to be found later. */
    void preallocate(boolean contents) throws IOException {
        long last = 0;
        for (long at = 0; at < size; at += header.clusterBytes()) {
            map.trim();
            if (map.get(at) == 0) {
                long place = refcounts.allocate();
                map.set(at, place | COPIED);
                last = Math.max(last, place + header.clusterBytes());
                if (contents) {
                    store().write(place, ByteBuffer.allocate(header.clusterBytes()));
                }
            }
        }
        if (store().size() < last) {
            store().resize(last);
        }
        map.commit();
    }

    /** Makes the disk longer or shorter. What is new reads as zeroes. */
    void resize(long bytes) throws IOException {
        if (bytes > size) {
            long from = size;
            map.reserve(bytes);
            size = bytes;
            if (backing != null && backing.size() > from) {
                zeroUpTo(from, Math.min(bytes, backing.size()));
            } else if (within(from) != 0) {
                // Whoever made the image may have left something behind its end.
                zeroUpTo(from, Math.min(bytes, from - within(from) + header.clusterBytes()));
            }
        } else {
            if (header.snapshots > 0) {
                throw problem("an image with snapshots cannot be made smaller");
            }
            long kept = bytes + header.clusterBytes() - 1 & -header.clusterBytes();
            if (within(bytes) != 0) {
                zeroUpTo(bytes, Math.min(size, kept));
            }
            for (long at = kept; at < size; at += header.clusterBytes()) {
                map.trim();
                long entry = map.get(at);
                if (entry != 0) {
                    map.set(at, 0);
                    release(entry);
                }
            }
            size = bytes;
        }
        map.commit();
        header.size = bytes;
        header.writeFields(store());
        store().force();
    }

    /** The entry for {@code at}, and how far it goes on like that, not further than {@code most}. */
    private Run run(long at, long most) throws IOException {
        long entry = check(map.get(at), at);
        Run first = new Run(entry, Math.min(most, header.clusterBytes() - within(at)));
        if (first.compressed()) {
            return first;
        }
        long length = first.length;
        long place = first.offset();
        // Not further than what one table maps, so that this is bounded, and the table is at hand.
        long reach = Math.min(most, map.tableReach() - (at & map.tableReach() - 1));
        while (length < reach) {
            long next = map.get(at + length);
            place += header.clusterBytes();
            if (first.stored() ? next != (entry & ~OFFSET | place) || place >= store().size() : next != entry) {
                break;
            }
            length += Math.min(most - length, header.clusterBytes());
        }
        return new Run(entry, length);
    }

    /** Lets pass what an entry of the map may be. */
    private long check(long entry, long at) throws IOException {
        if ((entry & COMPRESSED) == 0) {
            long offset = entry & OFFSET;
            boolean zero = (entry & ZERO) != 0;
            if ((offset & header.clusterBytes() - 1) != 0 || offset != 0 && offset >= store().size() && !zero
                    || zero && !header.hasZeroClusters()) {
                throw problem("the entry for offset " + at + " in its map, " + Long.toHexString(entry)
                        + ", makes no sense; " + Qcow2Map.CHECK_IT);
            }
        }
        return entry;
    }

    /** Where in the file the byte {@code at} of a run that begins in its cluster is. */
    private long place(Run run, long at) {
        return run.offset() + within(at);
    }

    private int within(long at) {
        return (int) (at & header.clusterBytes() - 1);
    }

    static long sectors(long bytes) {
        return bytes + SECTOR_BYTES - 1 & -SECTOR_BYTES;
    }
}
