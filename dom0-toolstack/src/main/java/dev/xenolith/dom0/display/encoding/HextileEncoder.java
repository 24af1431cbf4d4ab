package dev.xenolith.dom0.display.encoding;

import dev.xenolith.dom0.display.screen.Frame;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/** Hextile: tiles of 16 by 16 pixels, each a background with rectangles of other colours in it (RFC 6143, section 7.7.4). */
public final class HextileEncoder implements Encoder {
    static final int NUMBER = 5;

    private static final int RAW = 1;
    private static final int BACKGROUND = 1 << 1;
    private static final int FOREGROUND = 1 << 2;
    private static final int ANY_SUBRECTANGLES = 1 << 3;
    private static final int COLOURED = 1 << 4;
    private static final int SIDE = 16;
    private static final int MAX_SUBRECTANGLES = 255;

    private final int[] tile = new int[SIDE * SIDE];
    private final boolean[] done = new boolean[SIDE * SIDE];
    private int background;
    private boolean hasBackground;
    private int foreground;
    private boolean hasForeground;

    @Override
    public int number() {
        return NUMBER;
    }

    @Override
    public void encode(Frame frame, Area area, PixelFormat format, ByteBuf out) {
        hasBackground = false;
        hasForeground = false;
        for (int y = 0; y < area.height(); y += SIDE) {
            int height = Math.min(SIDE, area.height() - y);
            for (int x = 0; x < area.width(); x += SIDE) {
                int width = Math.min(SIDE, area.width() - x);
                frame.copy(area.x() + x, area.y() + y, width, height, tile);
                format.translate(tile, width * height);
                encodeTile(width, height, format, out);
            }
        }
    }

    private void encodeTile(int width, int height, PixelFormat format, ByteBuf out) {
        int count = width * height;
        int first = tile[0];
        int second = first;
        int ofFirst = 0;
        int ofSecond = 0;
        for (int i = 0; i < count; i++) {
            if (tile[i] == first) {
                ofFirst++;
            } else {
                if (ofSecond == 0) {
                    second = tile[i];
                }
                if (tile[i] == second) {
                    ofSecond++;
                }
            }
        }
        boolean twoColours = ofFirst + ofSecond == count;
        int newBackground = ofFirst >= ofSecond ? first : second;
        int newForeground = ofFirst >= ofSecond ? second : first;
        int start = out.writerIndex();
        out.writeByte(0);
        int mask = 0;
        if (!hasBackground || background != newBackground) {
            mask |= BACKGROUND;
            format.put(out, newBackground);
        }
        if (ofFirst < count) {
            mask |= ANY_SUBRECTANGLES;
            if (!twoColours) {
                mask |= COLOURED;
            } else if (!hasForeground || foreground != newForeground) {
                mask |= FOREGROUND;
                format.put(out, newForeground);
            }
            int limit = start + 1 + count * format.bytes();
            if (!subrectangles(width, height, newBackground, !twoColours, format, out, limit)) {
                out.writerIndex(start);
                out.writeByte(RAW);
                for (int i = 0; i < count; i++) {
                    format.put(out, tile[i]);
                }
                hasBackground = false;
                hasForeground = false;
                return;
            }
            hasForeground = twoColours;
            foreground = newForeground;
        }
        hasBackground = true;
        background = newBackground;
        out.setByte(start, mask);
    }

    /** Puts what is not background; returns false if that is too much, or goes beyond {@code limit}. */
    private boolean subrectangles(int width, int height, int newBackground, boolean coloured, PixelFormat format,
            ByteBuf out, int limit) {
        int countAt = out.writerIndex();
        out.writeByte(0);
        Arrays.fill(done, 0, width * height, false);
        int subrectangles = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int colour = tile[y * width + x];
                if (colour == newBackground || done[y * width + x]) {
                    continue;
                }
                int right = x + 1;
                while (right < width && isFree(y * width + right, colour)) {
                    right++;
                }
                int bottom = y + 1;
                while (bottom < height && isFreeRow(bottom * width, x, right, colour)) {
                    bottom++;
                }
                for (int row = y; row < bottom; row++) {
                    Arrays.fill(done, row * width + x, row * width + right, true);
                }
                if (coloured) {
                    format.put(out, colour);
                }
                out.writeByte(x << 4 | y).writeByte(right - x - 1 << 4 | bottom - y - 1);
                if (++subrectangles > MAX_SUBRECTANGLES || out.writerIndex() >= limit) {
                    return false;
                }
            }
        }
        out.setByte(countAt, subrectangles);
        return true;
    }

    private boolean isFreeRow(int row, int left, int right, int colour) {
        for (int x = left; x < right; x++) {
            if (!isFree(row + x, colour)) {
                return false;
            }
        }
        return true;
    }

    private boolean isFree(int at, int colour) {
        return tile[at] == colour && !done[at];
    }
}
