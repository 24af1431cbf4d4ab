package dev.xenolith.device.display;

import java.util.Arrays;

/**
 * What a screen shows: {@code width} times {@code height} pixels from the top left, row by row, as 0x00RRGGBB; and which parts of it have
 * changed since {@link #clean}, in tiles of {@value #TILE} by {@value #TILE} pixels. A display draws it, viewers copy from it, all on the
 * machine thread.
 */
public final class Picture {
    /** Pixels along the side of a tile; those at the right and lower edge may be smaller. */
    public static final int TILE = 16;
    /** Largest width and height. */
    public static final int MAX_SIDE = 8192;

    private int width;
    private int height;
    private int[] pixels = {};
    private boolean[] changed = {};

    /** Takes another size if need be; then the picture is black and all of it has changed. */
    public void resize(int newWidth, int newHeight) {
        if (newWidth < 1 || newHeight < 1 || newWidth > MAX_SIDE || newHeight > MAX_SIDE) {
            throw new IllegalArgumentException("a picture of " + newWidth + " by " + newHeight);
        }
        if (newWidth != width || newHeight != height) {
            width = newWidth;
            height = newHeight;
            pixels = new int[width * height];
            changed = new boolean[tileColumns() * tileRows()];
            Arrays.fill(changed, true);
        }
    }

    /** Pixels in a row; 0 before the first {@link #resize}. */
    public int width() {
        return width;
    }

    /** Rows; 0 before the first {@link #resize}. */
    public int height() {
        return height;
    }

    /** Tiles beside one another. */
    public int tileColumns() {
        return (width + TILE - 1) / TILE;
    }

    /** Tiles above one another. */
    public int tileRows() {
        return (height + TILE - 1) / TILE;
    }

    /** The pixel at column {@code x} and row {@code y}. */
    public int pixel(int x, int y) {
        return pixels[y * width + x];
    }

    /** Draws a pixel, and notes whether it has changed. */
    public void set(int x, int y, int colour) {
        int at = y * width + x;
        if (pixels[at] != colour) {
            pixels[at] = colour;
            changed[y / TILE * tileColumns() + x / TILE] = true;
        }
    }

    /** Draws {@code count} pixels of row {@code y} from column {@code x} on, and notes which tiles have changed. */
    public void set(int x, int y, int[] colours, int offset, int count) {
        int row = y / TILE * tileColumns();
        for (int i = 0; i < count; i++) {
            int at = y * width + x + i;
            if (pixels[at] != colours[offset + i]) {
                pixels[at] = colours[offset + i];
                changed[row + (x + i) / TILE] = true;
            }
        }
    }

    /** Copies {@code count} pixels of row {@code y} from column {@code x} on. */
    public void copy(int x, int y, int[] destination, int offset, int count) {
        System.arraycopy(pixels, y * width + x, destination, offset, count);
    }

    /** Whether a tile has changed since {@link #clean}. */
    public boolean hasChanged(int tileColumn, int tileRow) {
        return changed[tileRow * tileColumns() + tileColumn];
    }

    /** Forgets what has changed. */
    public void clean() {
        Arrays.fill(changed, false);
    }
}
