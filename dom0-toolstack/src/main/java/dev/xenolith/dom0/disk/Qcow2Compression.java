package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/** Reads compressed clusters: a raw deflate stream (RFC 1951) each, in whole sectors of 512 bytes less what precedes it. */
final class Qcow2Compression {
    private final Store store;
    private final Qcow2Header header;
    /** How many bits of an entry are the offset in the file, in bytes; the rest up to bit 61 counts further sectors. */
    private final int offsetBits;
    /** The latest cluster: reads come in pieces. */
    private long latest;
    private byte @Nullable [] contents;

    Qcow2Compression(Store store, Qcow2Header header) {
        this.store = store;
        this.header = header;
        offsetBits = 62 - (header.clusterBits - 8);
    }

    /** Returns where in the file a compressed cluster begins. */
    long start(long entry) {
        return entry & (1L << offsetBits) - 1;
    }

    /** Returns how many bytes it takes at most. */
    int length(long entry) {
        int sectors = (int) ((entry & ~Qcow2Map.COPIED & ~Qcow2Map.COMPRESSED) >>> offsetBits) + 1;
        return sectors * DiskImage.SECTOR_BYTES - (int) (start(entry) & DiskImage.SECTOR_BYTES - 1);
    }

    /** Reads what is at {@code within} of the cluster. */
    void read(long entry, int within, ByteBuffer target) throws IOException {
        byte[] cluster = contents;
        if (cluster == null || latest != entry) {
            cluster = inflate(entry);
            contents = cluster;
            latest = entry;
        }
        target.put(cluster, within, target.remaining());
    }

    private byte[] inflate(long entry) throws IOException {
        long size = store.size();
        if (start(entry) >= size) {
            throw new DiskException(store.name(), "a compressed cluster at 0x" + Long.toHexString(start(entry))
                    + " is not within the file");
        }
        // The last one of a file ends with its stream, not with a sector.
        byte[] stored = new byte[(int) Math.min(length(entry), size - start(entry))];
        store.read(start(entry), ByteBuffer.wrap(stored));
        byte[] cluster = new byte[header.clusterBytes()];
        Inflater inflater = new Inflater(true);
        try {
            // The extra byte is what zlib wants behind a stream without a header.
            inflater.setInput(Arrays.copyOf(stored, stored.length + 1));
            int length = 0;
            while (length < cluster.length) {
                int count = inflater.inflate(cluster, length, cluster.length - length);
                if (count == 0) {
                    throw new DiskException(store.name(), "the compressed cluster at 0x"
                            + Long.toHexString(start(entry)) + " ends too early");
                }
                length += count;
            }
            return cluster;
        } catch (DataFormatException e) {
            throw new DiskException(store.name(), "the compressed cluster at 0x" + Long.toHexString(start(entry))
                    + " is damaged: " + e.getMessage());
        } finally {
            inflater.end();
        }
    }
}
