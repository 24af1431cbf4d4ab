package dev.xenolith.device.display;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Clock;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * The text mode of a VGA (IBM Personal System/2 Hardware Interface Technical Reference, "Video Subsystem"): all registers, which read
 * as they were written, and the 32 KiB of memory with characters and attributes at 0xb8000. There are neither planes with fonts or
 * pixels nor interrupts, and what is there at 0xa0000 to 0xb7fff answers nobody.
 *
 * <p>No video BIOS comes with it, so after reset it is in mode 3, 80 columns by 25 rows, as one leaves it, with a blank screen.
 */
public final class VgaText implements ByteRegisters, Saveable {
    /** Where the memory is, and its size in bytes. */
    public static final long MEMORY = 0xb_8000;
    public static final int MEMORY_SIZE = 32 << 10;
    /** The ports of {@link #readByte}. */
    public static final int PORT = 0x3c0;
    public static final int PORTS = 16;
    /** The ports of {@link #monochrome} and of {@link #colour}. */
    public static final int MONOCHROME_PORT = 0x3b4;
    public static final int COLOUR_PORT = 0x3d4;
    public static final int CRTC_PORTS = 7;
    /** The text mode that is set from the start, 3: characters in a row, rows, and lines of a character. */
    public static final int MODE = 3;
    public static final int COLUMNS = 80;
    public static final int ROWS = 25;
    public static final int CHARACTER_LINES = 16;

    /** Offsets from {@link #PORT}. */
    private static final int ATTRIBUTE = 0x0;
    private static final int ATTRIBUTE_DATA = 0x1;
    private static final int MISCELLANEOUS_WRITE = 0x2;
    private static final int SEQUENCER_INDEX = 0x4;
    private static final int SEQUENCER_DATA = 0x5;
    private static final int PEL_MASK = 0x6;
    private static final int PEL_READ_INDEX = 0x7;
    private static final int PEL_WRITE_INDEX = 0x8;
    private static final int PEL_DATA = 0x9;
    private static final int FEATURE_READ = 0xa;
    private static final int MISCELLANEOUS_READ = 0xc;
    private static final int GRAPHICS_INDEX = 0xe;
    private static final int GRAPHICS_DATA = 0xf;
    /** Offsets from {@link #COLOUR_PORT}. */
    private static final int CRTC_DATA = 1;
    private static final int STATUS_1 = 6;

    private static final int COLOUR_ADDRESSES = 1;
    private static final int SWITCH_SENSE = 1 << 4;
    /** A line is on the screen for 25.422 microseconds of 31.778; 400 of 449 lines are, the retrace is in two of the others. */
    private static final long LINE = 31_778;
    private static final long LINE_SHOWN = 25_422;
    private static final int LINES = 449;
    private static final int LINES_SHOWN = 400;
    private static final int RETRACE = 412;
    private static final int RETRACE_LINES = 2;
    private static final int NOT_SHOWN = 1;
    private static final int IN_RETRACE = 1 << 3;

    /** Registers of the CRT controller. */
    private static final int HORIZONTAL_DISPLAY_END = 0x01;
    private static final int OVERFLOW = 0x07;
    private static final int MAXIMUM_SCAN_LINE = 0x09;
    private static final int START_HIGH = 0x0c;
    private static final int START_LOW = 0x0d;
    private static final int RETRACE_END = 0x11;
    private static final int VERTICAL_DISPLAY_END = 0x12;
    private static final int OFFSET = 0x13;
    /** In {@link #RETRACE_END}: registers 0 to 7 are write-protected, but for this bit of {@link #OVERFLOW}. */
    private static final int PROTECT = 1 << 7;
    private static final int LINE_COMPARE_8 = 1 << 4;
    /** Of the graphics controller's miscellaneous register: memory is at 0xa0000 or at 0xb8000. */
    private static final int GRAPHICS_MISCELLANEOUS = 6;
    private static final int MEMORY_MAP_SHIFT = 2;
    private static final int MAP_A0000_128K = 0;
    private static final int MAP_B8000 = 3;

    private static final int PALETTE_SIZE = 256 * 3;
    private static final int BLANK = 0x0720;
    private static final int MAX_ROWS = 100;
    private static final int[] SEQUENCER_MODE_3 = {0x03, 0x00, 0x03, 0x00, 0x02};
    private static final int[] CRTC_MODE_3 = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e,
        0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
    private static final int[] GRAPHICS_MODE_3 = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff};
    private static final int[] ATTRIBUTE_MODE_3 = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
        0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00};
    private static final int MISCELLANEOUS_MODE_3 = 0x67;

    /** An index register and what it selects. */
    private static final class Bank {
        final String name;
        final byte[] registers;
        int index;

        Bank(String name, int[] initial) {
            this.name = name;
            registers = new byte[initial.length];
            for (int i = 0; i < initial.length; i++) {
                registers[i] = (byte) initial[i];
            }
        }

        int read(int register) {
            return register < registers.length ? registers[register] & 0xff : 0;
        }

        int read() {
            return read(index);
        }

        void write(int value) {
            if (index < registers.length) {
                registers[index] = (byte) value;
            }
        }

        void save(StateWriter out) {
            out.put(name + "Index", index).put(name, registers);
        }

        void restore(StateReader in) throws StateException {
            index = in.getByte(name + "Index");
            in.get(name, registers);
        }
    }

    private final Clock clock;
    private final byte[] memory = new byte[MEMORY_SIZE];
    private final byte[] palette = new byte[PALETTE_SIZE];
    private final Bank sequencer = new Bank("sequencer", SEQUENCER_MODE_3);
    private final Bank crtc = new Bank("crtc", CRTC_MODE_3);
    private final Bank graphics = new Bank("graphics", GRAPHICS_MODE_3);
    private final Bank attribute = new Bank("attribute", ATTRIBUTE_MODE_3);
    private int miscellaneous = MISCELLANEOUS_MODE_3;
    private int feature;
    private int pelMask = 0xff;
    /** Byte of the palette that is read or written next. */
    private int pelReadAt;
    private int pelWriteAt;
    private boolean pelReads;
    /** Whether the next write to the attribute controller is data. */
    private boolean attributeData;

    /** @param clock drives the beam */
    public VgaText(Clock clock) {
        this.clock = clock;
        for (int i = 0; i < MEMORY_SIZE; i += 2) {
            memory[i] = (byte) BLANK;
            memory[i + 1] = BLANK >>> 8;
        }
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    @Override
    public int readByte(int offset) {
        return switch (offset) {
            case ATTRIBUTE -> attribute.index;
            case ATTRIBUTE_DATA -> attribute.read(attribute.index & 0x1f);
            // Input status 0: the switches say that a monitor is there.
            case MISCELLANEOUS_WRITE -> SWITCH_SENSE;
            case SEQUENCER_INDEX -> sequencer.index;
            case SEQUENCER_DATA -> sequencer.read();
            case PEL_MASK -> pelMask;
            case PEL_READ_INDEX -> pelReads ? 3 : 0;
            case PEL_WRITE_INDEX -> pelWriteAt / 3;
            case PEL_DATA -> {
                int value = palette[pelReadAt];
                pelReadAt = (pelReadAt + 1) % PALETTE_SIZE;
                yield value;
            }
            case FEATURE_READ -> feature;
            case MISCELLANEOUS_READ -> miscellaneous;
            case GRAPHICS_INDEX -> graphics.index;
            case GRAPHICS_DATA -> graphics.read();
            default -> 0xff;
        };
    }

    @Override
    public void writeByte(int offset, int value) {
        switch (offset) {
            case ATTRIBUTE -> writeAttribute(value);
            case MISCELLANEOUS_WRITE -> miscellaneous = value;
            case SEQUENCER_INDEX -> sequencer.index = value;
            case SEQUENCER_DATA -> sequencer.write(value);
            case PEL_MASK -> pelMask = value;
            case PEL_READ_INDEX -> {
                pelReadAt = 3 * value;
                pelReads = true;
            }
            case PEL_WRITE_INDEX -> {
                pelWriteAt = 3 * value;
                pelReads = false;
            }
            case PEL_DATA -> {
                palette[pelWriteAt] = (byte) (value & 0x3f);
                pelWriteAt = (pelWriteAt + 1) % PALETTE_SIZE;
            }
            case GRAPHICS_INDEX -> graphics.index = value;
            case GRAPHICS_DATA -> graphics.write(value);
            default -> {
                // Read-only, or nobody's.
            }
        }
    }

    /** Index and data take turns at one port; reading input status 1 makes the index next. */
    private void writeAttribute(int value) {
        if (attributeData) {
            int index = attribute.index;
            attribute.index = index & 0x1f;
            attribute.write(value);
            attribute.index = index;
        } else {
            attribute.index = value & 0x3f;
        }
        attributeData = !attributeData;
    }

    /** The CRT controller and input status 1 at {@link #MONOCHROME_PORT}, where they are if the miscellaneous register says so. */
    public ByteRegisters monochrome() {
        return crtController(0);
    }

    /** The same at {@link #COLOUR_PORT}. */
    public ByteRegisters colour() {
        return crtController(COLOUR_ADDRESSES);
    }

    private ByteRegisters crtController(int selectedBy) {
        return new ByteRegisters() {
            @Override
            public int readByte(int offset) {
                if ((miscellaneous & COLOUR_ADDRESSES) != selectedBy) {
                    return 0xff;
                }
                return switch (offset) {
                    case 0 -> crtc.index;
                    case CRTC_DATA -> crtc.read();
                    case STATUS_1 -> status();
                    default -> 0xff;
                };
            }

            @Override
            public void writeByte(int offset, int value) {
                if ((miscellaneous & COLOUR_ADDRESSES) != selectedBy) {
                    return;
                }
                switch (offset) {
                    case 0 -> crtc.index = value;
                    case CRTC_DATA -> writeCrtc(value);
                    case STATUS_1 -> feature = value;
                    default -> {
                        // Nobody's.
                    }
                }
            }
        };
    }

    private void writeCrtc(int value) {
        if (crtc.index > OVERFLOW || (crtc.read(RETRACE_END) & PROTECT) == 0) {
            crtc.write(value);
        } else if (crtc.index == OVERFLOW) {
            crtc.write(crtc.read() & ~LINE_COMPARE_8 | value & LINE_COMPARE_8);
        }
    }

    /** Where the beam is, with the timing of mode 3: 70 pictures a second. */
    private int status() {
        attributeData = false;
        long now = clock.now();
        long line = now / LINE % LINES;
        boolean shown = line < LINES_SHOWN && now % LINE < LINE_SHOWN;
        boolean retraces = line >= RETRACE && line < RETRACE + RETRACE_LINES;
        return (shown ? 0 : NOT_SHOWN) | (retraces ? IN_RETRACE : 0);
    }

    // ---- memory ------------------------------------------------------------------------------------------------------

    /** The memory, for {@link #MEMORY}. */
    public MmioDevice memory() {
        return new ByteRegisters() {
            @Override
            public int readByte(int offset) {
                return answers() ? memory[offset] & 0xff : 0xff;
            }

            @Override
            public void writeByte(int offset, int value) {
                if (answers()) {
                    memory[offset] = (byte) value;
                }
            }
        };
    }

    private boolean answers() {
        int place = graphics.read(GRAPHICS_MISCELLANEOUS) >>> MEMORY_MAP_SHIFT & 3;
        return place == MAP_B8000 || place == MAP_A0000_128K;
    }

    /** What is on the screen, a line for each row, from the first column to the last that is not blank. */
    public List<String> text() {
        int columns = crtc.read(HORIZONTAL_DISPLAY_END) + 1;
        int overflow = crtc.read(OVERFLOW);
        int lines = (crtc.read(VERTICAL_DISPLAY_END) | overflow << 7 & 0x100 | overflow << 3 & 0x200) + 1;
        int rows = Math.min(lines / ((crtc.read(MAXIMUM_SCAN_LINE) & 0x1f) + 1), MAX_ROWS);
        int start = crtc.read(START_HIGH) << 8 | crtc.read(START_LOW);
        int pitch = 2 * crtc.read(OFFSET);
        List<String> text = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < columns; column++) {
                int at = 2 * (start + row * pitch + column) & MEMORY_SIZE - 1;
                line.append(CodePage437.character(memory[at] & 0xff));
            }
            text.add(line.toString().stripTrailing());
        }
        return text;
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return "vgaText";
    }

    @Override
    public void save(StateWriter out) {
        for (Bank bank : List.of(sequencer, crtc, graphics, attribute)) {
            bank.save(out);
        }
        out.put("memory", memory).put("palette", palette).put("miscellaneous", miscellaneous).put("feature", feature);
        out.put("pelMask", pelMask).put("pelReadAt", pelReadAt).put("pelWriteAt", pelWriteAt);
        out.put("pelReads", pelReads).put("attributeData", attributeData);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        for (Bank bank : List.of(sequencer, crtc, graphics, attribute)) {
            bank.restore(in);
        }
        in.get("memory", memory);
        in.get("palette", palette);
        miscellaneous = in.getByte("miscellaneous");
        feature = in.getByte("feature");
        pelMask = in.getByte("pelMask");
        pelReadAt = in.getInt("pelReadAt", 0, PALETTE_SIZE - 1);
        pelWriteAt = in.getInt("pelWriteAt", 0, PALETTE_SIZE - 1);
        pelReads = in.getBoolean("pelReads");
        attributeData = in.getBoolean("attributeData");
    }
}
