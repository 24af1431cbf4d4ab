package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The header of a dynamic VHD (Virtual Hard Disk Image Format Specification 1.0, "Dynamic Disk Header Format"): where the block
 * allocation table is. All that ever changes is in its first sector.
 */
final class VhdHeader {
    static final int BYTES = 1024;
    static final int DEFAULT_BLOCK = 2 << 20;

    private static final byte[] COOKIE = "cxsparse".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 0x10000;
    private static final int AT_TABLE = 16;
    private static final int AT_ENTRIES = 28;
    private static final int AT_CHECKSUM = 36;
    private static final int MAX_BLOCK = 256 << 20;
    private static final int MAX_ENTRIES = 1 << 24;

    private final ByteBuffer bytes;
    private final long offset;

    private VhdHeader(ByteBuffer bytes, long offset) {
        this.bytes = bytes;
        this.offset = offset;
    }

    /** Makes the header of a new disk. */
    static VhdHeader create(long offset, long table, int entries, int blockBytes) {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES).put(0, COOKIE).putLong(8, -1).putInt(24, VERSION)
                .putInt(32, blockBytes);
        VhdHeader header = new VhdHeader(bytes, offset);
        header.setTable(table, entries);
        return header;
    }

    /** Reads and checks the header for a disk of {@code size} bytes. */
    static VhdHeader read(Store store, long offset, long size) throws IOException {
        if (offset < 0 || offset > store.size() - BYTES) {
            throw new DiskException(store.name(), "the file is cut off: its header is not within it");
        }
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        store.read(offset, bytes);
        if (!bytes.slice(0, COOKIE.length).equals(ByteBuffer.wrap(COOKIE))) {
            throw new DiskException(store.name(), "it has no header of a dynamic VHD where its footer says");
        }
        if (bytes.getInt(AT_CHECKSUM) != VhdFooter.checksum(bytes, AT_CHECKSUM)) {
            throw new DiskException(store.name(), "the checksum of its header is wrong");
        }
        VhdHeader header = new VhdHeader(bytes, offset);
        header.check(store, size);
        return header;
    }

    private void check(Store store, long size) throws IOException {
        int block = blockBytes();
        if (Integer.bitCount(block) != 1 || block < DiskImage.SECTOR_BYTES || block > MAX_BLOCK) {
            throw new DiskException(store.name(), "blocks of " + Integer.toUnsignedString(block)
                    + " bytes are not supported");
        }
        long needed = (size + block - 1) / block;
        if (Integer.toUnsignedLong(entries()) < needed) {
            throw new DiskException(store.name(), "its block allocation table is too small for the disk's size");
        }
        long entries = Integer.toUnsignedLong(entries());
        if (entries > MAX_ENTRIES) {
            throw new DiskException(store.name(), "its block allocation table of " + entries
                    + " entries is larger than supported");
        }
        if (table() < 0 || table() % DiskImage.SECTOR_BYTES != 0 || table() > store.size() - entries * Integer.BYTES) {
            throw new DiskException(store.name(), "the file is cut off: its block allocation table is not within it");
        }
    }

    long offset() {
        return offset;
    }

    /** Returns where the block allocation table is. */
    long table() {
        return bytes.getLong(AT_TABLE);
    }

    /** Returns how many entries the table has room for. */
    int entries() {
        return bytes.getInt(AT_ENTRIES);
    }

    int blockBytes() {
        return bytes.getInt(32);
    }

    /** Returns how many bytes the bitmap of a block's sectors takes: a bit each, in whole sectors. */
    int bitmapBytes() {
        int bytes = Math.max(1, blockBytes() / DiskImage.SECTOR_BYTES / Byte.SIZE);
        return bytes + DiskImage.SECTOR_BYTES - 1 & -DiskImage.SECTOR_BYTES;
    }

    void setTable(long table, int entries) {
        bytes.putLong(AT_TABLE, table).putInt(AT_ENTRIES, entries);
        bytes.putInt(AT_CHECKSUM, VhdFooter.checksum(bytes, AT_CHECKSUM));
    }

    void write(Store store) throws IOException {
        store.write(offset, bytes.duplicate().clear());
    }
}
