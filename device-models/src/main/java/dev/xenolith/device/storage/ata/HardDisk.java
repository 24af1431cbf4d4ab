package dev.xenolith.device.storage.ata;

import dev.xenolith.device.Clock;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.storage.DriveTiming;
import dev.xenolith.device.storage.Medium;
import dev.xenolith.device.storage.MediumRequest;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A disk (ATA/ATAPI-6, 8; ACS-2, 7): what its commands do. Absent, aborted, and not announced: SMART, security, power-up in
 * standby, advanced power management, host protected area but for READ NATIVE MAX ADDRESS, device configuration overlay.
 *
 * <p>Errors: IDNF for sectors that are not there, UNC for those that cannot be read, the device fault bit and ABRT if the medium does
 * not take what is written, ABRT for writing to a medium that is read-only.
 */
public final class HardDisk extends AtaDevice implements SectorTransfer.Owner {
    private static final String MODEL = "XENOLITH HARDDISK";
    private static final String FIRMWARE = "1.0";

    private static final int CHUNK_SECTORS = BUFFER_BYTES / Medium.SECTOR_BYTES;
    private static final int MOST_MULTIPLE = 16;
    private static final long LBA28_SECTORS = (1 << 28) - 1;
    private static final long LBA48_SECTORS = 1L << 48;
    /** Translation of ATA/ATAPI-6, annex B: 16 heads, 63 sectors, and not more than 16383 cylinders. */
    private static final int HEADS = 16;
    private static final int SECTORS = 63;
    private static final int CYLINDERS = 16383;
    /** Sectors of ranges that DATA SET MANAGEMENT takes at most, word 105. */
    private static final int MOST_RANGE_SECTORS = 8;
    private static final int RANGE_BYTES = 8;
    private static final int DSM_TRIM = 1;
    private static final int LOG_NCQ_ERROR = 0x10;

    private static final int SET_WRITE_CACHE = 0x02;
    private static final int CLEAR_WRITE_CACHE = 0x82;
    private static final int SET_TRANSFER_MODE = 0x03;
    private static final int CLEAR_LOOK_AHEAD = 0x55;
    private static final int SET_LOOK_AHEAD = 0xaa;
    private static final int KEEP_SETTINGS = 0x66;
    private static final int REVERT_SETTINGS = 0xcc;

    /** What the command under way is at. */
    private enum Phase {
        NONE, SECTORS,
        /** One sector goes to the host: IDENTIFY DEVICE, READ LOG EXT. */
        PAGE, RANGES, TRIM, FLUSH
    }

    /** How a command says where. */
    private enum Addressing {
        CHS, LBA28, LBA48
    }

    private final Medium medium;
    private final String serial;
    private final long sectors;
    private final PowerMode power;
    private final TransferModes modes = new TransferModes();
    private final SectorTransfer transfer = new SectorTransfer("transfer", this, CHUNK_SECTORS);
    private final MediumRequest upkeep = new MediumRequest("upkeep", this::upkeepEnded);
    private final CommandQueue queue;
    private Phase phase = Phase.NONE;
    private Addressing addressing = Addressing.LBA28;
    private boolean dma;
    private boolean verify;
    /** Bytes of a data block. */
    private int blockBytes;
    /** RANGES, TRIM: bytes of ranges, and those that are done. */
    private int rangeBytes;
    private int rangesDone;
    private int multiple;
    private boolean writeCache = true;
    private boolean lookAhead = true;
    private boolean keepSettings;
    private int heads = HEADS;
    private int sectorsPerTrack = SECTORS;

    /**
     * A disk that has just been switched on.
     *
     * @param serial at most 20 characters
     */
    public HardDisk(Clock clock, Cable cable, Medium medium, String serial) {
        super(clock, cable);
        this.medium = medium;
        this.serial = serial;
        sectors = Math.min(medium.size() / Medium.SECTOR_BYTES, LBA48_SECTORS);
        power = new PowerMode(clock);
        queue = new CommandQueue(clock, this);
        hardReset();
    }

    @Override
    public Medium medium() {
        return medium;
    }

    long sectors() {
        return sectors;
    }

    boolean cachesWrites() {
        return writeCache;
    }

    // ---- commands ----------------------------------------------------------------------------------------------------

    @Override
    protected void execute(int command) {
        if (command == Ata.READ_FPDMA_QUEUED || command == Ata.WRITE_FPDMA_QUEUED) {
            if (cable == Cable.SERIAL) {
                power.active();
                queue.accept(command == Ata.WRITE_FPDMA_QUEUED, registers);
            } else {
                abort();
            }
            return;
        }
        if (!queue.isEmpty()) {
            queue.interrupted();
            abort();
            return;
        }
        DiskAccess access = DiskAccess.of(command);
        if (access != null) {
            begin(access);
            return;
        }
        switch (command) {
            case Ata.IDENTIFY_DEVICE -> {
                identify();
                sendPage();
            }
            case Ata.READ_LOG_EXT -> readLog();
            case Ata.DATA_SET_MANAGEMENT -> dataSetManagement();
            case Ata.FLUSH_CACHE, Ata.FLUSH_CACHE_EXT -> {
                phase = Phase.FLUSH;
                upkeep.flush(medium, flushDue());
            }
            case Ata.SET_MULTIPLE_MODE -> setMultiple(registers.count());
            case Ata.SET_FEATURES -> setFeatures(registers.features());
            case Ata.INITIALIZE_DEVICE_PARAMETERS -> initialiseParameters();
            case Ata.READ_NATIVE_MAX -> {
                registers.setLba28(Math.min(sectors, LBA28_SECTORS) - 1);
                succeed();
            }
            case Ata.READ_NATIVE_MAX_EXT -> {
                registers.setLba48(sectors - 1);
                succeed();
            }
            default -> executePower(command);
        }
    }

    private void executePower(int command) {
        switch (command) {
            case Ata.CHECK_POWER_MODE, Ata.CHECK_POWER_MODE_OLD -> {
                registers.setCount(power.now());
                succeed();
            }
            case Ata.IDLE, Ata.IDLE_OLD -> {
                power.timer(registers.count());
                power.idle();
                succeed();
            }
            case Ata.IDLE_IMMEDIATE, Ata.IDLE_IMMEDIATE_OLD -> {
                power.idle();
                succeed();
            }
            case Ata.STANDBY, Ata.STANDBY_OLD -> {
                power.timer(registers.count());
                power.standby();
                succeed();
            }
            case Ata.STANDBY_IMMEDIATE, Ata.STANDBY_IMMEDIATE_OLD -> {
                power.standby();
                succeed();
            }
            case Ata.SLEEP, Ata.SLEEP_OLD -> sleep();
            default -> executeSeek(command);
        }
    }

    private void executeSeek(int command) {
        // The low half of the code was once the rate of steps.
        if ((command & 0xf0) == 0x10) {
            registers.setChs(0, 0, 0);
            succeed();
        } else if ((command & 0xf0) == 0x70) {
            long lba = address(false);
            if (lba < 0 || lba >= sectors) {
                end(Ata.ERR, Ata.IDNF);
            } else {
                succeed();
            }
        } else {
            abort();
        }
    }

    private void initialiseParameters() {
        if (registers.count() == 0) {
            abort();
        } else {
            sectorsPerTrack = registers.count();
            heads = (registers.device() & 15) + 1;
            succeed();
        }
    }

    private void setMultiple(int count) {
        if (count > MOST_MULTIPLE || Integer.bitCount(count) > 1) {
            multiple = 0;
            abort();
        } else {
            multiple = count;
            succeed();
        }
    }

    private void setFeatures(int feature) {
        boolean known = true;
        switch (feature) {
            case SET_WRITE_CACHE -> writeCache = true;
            case CLEAR_WRITE_CACHE -> writeCache = false;
            case SET_LOOK_AHEAD -> lookAhead = true;
            case CLEAR_LOOK_AHEAD -> lookAhead = false;
            case KEEP_SETTINGS -> keepSettings = true;
            case REVERT_SETTINGS -> keepSettings = false;
            case SET_TRANSFER_MODE -> known = modes.choose(registers.count());
            default -> known = false;
        }
        if (!known) {
            abort();
        } else if (feature == CLEAR_WRITE_CACHE) {
            // What is in the cache goes to the medium first.
            phase = Phase.FLUSH;
            upkeep.flush(medium, flushDue());
        } else {
            succeed();
        }
    }

    // ---- pages -------------------------------------------------------------------------------------------------------

    private void sendPage() {
        phase = Phase.PAGE;
        openBlock(0, Medium.SECTOR_BYTES, true, false, true);
    }

    private void identify() {
        DiskIdentity identity = new DiskIdentity().names(serial, FIRMWARE, MODEL);
        boolean isSerial = cable == Cable.SERIAL;
        long small = Math.min(sectors, LBA28_SECTORS);
        int cylinders = cylinders();
        identity.words(0, 0x0040, (int) Math.min(small / (HEADS * SECTORS), CYLINDERS), 0xc837, HEADS)
                .words(6, SECTORS)
                .words(20, 3, BUFFER_BYTES / Medium.SECTOR_BYTES, 4)
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
        identity.write(buffer);
    }

    /** Cylinders of the translation that INITIALIZE DEVICE PARAMETERS has set. */
    private int cylinders() {
        return (int) Math.min(Math.min(sectors, LBA28_SECTORS) / (heads * sectorsPerTrack), 0xffff);
    }

    /** Logs: their directory, and that of the queue. Each has one page. */
    private void readLog() {
        long address = registers.lba48();
        int page = (int) (address >>> 8) & 0xff | (int) (address >>> 32) << 8 & 0xff00;
        int log = (int) address & 0xff;
        boolean known = log == 0 || log == LOG_NCQ_ERROR && cable == Cable.SERIAL;
        if (!known || page != 0 || registers.wideCount() != 1) {
            abort();
            return;
        }
        if (log == LOG_NCQ_ERROR) {
            queue.readLog(buffer);
        } else {
            Arrays.fill(buffer, 0, Medium.SECTOR_BYTES, (byte) 0);
            buffer[0] = 1;
            buffer[2 * LOG_NCQ_ERROR] = (byte) (cable == Cable.SERIAL ? 1 : 0);
        }
        sendPage();
    }

    // ---- ranges ------------------------------------------------------------------------------------------------------

    private void dataSetManagement() {
        int count = registers.wideCount();
        if (registers.features() != DSM_TRIM || count == 0 || count > MOST_RANGE_SECTORS || medium.readOnly()) {
            abort();
            return;
        }
        phase = Phase.RANGES;
        rangeBytes = count * Medium.SECTOR_BYTES;
        openBlock(0, rangeBytes, false, true, false);
    }

    private long range(int at) {
        long entry = 0;
        for (int i = 0; i < RANGE_BYTES; i++) {
            entry |= (buffer[at + i] & 0xffL) << i * 8;
        }
        return entry;
    }

    private void trim() {
        addressing = Addressing.LBA48;
        for (int at = 0; at < rangeBytes; at += RANGE_BYTES) {
            long lba = range(at) & LBA48_SECTORS - 1;
            if (lba + (range(at) >>> 48) > sectors) {
                endAt(lba, Ata.ERR, Ata.IDNF | Ata.ABRT);
                return;
            }
        }
        phase = Phase.TRIM;
        rangesDone = 0;
        trimNext();
    }

    private void trimNext() {
        while (rangesDone < rangeBytes) {
            long entry = range(rangesDone);
            long lba = entry & LBA48_SECTORS - 1;
            long count = entry >>> 48;
            rangesDone += RANGE_BYTES;
            if (count != 0 && lba <= sectors - count) {
                upkeep.discard(medium, clock.now() + DriveTiming.DISK_ACCESS, lba * Medium.SECTOR_BYTES,
                        count * Medium.SECTOR_BYTES);
                return;
            }
        }
        finish();
    }

    private void upkeepEnded(@Nullable Exception failure) {
        if (failure != null) {
            phase = Phase.NONE;
            end(Ata.ERR | Ata.DF, Ata.ABRT);
        } else if (phase == Phase.TRIM) {
            trimNext();
        } else {
            finish();
        }
    }

    private void finish() {
        phase = Phase.NONE;
        succeed();
    }

    // ---- sectors -----------------------------------------------------------------------------------------------------

    /** The address in the registers, -1 if there can be no such sector. */
    private long address(boolean wide) {
        if (wide) {
            addressing = Addressing.LBA48;
            return registers.lba48();
        }
        if ((registers.device() & Ata.DEVICE_LBA) != 0) {
            addressing = Addressing.LBA28;
            return registers.lba28();
        }
        addressing = Addressing.CHS;
        int sector = registers.read(Ata.LBA_LOW, false);
        int head = registers.device() & 15;
        if (sector == 0 || sector > sectorsPerTrack || head >= heads) {
            return -1;
        }
        return ((long) registers.midHigh() * heads + head) * sectorsPerTrack + sector - 1;
    }

    private void begin(DiskAccess access) {
        power.active();
        boolean byMultiple = access.way() == DiskAccess.Way.MULTIPLE;
        if (byMultiple && multiple == 0 || access.write() && medium.readOnly()) {
            abort();
            return;
        }
        int most = access.wide() ? 1 << 16 : 1 << 8;
        int count = access.wide() ? registers.wideCount() : registers.count();
        if (count == 0) {
            count = most;
        }
        long lba = address(access.wide());
        if (lba < 0) {
            end(Ata.ERR, Ata.IDNF);
            return;
        }
        if (lba > sectors - count) {
            endAt(Math.max(lba, sectors), Ata.ERR, Ata.IDNF);
            return;
        }
        phase = Phase.SECTORS;
        dma = access.way() == DiskAccess.Way.DMA;
        verify = access.way() == DiskAccess.Way.VERIFY;
        blockBytes = (dma ? CHUNK_SECTORS : byMultiple ? multiple : 1) * Medium.SECTOR_BYTES;
        transfer.begin(lba, count, access.write(), access.write() && (access.stable() || !writeCache));
        nextChunk();
    }

    private void nextChunk() {
        if (transfer.isWrite()) {
            openNext(0, !dma && !transfer.isFirst());
        } else {
            transfer.fetch();
        }
    }

    /** Opens the block of the chunk that begins at {@code from}. */
    private void openNext(int from, boolean interrupts) {
        openBlock(from, Math.min(from + blockBytes, transfer.chunkBytes()), !transfer.isWrite(), dma, interrupts);
    }

    private void chunkDone() {
        if (transfer.advance()) {
            nextChunk();
        } else if (transfer.isWrite() || dma || verify) {
            finish();
        } else {
            phase = Phase.NONE;
            ready(0, 0);
        }
    }

    @Override
    protected void blockMoved() {
        switch (phase) {
            case PAGE -> {
                phase = Phase.NONE;
                ready(0, 0);
            }
            case RANGES -> trim();
            case SECTORS -> {
                int moved = block.end();
                if (moved < transfer.chunkBytes()) {
                    openNext(moved, !dma);
                } else if (transfer.isWrite() && moved > 0) {
                    transfer.store();
                } else {
                    chunkDone();
                }
            }
            default -> abort();
        }
    }

    /** Ends a command with the address of the sector at fault. */
    private void endAt(long lba, int status, int errors) {
        phase = Phase.NONE;
        switch (addressing) {
            case LBA48 -> registers.setLba48(lba);
            case LBA28 -> registers.setLba28(lba);
            case CHS -> {
                int track = (int) Math.min(lba / sectorsPerTrack, Integer.MAX_VALUE);
                registers.setChs(track / heads, track % heads, (int) (lba % sectorsPerTrack) + 1);
            }
        }
        end(status, errors);
    }

    @Override
    public long due(int bytes, boolean first) {
        boolean cached = transfer.isWrite() ? writeCache : lookAhead;
        return clock.now() + (first || !cached ? DriveTiming.DISK_ACCESS : 0) + DriveTiming.disk(bytes);
    }

    @Override
    public long flushDue() {
        return clock.now() + DriveTiming.DISK_FLUSH;
    }

    @Override
    public byte[] buffer(SectorTransfer owned) {
        return buffer;
    }

    @Override
    public void fetched(SectorTransfer owned) {
        if (verify) {
            chunkDone();
        } else {
            openNext(0, !dma);
        }
    }

    @Override
    public void stored(SectorTransfer owned) {
        chunkDone();
    }

    @Override
    public void failed(SectorTransfer owned) {
        boolean write = owned.isWrite();
        endAt(owned.lba(), write ? Ata.ERR | Ata.DF : Ata.ERR, write ? Ata.ABRT : Ata.UNC);
    }

    // ---- queue -------------------------------------------------------------------------------------------------------

    void queued() {
        ready(0, 0);
        host.queued();
    }

    void queuedEnded(int tags) {
        host.queuedEnded(tags);
    }

    void queueFailed(int bits, int errors) {
        ready(bits, errors);
        host.queuedEnded(0);
    }

    // ---- resets ------------------------------------------------------------------------------------------------------

    @Override
    protected boolean abandonRequests() {
        phase = Phase.NONE;
        queue.abandon();
        boolean lent = transfer.cancel();
        return upkeep.cancel() || lent;
    }

    @Override
    protected void softResetBegins() {
        power.active();
        if (!keepSettings) {
            revert();
        }
    }

    @Override
    protected void hardResetBegins() {
        keepSettings = false;
        power.reset();
        modes.reset();
        revert();
    }

    private void revert() {
        multiple = 0;
        writeCache = true;
        lookAhead = true;
        heads = HEADS;
        sectorsPerTrack = SECTORS;
    }

    @Override
    public int signatureWord() {
        return 0;
    }

    @Override
    protected int readyStatus() {
        return Ata.DRDY | Ata.DSC;
    }

    @Override
    protected boolean resetsByCommand() {
        return false;
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    protected int bufferUsed() {
        return switch (phase) {
            case NONE, FLUSH -> 0;
            case PAGE -> Medium.SECTOR_BYTES;
            case RANGES, TRIM -> rangeBytes;
            case SECTORS -> transfer.isReading() ? 0 : transfer.chunkBytes();
        };
    }

    @Override
    public String stateName() {
        return "disk";
    }

    @Override
    public void save(StateWriter out) {
        super.save(out);
        out.put("phase", phase.ordinal()).put("addressing", addressing.ordinal()).put("dma", dma);
        out.put("verify", verify).put("blockBytes", blockBytes).put("rangeBytes", rangeBytes);
        out.put("rangesDone", rangesDone).put("multiple", multiple).put("writeCache", writeCache);
        out.put("lookAhead", lookAhead).put("keepSettings", keepSettings).put("heads", heads);
        out.put("sectorsPerTrack", sectorsPerTrack).put(modes).put(power).put(transfer).put(upkeep).put(queue);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        super.restore(in);
        phase = Phase.values()[in.getInt("phase", 0, Phase.values().length - 1)];
        addressing = Addressing.values()[in.getInt("addressing", 0, Addressing.values().length - 1)];
        dma = in.getBoolean("dma");
        verify = in.getBoolean("verify");
        blockBytes = in.getInt("blockBytes", 0, BUFFER_BYTES);
        rangeBytes = in.getInt("rangeBytes", 0, MOST_RANGE_SECTORS * Medium.SECTOR_BYTES) & -RANGE_BYTES;
        rangesDone = in.getInt("rangesDone", 0, rangeBytes) & -RANGE_BYTES;
        setRestoredMultiple(in.getInt("multiple", 0, MOST_MULTIPLE));
        writeCache = in.getBoolean("writeCache");
        lookAhead = in.getBoolean("lookAhead");
        keepSettings = in.getBoolean("keepSettings");
        heads = in.getInt("heads", 1, HEADS);
        sectorsPerTrack = in.getInt("sectorsPerTrack", 1, 0xff);
        in.get(modes);
        in.get(power);
        in.get(transfer);
        in.get(upkeep);
        if (phase == Phase.SECTORS && blockBytes == 0) {
            throw new StateException("disk.blockBytes is 0");
        }
        transfer.resume();
        upkeep.resume(medium, buffer);
        in.get(queue);
    }

    private void setRestoredMultiple(int count) throws StateException {
        if (Integer.bitCount(count) > 1) {
            throw new StateException("disk.multiple is " + count);
        }
        multiple = count;
    }
}
