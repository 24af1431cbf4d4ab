package dev.xenolith.device.display;

import java.util.BitSet;

/** Draws pixels: the rows whose memory has been written since it last did. */
final class PixelRenderer {
    /** For each byte: its bits in the lowest bits of eight nibbles; its pairs of bits in the lower halves of four. */
    private static final int[] BITS = table(1);
    private static final int[] PAIRS = table(2);

    private final VideoMemory memory;
    private final Colours colours;
    private int[] row = {};
    private byte[] bytes = {};

    PixelRenderer(VideoMemory memory, Colours colours) {
        this.memory = memory;
        this.colours = colours;
    }

    private static int[] table(int bits) {
        int[] table = new int[256];
        for (int value = 0; value < table.length; value++) {
            for (int i = 0; i < 8 / bits; i++) {
                table[value] |= (value >>> i * bits & (1 << bits) - 1) << 4 * i;
            }
        }
        return table;
    }

    private void room(int pixels) {
        if (row.length < pixels) {
            row = new int[pixels];
        }
    }

    // ---- planes ------------------------------------------------------------------------------------------------------

    /** @param dirty pages of memory that have been written */
    void draw(VideoMode.Planar mode, Picture picture, boolean all, BitSet dirty) {
        if (!all && dirty.isEmpty()) {
            return;
        }
        int[] scan = mode.raster().scan();
        int pixels = (mode.characters() + 1) * 8 * mode.stretch();
        room(pixels);
        for (int y = 0; y < scan.length; y++) {
            int pan = mode.panAbove() && mode.raster().isBelowSplit(y) ? 0 : mode.pan();
            if (y > 0 && scan[y] == scan[y - 1] && pan == 0) {
                // The same again, and the row is still there if it was drawn.
                if (all || isDirty(mode, scan[y], dirty)) {
                    picture.set(0, y, row, 0, mode.width());
                }
            } else if (all || isDirty(mode, scan[y], dirty)) {
                fetch(mode, scan[y]);
                picture.set(0, y, row, pan * mode.stretch(), mode.width());
            }
        }
    }

    private boolean isDirty(VideoMode.Planar mode, int scan, BitSet dirty) {
        int last = -1;
        for (int i = 0; i <= mode.characters(); i++) {
            int page = mode.addressing().address(Raster.counter(scan), i, Raster.row(scan)) * 4 / VideoMemory.PAGE;
            if (page != last && dirty.get(page)) {
                return true;
            }
            last = page;
        }
        return false;
    }

    private void fetch(VideoMode.Planar mode, int scan) {
        int at = 0;
        for (int i = 0; i <= mode.characters(); i++) {
            int planes = memory.planes(mode.addressing().address(Raster.counter(scan), i, Raster.row(scan)));
            int p0 = planes & 0xff;
            int p1 = planes >>> 8 & 0xff;
            int p2 = planes >>> 16 & 0xff;
            int p3 = planes >>> 24;
            at = switch (mode.shift()) {
                case PLANAR -> nibbles(BITS[p0] | BITS[p1] << 1 | BITS[p2] << 2 | BITS[p3] << 3, at, mode.stretch());
                case INTERLEAVED -> nibbles((PAIRS[p0] | PAIRS[p2] << 2) << 16 | PAIRS[p1] | PAIRS[p3] << 2, at,
                        mode.stretch());
                case PACKED -> {
                    int next = at;
                    for (int pixel = planes, j = 0; j < 4; j++, pixel >>>= 8) {
                        next = put(colours.eight[pixel & 0xff], next, 2 * mode.stretch());
                    }
                    yield next;
                }
            };
        }
    }

    /** Eight pixels, the first in the highest four bits. Returns where the next ones go. */
    private int nibbles(int pixels, int at, int stretch) {
        int next = at;
        for (int shift = 28; shift >= 0; shift -= 4) {
            next = put(colours.four[pixels >>> shift & 0xf], next, stretch);
        }
        return next;
    }

    private int put(int colour, int at, int times) {
        for (int i = 0; i < times; i++) {
            row[at + i] = colour;
        }
        return at + times;
    }

    // ---- pixel after pixel -------------------------------------------------------------------------------------------

    void draw(VideoMode.Linear mode, Picture picture, boolean all, BitSet dirty) {
        if (!all && dirty.isEmpty()) {
            return;
        }
        int pixelBytes = (mode.depth() + 7) / 8;
        int length = mode.width() * pixelBytes;
        room(mode.width());
        if (bytes.length < length) {
            bytes = new byte[length];
        }
        for (int y = 0; y < mode.height(); y++) {
            int at = mode.start() + y * mode.pitch() & memory.size() - 1;
            if (all || isDirty(at, length, dirty)) {
                memory.copyOut(at, bytes, length);
                for (int x = 0; x < mode.width(); x++) {
                    row[x] = colour(mode, value(x * pixelBytes, pixelBytes, mode.bigEndian()));
                }
                picture.set(0, y, row, 0, mode.width());
            }
        }
    }

    private boolean isDirty(int at, int length, BitSet dirty) {
        int end = at + length - 1;
        int next = dirty.nextSetBit(at / VideoMemory.PAGE);
        return next >= 0 && next <= end / VideoMemory.PAGE
                || end >= memory.size() && dirty.nextSetBit(0) <= (end - memory.size()) / VideoMemory.PAGE;
    }

    private int value(int at, int size, boolean bigEndian) {
        int value = 0;
        for (int i = 0; i < size; i++) {
            value |= (bytes[at + i] & 0xff) << 8 * (bigEndian ? size - 1 - i : i);
        }
        return value;
    }

    private int colour(VideoMode.Linear mode, int value) {
        return switch (mode.depth()) {
            case 8 -> colours.eight[value];
            case 15 -> widen(value >>> 10 & 0x1f, 5) << 16 | widen(value >>> 5 & 0x1f, 5) << 8 | widen(value & 0x1f, 5);
            case 16 -> widen(value >>> 11, 5) << 16 | widen(value >>> 5 & 0x3f, 6) << 8 | widen(value & 0x1f, 5);
            default -> value & 0xff_ffff;
        };
    }

    /** A component of {@code bits} bits as one of eight. */
    private static int widen(int component, int bits) {
        return component << 8 - bits | component >>> 2 * bits - 8;
    }
}
