package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A dynamic VHD: blocks that are stored when something is written to them, each behind a bitmap of its sectors.
 *
 * <p>The file ends with the footer at each moment: it grows by several blocks at once, the new footer being on stable storage
 * before anything goes where the old one was. What is left of that is taken off when the image is closed. The block allocation
 * table points to a block once it is on stable storage.
 */
final class VhdDynamicImage extends CheckedImage {
    private static final int UNUSED = -1;
    private static final int GROWTH_BYTES = 16 << 20;
    private static final int CACHED_BITMAPS = 1024;

    private final VhdFooter footer;
    private final VhdHeader header;
    private final int blockBytes;
    private final int bitmapBytes;
    /** For each block the sector of the file where its bitmap is, or {@link #UNUSED}. */
    private int[] table;
    private final BitSet dirtyEntries = new BitSet();
    private final Map<Integer, byte[]> bitmaps = new HashMap<>();
    private final BitSet dirtyBitmaps = new BitSet();
    /** Places that the file's table may still point to, and places for blocks. */
    private final List<Long> released = new ArrayList<>();
    private final ArrayDeque<Long> free = new ArrayDeque<>();
    private long size;
    /** Where the next block goes if none is free. */
    private long next;
    private long footerAt;
    /** From here on there are zeroes where no block is. */
    private long zeroFrom;

    VhdDynamicImage(Path file, Store store, OpenMode mode, VhdFooter footer) throws IOException {
        super(file, DiskFormat.VHD, mode, store);
        this.footer = footer;
        size = footer.size();
        header = VhdHeader.read(store, footer.headerOffset(), size);
        blockBytes = header.blockBytes();
        bitmapBytes = header.bitmapBytes();
        table = new int[blocks(size)];
        ByteBuffer bytes = ByteBuffer.allocate(table.length * Integer.BYTES);
        store.read(header.table(), bytes);
        bytes.clear().asIntBuffer().get(table);
        if (mode == OpenMode.READ_WRITE) {
            findPlaces();
        }
    }

    private int blocks(long bytes) {
        return (int) ((bytes + blockBytes - 1) / blockBytes);
    }

    private int blockTotal() {
        return bitmapBytes + blockBytes;
    }

    private void findPlaces() throws IOException {
        long end = Math.max(header.offset() + VhdHeader.BYTES, VhdFooter.BYTES);
        end = Math.max(end, header.table() + (long) header.entries() * Integer.BYTES);
        long[] places = Arrays.stream(table).filter(entry -> entry != UNUSED)
                .mapToLong(entry -> Integer.toUnsignedLong(entry) * SECTOR_BYTES).sorted().toArray();
        for (long place : places) {
            if (place + blockTotal() <= store().size()) {
                for (long gap = sector(end); gap + blockTotal() <= place
                        && free.size() < CACHED_BITMAPS; gap += blockTotal()) {
                    free.add(gap);
                }
                end = Math.max(end, place + blockTotal());
            }
        }
        next = sector(end);
        long fileEnd = store().size();
        zeroFrom = sector(fileEnd);
        footerAt = fileEnd - VhdFooter.BYTES;
        if (fileEnd % SECTOR_BYTES != 0 || footerAt < next || !VhdFooter.isAt(store(), footerAt)) {
            // It was lost; the copy at the start has told us.
            footerAt = Math.max(sector(fileEnd), next);
            zeroFrom = footerAt + VhdFooter.BYTES;
            footer.write(store(), footerAt);
            store().force();
        }
    }

    private static long sector(long position) {
        return position + SECTOR_BYTES - 1 & -SECTOR_BYTES;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    void describe(Map<String, Object> details) {
        details.put("subformat", "dynamic");
        details.put("block size", (long) blockBytes);
        details.put("creator", footer.creator());
    }

    /** Where the bitmap of a block that is stored is. */
    private long place(int block) throws IOException {
        long place = Integer.toUnsignedLong(table[block]) * SECTOR_BYTES;
        long tableEnd = header.table() + (long) table.length * Integer.BYTES;
        boolean overlaps = place < VhdFooter.BYTES
                || place < header.offset() + VhdHeader.BYTES && place + blockTotal() > header.offset()
                || place < tableEnd && place + blockTotal() > header.table();
        if (overlaps || place + blockTotal() > sector(store().size())) {
            throw problem("entry " + block + " of the block allocation table, 0x"
                    + Integer.toHexString(table[block]) + ", is no place of a block in the file");
        }
        return place;
    }

    private byte[] bitmap(int block) throws IOException {
        byte[] bitmap = bitmaps.get(block);
        if (bitmap == null) {
            if (bitmaps.size() >= CACHED_BITMAPS) {
                if (!dirtyBitmaps.isEmpty()) {
                    commit();
                }
                bitmaps.clear();
            }
            bitmap = new byte[bitmapBytes];
            store().read(place(block), ByteBuffer.wrap(bitmap));
            bitmaps.put(block, bitmap);
        }
        return bitmap;
    }

    private static boolean isSet(byte[] bitmap, int sector) {
        return (bitmap[sector >> 3] << (sector & 7) & 0x80) != 0;
    }

    /** How many bytes from {@code within} of a block on, at most {@code most}, are all of sectors that are stored, or all not. */
    private int run(byte[] bitmap, int within, int most) {
        boolean stored = isSet(bitmap, within / SECTOR_BYTES);
        int end = (within & -SECTOR_BYTES) + SECTOR_BYTES;
        while (end - within < most && isSet(bitmap, end / SECTOR_BYTES) == stored) {
            end += SECTOR_BYTES;
        }
        return Math.min(most, end - within);
    }

    @Override
    Extent extentOf(long offset, long length) throws IOException {
        int block = (int) (offset / blockBytes);
        int within = (int) (offset % blockBytes);
        if (table[block] != UNUSED) {
            byte[] bitmap = bitmap(block);
            int most = (int) Math.min(length, blockBytes - within);
            return new Extent(isSet(bitmap, within / SECTOR_BYTES) ? Kind.DATA : Kind.ZERO,
                    run(bitmap, within, most));
        }
        int end = block + 1;
        while (end < table.length && table[end] == UNUSED) {
            end++;
        }
        return new Extent(Kind.ZERO, Math.min(length, (long) end * blockBytes - offset));
    }

    @Override
    void readRange(long offset, ByteBuffer target) throws IOException {
        int end = target.limit();
        for (long at = offset; target.position() < end;) {
            Extent extent = extentOf(at, target.remaining());
            target.limit(target.position() + (int) extent.length());
            if (extent.kind() == Kind.DATA) {
                store().read(place((int) (at / blockBytes)) + bitmapBytes + at % blockBytes, target);
            } else {
                while (target.hasRemaining()) {
                    target.put((byte) 0);
                }
            }
            target.limit(end);
            at += extent.length();
        }
    }

    @Override
    void writeRange(long offset, ByteBuffer source) throws IOException {
        int end = source.limit();
        for (long at = offset; source.position() < end;) {
            int block = (int) (at / blockBytes);
            int within = (int) (at % blockBytes);
            int length = Math.min(source.remaining(), blockBytes - within);
            source.limit(source.position() + length);
            try {
                if (table[block] == UNUSED) {
                    writeNew(block, within, source);
                } else {
                    writeStored(block, within, source);
                }
            } finally {
                source.limit(end);
            }
            at += length;
        }
    }

    private void writeNew(int block, int within, ByteBuffer source) throws IOException {
        long place = allocate();
        try {
            if (place < zeroFrom) {
                zero(store(), place, blockTotal());
            }
            byte[] bitmap = new byte[bitmapBytes];
            Arrays.fill(bitmap, (byte) 0xff);
            store().write(place, ByteBuffer.wrap(bitmap));
            store().write(place + bitmapBytes + within, source);
        } catch (IOException e) {
            free.add(place);
            // There may be something of it.
            zeroFrom = Math.max(zeroFrom, place + blockTotal());
            throw e;
        }
        table[block] = (int) (place / SECTOR_BYTES);
        dirtyEntries.set(block);
    }

    private void writeStored(int block, int within, ByteBuffer source) throws IOException {
        byte[] bitmap = bitmap(block);
        long data = place(block) + bitmapBytes;
        int last = (within + source.remaining() - 1) / SECTOR_BYTES;
        int end = within + source.remaining();
        // Sectors that are not stored and only partly written now are zero otherwise.
        if (within % SECTOR_BYTES != 0 && !isSet(bitmap, within / SECTOR_BYTES)) {
            store().write(data + (within & -SECTOR_BYTES), ByteBuffer.allocate(SECTOR_BYTES));
        }
        if (end % SECTOR_BYTES != 0 && !isSet(bitmap, last)) {
            store().write(data + (end & -SECTOR_BYTES), ByteBuffer.allocate(SECTOR_BYTES));
        }
        store().write(data + within, source);
        for (int sector = within / SECTOR_BYTES; sector <= last; sector++) {
            if (!isSet(bitmap, sector)) {
                bitmap[sector >> 3] |= (byte) (0x80 >> (sector & 7));
                dirtyBitmaps.set(block);
            }
        }
    }

    /** Takes a place for a block. */
    private long allocate() throws IOException {
        if (!free.isEmpty()) {
            long place = free.remove();
            // Something else was here before.
            zeroFrom = Math.max(zeroFrom, place + blockTotal());
            return place;
        }
        if (next + blockTotal() > footerAt) {
            long end = next + Math.max(1L, GROWTH_BYTES / blockTotal()) * blockTotal();
            if (next / SECTOR_BYTES > 0xffff_fffeL) {
                throw problem("the file cannot become larger: a VHD has room for 2 TiB");
            }
            footer.write(store(), end);
            store().force();
            footerAt = end;
        }
        long place = next;
        next += blockTotal();
        return place;
    }

    @Override
    void zeroRange(long offset, long length) throws IOException {
        giveBack(offset, length, true);
    }

    @Override
    void discardRange(long offset, long length) throws IOException {
        giveBack(offset, length, false);
    }

    private void giveBack(long offset, long length, boolean mustBeZero) throws IOException {
        long end = offset + length;
        for (long at = offset; at < end;) {
            int block = (int) (at / blockBytes);
            long next = Math.min((block + 1L) * blockBytes, end);
            boolean whole = at % blockBytes == 0 && (next == (block + 1L) * blockBytes || next == size);
            if (table[block] != UNUSED) {
                if (whole) {
                    release(block);
                } else if (mustBeZero) {
                    zero(store(), place(block) + bitmapBytes + at % blockBytes, next - at);
                } else {
                    boolean unused = store().punch(place(block) + bitmapBytes + at % blockBytes, next - at);
                }
            }
            at = next;
        }
    }

    private void release(int block) throws IOException {
        released.add(place(block));
        table[block] = UNUSED;
        dirtyEntries.set(block);
        bitmaps.remove(block);
        dirtyBitmaps.clear(block);
    }

    @Override
    void flushAll() throws IOException {
        commit();
    }

    private void commit() throws IOException {
        // What is written, the bitmaps of new blocks too, is there before something says so.
        store().force();
        if (dirtyEntries.isEmpty() && dirtyBitmaps.isEmpty()) {
            return;
        }
        for (int block = dirtyBitmaps.nextSetBit(0); block >= 0; block = dirtyBitmaps.nextSetBit(block + 1)) {
            store().write(place(block), ByteBuffer.wrap(bitmap(block)));
        }
        for (int block = dirtyEntries.nextSetBit(0); block >= 0; block = dirtyEntries.nextSetBit(block + 1)) {
            store().write(header.table() + (long) block * Integer.BYTES,
                    ByteBuffer.allocate(Integer.BYTES).putInt(0, table[block]));
        }
        store().force();
        dirtyBitmaps.clear();
        dirtyEntries.clear();
        punchAll(store(), released, blockTotal());
        free.addAll(released);
        released.clear();
    }

    @Override
    void finish() throws IOException {
        commit();
        if (footerAt > next) {
            footer.write(store(), next);
            store().force();
            store().resize(next + VhdFooter.BYTES);
            store().force();
            footerAt = next;
        }
    }

    /** Makes the disk longer or shorter. */
    void resize(long bytes) throws IOException {
        if (bytes < size) {
            giveBack(bytes, size - bytes, true);
        }
        commit();
        int blocks = blocks(bytes);
        if (blocks > header.entries()) {
            moveTable(blocks);
        }
        int known = Math.min(blocks, table.length);
        table = Arrays.copyOf(table, blocks);
        ByteBuffer stored = ByteBuffer.allocate((blocks - known) * Integer.BYTES);
        store().read(header.table() + (long) known * Integer.BYTES, stored);
        for (int block = known; block < blocks; block++) {
            // Nobody has looked at entries that no disk was large enough for.
            table[block] = UNUSED;
            if (stored.getInt((block - known) * Integer.BYTES) != UNUSED) {
                dirtyEntries.set(block);
            }
        }
        commit();
        size = bytes;
        footer.setSize(bytes);
        footer.write(store(), 0);
        footer.write(store(), footerAt);
        store().force();
    }

    private void moveTable(int entries) throws IOException {
        ByteBuffer longer = ByteBuffer.allocate((int) sector((long) entries * Integer.BYTES));
        longer.asIntBuffer().put(table);
        for (int at = table.length * Integer.BYTES; at < longer.capacity(); at += Integer.BYTES) {
            longer.putInt(at, UNUSED);
        }
        long place = Math.max(next, footerAt + VhdFooter.BYTES);
        next = place + longer.capacity();
        footerAt = next;
        zeroFrom = Math.max(zeroFrom, next + VhdFooter.BYTES);
        footer.write(store(), footerAt);
        store().force();
        store().write(place, longer);
        store().force();
        header.setTable(place, entries);
        header.write(store());
        store().force();
    }
}
