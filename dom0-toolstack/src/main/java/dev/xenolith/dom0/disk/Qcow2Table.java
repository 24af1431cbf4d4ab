package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A cluster of a qcow2 image's metadata in memory, an L2 table or a block of refcounts, with what of it the file does not have. */
final class Qcow2Table {
    private static final int SECTOR = DiskImage.SECTOR_BYTES;

    private final long offset;
    private final ByteBuffer bytes;
    /** Nothing in the file points to it yet. */
    private boolean fresh;
    private int dirtyFrom;
    private int dirtyTo;

    private Qcow2Table(long offset, ByteBuffer bytes, boolean fresh) {
        this.offset = offset;
        this.bytes = bytes;
        this.fresh = fresh;
        dirtyFrom = fresh ? 0 : bytes.capacity();
        dirtyTo = fresh ? bytes.capacity() : 0;
    }

    static Qcow2Table read(Store store, long offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        store.read(offset, bytes);
        return new Qcow2Table(offset, bytes.clear(), false);
    }

    static Qcow2Table fresh(long offset, int length) {
        return new Qcow2Table(offset, ByteBuffer.allocate(length), true);
    }

    /** A table with the same entries in another place. */
    Qcow2Table copyTo(long place) {
        return new Qcow2Table(place, ByteBuffer.allocate(bytes.capacity()).put(bytes.duplicate().clear()).clear(),
                true);
    }

    long offset() {
        return offset;
    }

    boolean fresh() {
        return fresh;
    }

    void noLongerFresh() {
        fresh = false;
    }

    boolean dirty() {
        return dirtyFrom < dirtyTo;
    }

    /** Returns the entry {@code index} of 8 bytes. */
    long get(int index) {
        return bytes.getLong(index * Long.BYTES);
    }

    void set(int index, long value) {
        bytes.putLong(index * Long.BYTES, value);
        touch(index * Long.BYTES, (index + 1) * Long.BYTES);
    }

    /** Returns the entry {@code index} of 2^order bits; entries of less than a byte begin at its least significant bit. */
    long get(int index, int order) {
        return switch (order) {
            case 3 -> bytes.get(index) & 0xffL;
            case 4 -> bytes.getShort(index * 2) & 0xffffL;
            case 5 -> bytes.getInt(index * 4) & 0xffff_ffffL;
            case 6 -> bytes.getLong(index * 8);
            default -> bytes.get(index << order >>> 3) >>> (index << order & 7) & (1 << (1 << order)) - 1;
        };
    }

    void set(int index, int order, long value) {
        int at = (int) ((long) index << order >>> 3);
        switch (order) {
            case 3 -> bytes.put(at, (byte) value);
            case 4 -> bytes.putShort(at, (short) value);
            case 5 -> bytes.putInt(at, (int) value);
            case 6 -> bytes.putLong(at, value);
            default -> {
                int shift = index << order & 7;
                int mask = (1 << (1 << order)) - 1 << shift;
                bytes.put(at, (byte) (bytes.get(at) & ~mask | (int) value << shift));
            }
        }
        touch(at, at + Math.max(1, 1 << order >> 3));
    }

    /** Writes what the file does not have, in whole sectors. It has it for certain when {@link #clean} is called. */
    void write(Store store) throws IOException {
        int from = dirtyFrom & -SECTOR;
        int to = dirtyTo + SECTOR - 1 & -SECTOR;
        store.write(offset + from, bytes.slice(from, to - from));
    }

    void clean() {
        dirtyFrom = bytes.capacity();
        dirtyTo = 0;
    }

    private void touch(int from, int to) {
        dirtyFrom = Math.min(dirtyFrom, from);
        dirtyTo = Math.max(dirtyTo, to);
    }
}
