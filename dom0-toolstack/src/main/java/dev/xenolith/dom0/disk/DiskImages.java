package dev.xenolith.dom0.disk;

import dev.xenolith.dom0.disk.CheckReport.Repair;
import dev.xenolith.dom0.disk.NewDisk.Backing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Opens, makes, checks and resizes images. */
public final class DiskImages {
    /** How many images may lie on each other. */
    private static final int MAX_DEPTH = 64;
    /** How QEMU names what is not a file, "json:..." and "nbd://..." among them. */
    private static final Pattern PROTOCOL = Pattern.compile("[A-Za-z0-9+.-]+:.*", Pattern.DOTALL);

    private DiskImages() {
    }

    /**
     * Opens an image that is known to be of a format, and what it is based on, the latter for reading. Nothing is guessed: a raw
     * disk whose guest has written the header of another format remains a raw disk.
     *
     * @throws IOException with the file's name, if it cannot be opened, is in use, is not of this format, or makes use of
     *         something that is not supported
     */
    public static DiskImage open(Path file, DiskFormat format, OpenMode mode, ImageLocks locks) throws IOException {
        return open(file, format, mode, locks, new HashSet<>());
    }

    /**
     * Guesses a format from a file's first and last bytes: for telling a user, not for opening. A raw disk's guest decides what is
     * in these bytes.
     */
    public static DiskFormat probe(Path file, ImageLocks locks) throws IOException {
        try (Store store = locks.open(file, OpenMode.READ_ONLY)) {
            if (Qcow2Header.isAt(store)) {
                return DiskFormat.QCOW2;
            }
            return Vhd.isAt(store) ? DiskFormat.VHD : DiskFormat.RAW;
        }
    }

    /**
     * Makes an image.
     *
     * @param overwrite whether a file that is there is to become the image
     */
    public static void create(Path file, NewDisk wanted, boolean overwrite, ImageLocks locks) throws IOException {
        NewDisk disk = wanted.ofSize(Qcow2Image.sectors(sizeOf(file, wanted, locks)));
        validate(file, disk);
        boolean present = Files.exists(file);
        try (Store store = locks.create(file, overwrite)) {
            layOut(file, store, disk);
        } catch (IOException | RuntimeException e) {
            if (!present) {
                Files.deleteIfExists(file);
            }
            throw e;
        }
    }

    /** Checks an image's metadata, and mends what it is told to. */
    public static CheckReport check(Path file, DiskFormat format, Repair repair, ImageLocks locks)
            throws IOException {
        OpenMode mode = repair == Repair.NONE ? OpenMode.READ_ONLY : OpenMode.READ_WRITE;
        try (Store store = locks.open(file, mode)) {
            return check(store, format, repair);
        }
    }

    /** Makes a disk longer, by zeroes, or shorter; its size is rounded up to whole sectors. */
    public static void resize(Path file, DiskFormat format, long size, ImageLocks locks) throws IOException {
        long bytes = Qcow2Image.sectors(size);
        if (size < 0 || bytes < 0) {
            throw new DiskException(file.toString(), size + " is no size of a disk");
        }
        try (CheckedImage image = open(file, format, OpenMode.READ_WRITE, locks, new HashSet<>())) {
            switch (image) {
                case Qcow2Image qcow2 -> qcow2.resize(bytes);
                case VhdFixedImage vhd -> {
                    mustFitVhd(file, bytes);
                    vhd.resize(bytes);
                }
                case VhdDynamicImage vhd -> {
                    mustFitVhd(file, bytes);
                    vhd.resize(bytes);
                }
                default -> image.store().resize(bytes);
            }
        }
    }

    /** Opens an image in {@code store}, which is closed with it; {@code backing} too, if there is one. */
    static CheckedImage open(Path file, Store store, DiskFormat format, OpenMode mode, @Nullable DiskImage backing)
            throws IOException {
        return switch (format) {
            case RAW -> new RawImage(file, store, mode);
            case VHD -> Vhd.open(file, store, mode);
            case QCOW2 -> openQcow2(file, store, mode, Qcow2Header.read(store), backing);
        };
    }

    /** Lays out a new image in an empty store. */
    static void layOut(Path file, Store store, NewDisk disk) throws IOException {
        boolean full = disk.preallocation() == NewDisk.Preallocation.FULL;
        switch (disk.format()) {
            case RAW -> {
                store.resize(disk.size());
                if (full) {
                    fill(store, disk.size());
                }
                store.force();
            }
            case VHD -> {
                if (full) {
                    fill(store, disk.size());
                }
                Vhd.create(store, disk.size(), disk.fixed(), VhdHeader.DEFAULT_BLOCK);
            }
            case QCOW2 -> {
                Backing backing = disk.backing();
                Qcow2Header header = new Qcow2Header(disk.version(), Integer.numberOfTrailingZeros(disk.clusterBytes()),
                        4, disk.size(), backing == null ? null : backing.name(),
                        backing == null ? null : backing.format().qemuName());
                Qcow2Rebuild.create(store, header);
                if (disk.preallocation() != NewDisk.Preallocation.OFF) {
                    new Qcow2Image(file, store, OpenMode.READ_WRITE, header, null).preallocate(full);
                }
            }
        }
    }

    static CheckReport check(Store store, DiskFormat format, Repair repair) throws IOException {
        return switch (format) {
            case RAW -> CheckReport.NOTHING_TO_CHECK;
            case VHD -> Vhd.check(store, repair);
            case QCOW2 -> new Qcow2Check(store, Qcow2Header.read(store)).run(repair);
        };
    }

    private static CheckedImage open(Path file, DiskFormat format, OpenMode mode, ImageLocks locks, Set<Object> chain)
            throws IOException {
        Store store = locks.open(file, mode);
        try {
            if (!chain.add(ImageLocks.key(file))) {
                throw new DiskException(store.name(), "the image is based on itself");
            }
            if (chain.size() > MAX_DEPTH) {
                throw new DiskException(store.name(), "more than " + MAX_DEPTH + " images are based on each other");
            }
            if (format != DiskFormat.QCOW2) {
                return open(file, store, format, mode, null);
            }
            Qcow2Header header = Qcow2Header.read(store);
            DiskImage backing = openBacking(file, header, locks, chain);
            try {
                return openQcow2(file, store, mode, header, backing);
            } catch (IOException | RuntimeException e) {
                if (backing != null) {
                    backing.close();
                }
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            store.close();
            throw e;
        }
    }

    private static CheckedImage openQcow2(Path file, Store store, OpenMode mode, Qcow2Header header,
            @Nullable DiskImage backing) throws IOException {
        if (mode == OpenMode.READ_WRITE && (header.incompatible & Qcow2Header.DIRTY) != 0
                && (header.incompatible & Qcow2Header.CORRUPT) == 0) {
            // Whoever wrote it counted lazily and did not come to the end.
            CheckReport report = new Qcow2Check(store, header).run(Repair.ALL);
            if (report.errorCount() > 0) {
                throw new DiskException(store.name(), "the image was not closed and could not be mended: "
                        + report.errors().getFirst());
            }
        }
        return new Qcow2Image(file, store, mode, header, backing);
    }

    private static @Nullable DiskImage openBacking(Path file, Qcow2Header header, ImageLocks locks, Set<Object> chain)
            throws IOException {
        String name = header.backingName;
        if (name == null) {
            return null;
        }
        String formatName = header.backingFormat;
        if (formatName == null) {
            throw new DiskException(file.toString(), "its header does not say of which format its backing file " + name
                    + " is, and guessing is not safe; 'qemu-img rebase -u -b FILE -F FORMAT' puts it there");
        }
        DiskFormat format = DiskFormat.ofQemuName(formatName).orElseThrow(() -> new DiskException(file.toString(),
                "its backing file " + name + " is of a format that is not supported, " + formatName));
        try {
            return open(resolve(file, name), format, OpenMode.READ_ONLY, locks, chain);
        } catch (IOException e) {
            throw new DiskException(file.toString(), "backing file: " + e.getMessage());
        }
    }

    /** Where the image is that another one calls {@code name}. */
    private static Path resolve(Path file, String name) throws DiskException {
        if (PROTOCOL.matcher(name).matches()) {
            throw new DiskException(name, "only files are supported below an image");
        }
        if (name.indexOf('\0') >= 0) {
            throw new DiskException(file.toString(), "the name of its backing file makes no sense");
        }
        return file.resolveSibling(name);
    }

    private static long sizeOf(Path file, NewDisk disk, ImageLocks locks) throws IOException {
        Backing backing = disk.backing();
        if (backing == null) {
            return disk.size();
        }
        // It has to be there and be what is said of it.
        try (DiskImage below = open(resolve(file, backing.name()), backing.format(), OpenMode.READ_ONLY, locks)) {
            return disk.size() < 0 ? below.size() : disk.size();
        }
    }

    private static void validate(Path file, NewDisk disk) throws DiskException {
        String problem = null;
        boolean isQcow2 = disk.format() == DiskFormat.QCOW2;
        if (disk.size() < 0) {
            problem = "the disk needs a size";
        } else
            if (Integer.bitCount(disk.clusterBytes()) != 1
                    || disk.clusterBytes() < 1 << Qcow2Header.MIN_CLUSTER_BITS
                    || disk.clusterBytes() > 1 << Qcow2Header.MAX_CLUSTER_BITS) {
                        problem = "the cluster size has to be a power of two from 512 to 2M";
                    } else
                if (disk.version() != 2 && disk.version() != 3) {
                    problem = "there are versions 2 and 3 of qcow2";
                } else if (disk.backing() != null && !isQcow2) {
                    problem = "only a qcow2 image can be based on another";
                } else if (disk.backing() != null && disk.preallocation() != NewDisk.Preallocation.OFF) {
                    problem = "an image that is based on another cannot be preallocated";
                } else if (disk.preallocation() == NewDisk.Preallocation.METADATA && !isQcow2) {
                    problem = "only a qcow2 image has metadata to preallocate";
                } else
                    if (disk.preallocation() == NewDisk.Preallocation.FULL && disk.format() == DiskFormat.VHD
                            && !disk.fixed()) {
                                problem = "a dynamic VHD cannot be preallocated";
                            }
        if (problem != null) {
            throw new DiskException(file.toString(), problem);
        }
    }

    private static void mustFitVhd(Path file, long bytes) throws DiskException {
        if (bytes > VhdFooter.MAX_SIZE) {
            throw new DiskException(file.toString(), "a disk of " + bytes + " bytes is larger than a VHD's can be, "
                    + VhdFooter.MAX_SIZE);
        }
    }

    private static void fill(Store store, long size) throws IOException {
        ByteBuffer zeroes = ByteBuffer.allocate(1 << 20);
        for (long at = 0; at < size; at += zeroes.limit()) {
            zeroes.clear().limit((int) Math.min(zeroes.capacity(), size - at));
            store.write(at, zeroes);
        }
    }
}
