package dev.xenolith.device.storage.ahci;

import dev.xenolith.device.Dma;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.storage.ata.Ata;
import dev.xenolith.device.storage.ata.AtaDevice;
import dev.xenolith.device.storage.ata.AtaHost;
import dev.xenolith.device.storage.ata.DataBlock;
import org.jspecify.annotations.Nullable;

/**
 * A port of the adapter: its registers (3.3), the command list engine and the posting of what the drive sends (5.3).
 *
 * <p>After an error nothing is issued until software has stopped the port and started it again. What was left at that moment is no
 * longer the port's: a drive that still wants to move data waits for a reset.
 */
final class AhciPort implements AtaHost, Saveable {
    static final int SLOTS = 32;

    /** Registers. */
    static final int PXCLB = 0x00;
    static final int PXCLBU = 0x04;
    static final int PXFB = 0x08;
    static final int PXFBU = 0x0c;
    static final int PXIS = 0x10;
    static final int PXIE = 0x14;
    static final int PXCMD = 0x18;
    static final int PXTFD = 0x20;
    static final int PXSIG = 0x24;
    static final int PXSSTS = 0x28;
    static final int PXSCTL = 0x2c;
    static final int PXSERR = 0x30;
    static final int PXSACT = 0x34;
    static final int PXCI = 0x38;

    private static final int IS_DHRS = 1;
    private static final int IS_PSS = 1 << 1;
    private static final int IS_SDBS = 1 << 3;
    private static final int IS_DPS = 1 << 5;
    private static final int IS_PCS = 1 << 6;
    private static final int IS_OFS = 1 << 24;
    private static final int IS_TFES = 1 << 30;
    private static final int IE_WRITABLE = 0x7dc0_007f;

    private static final int CMD_ST = 1;
    private static final int CMD_CLO = 1 << 3;
    private static final int CMD_FRE = 1 << 4;
    private static final int CMD_SLOT_SHIFT = 8;
    private static final int CMD_FR = 1 << 14;
    private static final int CMD_CR = 1 << 15;
    private static final int CMD_WRITABLE = 0x0700_0011;
    /** Spun up and powered, since the adapter does neither for software. */
    private static final int CMD_READ_ONLY = 0x6;

    private static final int SCTL_WRITABLE = 0x0fff;
    private static final int DET = 15;
    private static final int DET_RESET = 1;
    private static final int DET_OFF = 4;
    /** Active, second generation, a device is there and talks. */
    private static final int SSTS_UP = 0x123;
    private static final int SERR_EXCHANGED = 1 << 26;
    private static final int NO_DRIVE = 0x7f;

    private static final int COMMAND_TYPE = 0x27;
    private static final int COMMAND_BIT = 0x80;
    private static final long LIST_ALIGNMENT = 1 << 10;
    private static final long AREA_ALIGNMENT = 1 << 8;

    private final int number;
    private final Dma memory;
    private final Runnable changed;
    private final CommandSlot[] slots = new CommandSlot[SLOTS];
    private @Nullable AtaDevice drive;
    private long list;
    private long area;
    private int interruptStatus;
    private int interruptEnable;
    private int command;
    private int taskFile = NO_DRIVE;
    private int signature = -1;
    private int linkStatus;
    private int linkControl;
    private int linkError;
    private int active;
    private int issued;
    /** Slot of the command that the drive has and that is not queued, -1 for none; slot that was issued last. */
    private int current = -1;
    private int last = SLOTS - 1;
    private boolean halted;
    private boolean softReset;
    private boolean blockInterrupts;
    private boolean isMoving;
    private boolean isIssuing;

    /** @param changed is run when what the port has to tell software has changed */
    AhciPort(int number, Dma memory, Runnable changed) {
        this.number = number;
        this.memory = memory;
        this.changed = changed;
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = new CommandSlot(i, memory);
        }
    }

    void attach(AtaDevice plugged) {
        if (drive != null) {
            throw new IllegalArgumentException("AHCI port " + number + ": a drive is there already");
        }
        drive = plugged;
        plugged.connect(this);
        linkUp();
    }

    /** Whether software is to be interrupted. */
    boolean asks() {
        return (interrupts() & interruptEnable) != 0;
    }

    private int interrupts() {
        return interruptStatus | ((linkError & SERR_EXCHANGED) != 0 ? IS_PCS : 0);
    }

    private void tell(int bits) {
        interruptStatus |= bits;
        changed.run();
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    int read(int register) {
        return switch (register) {
            case PXCLB -> (int) list;
            case PXCLBU -> (int) (list >>> 32);
            case PXFB -> (int) area;
            case PXFBU -> (int) (area >>> 32);
            case PXIS -> interrupts();
            case PXIE -> interruptEnable;
            case PXCMD -> command | CMD_READ_ONLY | (isRunning() ? CMD_CR | last << CMD_SLOT_SHIFT : 0)
                    | ((command & CMD_FRE) != 0 ? CMD_FR : 0);
            case PXTFD -> taskFile;
            case PXSIG -> signature;
            case PXSSTS -> linkStatus;
            case PXSCTL -> linkControl;
            case PXSERR -> linkError;
            case PXSACT -> active;
            case PXCI -> issued;
            default -> 0;
        };
    }

    void write(int register, int value) {
        long low = value & 0xffff_ffffL;
        switch (register) {
            case PXCLB -> list = list & -1L << 32 | low & -LIST_ALIGNMENT;
            case PXCLBU -> list = list & 0xffff_ffffL | low << 32;
            case PXFB -> area = area & -1L << 32 | low & -AREA_ALIGNMENT;
            case PXFBU -> area = area & 0xffff_ffffL | low << 32;
            case PXIS -> interruptStatus &= ~value;
            case PXIE -> interruptEnable = value & IE_WRITABLE;
            case PXCMD -> writeCommand(value);
            case PXSCTL -> writeLinkControl(value & SCTL_WRITABLE);
            case PXSERR -> linkError &= ~value;
            case PXSACT -> active |= isRunning() ? value : 0;
            case PXCI -> {
                issued |= isRunning() ? value : 0;
                issue();
            }
            default -> {
                // Read-only, or reserved.
            }
        }
        changed.run();
    }

    private boolean isRunning() { return (command & CMD_ST) != 0; }

    private void writeCommand(int value) {
        boolean wasRunning = isRunning();
        command = value & CMD_WRITABLE;
        if (wasRunning && !isRunning()) {
            forget();
        }
        if ((value & CMD_CLO) != 0 && !isRunning()) {
            taskFile &= ~(Ata.BSY | Ata.DRQ);
        }
        issue();
    }

    private void forget() {
        issued = 0;
        active = 0;
        current = -1;
        last = SLOTS - 1;
        halted = false;
    }

    private void writeLinkControl(int value) {
        int before = linkControl & DET;
        int now = value & DET;
        linkControl = value;
        if (now == DET_RESET || now == DET_OFF) {
            forget();
            linkStatus = now == DET_OFF ? DET_OFF : 0;
            taskFile = NO_DRIVE;
        } else if (before == DET_RESET || before == DET_OFF) {
            AtaDevice there = drive;
            linkUp();
            if (there != null) {
                there.hardReset();
            }
        }
    }

    /** Finds the drive that is there, which will send its signature. */
    private void linkUp() {
        signature = -1;
        linkStatus = drive == null ? 0 : SSTS_UP;
        linkError |= drive == null ? 0 : SERR_EXCHANGED;
        taskFile = drive == null ? NO_DRIVE : Ata.BSY;
    }

    /** What GHC.HR does to a port. */
    void reset() {
        forget();
        list = 0;
        area = 0;
        interruptStatus = 0;
        interruptEnable = 0;
        command = 0;
        linkControl = 0;
        linkError = 0;
        linkUp();
        AtaDevice there = drive;
        if (there != null) {
            there.hardReset();
        }
    }

    // ---- commands ----------------------------------------------------------------------------------------------------

    /** Hands the drive commands for as long as it takes some. */
    private void issue() {
        if (isIssuing) {
            return;
        }
        isIssuing = true;
        AtaDevice there = drive;
        while (there != null && isRunning() && !halted && current < 0 && issued != 0
                && (taskFile & (Ata.BSY | Ata.DRQ)) == 0) {
            // The next one in turn.
            int turned = Integer.rotateRight(issued, last + 1);
            last = last + 1 + Integer.numberOfTrailingZeros(turned) & SLOTS - 1;
            current = last;
            start(slots[current], there);
        }
        isIssuing = false;
    }

    private void start(CommandSlot slot, AtaDevice there) {
        byte[] fis = slot.load(list);
        slot.writeCount();
        if (fis[0] != COMMAND_TYPE) {
            // A drive answers nothing else; software's time for it runs out.
            taskFile |= Ata.BSY;
        } else if ((fis[1] & COMMAND_BIT) == 0) {
            control(slot, there, (fis[15] & Ata.CONTROL_SRST) != 0);
        } else {
            taskFile |= Ata.BSY;
            for (int i = 0; i < 3; i++) {
                write(there, Ata.LBA_LOW + i, fis[8 + i], fis[4 + i]);
            }
            write(there, Ata.FEATURES, fis[11], fis[3]);
            write(there, Ata.COUNT, fis[13], fis[12]);
            there.writeRegister(Ata.DEVICE, fis[7] & 0xff);
            there.command(fis[2] & 0xff);
        }
    }

    /** Software reset takes two of these: SRST set, and taken away again (10.4.1). */
    private void control(CommandSlot slot, AtaDevice there, boolean asserted) {
        boolean ends = softReset && !asserted;
        if (asserted || ends) {
            there.softReset(asserted);
        }
        softReset = asserted;
        if (ends) {
            taskFile |= Ata.BSY;
        } else {
            taskFile |= slot.clearsBusy() ? 0 : Ata.BSY;
            finish();
        }
    }

    private static void write(AtaDevice there, int register, int high, int low) {
        there.writeRegister(register, high & 0xff);
        there.writeRegister(register, low & 0xff);
    }

    /** The command that the drive had is done. */
    private void finish() {
        if (current >= 0) {
            issued &= ~(1 << current);
            current = -1;
        }
    }

    private void takeStatus(AtaDevice there) {
        taskFile = there.status() | there.error() << 8;
    }

    private boolean posts() {
        return (command & CMD_FRE) != 0;
    }

    // ---- what the drive tells ----------------------------------------------------------------------------------------

    @Override
    public void dataReady(boolean interrupts) {
        AtaDevice there = drive;
        if (there == null) {
            return;
        }
        if (!there.block().isDma()) {
            blockInterrupts = interrupts;
            takeStatus(there);
            if (posts()) {
                int ending = there.status() & ~Ata.DRQ | (there.block().isToHost() ? 0 : Ata.BSY);
                ReceivedFis.pioSetup(memory, area, there, interrupts, ending);
            }
        }
        if (!isMoving) {
            isMoving = true;
            moveBlocks(there);
            isMoving = false;
            issue();
        }
    }

    private void moveBlocks(AtaDevice there) {
        while (current >= 0 && there.block().isOpen()) {
            DataBlock block = there.block();
            boolean pio = !block.isDma();
            boolean reads = block.isToHost();
            boolean interrupts = blockInterrupts;
            int bytes = block.left();
            CommandSlot slot = slots[current];
            if (block.isPacket()) {
                slot.packet(there.buffer(), block.position(), bytes);
            } else if (slot.move(reads, there.buffer(), block.position(), bytes) < bytes) {
                interruptStatus |= IS_OFS;
                if (!reads) {
                    // The drive waits for what nobody has.
                    changed.run();
                    return;
                }
            }
            there.moved(bytes);
            if (slot.takeInterrupt()) {
                interruptStatus |= IS_DPS;
            }
            if (pio && current >= 0 && slots[current] == slot) {
                takeStatus(there);
                interruptStatus |= interrupts ? IS_PSS : 0;
                if (reads && (there.status() & (Ata.BSY | Ata.DRQ)) == 0) {
                    slot.writeCount();
                    finish();
                }
            }
        }
        changed.run();
    }

    @Override
    public void ended() {
        AtaDevice there = drive;
        if (there == null) {
            return;
        }
        takeStatus(there);
        if (posts()) {
            ReceivedFis.register(memory, area, there, true);
        }
        if (current >= 0) {
            slots[current].writeCount();
        }
        if ((there.status() & Ata.ERR) != 0) {
            halted = isRunning();
            tell(IS_DHRS | IS_TFES);
        } else {
            finish();
            tell(IS_DHRS);
            issue();
        }
    }

    @Override
    public void resetEnded() {
        AtaDevice there = drive;
        if (there == null) {
            return;
        }
        takeStatus(there);
        signature = there.register(Ata.COUNT, false);
        for (int i = 0; i < 3; i++) {
            signature |= there.register(Ata.LBA_LOW + i, false) << 8 * (i + 1);
        }
        if (posts()) {
            ReceivedFis.register(memory, area, there, false);
        }
        finish();
        changed.run();
        issue();
    }

    @Override
    public int moveQueued(int tag, boolean toHost, byte[] bytes, int offset, int length) {
        if (!isRunning() || halted || (active >>> tag & 1) == 0) {
            return 0;
        }
        if (posts()) {
            ReceivedFis.dmaSetup(memory, area, tag, toHost, length);
        }
        int moved = slots[tag].move(toHost, bytes, offset, length);
        if (moved < length) {
            interruptStatus |= IS_OFS;
        }
        if (slots[tag].takeInterrupt()) {
            tell(IS_DPS);
        }
        return moved;
    }

    @Override
    public void queued() {
        AtaDevice there = drive;
        if (there != null) {
            takeStatus(there);
            if (posts()) {
                ReceivedFis.register(memory, area, there, false);
            }
            finish();
        }
    }

    @Override
    public void queuedEnded(int tags) {
        AtaDevice there = drive;
        if (there == null) {
            return;
        }
        int bits = ReceivedFis.STATUS_BITS;
        taskFile = taskFile & ~bits & 0xff | there.status() & bits | there.error() << 8;
        if (posts()) {
            ReceivedFis.setDeviceBits(memory, area, there, tags);
        }
        active &= ~tags;
        boolean failed = (there.status() & Ata.ERR) != 0;
        halted |= failed && isRunning();
        tell(IS_SDBS | (failed ? IS_TFES : 0));
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return "port" + number;
    }

    @Override
    public void save(StateWriter out) {
        out.put("list", list).put("area", area).put("interruptStatus", interruptStatus);
        out.put("interruptEnable", interruptEnable).put("command", command).put("taskFile", taskFile);
        out.put("signature", signature).put("linkStatus", linkStatus).put("linkControl", linkControl);
        out.put("linkError", linkError).put("active", active).put("issued", issued).put("current", current);
        out.put("last", last).put("halted", halted).put("softReset", softReset);
        out.put("blockInterrupts", blockInterrupts);
        for (int i = 0; i < SLOTS; i++) {
            if (((active | issued) >>> i & 1) != 0) {
                out.put(slots[i]);
            }
        }
        AtaDevice there = drive;
        if (there != null) {
            out.put(there);
        }
    }

    @Override
    public void restore(StateReader in) throws StateException {
        list = in.getLong("list") & -LIST_ALIGNMENT;
        area = in.getLong("area") & -AREA_ALIGNMENT;
        interruptStatus = (int) in.getLong("interruptStatus");
        interruptEnable = (int) in.getLong("interruptEnable") & IE_WRITABLE;
        command = (int) in.getLong("command") & CMD_WRITABLE;
        taskFile = in.getInt("taskFile", 0, 0xffff);
        signature = (int) in.getLong("signature");
        linkStatus = in.getInt("linkStatus", 0, 0xfff);
        linkControl = in.getInt("linkControl", 0, SCTL_WRITABLE);
        linkError = (int) in.getLong("linkError");
        active = (int) in.getLong("active");
        issued = (int) in.getLong("issued");
        current = in.getInt("current", -1, SLOTS - 1);
        last = in.getInt("last", 0, SLOTS - 1);
        halted = in.getBoolean("halted");
        softReset = in.getBoolean("softReset");
        blockInterrupts = in.getBoolean("blockInterrupts");
        for (int i = 0; i < SLOTS; i++) {
            if (((active | issued) >>> i & 1) != 0) {
                in.get(slots[i]);
            }
        }
        AtaDevice there = drive;
        if (there != null) {
            in.get(there);
        }
    }
}
