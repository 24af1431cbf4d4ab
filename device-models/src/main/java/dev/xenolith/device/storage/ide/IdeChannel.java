package dev.xenolith.device.storage.ide;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.storage.ata.Ata;
import dev.xenolith.device.storage.ata.AtaDevice;
import dev.xenolith.device.storage.ata.AtaHost;
import org.jspecify.annotations.Nullable;

/**
 * A cable with up to two drives (ATA/ATAPI-6, 7 and 9.16): what is written to the command block goes to both, and the one that the device
 * register selects answers, executes commands and drives INTRQ.
 *
 * <p>Where device 1 is missing, device 0 answers for it with zeroes. On a cable without drives the pull-down resistor of DD7 shows:
 * registers read as 7fh, so that nobody waits for BSY.
 */
final class IdeChannel implements Saveable {
    /** Ports of the command block; the control block is one port. */
    static final int COMMAND_PORTS = 8;

    private static final int UNITS = 2;
    private static final int NO_DRIVES = 0x7f;

    private final String name;
    private final InterruptLine irq;
    private final @Nullable AtaDevice[] drives = new AtaDevice[UNITS];
    private final boolean[] pending = new boolean[UNITS];
    private @Nullable PrdEngine engine;
    private int selected;
    private int control;
    private boolean intrq;

    IdeChannel(String name, InterruptLine irq) {
        this.name = name;
        this.irq = irq;
    }

    void connect(PrdEngine master) {
        engine = master;
    }

    /** Plugs a drive in; {@code unit} is 0 or 1. */
    void attach(int unit, AtaDevice drive) {
        if (drives[unit] != null) {
            throw new IllegalArgumentException(name + ": drive " + unit + " is there already");
        }
        drives[unit] = drive;
        drive.connect(new End(unit));
    }

    /** The drive that asks for DMA, or null. */
    @Nullable
    AtaDevice dmaDrive() {
        AtaDevice drive = drives[selected];
        return drive != null && drive.block().isOpen() && drive.block().isDma() ? drive : null;
    }

    /** What a drive tells the channel. */
    private final class End implements AtaHost {
        private final int unit;

        End(int unit) {
            this.unit = unit;
        }

        @Override
        public void dataReady(boolean interrupts) {
            if (interrupts) {
                pending[unit] = true;
                drive();
            }
            runMaster();
        }

        @Override
        public void ended() {
            AtaDevice drive = drives[unit];
            boolean diagnosed = drive != null && drive.lastCommand() == Ata.EXECUTE_DEVICE_DIAGNOSTIC;
            // Device 0 speaks for both.
            pending[unit] = !diagnosed || unit == 0 || drives[0] == null;
            drive();
        }

        @Override
        public void resetEnded() {
            // Whoever waits looks at BSY.
        }

        @Override
        public int moveQueued(int tag, boolean toHost, byte[] bytes, int offset, int length) {
            return 0;
        }

        @Override
        public void queued() {
            // There are no queues on this cable.
        }

        @Override
        public void queuedEnded(int tags) {
            // There are no queues on this cable.
        }
    }

    private void runMaster() {
        if (engine != null) {
            engine.run();
        }
    }

    /** Drives INTRQ; with nIEN set it is not driven at all. */
    private void drive() {
        boolean asks = pending[selected] && (control & Ata.CONTROL_NIEN) == 0;
        if (asks && !intrq && engine != null) {
            engine.interrupted();
        }
        intrq = asks;
        irq.set(asks);
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    /** The command block, eight ports. */
    MmioDevice commandBlock() {
        return new MmioDevice() {
            @Override
            public long read(long offset, int size) {
                if (offset == Ata.DATA) {
                    AtaDevice drive = drives[selected];
                    return drive == null ? absent() * 0x0101_0101L : drive.readData(size) & 0xffff_ffffL;
                }
                long value = 0;
                for (int i = 0; i < size; i++) {
                    value |= (long) readRegister((int) offset + i) << i * 8;
                }
                return value;
            }

            @Override
            public void write(long offset, int size, long value) {
                if (offset == Ata.DATA) {
                    AtaDevice drive = drives[selected];
                    if (drive != null) {
                        drive.writeData(size, (int) value);
                    }
                    return;
                }
                for (int i = 0; i < size; i++) {
                    writeRegister((int) offset + i, (int) (value >>> i * 8) & 0xff);
                }
            }
        };
    }

    /** The control block: alternate status, device control. */
    MmioDevice controlBlock() {
        return new MmioDevice() {
            @Override
            public long read(long offset, int size) {
                AtaDevice drive = drives[selected];
                return drive == null ? absent() : drive.status();
            }

            @Override
            public void write(long offset, int size, long value) {
                writeControl((int) value & 0xff);
            }
        };
    }

    private int absent() {
        return drives[0] == null && drives[1] == null ? NO_DRIVES : 0;
    }

    private int readRegister(int register) {
        AtaDevice drive = drives[selected];
        if (drive == null) {
            return absent();
        }
        int status = drive.status();
        if (register == Ata.STATUS) {
            pending[selected] = false;
            drive();
            return status;
        }
        if ((status & Ata.BSY) != 0) {
            return status;
        }
        boolean previous = (control & Ata.CONTROL_HOB) != 0;
        return switch (register) {
            case Ata.ERROR -> drive.error();
            case Ata.DEVICE -> drive.register(register, false) & ~Ata.DEVICE_1 | selected * Ata.DEVICE_1;
            default -> drive.register(register, previous);
        };
    }

    private void writeRegister(int register, int value) {
        control &= ~Ata.CONTROL_HOB;
        if (register == Ata.COMMAND) {
            writeCommand(value);
            return;
        }
        for (AtaDevice drive : drives) {
            if (drive != null) {
                drive.writeRegister(register, value);
            }
        }
        if (register == Ata.DEVICE) {
            selected = (value & Ata.DEVICE_1) != 0 ? 1 : 0;
            drive();
        }
    }

    private void writeCommand(int command) {
        if (command == Ata.EXECUTE_DEVICE_DIAGNOSTIC) {
            selected = 0;
        }
        for (int unit = 0; unit < UNITS; unit++) {
            AtaDevice drive = drives[unit];
            if (drive != null && (unit == selected || command == Ata.EXECUTE_DEVICE_DIAGNOSTIC)) {
                pending[unit] = false;
                drive.command(command);
            }
        }
        drive();
    }

    private void writeControl(int value) {
        int changed = control ^ value;
        control = value;
        if ((changed & Ata.CONTROL_SRST) != 0) {
            selected = 0;
            for (int unit = 0; unit < UNITS; unit++) {
                AtaDevice drive = drives[unit];
                pending[unit] = false;
                if (drive != null) {
                    drive.softReset((value & Ata.CONTROL_SRST) != 0);
                }
            }
        }
        drive();
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    /** A drive's state under the name of its place. */
    private record Unit(int number, AtaDevice drive) implements Saveable {
        @Override
        public String stateName() {
            return "drive" + number;
        }

        @Override
        public void save(StateWriter out) {
            out.put(drive);
        }

        @Override
        public void restore(StateReader in) throws StateException {
            in.get(drive);
        }
    }

    @Override
    public String stateName() {
        return name;
    }

    @Override
    public void save(StateWriter out) {
        out.put("selected", selected).put("control", control);
        for (int unit = 0; unit < UNITS; unit++) {
            out.put("pending" + unit, pending[unit]);
            AtaDevice drive = drives[unit];
            if (drive != null) {
                out.put(new Unit(unit, drive));
            }
        }
    }

    @Override
    public void restore(StateReader in) throws StateException {
        selected = in.getInt("selected", 0, UNITS - 1);
        control = in.getByte("control");
        for (int unit = 0; unit < UNITS; unit++) {
            pending[unit] = in.getBoolean("pending" + unit);
            AtaDevice drive = drives[unit];
            if (drive != null) {
                in.get(new Unit(unit, drive));
            }
        }
        // That it has risen is known where it leads to.
        intrq = pending[selected] && (control & Ata.CONTROL_NIEN) == 0;
        irq.set(intrq);
    }
}
