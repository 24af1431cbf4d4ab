package dev.xenolith.device.display;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.PortBus;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciSlot;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The VGA as a PCI function (QEMU, docs/specs/standard-vga): video memory at BAR 0, and at BAR 2 its registers in memory. Ports and the
 * window below 1 MiB are where a VGA has them, wherever the BARs are; the command register switches them on.
 */
public final class StandardVga implements PciFunction {
    private static final int VENDOR = 0x1234;
    private static final int DEVICE = 0x1111;
    private static final int REVISION = 2;
    private static final int CLASS = 0x03_0000;
    private static final int SUBSYSTEM_VENDOR = 0x1af4;
    private static final int SUBSYSTEM = 0x1100;
    private static final int MEMORY_BAR = 0;
    private static final int REGISTER_BAR = 2;
    private static final int REGISTER_SIZE = 4096;

    /** In BAR 2: the VGA's ports from 0x3c0 on, the display interface, and what QEMU has added. */
    private static final int VGA_REGISTERS = 0x400;
    private static final int CRTC_REGISTERS = VGA_REGISTERS + Vga.COLOUR_PORT - Vga.PORT;
    private static final int DISPLAY_REGISTERS = 0x500;
    private static final int EXTENDED_REGISTERS = 0x600;
    private static final int EXTENDED_SIZE = 8;
    private static final int BYTE_ORDER = EXTENDED_REGISTERS + 4;
    private static final int BIG_ENDIAN = 0xbebebebe;
    private static final int LITTLE_ENDIAN = 0x1e1e1e1e;

    private final Vga vga;
    private final ConfigSpace config = new ConfigSpace(VENDOR, DEVICE, REVISION, CLASS)
            .set(ConfigSpace.SUBSYSTEM_VENDOR_ID, 2, SUBSYSTEM_VENDOR).set(ConfigSpace.SUBSYSTEM_ID, 2, SUBSYSTEM)
            .allow(ConfigSpace.COMMAND, 1, ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MEMORY)
            .memoryBar(MEMORY_BAR, Vga.MEMORY_SIZE, true).memoryBar(REGISTER_BAR, REGISTER_SIZE, false);

    /** @param bios image of its expansion ROM, null for none */
    public StandardVga(PciSlot slot, byte @Nullable [] bios) {
        vga = new Vga(slot.clock());
        slot.spaces().memory("vga-memory", config, MEMORY_BAR, Vga.MEMORY_SIZE, linear(vga.memory()));
        slot.spaces().memory("vga-registers", config, REGISTER_BAR, REGISTER_SIZE, new Registers());
        if (bios != null) {
            slot.spaces().expansionRom("vga", config, bios);
        }
    }

    /** Puts the VGA's ports and its window where they always are. */
    public void decode(PortBus ports, PhysicalMap memory, UnaryOperator<MmioDevice> charge) {
        ports.map("vga", Vga.PORT, Vga.PORTS, whileOn(ConfigSpace.COMMAND_IO, vga.registers()));
        ports.map("vga", Vga.MONOCHROME_PORT, Vga.CRTC_PORTS, whileOn(ConfigSpace.COMMAND_IO, vga.monochrome()));
        ports.map("vga", Vga.COLOUR_PORT, Vga.CRTC_PORTS, whileOn(ConfigSpace.COMMAND_IO, vga.colour()));
        ports.map("vbe", Vga.DISPI_PORT, Vga.DISPI_PORTS, whileOn(ConfigSpace.COMMAND_IO, vga.displayInterface()));
        memory.map("vga", Vga.WINDOW, Vga.WINDOW_SIZE,
                charge.apply(whileOn(ConfigSpace.COMMAND_MEMORY, vga.window())));
    }

    private MmioDevice whileOn(int command, MmioDevice device) {
        return new MmioDevice() {
            @Override
            public long read(long offset, int size) {
                return config.commands(command) ? device.read(offset, size) : -1;
            }

            @Override
            public void write(long offset, int size, long value) {
                if (config.commands(command)) {
                    device.write(offset, size, value);
                }
            }
        };
    }

    private static MmioDevice linear(VideoMemory memory) {
        return new MmioDevice() {
            @Override
            public long read(long offset, int size) {
                return memory.read((int) offset, size);
            }

            @Override
            public void write(long offset, int size, long value) {
                memory.write((int) offset, size, value);
            }
        };
    }

    /** What is at BAR 2. The display interface takes accesses of 16 bits, QEMU's registers of 32, the VGA's of any size. */
    private final class Registers implements MmioDevice {
        private final ByteRegisters bytes = new ByteRegisters() {
            private final ByteRegisters crtc = vga.colour();

            @Override
            public int readByte(int offset) {
                if (offset >= VGA_REGISTERS && offset < VGA_REGISTERS + Vga.PORTS) {
                    return vga.registers().readByte(offset - VGA_REGISTERS);
                }
                if (offset >= CRTC_REGISTERS && offset < CRTC_REGISTERS + Vga.CRTC_PORTS) {
                    return crtc.readByte(offset - CRTC_REGISTERS);
                }
                return 0xff;
            }

            @Override
            public void writeByte(int offset, int value) {
                if (offset >= VGA_REGISTERS && offset < VGA_REGISTERS + Vga.PORTS) {
                    vga.registers().writeByte(offset - VGA_REGISTERS, value);
                } else if (offset >= CRTC_REGISTERS && offset < CRTC_REGISTERS + Vga.CRTC_PORTS) {
                    crtc.writeByte(offset - CRTC_REGISTERS, value);
                }
            }
        };

        private static int displayRegister(long offset) {
            int register = (int) (offset - DISPLAY_REGISTERS);
            return register >= 0 && register < 2 * Dispi.REGISTERS && register % 2 == 0 ? register / 2 : -1;
        }

        @Override
        public long read(long offset, int size) {
            int register = displayRegister(offset);
            if (register >= 0 && size == 2) {
                return vga.displayRegister(register);
            }
            if (offset == EXTENDED_REGISTERS && size == 4) {
                return EXTENDED_SIZE;
            }
            if (offset == BYTE_ORDER && size == 4) {
                return (vga.isBigEndian() ? BIG_ENDIAN : LITTLE_ENDIAN) & 0xffff_ffffL;
            }
            return bytes.read(offset, size);
        }

        @Override
        public void write(long offset, int size, long value) {
            int register = displayRegister(offset);
            if (register >= 0 && size == 2) {
                vga.setDisplayRegister(register, (int) value & 0xffff);
            } else if (offset == BYTE_ORDER && size == 4) {
                if ((int) value == BIG_ENDIAN || (int) value == LITTLE_ENDIAN) {
                    vga.setBigEndian((int) value == BIG_ENDIAN);
                }
            } else {
                bytes.write(offset, size, value);
            }
        }
    }

    public Vga vga() {
        return vga;
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public String stateName() {
        return "standardVga";
    }

    @Override
    public void save(StateWriter out) {
        out.put(config).put(vga);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get(config);
        in.get(vga);
    }
}
