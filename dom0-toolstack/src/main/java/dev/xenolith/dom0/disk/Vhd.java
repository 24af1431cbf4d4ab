package dev.xenolith.dom0.disk;

import dev.xenolith.dom0.disk.CheckReport.Repair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** What is done with VHDs as wholes. */
final class Vhd {
    private static final int MAX_ERRORS = 100;

    private Vhd() {
    }

    /** Finds the footer, at the end or, where it was lost, its copy at the start. */
    private static VhdFooter footer(Store store) throws IOException {
        long end = store.size() - VhdFooter.BYTES;
        if (VhdFooter.isAt(store, end)) {
            try {
                return VhdFooter.read(store, end);
            } catch (DiskException e) {
                if (!VhdFooter.isAt(store, 0)) {
                    throw e;
                }
            }
        }
        if (!VhdFooter.isAt(store, 0)) {
            throw new DiskException(store.name(), "not a VHD: it has no footer");
        }
        VhdFooter copy = VhdFooter.read(store, 0);
        if (copy.type() == VhdFooter.FIXED) {
            throw new DiskException(store.name(), "the file is cut off: it has no footer at its end");
        }
        return copy;
    }

    static boolean isAt(Store store) throws IOException {
        return VhdFooter.isAt(store, store.size() - VhdFooter.BYTES) || VhdFooter.isAt(store, 0);
    }

    static CheckedImage open(Path file, Store store, OpenMode mode) throws IOException {
        VhdFooter footer = footer(store);
        footer.check(store);
        return footer.type() == VhdFooter.FIXED
                ? new VhdFixedImage(file, store, mode, footer)
                : new VhdDynamicImage(file, store, mode, footer);
    }

    /** Lays out a new disk in an empty file; blocks are those of a dynamic one. */
    static void create(Store store, long size, boolean fixed, int blockBytes) throws IOException {
        if (size > VhdFooter.MAX_SIZE) {
            throw new DiskException(store.name(), "a disk of " + size + " bytes is larger than a VHD's can be, "
                    + VhdFooter.MAX_SIZE);
        }
        if (fixed) {
            VhdFooter.create(size, VhdFooter.FIXED).write(store, size);
        } else {
            VhdFooter footer = VhdFooter.create(size, VhdFooter.DYNAMIC);
            int entries = Math.max(1, (int) ((size + blockBytes - 1) / blockBytes));
            long table = VhdFooter.BYTES + VhdHeader.BYTES;
            byte[] unused = new byte[entries * Integer.BYTES + VhdFooter.BYTES - 1 & -VhdFooter.BYTES];
            Arrays.fill(unused, (byte) 0xff);
            footer.write(store, 0);
            VhdHeader.create(VhdFooter.BYTES, table, entries, blockBytes).write(store);
            store.write(table, ByteBuffer.wrap(unused));
            footer.write(store, table + unused.length);
        }
        store.force();
    }

    /** Checks footers, and that no two blocks are in one place. */
    static CheckReport check(Store store, Repair repair) throws IOException {
        VhdFooter footer = footer(store);
        footer.check(store);
        List<String> errors = new ArrayList<>();
        long mended = 0;
        if (footer.type() == VhdFooter.DYNAMIC) {
            long damaged = checkBlocks(store, footer, errors);
            mended = checkFooters(store, footer, errors, repair == Repair.ALL);
            return new CheckReport(List.copyOf(errors), damaged + footerErrors(errors, damaged) - mended, 0, mended, 0,
                    List.of());
        }
        new VhdFixedImage(Path.of(store.name()), store, OpenMode.READ_ONLY, footer);
        return new CheckReport(List.of(), 0, 0, 0, 0, List.of());
    }

    private static long footerErrors(List<String> errors, long damaged) {
        return errors.size() - Math.min(damaged, MAX_ERRORS);
    }

    private static long checkBlocks(Store store, VhdFooter footer, List<String> errors) throws IOException {
        VhdHeader header = VhdHeader.read(store, footer.headerOffset(), footer.size());
        int count = (int) ((footer.size() + header.blockBytes() - 1) / header.blockBytes());
        ByteBuffer bytes = ByteBuffer.allocate(count * Integer.BYTES);
        store.read(header.table(), bytes);
        long total = header.blockBytes() + header.bitmapBytes();
        long[] places = IntStream.range(0, count).map(i -> bytes.getInt(i * Integer.BYTES))
                .filter(entry -> entry != -1).mapToLong(entry -> Integer.toUnsignedLong(entry) * VhdFooter.BYTES)
                .sorted().toArray();
        long damaged = 0;
        long end = VhdFooter.BYTES;
        for (long place : places) {
            long tableEnd = header.table() + bytes.capacity();
            boolean overlaps = place < end || place < tableEnd && place + total > header.table()
                    || place < header.offset() + VhdHeader.BYTES && place + total > header.offset();
            if (overlaps || place + total > store.size()) {
                damaged++;
                if (errors.size() < MAX_ERRORS) {
                    errors.add("the block at 0x" + Long.toHexString(place)
                            + (overlaps ? " overlaps something else" : " is not within the file"));
                }
            }
            end = place + total;
        }
        return damaged;
    }

    /** Compares the footer with its copy; returns how much was mended. */
    private static long checkFooters(Store store, VhdFooter footer, List<String> errors, boolean mend)
            throws IOException {
        long end = store.size() - VhdFooter.BYTES;
        long mended = 0;
        if (!isSame(store, end, footer)) {
            errors.add("the footer at the end is missing");
            if (mend) {
                footer.write(store, store.size() + VhdFooter.BYTES - 1 & -VhdFooter.BYTES);
                mended++;
            }
        }
        if (!isSame(store, 0, footer)) {
            errors.add("the copy of the footer at the start differs");
            if (mend) {
                footer.write(store, 0);
                mended++;
            }
        }
        store.force();
        return mended;
    }

    private static boolean isSame(Store store, long position, VhdFooter footer) throws IOException {
        try {
            return VhdFooter.isAt(store, position) && VhdFooter.read(store, position).sameAs(footer);
        } catch (DiskException e) {
            return false;
        }
    }
}
