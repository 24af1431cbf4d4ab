package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The header of a qcow2 image (docs/interop/qcow2.txt of QEMU, "Header"). What of it changes while an image is in use is within
 * the first sector, so that each change is there as a whole or not at all.
 */
final class Qcow2Header {
    static final int MAGIC = 0x514649fb;
    static final int MIN_CLUSTER_BITS = 9;
    static final int MAX_CLUSTER_BITS = 21;
    static final int MAX_REFCOUNT_ORDER = 6;
    /** What QEMU takes at most, which keeps tables that are held in memory small. */
    static final long MAX_L1_BYTES = 32 << 20;
    static final long MAX_REFCOUNT_TABLE_BYTES = 8 << 20;
    static final int MAX_SNAPSHOTS = 65536;
    static final int MAX_BACKING_NAME = 1023;

    static final long DIRTY = 1;
    static final long CORRUPT = 1 << 1;
    private static final long EXTERNAL_DATA = 1 << 2;
    private static final long COMPRESSION_TYPE = 1 << 3;
    private static final long EXTENDED_L2 = 1 << 4;

    private static final int VERSION_2_BYTES = 72;
    private static final int VERSION_3_BYTES = 104;
    private static final int AT_SIZE = 24;
    private static final int AT_L1 = 36;
    private static final int AT_REFCOUNT_TABLE = 48;
    private static final int AT_INCOMPATIBLE = 72;
    private static final int AT_AUTOCLEAR = 88;
    private static final int BACKING_FORMAT = 0xe2792aca;
    private static final int FEATURE_NAMES = 0x6803f857;
    private static final int FEATURE_NAME_BYTES = 48;

    final int version;
    final int clusterBits;
    final int refcountOrder;
    final int headerLength;
    final long compatible;
    final int snapshots;
    final long snapshotsOffset;
    final @Nullable String backingName;
    final @Nullable String backingFormat;

    long size;
    int l1Size;
    long l1Offset;
    long refcountTableOffset;
    int refcountTableClusters;
    long incompatible;
    long autoclear;

    /** Makes the header of a new image, which has neither an L1 table nor refcounts yet. */
    Qcow2Header(int version, int clusterBits, int refcountOrder, long size, @Nullable String backingName,
            @Nullable String backingFormat) {
        this.version = version;
        this.clusterBits = clusterBits;
        this.refcountOrder = refcountOrder;
        this.size = size;
        this.backingName = backingName;
        this.backingFormat = backingFormat;
        headerLength = version == 2 ? VERSION_2_BYTES : VERSION_3_BYTES;
        compatible = 0;
        snapshots = 0;
        snapshotsOffset = 0;
    }

    private Qcow2Header(String name, ByteBuffer bytes) throws DiskException {
        version = bytes.getInt(4);
        check(name, version == 2 || version == 3, "qcow2 version " + Integer.toUnsignedString(version)
                + " is not supported; there are 2 and 3");
        clusterBits = bytes.getInt(20);
        check(name, clusterBits >= MIN_CLUSTER_BITS && clusterBits <= MAX_CLUSTER_BITS,
                "the cluster size 2^" + Integer.toUnsignedString(clusterBits) + " is not between 512 and 2 MiB");
        size = bytes.getLong(AT_SIZE);
        check(name, size >= 0 && size <= Long.MAX_VALUE - DiskImage.SECTOR_BYTES,
                "the disk's size " + Long.toUnsignedString(size) + " is too large");
        int encryption = bytes.getInt(32);
        check(name, encryption == 0, switch (encryption) {
            case 1 -> "encryption (AES) is not supported";
            case 2 -> "encryption (LUKS) is not supported";
            default -> "encryption of an unknown kind, " + Integer.toUnsignedString(encryption)
                    + ", is not supported";
        });
        l1Size = bytes.getInt(AT_L1);
        l1Offset = bytes.getLong(AT_L1 + 4);
        refcountTableOffset = bytes.getLong(AT_REFCOUNT_TABLE);
        refcountTableClusters = bytes.getInt(AT_REFCOUNT_TABLE + 8);
        snapshots = bytes.getInt(60);
        snapshotsOffset = bytes.getLong(64);
        if (version == 2) {
            compatible = 0;
            refcountOrder = 4;
            headerLength = VERSION_2_BYTES;
        } else {
            incompatible = bytes.getLong(AT_INCOMPATIBLE);
            compatible = bytes.getLong(80);
            autoclear = bytes.getLong(AT_AUTOCLEAR);
            refcountOrder = bytes.getInt(96);
            headerLength = bytes.getInt(100);
        }
        check(name, headerLength >= (version == 2 ? VERSION_2_BYTES : VERSION_3_BYTES) && headerLength % 8 == 0
                && headerLength <= clusterBytes(),
                "the header's length " + Integer.toUnsignedString(headerLength)
                        + " makes no sense");
        check(name, refcountOrder >= 0 && refcountOrder <= MAX_REFCOUNT_ORDER,
                "refcounts of 2^" + Integer.toUnsignedString(refcountOrder) + " bits are not supported");
        checkTable(name, "L1 table", l1Offset, Integer.toUnsignedLong(l1Size) * Long.BYTES, MAX_L1_BYTES);
        check(name, l1Size >= l1EntriesFor(size), "its L1 table is too small for the disk's size");
        check(name, refcountTableClusters != 0, "it has no refcount table");
        checkTable(name, "refcount table", refcountTableOffset,
                Integer.toUnsignedLong(refcountTableClusters) << clusterBits, MAX_REFCOUNT_TABLE_BYTES);
        check(name, snapshots >= 0 && snapshots <= MAX_SNAPSHOTS, "it claims " + Integer.toUnsignedString(snapshots)
                + " snapshots");
        long backingOffset = bytes.getLong(8);
        int backingLength = bytes.getInt(16);
        if (backingOffset == 0) {
            backingName = null;
        } else {
            check(name, backingLength >= 0 && backingLength <= MAX_BACKING_NAME && backingOffset > 0
                    && backingOffset <= clusterBytes() - backingLength,
                    "the name of its backing file is not within the header");
            byte[] text = new byte[backingLength];
            bytes.get((int) backingOffset, text);
            backingName = backingLength == 0 ? null : new String(text, StandardCharsets.UTF_8);
        }
        int end = backingName == null ? clusterBytes() : (int) backingOffset;
        backingFormat = extension(name, bytes, end, BACKING_FORMAT)
                .map(format -> StandardCharsets.UTF_8.decode(format).toString()).orElse(null);
        checkFeatures(name, bytes, end);
    }

    /** Returns whether the store begins as an image of this format does. */
    static boolean isAt(Store store) throws IOException {
        ByteBuffer magic = ByteBuffer.allocate(4);
        store.read(0, magic);
        return magic.getInt(0) == MAGIC;
    }

    /** Reads and checks the header. */
    static Qcow2Header read(Store store) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(1 << MAX_CLUSTER_BITS);
        bytes.limit(Math.clamp(store.size(), VERSION_3_BYTES + 8, bytes.capacity()));
        store.read(0, bytes);
        bytes.clear();
        check(store.name(), bytes.getInt(0) == MAGIC, "not a qcow2 image");
        Qcow2Header header = new Qcow2Header(store.name(), bytes);
        check(store.name(), header.l1Offset + (long) header.l1Size * Long.BYTES <= store.size(),
                "the file is cut off: its L1 table is not within it");
        check(store.name(), header.refcountTableOffset < store.size(),
                "the file is cut off: its refcount table is not within it");
        return header;
    }

    int clusterBytes() {
        return 1 << clusterBits;
    }

    /** Returns the number of clusters that {@code bytes} take. */
    long clustersOf(long bytes) {
        return (bytes >>> clusterBits) + ((bytes & (clusterBytes() - 1)) == 0 ? 0 : 1);
    }

    /** Returns the number of entries that an L1 table for a disk of {@code bytes} has at least. */
    long l1EntriesFor(long bytes) {
        int shift = 2 * clusterBits - 3;
        return (bytes >>> shift) + ((bytes & ((1L << shift) - 1)) == 0 ? 0 : 1);
    }

    boolean hasZeroClusters() {
        return version >= 3;
    }

    /** Writes a new image's first cluster. */
    void writeAll(Store store) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(clusterBytes());
        bytes.putInt(0, MAGIC).putInt(4, version).putInt(20, clusterBits);
        putFields(bytes);
        if (version >= 3) {
            bytes.putInt(96, refcountOrder).putInt(100, headerLength);
        }
        bytes.position(headerLength);
        if (backingName != null && backingFormat != null) {
            byte[] format = backingFormat.getBytes(StandardCharsets.UTF_8);
            byte[] name = backingName.getBytes(StandardCharsets.UTF_8);
            int extensions = 8 + ((format.length + 7) & -8) + 8;
            if (name.length > MAX_BACKING_NAME || headerLength + extensions + name.length > clusterBytes()) {
                throw new DiskException(store.name(), "the name of the backing file is too long: " + backingName);
            }
            bytes.putInt(BACKING_FORMAT).putInt(format.length).put(format);
            bytes.position((bytes.position() + 7) & -8);
            bytes.putInt(0).putInt(0);
            bytes.putLong(8, bytes.position()).putInt(16, name.length);
            bytes.put(name);
        }
        store.write(0, bytes.clear());
    }

    /** Writes what has changed. */
    void writeFields(Store store) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(version == 2 ? VERSION_2_BYTES : VERSION_3_BYTES);
        store.read(0, bytes);
        putFields(bytes);
        store.write(0, bytes.clear());
    }

    private void putFields(ByteBuffer bytes) {
        bytes.putLong(AT_SIZE, size).putInt(AT_L1, l1Size).putLong(AT_L1 + 4, l1Offset)
                .putLong(AT_REFCOUNT_TABLE, refcountTableOffset)
                .putInt(AT_REFCOUNT_TABLE + 8, refcountTableClusters);
        if (version >= 3) {
            bytes.putLong(AT_INCOMPATIBLE, incompatible).putLong(AT_AUTOCLEAR, autoclear);
        }
    }

    private void checkTable(String name, String table, long offset, long bytes, long most) throws DiskException {
        check(name, bytes <= most, "its " + table + " of " + bytes + " bytes is larger than supported");
        check(name, offset >= 0 && offset < 1L << 56 && (offset & (clusterBytes() - 1)) == 0
                && (bytes == 0 || offset >= clusterBytes()),
                "its " + table + " is at " + Long.toUnsignedString(offset) + ", which is no place for it");
    }

    private void checkFeatures(String name, ByteBuffer bytes, int end) throws DiskException {
        check(name, (incompatible & EXTERNAL_DATA) == 0, "an external data file is not supported");
        check(name, (incompatible & COMPRESSION_TYPE) == 0, bytes.get(104) == 1 && headerLength > 104
                ? "compression with zstd is not supported"
                : "compression of an unknown kind, " + (bytes.get(104) & 0xff) + ", is not supported");
        check(name, (incompatible & EXTENDED_L2) == 0, "extended L2 entries (subclusters) are not supported");
        long unknown = incompatible & ~(DIRTY | CORRUPT);
        if (unknown != 0) {
            int bit = Long.numberOfTrailingZeros(unknown);
            throw new DiskException(name, "it makes use of a feature that is not supported: "
                    + featureName(name, bytes, end, bit).orElse("incompatible feature bit " + bit));
        }
    }

    /** What the image itself calls the incompatible feature {@code bit}. */
    private Optional<String> featureName(String name, ByteBuffer bytes, int end, int bit) throws DiskException {
        Optional<ByteBuffer> table = extension(name, bytes, end, FEATURE_NAMES);
        if (table.isPresent()) {
            ByteBuffer names = table.get();
            for (int at = 0; at + FEATURE_NAME_BYTES <= names.limit(); at += FEATURE_NAME_BYTES) {
                if (names.get(at) == 0 && names.get(at + 1) == bit) {
                    byte[] text = new byte[FEATURE_NAME_BYTES - 2];
                    names.get(at + 2, text);
                    return Optional.of(new String(text, StandardCharsets.US_ASCII).replaceAll("[^ -~]+", ""))
                            .filter(found -> !found.isBlank());
                }
            }
        }
        return Optional.empty();
    }

    /** The header extension {@code wanted}, if it is there. */
    private Optional<ByteBuffer> extension(String name, ByteBuffer bytes, int end, int wanted) throws DiskException {
        int at = headerLength;
        while (at + 8 <= end) {
            int type = bytes.getInt(at);
            int length = bytes.getInt(at + 4);
            if (type == 0) {
                break;
            }
            check(name, length >= 0 && length <= end - at - 8, "a header extension is not within the header");
            if (type == wanted) {
                return Optional.of(bytes.slice(at + 8, length));
            }
            at += 8 + ((length + 7) & -8);
        }
        return Optional.empty();
    }

    private static void check(String name, boolean holds, String problem) throws DiskException {
        if (!holds) {
            throw new DiskException(name, problem);
        }
    }
}
