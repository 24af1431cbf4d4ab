package dev.xenolith.device.storage.ata;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.storage.Medium;

/**
 * What SET FEATURES, SET MULTIPLE MODE and INITIALIZE DEVICE PARAMETERS have set in a disk, and what IDENTIFY DEVICE tells of it.
 */
final class DiskSettings implements Saveable {
    /** The most sectors that 28 bits address. */
    static final long LBA28_SECTORS = (1 << 28) - 1;
    /** Sectors of ranges that DATA SET MANAGEMENT takes at most, word 105. */
    static final int MOST_RANGE_SECTORS = 8;

    private static final String MODEL = "XENOLITH HARDDISK";
    private static final String FIRMWARE = "1.0";
    private static final int MOST_MULTIPLE = 16;
    /** Translation of ATA/ATAPI-6, annex B: 16 heads, 63 sectors, and not more than 16383 cylinders. */
    private static final int HEADS = 16;
    private static final int SECTORS = 63;
    private static final int CYLINDERS = 16383;

    private static final int SET_WRITE_CACHE = 0x02;
    private static final int CLEAR_WRITE_CACHE = 0x82;
    private static final int SET_TRANSFER_MODE = 0x03;
    private static final int CLEAR_LOOK_AHEAD = 0x55;
    private static final int SET_LOOK_AHEAD = 0xaa;
    private static final int KEEP_SETTINGS = 0x66;
    private static final int REVERT_SETTINGS = 0xcc;

    /** What SET FEATURES leads to. */
    enum Outcome {
        DONE,
        /** What is in the cache is to go to the medium. */
        FLUSH, UNKNOWN
    }

    private final TransferModes modes = new TransferModes();
    private int multiple;
    private boolean writeCache = true;
    private boolean lookAhead = true;
    private boolean keep;
    private int heads = HEADS;
    private int sectorsPerTrack = SECTORS;

    /** Sectors of a block of READ and WRITE MULTIPLE, 0 if these are off. */
    int multiple() {
        return multiple;
    }

    boolean cachesWrites() {
        return writeCache;
    }

    boolean looksAhead() {
        return lookAhead;
    }

    /** Returns whether blocks can have {@code count} sectors; if not, there are none any more. */
    boolean setMultiple(int count) {
        boolean possible = count <= MOST_MULTIPLE && Integer.bitCount(count) <= 1;
        multiple = possible ? count : 0;
        return possible;
    }

    /** Returns whether there can be such tracks. */
    boolean setGeometry(int wantedHeads, int sectors) {
        if (sectors != 0) {
            heads = wantedHeads;
            sectorsPerTrack = sectors;
        }
        return sectors != 0;
    }

    /** @param count the count register, an argument of some */
    Outcome setFeature(int feature, int count) {
        switch (feature) {
            case SET_WRITE_CACHE -> writeCache = true;
            case CLEAR_WRITE_CACHE -> {
                writeCache = false;
                return Outcome.FLUSH;
            }
            case SET_LOOK_AHEAD -> lookAhead = true;
            case CLEAR_LOOK_AHEAD -> lookAhead = false;
            case KEEP_SETTINGS -> keep = true;
            case REVERT_SETTINGS -> keep = false;
            case SET_TRANSFER_MODE -> {
                return modes.choose(count) ? Outcome.DONE : Outcome.UNKNOWN;
            }
            default -> {
                return Outcome.UNKNOWN;
            }
        }
        return Outcome.DONE;
    }

    void softReset() {
        if (!keep) {
            multiple = 0;
            writeCache = true;
            lookAhead = true;
            heads = HEADS;
            sectorsPerTrack = SECTORS;
        }
    }

    void hardReset() {
        keep = false;
        modes.reset();
        softReset();
    }

    // ---- cylinders and heads -----------------------------------------------------------------------------------------

    /** The sector that the registers name by cylinder, head and sector, or -1 if there is no such head or sector. */
    long sectorOf(TaskFile registers) {
        int sector = registers.read(Ata.LBA_LOW, false);
        int head = registers.device() & 15;
        if (sector == 0 || sector > sectorsPerTrack || head >= heads) {
            return -1;
        }
        return ((long) registers.midHigh() * heads + head) * sectorsPerTrack + sector - 1;
    }

    /** Puts the place of {@code lba} into the registers. */
    void place(long lba, TaskFile registers) {
        int track = (int) Math.min(lba / sectorsPerTrack, Integer.MAX_VALUE);
        registers.setChs(track / heads, track % heads, (int) (lba % sectorsPerTrack) + 1);
    }

    // ---- identity ----------------------------------------------------------------------------------------------------

    /** Puts what IDENTIFY DEVICE sends at the beginning of {@code page}. */
    void identify(byte[] page, String serial, long sectors, boolean isSerial) {
        DiskIdentity identity = new DiskIdentity().names(serial, FIRMWARE, MODEL);
        long small = Math.min(sectors, LBA28_SECTORS);
        int cylinders = (int) Math.min(small / (heads * sectorsPerTrack), 0xffff);
        identity.words(0, 0x0040, (int) Math.min(small / (HEADS * SECTORS), CYLINDERS), 0xc837, HEADS)
                .words(6, SECTORS)
                .words(20, 3, AtaDevice.BUFFER_BYTES / Medium.SECTOR_BYTES, 4)
                .words(47, 0x8000 | MOST_MULTIPLE, 0x4000, 0x2f00, 0x4000, 0x0200, 0x0200)
                .words(54, cylinders, heads, sectorsPerTrack).wide(57, (long) cylinders * heads * sectorsPerTrack)
                .words(59, multiple == 0 ? 0 : 0x0100 | multiple).wide(60, small)
                .words(75, isSerial ? CommandQueue.TAGS - 1 : 0, isSerial ? 0x0106 : 0)
                // ATA/ATAPI-4 to ACS-2.
                .words(80, 0x03f0)
                // NOP, look-ahead, write cache, power management; flushes, 48 bits; FUA, logs.
                .words(82, 0x4068, 0x7400, 0x4060)
                .words(85, 0x4008 | (writeCache ? 0x20 : 0) | (lookAhead ? 0x40 : 0), 0x3400, 0x4060)
                .words(93, isSerial ? 0 : 0x6001)
                .wide(100, sectors).wide(102, sectors >>> 32)
                .words(105, MOST_RANGE_SECTORS, 0x4000)
                // TRIM; no rotation.
                .words(169, 1).words(217, 1);
        modes.describe(identity);
        identity.write(page);
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return "settings";
    }

    @Override
    public void save(StateWriter out) {
        out.put("multiple", multiple).put("writeCache", writeCache).put("lookAhead", lookAhead).put("keep", keep);
        out.put("heads", heads).put("sectorsPerTrack", sectorsPerTrack).put(modes);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        int count = in.getInt("multiple", 0, MOST_MULTIPLE);
        if (!setMultiple(count)) {
            throw new StateException("settings.multiple is " + count);
        }
        writeCache = in.getBoolean("writeCache");
        lookAhead = in.getBoolean("lookAhead");
        keep = in.getBoolean("keep");
        heads = in.getInt("heads", 1, HEADS);
        sectorsPerTrack = in.getInt("sectorsPerTrack", 1, 0xff);
        in.get(modes);
    }
}
