package dev.xenolith.device.display;

import dev.xenolith.device.ByteRegisters;

/**
 * Video memory as the processor sees it from 0xa0000 to 0xbffff: four planes of bytes behind the sequencer and the graphics controller,
 * with their latches, or a bank of the display interface's linear memory. All four planes are worked on at once, as the bytes of an int.
 */
final class PlanarMemory implements ByteRegisters {
    static final int SIZE = 128 << 10;

    /** Registers of the sequencer. */
    private static final int MAP_MASK = 2;
    private static final int MEMORY_MODE = 4;
    private static final int CHAIN_4 = 3;
    private static final int SEQUENTIAL = 2;
    /** Registers of the graphics controller. */
    private static final int SET_RESET = 0;
    private static final int ENABLE_SET_RESET = 1;
    private static final int COLOUR_COMPARE = 2;
    private static final int DATA_ROTATE = 3;
    private static final int READ_MAP_SELECT = 4;
    private static final int MODE = 5;
    private static final int READ_MODE = 3;
    private static final int ODD_EVEN_READS = 4;
    private static final int MISCELLANEOUS = 6;
    private static final int CHAIN_ODD_EVEN = 1;
    private static final int COLOUR_DO_NOT_CARE = 7;
    private static final int BIT_MASK = 8;

    private static final int EVEN_PLANES = 0b0101;
    private static final int ODD_PLANES = 0b1010;
    private static final int PLANE_MASK = 0xffff;
    private static final int BANK = 64 << 10;
    /** Where memory begins in this window, and its size, by the memory-map bits. */
    private static final int[] MAP_START = {0, 0, 0x1_0000, 0x1_8000};
    private static final int[] MAP_SIZE = {128 << 10, 64 << 10, 32 << 10, 32 << 10};
    private static final int NOWHERE = -1;

    private final VgaRegisters registers;
    private final RegisterFile sequencer;
    private final RegisterFile graphics;
    private final VideoMemory memory;
    private final Dispi dispi;
    /** What the last read has fetched, a byte for each plane, plane 0 lowest. */
    private int latches;

    PlanarMemory(VgaRegisters registers, VideoMemory memory, Dispi dispi) {
        this.registers = registers;
        this.sequencer = registers.sequencer;
        this.graphics = registers.graphics;
        this.memory = memory;
        this.dispi = dispi;
    }

    int latches() {
        return latches;
    }

    void setLatches(int value) { latches = value; }

    @Override
    public long read(long offset, int size) {
        if (!registers.memoryAnswers()) {
            return -1;
        }
        if (dispi.isLinear()) {
            return offset + size <= BANK ? memory.read(dispi.bankStart() + (int) offset, size) : -1;
        }
        return ByteRegisters.super.read(offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {
        if (!registers.memoryAnswers()) {
            return;
        }
        if (!dispi.isLinear()) {
            ByteRegisters.super.write(offset, size, value);
        } else if (offset + size <= BANK) {
            memory.write(dispi.bankStart() + (int) offset, size, value);
        }
    }

    /** Eight bits for each of the four planes whose bit is set. */
    private static int spread(int planes) {
        return (planes & 1) * 0xff | (planes >>> 1 & 1) * 0xff00 | (planes >>> 2 & 1) * 0xff_0000
                | (planes >>> 3 & 1) * 0xff00_0000;
    }

    /** Address in the memory that is mapped of an offset in the window, or {@link #NOWHERE}. */
    private int mapped(int offset) {
        int map = graphics.get(MISCELLANEOUS) >>> 2 & 3;
        int address = offset - MAP_START[map];
        return address >= 0 && address < MAP_SIZE[map] ? address : NOWHERE;
    }

    /** Address in the planes of one in the map. */
    private int planeAddress(int address) {
        int plane;
        if (sequencer.has(MEMORY_MODE, CHAIN_4)) {
            plane = address & ~3;
        } else if (graphics.has(MISCELLANEOUS, CHAIN_ODD_EVEN)) {
            // The lowest bit selects planes; where all of the window is mapped the highest stands in for it.
            plane = address & ~1 | address >>> 16;
        } else {
            plane = address;
        }
        int bank = dispi.bankStart();
        return bank + (plane & PLANE_MASK);
    }

    @Override
    public int readByte(int offset) {
        int address = mapped(offset);
        if (address == NOWHERE) {
            return 0xff;
        }
        latches = memory.planes(planeAddress(address));
        if (sequencer.has(MEMORY_MODE, CHAIN_4)) {
            return latches >>> 8 * (address & 3) & 0xff;
        }
        if (graphics.has(MODE, READ_MODE)) {
            int differ = (latches ^ spread(graphics.get(COLOUR_COMPARE))) & spread(graphics.get(COLOUR_DO_NOT_CARE));
            return ~(differ | differ >>> 8 | differ >>> 16 | differ >>> 24) & 0xff;
        }
        int plane = graphics.get(READ_MAP_SELECT) & 3;
        if (graphics.has(MODE, ODD_EVEN_READS)) {
            plane = plane & 2 | address & 1;
        }
        return latches >>> 8 * plane & 0xff;
    }

    @Override
    public void writeByte(int offset, int value) {
        int address = mapped(offset);
        if (address == NOWHERE) {
            return;
        }
        int planes = sequencer.get(MAP_MASK);
        if (sequencer.has(MEMORY_MODE, CHAIN_4)) {
            planes &= 1 << (address & 3);
        } else if (!sequencer.has(MEMORY_MODE, SEQUENTIAL)) {
            planes &= (address & 1) == 0 ? EVEN_PLANES : ODD_PLANES;
        }
        int at = planeAddress(address);
        int written = spread(planes);
        memory.write(4 * at, 4, value(value) & written | memory.planes(at) & ~written);
    }

    /** What a write puts into the four planes ("Graphics Mode Register", write modes 0 to 3). */
    private int value(int data) {
        int rotation = graphics.get(DATA_ROTATE) & 7;
        int rotated = (data >>> rotation | data << 8 - rotation) & 0xff;
        int mask = graphics.get(BIT_MASK);
        int source;
        switch (graphics.get(MODE) & 3) {
            case 0 -> {
                int enabled = spread(graphics.get(ENABLE_SET_RESET));
                source = rotated * 0x0101_0101 & ~enabled | spread(graphics.get(SET_RESET)) & enabled;
            }
            case 1 -> {
                return latches;
            }
            case 2 -> source = spread(data);
            default -> {
                source = spread(graphics.get(SET_RESET));
                mask &= rotated;
            }
        }
        int combined = switch (graphics.get(DATA_ROTATE) >>> 3 & 3) {
            case 0 -> source;
            case 1 -> source & latches;
            case 2 -> source | latches;
            default -> source ^ latches;
        };
        int bits = mask * 0x0101_0101;
        return combined & bits | latches & ~bits;
    }
}
