package dev.xenolith.device.display;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Draws characters: those that have changed since it last did. */
final class TextRenderer {
    private static final int CURSOR = 1 << 16;
    private static final int HIDDEN = 1 << 17;
    private static final int NOT_DRAWN = -1;
    private static final int GLYPHS = 256;
    private static final int GLYPH_ROWS = 32;
    /** Pictures after which the cursor and characters blink, as powers of two. */
    private static final int CURSOR_BLINK = 3;
    private static final int CHARACTER_BLINK = 4;

    /** A line of characters, or what of it is on the screen: lines of the picture. */
    private record Band(int first, int count) {
    }

    private final VgaRegisters registers;
    private final VideoMemory memory;
    private final Colours colours;
    private int[] cells = {};
    private byte[] glyphsA = {};
    private byte[] glyphsB = {};
    private final int[] dots = new int[2 * 9];

    TextRenderer(VgaRegisters registers, VideoMemory memory, Colours colours) {
        this.registers = registers;
        this.memory = memory;
        this.colours = colours;
    }

    private static List<Band> bands(VideoMode.Text mode, int[] scan) {
        List<Band> bands = new ArrayList<>();
        int first = 0;
        for (int line = 1; line <= scan.length; line++) {
            if (line == scan.length || mode.raster().isBelowSplit(line) != mode.raster().isBelowSplit(line - 1)
                    || Raster.counter(scan[line]) != Raster.counter(scan[line - 1])
                    || Raster.row(scan[line]) < Raster.row(scan[line - 1])) {
                bands.add(new Band(first, line - first));
                first = line;
            }
        }
        return bands;
    }

    /** Characters and attributes of a cell, and further bits of what it looks like. */
    private int cell(VideoMode.Text mode, int counter, int column, int row) {
        return memory.planes(mode.addressing().address(counter, column, row)) & 0xffff;
    }

    /** What is on the screen, a line for each line of characters, from the first column to the last that is not blank. */
    List<String> text(VideoMode.Text mode) {
        int[] scan = mode.raster().scan();
        List<String> text = new ArrayList<>();
        for (Band band : bands(mode, scan)) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < mode.columns(); column++) {
                int start = scan[band.first];
                line.append(CodePage437
                        .character(cell(mode, Raster.counter(start), column, Raster.row(start)) & 0xff));
            }
            text.add(line.toString().stripTrailing());
        }
        return text;
    }

    /** @param all whether nothing of what was drawn before is still right */
    void draw(VideoMode.Text mode, Picture picture, boolean all) {
        int[] scan = mode.raster().scan();
        List<Band> bands = bands(mode, scan);
        int across = mode.columns() + 1;
        boolean anew = fontsChanged(mode) || all || cells.length != bands.size() * across;
        if (anew) {
            cells = new int[bands.size() * across];
            Arrays.fill(cells, NOT_DRAWN);
        }
        RegisterFile crtc = registers.crtc;
        long frames = registers.frames();
        boolean cursorShown = !crtc.has(0x0a, 5) && (frames >>> CURSOR_BLINK & 1) == 0;
        int cursor = cursorShown
                ? (crtc.get(0x0e) << 8 | crtc.get(0x0f)) + (crtc.get(0x0b) >>> 5 & 3)
                : NOT_DRAWN;
        int shape = crtc.get(0x0a) & 0x1f | (crtc.get(0x0b) & 0x1f) << 5;
        boolean hides = mode.blinks() && (frames >>> CHARACTER_BLINK & 1) != 0;
        for (int i = 0; i < bands.size(); i++) {
            Band band = bands.get(i);
            int start = scan[band.first];
            int counter = Raster.counter(start);
            int pan = mode.panAbove() && mode.raster().isBelowSplit(band.first) ? 0 : mode.pan();
            for (int column = 0; column < mode.columns() + (pan > 0 ? 1 : 0); column++) {
                int cell = cell(mode, counter, column, Raster.row(start));
                if (counter + column == cursor) {
                    cell |= CURSOR | shape << 18;
                }
                if (hides && (cell & 0x8000) != 0) {
                    cell |= HIDDEN;
                }
                if (cells[i * across + column] != cell) {
                    cells[i * across + column] = cell;
                    for (int line = band.first; line < band.first + band.count; line++) {
                        int x = (column * mode.dots() - pan) * mode.stretch();
                        drawRow(mode, picture, x, line, cell, Raster.row(scan[line]));
                    }
                }
            }
        }
    }

    /** One row of a character. */
    private void drawRow(VideoMode.Text mode, Picture picture, int x, int line, int cell, int row) {
        int character = cell & 0xff;
        int attribute = cell >>> 8 & 0xff;
        int foreground = colours.four[attribute & 0xf];
        int background = colours.four[attribute >>> 4 & (mode.blinks() ? 7 : 0xf)];
        byte[] glyphs = (attribute & 8) != 0 ? glyphsA : glyphsB;
        int bits = (glyphs[character * GLYPH_ROWS + row] & 0xff) << 1;
        if (mode.lineGraphics() && character >= 0xc0 && character <= 0xdf) {
            bits |= bits >>> 1 & 1;
        }
        if (row == mode.underline() && (attribute & 0x77) == 1) {
            bits = 0x1ff;
        }
        if ((cell & HIDDEN) != 0) {
            bits = 0;
        }
        if ((cell & CURSOR) != 0 && row >= (cell >>> 18 & 0x1f) && row <= (cell >>> 23 & 0x1f)) {
            bits = 0x1ff;
        }
        int width = mode.dots() * mode.stretch();
        for (int i = 0; i < width; i++) {
            dots[i] = (bits >>> 8 - i / mode.stretch() & 1) != 0 ? foreground : background;
        }
        int from = Math.max(-x, 0);
        int to = Math.min(width, picture.width() - x);
        if (from < to) {
            picture.set(x + from, line, dots, from, to - from);
        }
    }

    private boolean fontsChanged(VideoMode.Text mode) {
        byte[] a = glyphs(mode.fontA());
        byte[] b = mode.fontB() == mode.fontA() ? a : glyphs(mode.fontB());
        boolean changed = !Arrays.equals(a, glyphsA) || !Arrays.equals(b, glyphsB);
        glyphsA = a;
        glyphsB = b;
        return changed;
    }

    private byte[] glyphs(int font) {
        byte[] glyphs = new byte[GLYPHS * GLYPH_ROWS];
        for (int i = 0; i < glyphs.length; i++) {
            glyphs[i] = (byte) (memory.planes(font + i & 0xffff) >>> 16);
        }
        return glyphs;
    }
}
