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
    private static final int CHUNK_SECTORS = BUFFER_BYTES / Medium.SECTOR_BYTES;
    private static final long LBA48_SECTORS = 1L << 48;
    private static final int RANGE_BYTES = 8;
    private static final int DSM_TRIM = 1;
    private static final int LOG_NCQ_ERROR = 0x10;

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
    private final DiskSettings settings = new DiskSettings();
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
        return settings.cachesWrites();
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
                settings.identify(buffer, serial, sectors, cable == Cable.SERIAL);
                sendPage();
            }
            case Ata.READ_LOG_EXT -> readLog();
            case Ata.DATA_SET_MANAGEMENT -> dataSetManagement();
            case Ata.FLUSH_CACHE, Ata.FLUSH_CACHE_EXT -> {
                phase = Phase.FLUSH;
                upkeep.flush(medium, flushDue());
            }
            case Ata.SET_MULTIPLE_MODE -> endIf(settings.setMultiple(registers.count()));
            case Ata.SET_FEATURES -> setFeatures();
            case Ata.INITIALIZE_DEVICE_PARAMETERS -> endIf(
                    settings.setGeometry((registers.device() & 15) + 1, registers.count()));
            case Ata.READ_NATIVE_MAX -> {
                registers.setLba28(Math.min(sectors, DiskSettings.LBA28_SECTORS) - 1);
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

    private void endIf(boolean possible) {
        if (possible) {
            succeed();
        } else {
            abort();
        }
    }

    private void setFeatures() {
        switch (settings.setFeature(registers.features(), registers.count())) {
            case DONE -> succeed();
            case UNKNOWN -> abort();
            case FLUSH -> {
                phase = Phase.FLUSH;
                upkeep.flush(medium, flushDue());
            }
        }
    }

    // ---- pages -------------------------------------------------------------------------------------------------------

    private void sendPage() {
        phase = Phase.PAGE;
        openBlock(0, Medium.SECTOR_BYTES, true, false, true);
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
        if (registers.features() != DSM_TRIM || count == 0 || count > DiskSettings.MOST_RANGE_SECTORS
                || medium.readOnly()) {
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
        return settings.sectorOf(registers);
    }

    private void begin(DiskAccess access) {
        power.active();
        boolean byMultiple = access.way() == DiskAccess.Way.MULTIPLE;
        if (byMultiple && settings.multiple() == 0 || access.write() && medium.readOnly()) {
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
        blockBytes = (dma ? CHUNK_SECTORS : byMultiple ? settings.multiple() : 1) * Medium.SECTOR_BYTES;
        transfer.begin(lba, count, access.write(), access.write() && (access.stable() || !cachesWrites()));
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
            case CHS -> settings.place(lba, registers);
        }
        end(status, errors);
    }

    @Override
    public long due(int bytes, boolean first) {
        boolean cached = transfer.isWrite() ? cachesWrites() : settings.looksAhead();
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
        settings.softReset();
    }

    @Override
    protected void hardResetBegins() {
        power.reset();
        settings.hardReset();
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
        out.put("rangesDone", rangesDone).put(settings).put(power).put(transfer).put(upkeep).put(queue);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        super.restore(in);
        phase = Phase.values()[in.getInt("phase", 0, Phase.values().length - 1)];
        addressing = Addressing.values()[in.getInt("addressing", 0, Addressing.values().length - 1)];
        dma = in.getBoolean("dma");
        verify = in.getBoolean("verify");
        blockBytes = in.getInt("blockBytes", 0, BUFFER_BYTES);
        rangeBytes = in.getInt("rangeBytes", 0, DiskSettings.MOST_RANGE_SECTORS * Medium.SECTOR_BYTES) & -RANGE_BYTES;
        rangesDone = in.getInt("rangesDone", 0, rangeBytes) & -RANGE_BYTES;
        in.get(settings);
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
}
