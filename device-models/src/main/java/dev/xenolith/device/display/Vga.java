package dev.xenolith.device.display;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Clock;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A VGA (IBM Personal System/2 Hardware Interface Technical Reference, "Video Subsystem") with the VBE display interface of Bochs. There
 * are no interrupts; the border around the picture and the page-select bit of the miscellaneous register have no effect.
 *
 * <p>After reset it is in mode 3, 80 columns by 25 rows, as a video BIOS leaves it, with a font and a blank screen, so that kernels may do
 * without one.
 */
public final class Vga implements Display, Saveable {
    /** Where memory is seen, and how much of it, in bytes. */
    public static final long WINDOW = 0xa_0000;
    public static final int WINDOW_SIZE = PlanarMemory.SIZE;
    /** Where text is in mode 3. */
    public static final long TEXT_MEMORY = 0xb_8000;
    /** The ports of {@link #registers}. */
    public static final int PORT = 0x3c0;
    public static final int PORTS = 16;
    /** The ports of {@link #monochrome} and of {@link #colour}. */
    public static final int MONOCHROME_PORT = 0x3b4;
    public static final int COLOUR_PORT = 0x3d4;
    public static final int CRTC_PORTS = 7;
    /** The ports of {@link #displayInterface}. */
    public static final int DISPI_PORT = Dispi.PORT;
    public static final int DISPI_PORTS = Dispi.PORTS;
    /** Bytes of video memory: 16 MiB. */
    public static final int MEMORY_SIZE = 16 << 20;
    /** The text mode that is set from the start, 3: characters in a row, rows, and lines of a character. */
    public static final int MODE = 3;
    public static final int COLUMNS = 80;
    public static final int ROWS = 25;
    public static final int CHARACTER_LINES = 16;

    private static final int TEXT_ADDRESSES = 32 << 10;
    private static final int BLANK = 0x0720;

    private final VideoMemory memory = new VideoMemory(MEMORY_SIZE);
    private final VgaRegisters registers;
    private final Dispi dispi;
    private final PlanarMemory window;
    private final Colours colours = new Colours();
    private final TextRenderer text;
    private final PixelRenderer pixels;
    private final BitSet dirty = new BitSet();
    private boolean bigEndian;
    /** What {@link #draw} has drawn last, and how. */
    private @Nullable Picture drawn;
    private @Nullable VideoMode drawnMode;

    /** @param clock drives the beam */
    public Vga(Clock clock) {
        registers = new VgaRegisters(clock);
        dispi = new Dispi(memory, registers.dac);
        window = new PlanarMemory(registers, memory, dispi);
        text = new TextRenderer(registers, memory, colours);
        pixels = new PixelRenderer(memory, colours);
        for (int address = 0; address < TEXT_ADDRESSES; address += 2) {
            memory.write(4 * address, 2, BLANK);
        }
        CodePage437.loadFont(memory);
    }

    /** The registers at {@link #PORT}. */
    public ByteRegisters registers() {
        return registers;
    }

    /** The CRT controller and input status 1 at {@link #MONOCHROME_PORT}, where they are if the miscellaneous register says so. */
    public ByteRegisters monochrome() {
        return registers.monochrome();
    }

    /** The same at {@link #COLOUR_PORT}. */
    public ByteRegisters colour() {
        return registers.colour();
    }

    /** The VBE display interface at {@link #DISPI_PORT}. */
    public MmioDevice displayInterface() {
        return dispi;
    }

    /** A register of the display interface; those that are not there read as zero. */
    int displayRegister(int index) {
        return dispi.read(index);
    }

    void setDisplayRegister(int index, int value) {
        dispi.write(index, value);
    }

    /** Memory as it is seen at {@link #WINDOW}. */
    public MmioDevice window() {
        return window;
    }

    VideoMemory memory() {
        return memory;
    }

    /** Whether pixels of more than a byte are shown with their first byte as the highest. */
    boolean isBigEndian() {
        return bigEndian;
    }

    void setBigEndian(boolean big) { bigEndian = big; }

    /** The text on the screen, a line for each row, from the first column to the last that is not blank; or that it is a picture. */
    public List<String> text() {
        if (!dispi.isEnabled() && !registers.graphics.has(6, 0)) {
            return text.text(VideoMode.text(registers));
        }
        VideoMode mode = mode();
        return List.of("(graphics, " + mode.width() + " by " + mode.height() + " pixels)");
    }

    private VideoMode mode() {
        return VideoMode.of(registers, dispi, memory, bigEndian);
    }

    @Override
    public void draw(Picture picture) {
        VideoMode mode = mode();
        boolean all = colours.update(registers) || picture != drawn || !mode.equals(drawnMode)
                || picture.width() != mode.width() || picture.height() != mode.height();
        memory.takeDirty(dirty);
        picture.resize(mode.width(), mode.height());
        switch (mode) {
            case VideoMode.Blank blank -> {
                if (all) {
                    int[] black = new int[blank.width()];
                    for (int y = 0; y < blank.height(); y++) {
                        picture.set(0, y, black, 0, black.length);
                    }
                }
            }
            case VideoMode.Text characters -> text.draw(characters, picture, all);
            case VideoMode.Planar planar -> pixels.draw(planar, picture, all, dirty);
            case VideoMode.Linear linear -> pixels.draw(linear, picture, all, dirty);
        }
        dirty.clear();
        drawn = picture;
        drawnMode = mode;
    }

    @Override
    public String stateName() {
        return "vga";
    }

    @Override
    public void save(StateWriter out) {
        out.put(memory).put(registers).put(dispi).put("latches", window.latches()).put("bigEndian", bigEndian);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get(memory);
        in.get(registers);
        in.get(dispi);
        window.setLatches(in.getInt("latches"));
        bigEndian = in.getBoolean("bigEndian");
    }
}
