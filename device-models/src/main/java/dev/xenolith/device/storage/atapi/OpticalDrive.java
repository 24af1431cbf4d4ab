package dev.xenolith.device.storage.atapi;

import dev.xenolith.device.Clock;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.storage.DriveTiming;
import dev.xenolith.device.storage.Medium;
import dev.xenolith.device.storage.MediumRequest;
import dev.xenolith.device.storage.ata.Ata;
import dev.xenolith.device.storage.ata.AtaDevice;
import dev.xenolith.device.storage.ata.DiskIdentity;
import dev.xenolith.device.storage.ata.TransferModes;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A drive for CDs and DVDs of data, which are read only: the PACKET command (ATA/ATAPI-6, 8.23 and 9.9) around MMC-3's. A disc has one
 * session of one track. There is no sound, and nothing but the user data of blocks is read.
 */
public final class OpticalDrive extends AtaDevice {
    private static final String MODEL = "XENOLITH DVD-ROM";
    private static final String FIRMWARE = "1.0";
    private static final int SIGNATURE = 0xeb14;
    private static final int PACKET_BYTES = 12;
    private static final int CHUNK_BLOCKS = BUFFER_BYTES / Tray.BLOCK;
    private static final int MOST_BLOCK_BYTES = 0xfffe;

    private static final int PACKET = 0xa0;
    private static final int IDENTIFY_PACKET_DEVICE = 0xa1;
    private static final int FEATURE_DMA = 0x01;
    private static final int FEATURE_OVERLAP = 0x02;
    /** Interrupt reason, in the count register: a command packet or a completion; towards the host. */
    private static final int REASON_COMMAND = 1;
    private static final int REASON_TO_HOST = 2;

    /** What the command under way is at. */
    private enum Phase {
        NONE, IDENTIFY, PACKET, REPLY, BLOCKS
    }

    private final String serial;
    private final Tray tray;
    private final DiscPages pages;
    private final TransferModes modes = new TransferModes();
    private final MediumRequest request = new MediumRequest("request", this::fetched);
    private Phase phase = Phase.NONE;
    private Sense sense = Sense.NONE;
    private Sense attention = Sense.NONE;
    private boolean dma;
    /** Most bytes of a data block. */
    private int limit;
    /** Bytes in the buffer that go to the host. */
    private int filled;
    /** The next block that is to be read, and how many are. */
    private int lba;
    private int left;
    private boolean standby;

    /**
     * A drive that has just been switched on.
     *
     * @param disc what is in it, or null
     * @param serial at most 20 characters
     */
    public OpticalDrive(Clock clock, Cable cable, @Nullable Medium disc, String serial) {
        super(clock, cable);
        this.serial = serial;
        tray = new Tray(disc);
        pages = new DiscPages(tray);
        hardReset();
    }

    /** Somebody puts a disc in, in place of what was there. */
    public void insert(Medium disc) {
        change();
        tray.insert(disc);
        attention = Sense.MEDIUM_CHANGED;
    }

    /**
     * Somebody takes the disc out. Returns false if software has locked the tray and {@code force} is not set: then software is told
     * that somebody would like to.
     */
    public boolean eject(boolean force) {
        if (!tray.isLocked() || force) {
            change();
        }
        return tray.takeOut(force);
    }

    /** What is in the drive, or null. */
    public @Nullable Medium disc() {
        return tray.disc();
    }

    /** A read of a disc that goes away ends with it. */
    private void change() {
        if (request.cancel()) {
            buffer = new byte[BUFFER_BYTES];
            check(Sense.MEDIUM_CHANGED);
        } else if (phase == Phase.BLOCKS) {
            // What has been read is still good.
            left = 0;
        }
    }

    // ---- ATA ---------------------------------------------------------------------------------------------------------

    @Override
    protected void execute(int command) {
        switch (command) {
            case PACKET -> {
                int features = register(features());
                if ((features & FEATURE_OVERLAP) != 0) {
                    abort();
                    return;
                }
                dma = (features & FEATURE_DMA) != 0;
                int wanted = midHigh();
                limit = wanted == 0 || wanted > MOST_BLOCK_BYTES ? MOST_BLOCK_BYTES : wanted;
                phase = Phase.PACKET;
                registers.write(Ata.COUNT, REASON_COMMAND);
                openPacket(PACKET_BYTES);
            }
            case IDENTIFY_PACKET_DEVICE -> {
                identify();
                phase = Phase.IDENTIFY;
                openBlock(0, Medium.SECTOR_BYTES, true, false, true);
            }
            // IDENTIFY DEVICE, READ SECTORS.
            case 0xec, 0x20 -> abortWithSignature();
            case 0xef -> {
                if (register(features()) == 0x03 && modes.choose(register(Ata.COUNT))) {
                    succeed();
                } else {
                    abort();
                }
            }
            case 0xe0, 0xe2 -> {
                standby = true;
                succeed();
            }
            case 0xe1, 0xe3 -> {
                standby = false;
                succeed();
            }
            case 0xe5 -> {
                registers.write(Ata.COUNT, standby ? 0 : 0xff);
                succeed();
            }
            case 0xe6 -> sleep();
            default -> abort();
        }
    }

    private static int features() {
        return Ata.FEATURES;
    }

    private int register(int register) {
        return registers.read(register, false);
    }

    private int midHigh() {
        return register(Ata.LBA_HIGH) << 8 | register(Ata.LBA_MID);
    }

    private void identify() {
        boolean isSerial = cable == Cable.SERIAL;
        DiskIdentity identity = new DiskIdentity().names(serial, FIRMWARE, MODEL);
        // Packets of 12 bytes, DRQ within 50 us, removable, CD-ROM.
        identity.words(0, 0x85c0).words(49, 0x0f00, 0x4000).words(76, isSerial ? 0x0006 : 0).words(80, 0x03f0)
                // NOP, DEVICE RESET, packets, power management.
                .words(82, 0x4218, 0x4000, 0x4000, 0x4218, 0, 0x4000).words(93, isSerial ? 0 : 0x6001);
        modes.describe(identity);
        identity.write(buffer);
    }

    @Override
    protected void blockMoved() {
        switch (phase) {
            case PACKET -> command(Arrays.copyOf(buffer, PACKET_BYTES));
            case IDENTIFY -> {
                phase = Phase.NONE;
                ready(0, 0);
            }
            case REPLY, BLOCKS -> sendNext(block.position());
            case NONE -> abort();
        }
    }

    /** Sends what is in the buffer from {@code from} on, or if that was all what comes after it. */
    private void sendNext(int from) {
        if (from < filled) {
            int bytes = filled - from;
            if (!dma && bytes > limit) {
                // All but the last are of an even number of bytes.
                bytes = Math.max(limit & ~1, 2);
                bytes = Math.min(bytes, filled - from);
            }
            registers.write(Ata.COUNT, REASON_TO_HOST);
            registers.write(Ata.LBA_MID, bytes & 0xff);
            registers.write(Ata.LBA_HIGH, bytes >>> 8 & 0xff);
            openBlock(from, from + bytes, true, dma, !dma);
        } else if (phase == Phase.BLOCKS && left > 0) {
            fetch(0);
        } else {
            good();
        }
    }

    private void good() {
        phase = Phase.NONE;
        registers.write(Ata.COUNT, REASON_COMMAND | REASON_TO_HOST);
        succeed();
    }

    /** Ends the command with CHECK CONDITION. */
    private void check(Sense reason) {
        phase = Phase.NONE;
        sense = reason;
        registers.write(Ata.COUNT, REASON_COMMAND | REASON_TO_HOST);
        end(Ata.ERR, reason.key() << 4 | Ata.ABRT);
    }

    /** Sends {@code bytes} bytes of the buffer, or as many of them as there is room for. */
    private void reply(int bytes, int room) {
        if (bytes < 0) {
            check(Sense.INVALID_FIELD);
            return;
        }
        phase = Phase.REPLY;
        filled = Math.min(bytes, room);
        sendNext(0);
    }

    // ---- MMC ---------------------------------------------------------------------------------------------------------

    private void command(byte[] cdb) {
        int operation = cdb[0] & 0xff;
        boolean tells = operation == 0x03;
        // INQUIRY, GET CONFIGURATION, GET EVENT STATUS NOTIFICATION.
        boolean isAsking = operation == 0x12 || operation == 0x46 || operation == 0x4a;
        if (!tells && !isAsking && !attention.equals(Sense.NONE)) {
            Sense reason = attention;
            attention = Sense.NONE;
            check(reason);
            return;
        }
        if (!tells) {
            sense = Sense.NONE;
        }
        standby = false;
        switch (operation) {
            case 0x03 -> requestSense(cdb[4] & 0xff);
            case 0x12 -> reply((cdb[1] & 1) != 0 || cdb[2] != 0 ? -1 : pages.inquiry(buffer), cdb[4] & 0xff);
            case 0x1b -> startStop(cdb[4]);
            case 0x1e -> {
                tray.lock((cdb[4] & 1) != 0);
                good();
            }
            case 0x46 -> reply((cdb[1] & 3) == 3 ? -1 : pages.configuration(buffer, cdb[1] & 3, big16(cdb, 2)),
                    big16(cdb, 7));
            case 0x4a -> reply((cdb[1] & 1) == 0 ? -1 : pages.event(buffer, cdb[4]), big16(cdb, 7));
            case 0x5a -> {
                if ((cdb[2] & 0xc0) == 0xc0) {
                    check(Sense.NOT_SAVED);
                } else {
                    reply(pages.modes(buffer, cdb[2] & 0x3f, (cdb[2] & 0xc0) == 0x40), big16(cdb, 7));
                }
            }
            case 0xbb -> good();
            case 0xbd -> reply(pages.mechanism(buffer), big16(cdb, 8));
            default -> commandToDisc(operation, cdb);
        }
    }

    /** Commands that need a disc. */
    private void commandToDisc(int operation, byte[] cdb) {
        boolean known = switch (operation) {
            case 0x00, 0x25, 0x28, 0x2b, 0x43, 0x51, 0xa8, 0xad, 0xbe -> true;
            default -> false;
        };
        if (!known) {
            check(Sense.INVALID_COMMAND);
            return;
        }
        if (tray.disc() == null) {
            check(tray.isOpen() ? Sense.NO_MEDIUM_OPEN : Sense.NO_MEDIUM_CLOSED);
            return;
        }
        switch (operation) {
            case 0x00 -> good();
            case 0x25 -> reply(pages.capacity(buffer), Integer.MAX_VALUE);
            case 0x28 -> read(big32(cdb, 2), big16(cdb, 7));
            case 0xa8 -> read(big32(cdb, 2), big32(cdb, 6));
            case 0x2b -> {
                if (Integer.compareUnsigned(big32(cdb, 2), tray.blocks()) >= 0) {
                    check(Sense.OUT_OF_RANGE);
                } else {
                    good();
                }
            }
            case 0x43 -> {
                // The format was once in the last byte.
                int format = (cdb[2] & 15) != 0 ? cdb[2] & 15 : cdb[9] >>> 6 & 3;
                reply(pages.tableOfContents(buffer, format, (cdb[1] & 2) != 0, cdb[6] & 0xff), big16(cdb, 7));
            }
            case 0x51 -> reply((cdb[1] & 7) != 0 ? -1 : pages.discInformation(buffer), big16(cdb, 7));
            case 0xad -> check(Sense.INCOMPATIBLE_FORMAT);
            default -> readCd(cdb);
        }
    }

    private static int big16(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
    }

    private static int big32(byte[] bytes, int at) {
        return big16(bytes, at) << 16 | big16(bytes, at + 2);
    }

    private void requestSense(int room) {
        Sense told = sense;
        if (told.equals(Sense.NONE)) {
            told = attention;
            attention = Sense.NONE;
        }
        sense = Sense.NONE;
        Arrays.fill(buffer, 0, Sense.BYTES, (byte) 0);
        told.write(buffer);
        reply(Sense.BYTES, room);
    }

    private void startStop(int options) {
        boolean moves = (options & 2) != 0;
        boolean start = (options & 1) != 0;
        if (moves && !start && tray.isLocked()) {
            check(Sense.REMOVAL_PREVENTED);
            return;
        }
        if (moves && tray.move(!start)) {
            attention = Sense.MEDIUM_CHANGED;
        }
        good();
    }

    /** READ CD (MMC-3, 6.19): user data of any type of sector, or nothing of it. */
    private void readCd(byte[] cdb) {
        int type = cdb[1] >>> 2 & 7;
        int main = cdb[9] & 0xf8;
        // Any, mode 1, mode 2 form 1: all are blocks of 2048 bytes here.
        if (type != 0 && type != 2 && type != 4) {
            check(Sense.ILLEGAL_TRACK_MODE);
        } else if ((cdb[9] & 0x07) != 0 || (cdb[10] & 7) != 0 || main != 0 && main != 0x10) {
            check(Sense.INVALID_FIELD);
        } else {
            int count = (cdb[6] & 0xff) << 16 | big16(cdb, 7);
            read(big32(cdb, 2), main == 0 ? 0 : count);
        }
    }

    private void read(int from, int count) {
        long end = (from & 0xffff_ffffL) + (count & 0xffff_ffffL);
        if (end > tray.blocks()) {
            check(Sense.OUT_OF_RANGE);
        } else if (count == 0) {
            good();
        } else {
            phase = Phase.BLOCKS;
            lba = from;
            left = count;
            fetch(DriveTiming.DISC_ACCESS);
        }
    }

    private void fetch(long access) {
        Medium disc = tray.disc();
        if (disc == null) {
            check(Sense.MEDIUM_CHANGED);
            return;
        }
        filled = Math.min(left, CHUNK_BLOCKS) * Tray.BLOCK;
        request.read(disc, clock.now() + access + DriveTiming.disc(filled), (long) lba * Tray.BLOCK, buffer, filled);
    }

    private void fetched(@Nullable Exception failure) {
        if (failure != null) {
            check(Sense.UNRECOVERED_READ);
            return;
        }
        lba += filled / Tray.BLOCK;
        left -= filled / Tray.BLOCK;
        sendNext(0);
    }

    // ---- kind of device ----------------------------------------------------------------------------------------------

    @Override
    protected boolean abandonRequests() {
        phase = Phase.NONE;
        left = 0;
        return request.cancel();
    }

    @Override
    protected void softResetBegins() {
        sense = Sense.NONE;
    }

    @Override
    protected void hardResetBegins() {
        attention = Sense.RESET;
        tray.lock(false);
        modes.reset();
        standby = false;
    }

    @Override
    public int signatureWord() {
        return SIGNATURE;
    }

    @Override
    protected int readyStatus() {
        return 0;
    }

    @Override
    protected boolean resetsByCommand() {
        return true;
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    protected int bufferUsed() {
        return switch (phase) {
            case NONE -> 0;
            case IDENTIFY -> Medium.SECTOR_BYTES;
            case PACKET -> PACKET_BYTES;
            case REPLY, BLOCKS -> request.isBusy() ? 0 : filled;
        };
    }

    @Override
    public String stateName() {
        return "optical";
    }

    @Override
    public void save(StateWriter out) {
        super.save(out);
        out.put("phase", phase.ordinal()).put("sense", sense.packed()).put("attention", attention.packed());
        out.put("dma", dma).put("limit", limit).put("filled", filled).put("lba", lba).put("left", left);
        out.put("standby", standby).put(tray).put(modes).put(request);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        super.restore(in);
        in.get(tray);
        phase = Phase.values()[in.getInt("phase", 0, Phase.values().length - 1)];
        sense = Sense.of(in.getInt("sense"));
        attention = Sense.of(in.getInt("attention"));
        dma = in.getBoolean("dma");
        limit = in.getInt("limit", 0, MOST_BLOCK_BYTES);
        filled = in.getInt("filled", 0, BUFFER_BYTES);
        lba = in.getInt("lba", 0, Integer.MAX_VALUE);
        left = in.getInt("left", 0, Integer.MAX_VALUE);
        standby = in.getBoolean("standby");
        in.get(modes);
        in.get(request);
        Medium disc = tray.disc();
        if (phase == Phase.BLOCKS && left > tray.blocks() - lba && left > 0) {
            throw new StateException("optical: " + left + " blocks at " + lba + " are not on the disc");
        }
        if (request.isBusy()) {
            if (disc == null || phase != Phase.BLOCKS || left * (long) Tray.BLOCK < filled) {
                throw new StateException("optical: a read of no disc");
            }
            request.resume(disc, buffer);
        }
    }
}
