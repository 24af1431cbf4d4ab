package dev.xenolith.device.display;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * The VBE display interface of Bochs (vbe_display_api.txt): registers of 16 bits behind an index, at ports 0x1ce and 0x1cf, for modes that
 * a VGA has not got. Narrower accesses are not decoded, wider ones are no single access. What has no room in video memory, or is not a
 * depth, is not enabled.
 */
final class Dispi implements MmioDevice, Saveable {
    static final int PORT = 0x1ce;
    /** Index, and data from the next port on, which reach over a third one. */
    static final int PORTS = 3;

    static final int ID = 0;
    static final int XRES = 1;
    static final int YRES = 2;
    static final int BPP = 3;
    static final int ENABLE = 4;
    static final int BANK = 5;
    static final int VIRT_WIDTH = 6;
    static final int VIRT_HEIGHT = 7;
    static final int X_OFFSET = 8;
    static final int Y_OFFSET = 9;
    static final int VIDEO_MEMORY_64K = 0xa;
    static final int REGISTERS = 0xb;

    static final int ENABLED = 0x01;
    static final int GETCAPS = 0x02;
    static final int DAC_8BIT = 0x20;
    static final int LFB_ENABLED = 0x40;
    static final int NOCLEARMEM = 0x80;

    static final int FIRST_ID = 0xb0c0;
    static final int LAST_ID = 0xb0c5;
    static final int MAX_XRES = 4096;
    static final int MAX_YRES = 4096;
    static final int MAX_BPP = 32;
    private static final int BANK_SHIFT = 16;
    private static final int DATA = 1;

    private final VideoMemory memory;
    private final Dac dac;
    private final int[] registers = new int[REGISTERS];
    private int index;

    Dispi(VideoMemory memory, Dac dac) {
        this.memory = memory;
        this.dac = dac;
        registers[ID] = LAST_ID;
        registers[XRES] = 640;
        registers[YRES] = 480;
        registers[BPP] = 8;
        registers[VIDEO_MEMORY_64K] = memory.size() >>> BANK_SHIFT;
    }

    // ---- what the rest of the card sees --------------------------------------------------------------------------------

    boolean isEnabled() { return (registers[ENABLE] & ENABLED) != 0; }

    /** Whether pixels are bytes, and not bits in planes. */
    boolean isLinear() {
        return isEnabled() && registers[BPP] != 4;
    }

    /** Where the window at 0xa0000 begins: a byte of memory, or an address in its planes. */
    int bankStart() {
        return isEnabled() ? registers[BANK] << BANK_SHIFT : 0;
    }

    int get(int register) {
        return registers[register];
    }

    /** Bytes from a row to the next one, for four bits in a plane. */
    int pitch() {
        return pitch(registers[VIRT_WIDTH]);
    }

    private int pitch(int width) {
        return registers[BPP] == 4 ? width / 8 : width * bytes();
    }

    /** Bytes of a pixel, of 8 bits or more. */
    int bytes() {
        return (registers[BPP] + 7) / 8;
    }

    private int rowsThatFit(int width) {
        return memory.size() / (pitch(width) * (registers[BPP] == 4 ? 4 : 1));
    }

    // ---- registers -----------------------------------------------------------------------------------------------------

    int read(int register) {
        if (register >= REGISTERS) {
            return 0;
        }
        boolean limits = (registers[ENABLE] & GETCAPS) != 0;
        return switch (register) {
            case XRES -> limits ? MAX_XRES : registers[register];
            case YRES -> limits ? MAX_YRES : registers[register];
            case BPP -> limits ? MAX_BPP : registers[register];
            default -> registers[register];
        };
    }

    void write(int register, int value) {
        boolean on = isEnabled();
        switch (register) {
            case ID -> registers[ID] = value >= FIRST_ID && value <= LAST_ID ? value : registers[ID];
            case XRES, YRES, BPP -> registers[register] = on ? registers[register] : value;
            case ENABLE -> enable(value);
            case BANK -> {
                int banks = (memory.size() >>> BANK_SHIFT) / (isLinear() ? 1 : 4);
                registers[BANK] = value & banks - 1;
            }
            case VIRT_WIDTH -> {
                int width = Math.max(value & ~7, registers[XRES]);
                if (on && rowsThatFit(width) >= registers[YRES]) {
                    setVirtualWidth(width);
                }
            }
            case X_OFFSET -> registers[X_OFFSET] = on
                    ? Math.min(value, registers[VIRT_WIDTH] - registers[XRES])
                    : 0;
            case Y_OFFSET -> registers[Y_OFFSET] = on
                    ? Math.min(value, registers[VIRT_HEIGHT] - registers[YRES])
                    : 0;
            default -> {
                // The virtual height follows from the width; the others can only be read.
            }
        }
    }

    private void setVirtualWidth(int width) {
        registers[VIRT_WIDTH] = width;
        registers[VIRT_HEIGHT] = Math.min(rowsThatFit(width), 0xffff);
        registers[X_OFFSET] = Math.min(registers[X_OFFSET], width - registers[XRES]);
        registers[Y_OFFSET] = Math.min(registers[Y_OFFSET], registers[VIRT_HEIGHT] - registers[YRES]);
    }

    private void enable(int value) {
        boolean was = isEnabled();
        int kept = value & (ENABLED | GETCAPS | DAC_8BIT | LFB_ENABLED | NOCLEARMEM);
        dac.setWide((kept & DAC_8BIT) != 0);
        registers[ENABLE] = kept;
        if (!isEnabled() || was) {
            return;
        }
        if (registers[BPP] == 0) {
            registers[BPP] = 8;
        }
        registers[XRES] &= ~7;
        if (!isPossible()) {
            registers[ENABLE] = kept & ~ENABLED;
            return;
        }
        registers[BANK] = 0;
        registers[X_OFFSET] = 0;
        registers[Y_OFFSET] = 0;
        setVirtualWidth(registers[XRES]);
        if ((kept & NOCLEARMEM) == 0) {
            memory.clear(pitch() * registers[YRES] * (registers[BPP] == 4 ? 4 : 1));
        }
    }

    private boolean isPossible() {
        int width = registers[XRES];
        int height = registers[YRES];
        return switch (registers[BPP]) {
            case 4, 8, 15, 16, 24, 32 -> width >= 8 && width <= MAX_XRES && height >= 1 && height <= MAX_YRES
                    && rowsThatFit(width) >= height;
            default -> false;
        };
    }

    @Override
    public long read(long offset, int size) {
        if (size != 2) {
            return -1;
        }
        return offset == DATA ? read(index) : index;
    }

    @Override
    public void write(long offset, int size, long value) {
        if (size == 2) {
            if (offset == DATA) {
                write(index, (int) value & 0xffff);
            } else {
                index = (int) value & 0xffff;
            }
        }
    }

    @Override
    public String stateName() {
        return "dispi";
    }

    @Override
    public void save(StateWriter out) {
        out.put("index", index).put("registers", registers);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        index = in.getInt("index", 0, 0xffff);
        int[] saved = new int[REGISTERS];
        in.get("registers", saved);
        for (int i = 0; i < REGISTERS; i++) {
            registers[i] = saved[i] & 0xffff;
        }
        registers[VIDEO_MEMORY_64K] = memory.size() >>> BANK_SHIFT;
        dac.setWide((registers[ENABLE] & DAC_8BIT) != 0);
        if (isEnabled()) {
            int width = registers[VIRT_WIDTH];
            if ((registers[XRES] | width) % 8 != 0 || !isPossible() || width < registers[XRES]
                    || rowsThatFit(width) < registers[YRES]) {
                throw new StateException("dispi.registers has an impossible mode");
            }
            setVirtualWidth(width);
        }
        registers[BANK] &= (memory.size() >>> BANK_SHIFT) / (isLinear() ? 1 : 4) - 1;
    }
}
