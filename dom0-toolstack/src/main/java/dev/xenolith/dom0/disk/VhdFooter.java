package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;

/**
 * The last sector of a VHD, of which a dynamic one has a copy at its start (Virtual Hard Disk Image Format Specification 1.0,
 * "Hard Disk Footer Format").
 */
final class VhdFooter {
    static final int BYTES = 512;
    static final int FIXED = 2;
    static final int DYNAMIC = 3;
    /** What fits the 32 bits of sector numbers in the block allocation table. */
    static final long MAX_SIZE = 2040L << 30;

    private static final byte[] COOKIE = "conectix".getBytes(StandardCharsets.US_ASCII);
    private static final int DIFFERENCING = 4;
    private static final int AT_CREATOR = 28;
    private static final int AT_CURRENT_SIZE = 48;
    private static final int AT_GEOMETRY = 56;
    private static final int AT_TYPE = 60;
    private static final int AT_CHECKSUM = 64;
    private static final int VERSION = 0x10000;
    private static final long EPOCH = Instant.parse("2000-01-01T00:00:00Z").getEpochSecond();
    /** Those whose disks are as large as the footer says, not as its geometry does (block/vpc.c of QEMU). */
    private static final Set<String> SIZE_IS_CURRENT_SIZE = Set.of("win ", "qem2", "d2v ", "tap\0", "CTXS");
    /** Ours, too, is one of those: the name tells others how to read the size, so it is that of Xen's own driver. */
    private static final String CREATOR = "tap\0";
    private static final int MAX_GEOMETRY_SECTORS = 65535 * 16 * 255;

    private final ByteBuffer bytes;

    private VhdFooter(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    /** Makes the footer of a new disk of {@code size} bytes. */
    static VhdFooter create(long size, int type) {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        UUID id = UUID.randomUUID();
        bytes.put(0, COOKIE).putInt(8, 2).putInt(12, VERSION)
                .putLong(16, type == FIXED ? -1 : BYTES)
                .putInt(24, (int) (Instant.now().getEpochSecond() - EPOCH))
                .put(AT_CREATOR, CREATOR.getBytes(StandardCharsets.US_ASCII)).putInt(32, VERSION)
                .put(36, "Wi2k".getBytes(StandardCharsets.US_ASCII)).putLong(40, size).putInt(AT_TYPE, type)
                .putLong(68, id.getMostSignificantBits()).putLong(76, id.getLeastSignificantBits());
        VhdFooter footer = new VhdFooter(bytes);
        footer.setSize(size);
        return footer;
    }

    /** Returns whether there is something at {@code position} that begins as a footer does. */
    static boolean isAt(Store store, long position) throws IOException {
        if (position < 0) {
            return false;
        }
        ByteBuffer cookie = ByteBuffer.allocate(COOKIE.length);
        store.read(position, cookie);
        return cookie.clear().equals(ByteBuffer.wrap(COOKIE));
    }

    /** Reads the footer that is at {@code position}, with its checksum only. */
    static VhdFooter read(Store store, long position) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        store.read(position, bytes);
        if (bytes.getInt(AT_CHECKSUM) != checksum(bytes, AT_CHECKSUM)) {
            throw new DiskException(store.name(), "the checksum of its footer is wrong");
        }
        return new VhdFooter(bytes);
    }

    /** Checks what there is to be checked without the rest of the file. */
    void check(Store store) throws DiskException {
        if (bytes.getInt(12) >>> 16 != VERSION >>> 16) {
            throw new DiskException(store.name(), "VHD version " + (bytes.getInt(12) >>> 16) + " is not supported");
        }
        if (type() == DIFFERENCING) {
            throw new DiskException(store.name(), "a differencing VHD is not supported");
        }
        if (type() != FIXED && type() != DYNAMIC) {
            throw new DiskException(store.name(), "a VHD of type " + Integer.toUnsignedString(type())
                    + " is not supported; there are fixed (2) and dynamic (3)");
        }
        if (size() < 0 || size() > MAX_SIZE) {
            throw new DiskException(store.name(), "the disk's size " + Long.toUnsignedString(size())
                    + " is larger than a VHD's can be");
        }
    }

    int type() {
        return bytes.getInt(AT_TYPE);
    }

    /** Returns where the header of a dynamic disk is. */
    long headerOffset() {
        return bytes.getLong(16);
    }

    /** Returns the size of the disk in bytes. */
    long size() {
        long current = bytes.getLong(AT_CURRENT_SIZE) & -DiskImage.SECTOR_BYTES;
        byte[] creator = new byte[4];
        bytes.get(AT_CREATOR, creator);
        long geometry = (long) (bytes.getShort(AT_GEOMETRY) & 0xffff) * (bytes.get(AT_GEOMETRY + 2) & 0xff)
                * (bytes.get(AT_GEOMETRY + 3) & 0xff);
        boolean exact = SIZE_IS_CURRENT_SIZE.contains(new String(creator, StandardCharsets.ISO_8859_1));
        return exact || geometry == 0 || geometry == MAX_GEOMETRY_SECTORS
                ? current
                : geometry * DiskImage.SECTOR_BYTES;
    }

    /** Returns who made it, four characters. */
    String creator() {
        byte[] creator = new byte[4];
        bytes.get(AT_CREATOR, creator);
        return new String(creator, StandardCharsets.ISO_8859_1).replaceAll("[^!-~]+", "");
    }

    /** Makes the disk one of {@code size} bytes. */
    void setSize(long size) {
        bytes.put(AT_CREATOR, CREATOR.getBytes(StandardCharsets.US_ASCII)).putLong(AT_CURRENT_SIZE, size);
        putGeometry(size / DiskImage.SECTOR_BYTES);
        bytes.putInt(AT_CHECKSUM, checksum(bytes, AT_CHECKSUM));
    }

    void write(Store store, long position) throws IOException {
        store.write(position, bytes.duplicate().clear());
    }

    boolean sameAs(VhdFooter other) {
        return bytes.duplicate().clear().equals(other.bytes.duplicate().clear());
    }

    /** The ones' complement of the sum of all bytes but those of the checksum at {@code at}. */
    static int checksum(ByteBuffer bytes, int at) {
        int sum = 0;
        for (int i = 0; i < bytes.capacity(); i++) {
            sum += i >= at && i < at + Integer.BYTES ? 0 : bytes.get(i) & 0xff;
        }
        return ~sum;
    }

    /** The specification's appendix, "CHS Calculation". */
    private void putGeometry(long sectors) {
        long total = Math.min(sectors, MAX_GEOMETRY_SECTORS);
        int perTrack;
        int heads;
        long tracks;
        if (total >= 65535L * 16 * 63) {
            perTrack = 255;
            heads = 16;
            tracks = total / perTrack;
        } else {
            perTrack = 17;
            tracks = total / perTrack;
            heads = (int) Math.max(4, (tracks + 1023) / 1024);
            if (tracks >= heads * 1024L || heads > 16) {
                perTrack = 31;
                heads = 16;
                tracks = total / perTrack;
            }
            if (tracks >= heads * 1024L) {
                perTrack = 63;
                heads = 16;
                tracks = total / perTrack;
            }
        }
        bytes.putShort(AT_GEOMETRY, (short) (tracks / heads)).put(AT_GEOMETRY + 2, (byte) heads)
                .put(AT_GEOMETRY + 3, (byte) perTrack);
    }
}
