package dev.xenolith.device.storage.ata;

import dev.xenolith.device.Clock;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.storage.DriveTiming;
import dev.xenolith.device.storage.Medium;
import java.util.Arrays;

/**
 * Native command queuing (ACS-2, 4.16): up to 32 reads and writes of a disk at a time. Accesses overlap, the link carries one
 * command's data after another's. An error ends all of them, and the log that READ LOG EXT reads tells which one it was.
 */
final class CommandQueue implements SectorTransfer.Owner, Saveable {
    static final int TAGS = 32;
    /** Sectors of a chunk: the buffers of all tags together have 2 MiB at most. */
    private static final int CHUNK_SECTORS = 128;
    /** Bytes of the log that have a meaning, and the checksum's place (ACS-2, A.14). */
    private static final int LOG_USED = 14;
    private static final int LOG_NOT_QUEUED = 0x80;

    private static final byte[] NO_BUFFER = {};

    private final Clock clock;
    private final HardDisk disk;
    private final SectorTransfer[] transfers = new SectorTransfer[TAGS];
    private final byte[][] buffers = new byte[TAGS][];
    private final byte[] log = new byte[LOG_USED];
    /** Tags under way. */
    private int active;
    private long linkFree;

    CommandQueue(Clock clock, HardDisk disk) {
        this.clock = clock;
        this.disk = disk;
        for (int tag = 0; tag < TAGS; tag++) {
            transfers[tag] = new SectorTransfer("tag" + tag, this, CHUNK_SECTORS);
        }
        Arrays.fill(buffers, NO_BUFFER);
    }

    boolean isEmpty() { return active == 0; }

    /** Takes the command that is in {@code registers}. */
    void accept(boolean write, TaskFile registers) {
        int tag = registers.count() >>> 3;
        int sectors = registers.wideFeatures() == 0 ? 1 << 16 : registers.wideFeatures();
        long lba = registers.lba48();
        if ((active >>> tag & 1) != 0) {
            disk.queued();
            fail(tag, Ata.ERR, Ata.ABRT, lba);
            return;
        }
        active |= 1 << tag;
        disk.queued();
        if (lba > disk.sectors() - sectors) {
            fail(tag, Ata.ERR, Ata.IDNF, Math.max(lba, disk.sectors()));
        } else if (write && disk.medium().readOnly()) {
            fail(tag, Ata.ERR, Ata.ABRT, lba);
        } else {
            buffers[tag] = new byte[Math.min(sectors, CHUNK_SECTORS) * Medium.SECTOR_BYTES];
            boolean forced = (registers.device() & Ata.DEVICE_FUA) != 0;
            transfers[tag].begin(lba, sectors, write, forced || !disk.cachesWrites());
            next(transfers[tag], tag);
        }
    }

    private void next(SectorTransfer transfer, int tag) {
        if (!transfer.isWrite()) {
            transfer.fetch();
        } else if (move(transfer, tag, false)) {
            transfer.store();
        }
    }

    /** Moves the chunk between buffer and host. Returns whether the host had room or data for it; if not, all is over. */
    private boolean move(SectorTransfer transfer, int tag, boolean toHost) {
        int bytes = transfer.chunkBytes();
        if (disk.host.moveQueued(tag, toHost, buffers[tag], 0, bytes) == bytes) {
            return true;
        }
        fail(tag, Ata.ERR, Ata.ABRT, transfer.lba());
        return false;
    }

    private void goOn(SectorTransfer transfer) {
        int tag = tag(transfer);
        if (transfer.advance()) {
            next(transfer, tag);
        } else {
            active &= ~(1 << tag);
            buffers[tag] = NO_BUFFER;
            disk.queuedEnded(1 << tag);
        }
    }

    private int tag(SectorTransfer transfer) {
        return Arrays.asList(transfers).indexOf(transfer);
    }

    private void fail(int tag, int status, int error, long lba) {
        abandon();
        Arrays.fill(log, (byte) 0);
        log[0] = (byte) tag;
        log[2] = (byte) (Ata.DRDY | Ata.DSC | status);
        log[3] = (byte) error;
        log[7] = Ata.DEVICE_LBA;
        int[] places = {4, 5, 6, 8, 9, 10};
        for (int i = 0; i < places.length; i++) {
            log[places[i]] = (byte) (lba >>> i * 8);
        }
        disk.queueFailed(status, error);
    }

    /** A command that is not of the queue has come: it ends all that are. */
    void interrupted() {
        abandon();
        Arrays.fill(log, (byte) 0);
        log[0] = (byte) LOG_NOT_QUEUED;
        log[2] = Ata.DRDY | Ata.DSC | Ata.ERR;
        log[3] = Ata.ABRT;
    }

    /** Lets go of all commands. */
    void abandon() {
        for (int tag = 0; tag < TAGS; tag++) {
            transfers[tag].cancel();
            buffers[tag] = NO_BUFFER;
        }
        active = 0;
    }

    /** Puts the log "NCQ Command Error" at the beginning of {@code page}, 512 bytes that sum up to 0. */
    void readLog(byte[] page) {
        Arrays.fill(page, 0, Medium.SECTOR_BYTES, (byte) 0);
        int sum = 0;
        for (int i = 0; i < LOG_USED; i++) {
            page[i] = log[i];
            sum += log[i];
        }
        page[Medium.SECTOR_BYTES - 1] = (byte) -sum;
    }

    // ---- owner of transfers ------------------------------------------------------------------------------------------

    @Override
    public Medium medium() {
        return disk.medium();
    }

    @Override
    public long due(int bytes, boolean first) {
        long ready = clock.now() + (first ? DriveTiming.DISK_ACCESS : 0);
        linkFree = Math.max(ready, linkFree) + DriveTiming.disk(bytes);
        return linkFree;
    }

    @Override
    public long flushDue() {
        return clock.now() + DriveTiming.DISK_FLUSH;
    }

    @Override
    public byte[] buffer(SectorTransfer transfer) {
        return buffers[tag(transfer)];
    }

    @Override
    public void fetched(SectorTransfer transfer) {
        if (move(transfer, tag(transfer), true)) {
            goOn(transfer);
        }
    }

    @Override
    public void stored(SectorTransfer transfer) {
        goOn(transfer);
    }

    @Override
    public void failed(SectorTransfer transfer) {
        boolean write = transfer.isWrite();
        fail(tag(transfer), write ? Ata.ERR | Ata.DF : Ata.ERR, write ? Ata.ABRT : Ata.UNC, transfer.lba());
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return "queue";
    }

    @Override
    public void save(StateWriter out) {
        out.put("active", active).put("linkFree", linkFree).put("log", log);
        for (int tag = 0; tag < TAGS; tag++) {
            if ((active >>> tag & 1) != 0) {
                SectorTransfer transfer = transfers[tag];
                // What the medium is about to fill is of no interest but for its size.
                out.put(transfer).put("buffer" + tag,
                        transfer.isReading() ? new byte[buffers[tag].length] : buffers[tag]);
            }
        }
    }

    @Override
    public void restore(StateReader in) throws StateException {
        abandon();
        int tags = (int) in.getLong("active");
        linkFree = in.getLong("linkFree");
        in.get("log", log);
        for (int tag = 0; tag < TAGS; tag++) {
            if ((tags >>> tag & 1) != 0) {
                buffers[tag] = in.getBytes("buffer" + tag);
                in.get(transfers[tag]);
                int size = buffers[tag].length;
                if (size < transfers[tag].chunkBytes() || size > CHUNK_SECTORS * Medium.SECTOR_BYTES) {
                    throw new StateException("queue.buffer" + tag + " has " + size + " bytes");
                }
                transfers[tag].resume();
            }
        }
        active = tags;
    }
}
