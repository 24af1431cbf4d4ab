package dev.xenolith.device.storage.ide;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.pci.BusMaster;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.device.storage.ata.AtaDevice;

/**
 * The IDE function (Intel 290550, "82371FB (PIIX) and 82371SB (PIIX3) PCI ISA IDE Xcelerator", function 1): two channels at the ports of
 * old, decoded once software has enabled them in IDETIM and the command register, and the bus master registers at BAR 4. Timings are
 * kept and change nothing.
 */
public final class Piix3Ide implements PciFunction {
    /** IDETIM of the primary channel; the secondary's follows. */
    public static final int IDETIM = 0x40;
    /** In IDETIM: the channel's ports are decoded. */
    public static final int IDETIM_DECODE = 0x8000;
    public static final int CHANNELS = 2;
    /** ISA interrupts of the channels. */
    public static final int PRIMARY_IRQ = 14;
    public static final int SECONDARY_IRQ = 15;

    private static final int IDETIM_WRITABLE = 0xf3ff;
    private static final int SIDETIM = 0x44;
    public static final int BUS_MASTER_BAR = 4;
    private static final int BUS_MASTER_PORTS = 16;
    private static final int DEVICE_SELECT_MEDIUM = 0x0280;
    private static final int[] COMMAND_PORT = {0x1f0, 0x170};
    private static final int[] CONTROL_PORT = {0x3f6, 0x376};

    private final ConfigSpace config = new ConfigSpace(0x8086, 0x7010, 0x00, 0x01_0180)
            .set(ConfigSpace.STATUS, 2, DEVICE_SELECT_MEDIUM)
            .ioBar(BUS_MASTER_BAR, BUS_MASTER_PORTS)
            .allow(ConfigSpace.COMMAND, 1, ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MASTER)
            .allow(IDETIM, 2, IDETIM_WRITABLE).allow(IDETIM + 2, 2, IDETIM_WRITABLE).allow(SIDETIM, 1, 0xff);
    private final IdeChannel[] channels;
    private final PrdEngine[] engines = new PrdEngine[CHANNELS];

    /**
     * @param primary IRQ 14
     * @param secondary IRQ 15
     */
    public Piix3Ide(PciSlot slot, InterruptLine primary, InterruptLine secondary) {
        channels = new IdeChannel[]{new IdeChannel("channel0", primary), new IdeChannel("channel1", secondary)};
        for (int i = 0; i < CHANNELS; i++) {
            engines[i] = new PrdEngine("busMaster" + i, new BusMaster(config, slot.memory()), channels[i]);
            int idetim = IDETIM + 2 * i;
            fixed(slot, i, idetim, COMMAND_PORT[i], IdeChannel.COMMAND_PORTS, channels[i].commandBlock());
            fixed(slot, i, idetim, CONTROL_PORT[i], 1, channels[i].controlBlock());
        }
        slot.spaces().ports("ide-bus-master", config, BUS_MASTER_BAR, BUS_MASTER_PORTS, new ByteRegisters() {
            @Override
            public int readByte(int offset) {
                return engines[offset / PrdEngine.PORTS].readByte(offset % PrdEngine.PORTS);
            }

            @Override
            public void writeByte(int offset, int value) {
                engines[offset / PrdEngine.PORTS].writeByte(offset % PrdEngine.PORTS, value);
            }
        });
    }

    private void fixed(PciSlot slot, int channel, int idetim, int port, int count, MmioDevice device) {
        slot.spaces().fixedPorts("ide" + channel, config, port, count, device,
                () -> config.commands(ConfigSpace.COMMAND_IO) && (config.get(idetim, 2) & IDETIM_DECODE) != 0);
    }

    /**
     * Plugs a drive in, before anything runs.
     *
     * @param channel 0 for the primary, 1 for the secondary
     * @param unit 0 or 1
     */
    public void attach(int channel, int unit, AtaDevice drive) {
        channels[channel].attach(unit, drive);
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public String stateName() {
        return "piix3ide";
    }

    @Override
    public void save(StateWriter out) {
        for (int i = 0; i < CHANNELS; i++) {
            out.put(channels[i]).put(engines[i]);
        }
        out.put(config);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        for (int i = 0; i < CHANNELS; i++) {
            in.get(channels[i]);
            in.get(engines[i]);
        }
        in.get(config);
    }
}
