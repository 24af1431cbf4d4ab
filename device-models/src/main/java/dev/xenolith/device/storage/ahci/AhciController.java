package dev.xenolith.device.storage.ahci;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.pci.BusMaster;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.pci.Msi;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciInterrupt;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.device.storage.ata.AtaDevice;

/**
 * The AHCI host bus adapter of an ICH9 (Intel 316972, "I/O Controller Hub 9 (ICH9) Family", 15): registers in memory at BAR 5, six ports,
 * one interrupt by pin or message. Port multipliers, staggered spin-up, hot plug, command completion coalescing, enclosure management and
 * the index-data pair are absent, as the capabilities say.
 *
 * <p>Registers take writes of 32 bits, or of 64 as two of them; narrower ones, which AHCI forbids, are lost.
 */
public final class AhciController implements PciFunction {
    /** Ports. */
    public static final int PORTS = 6;
    /** Bytes of registers. */
    public static final int SIZE = 0x1000;
    /** Global registers. */
    public static final int CAP = 0x00;
    public static final int GHC = 0x04;
    public static final int IS = 0x08;
    public static final int PI = 0x0c;
    public static final int VS = 0x10;
    /** Where the ports' registers begin, and how far they are apart. */
    public static final int PORT_0 = 0x100;
    public static final int PORT_SIZE = 0x80;

    private static final int REGISTERS_BAR = 5;
    /** 64-bit addresses, queues, command list override, AHCI only, 3 Gb/s, 32 slots. */
    private static final int CAPABILITIES = 0xc124_0000 | AhciPort.SLOTS - 1 << 8 | PORTS - 1;
    private static final int GHC_RESET = 1;
    private static final int GHC_INTERRUPTS = 1 << 1;
    /** It is an AHCI adapter only, so that this is always set. */
    private static final int GHC_AHCI = 1 << 31;
    private static final int VERSION_1_3 = 0x1_0300;
    private static final int MSI_OFFSET = 0x80;
    /** Address map: AHCI; and which ports are enabled, for which drivers look though nothing depends on it. */
    private static final int MAP = 0x90;
    private static final int MAP_AHCI = 0x40;
    private static final int PCS = 0x92;

    private final ConfigSpace config = new ConfigSpace(0x8086, 0x2922, 0x02, 0x01_0601)
            .set(ConfigSpace.STATUS, 2, 0x0280)
            .set(ConfigSpace.SUBSYSTEM_VENDOR_ID, 2, 0x8086).set(ConfigSpace.SUBSYSTEM_ID, 2, 0x2922)
            .memoryBar(REGISTERS_BAR, SIZE, false)
            .allow(ConfigSpace.COMMAND, 1, ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_MASTER)
            .set(MAP, 1, MAP_AHCI).set(PCS, 2, (1 << PORTS) - 1).allow(PCS, 2, (1 << PORTS) - 1);
    private final PciInterrupt interrupt;
    private final AhciPort[] ports = new AhciPort[PORTS];
    private int control = GHC_AHCI;
    private int pending;

    public AhciController(PciSlot slot) {
        interrupt = new PciInterrupt(config, slot.pin(), new Msi(config, MSI_OFFSET, 1, slot.messages()));
        BusMaster memory = new BusMaster(config, slot.memory());
        for (int i = 0; i < PORTS; i++) {
            ports[i] = new AhciPort(i, memory, this::update);
        }
        slot.spaces().memory("ahci", config, REGISTERS_BAR, SIZE, new Registers());
    }

    /** Plugs a drive in, before anything runs; {@code port} is 0 to 5. */
    public void attach(int port, AtaDevice drive) {
        ports[port].attach(drive);
    }

    private void update() {
        for (int i = 0; i < PORTS; i++) {
            pending |= ports[i].asks() ? 1 << i : 0;
        }
        interrupt.set(pending != 0 && (control & GHC_INTERRUPTS) != 0);
    }

    private int readRegister(int offset) {
        if (offset >= PORT_0) {
            int port = (offset - PORT_0) / PORT_SIZE;
            return port < PORTS ? ports[port].read((offset - PORT_0) % PORT_SIZE) : 0;
        }
        return switch (offset) {
            case CAP -> CAPABILITIES;
            case GHC -> control;
            case IS -> pending;
            case PI -> (1 << PORTS) - 1;
            case VS -> VERSION_1_3;
            default -> 0;
        };
    }

    private void writeRegister(int offset, int value) {
        if (offset >= PORT_0) {
            int port = (offset - PORT_0) / PORT_SIZE;
            if (port < PORTS) {
                ports[port].write((offset - PORT_0) % PORT_SIZE, value);
            }
        } else if (offset == GHC) {
            writeControl(value);
        } else if (offset == IS) {
            pending &= ~value;
            // What is left, or comes back at once, is worth another message.
            interrupt.set(false);
            update();
        }
    }

    private void writeControl(int value) {
        if ((value & GHC_RESET) != 0) {
            control = GHC_AHCI;
            for (AhciPort port : ports) {
                port.reset();
            }
            pending = 0;
            interrupt.set(false);
        } else {
            control = GHC_AHCI | value & GHC_INTERRUPTS;
            update();
        }
    }

    private final class Registers implements MmioDevice {
        @Override
        public long read(long offset, int size) {
            int first = (int) offset & ~3;
            long value = readRegister(first) & 0xffff_ffffL;
            if ((offset & 3) + size > 4) {
                value |= (long) readRegister(first + 4) << 32;
            }
            value >>>= (offset & 3) * 8;
            return size == 8 ? value : value & (1L << size * 8) - 1;
        }

        @Override
        public void write(long offset, int size, long value) {
            if ((offset & 3) == 0 && size >= 4) {
                writeRegister((int) offset, (int) value);
                if (size == 8) {
                    writeRegister((int) offset + 4, (int) (value >>> 32));
                }
            }
        }
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public String stateName() {
        return "ahci";
    }

    @Override
    public void save(StateWriter out) {
        out.put("control", control).put("pending", pending);
        for (AhciPort port : ports) {
            out.put(port);
        }
        out.put(config);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        control = GHC_AHCI | (int) in.getLong("control") & GHC_INTERRUPTS;
        pending = (int) in.getLong("pending") & (1 << PORTS) - 1;
        for (AhciPort port : ports) {
            in.get(port);
        }
        in.get(config);
    }
}
