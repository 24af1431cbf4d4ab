package dev.xenolith.dom0.display.screen;

import dev.xenolith.device.display.Picture;
import java.util.Arrays;

/**
 * What a screen shows at one time, as tiles of {@value #TILE} by {@value #TILE} pixels (0x00RRGGBB). Neither it nor its tiles change, and
 * a frame shares with the one before it every tile that looks the same: whoever remembers which tiles it has shown sees by comparing
 * references what is new.
 */
public final class Frame {
    /** Pixels along the side of a tile. */
    public static final int TILE = Picture.TILE;

    private static final int[] BLACK = new int[TILE * TILE];

    private final int width;
    private final int height;
    private final int columns;
    /** Each whole, also at the right and lower edge. */
    private final int[][] tiles;

    private Frame(int width, int height, int[][] tiles) {
        this.width = width;
        this.height = height;
        this.columns = tiles(width);
        this.tiles = tiles;
    }

    /** How many tiles cover {@code pixels}. */
    public static int tiles(int pixels) {
        return (pixels + TILE - 1) / TILE;
    }

    /** A black one. */
    public static Frame black(int width, int height) {
        int[][] tiles = new int[tiles(width) * tiles(height)][];
        Arrays.fill(tiles, BLACK);
        return new Frame(width, height, tiles);
    }

    /** What {@code picture} shows, which has been this frame when it was last clean; this very frame if that looks the same. */
    Frame next(Picture picture) {
        boolean sameSize = picture.width() == width && picture.height() == height;
        int[][] next = sameSize ? tiles : new int[picture.tileColumns() * picture.tileRows()][];
        for (int row = 0; row < picture.tileRows(); row++) {
            for (int column = 0; column < picture.tileColumns(); column++) {
                if (sameSize && !picture.hasChanged(column, row)) {
                    continue;
                }
                int[] tile = copy(picture, column, row);
                int at = row * picture.tileColumns() + column;
                if (!sameSize) {
                    next[at] = tile;
                } else if (!Arrays.equals(tile, tiles[at])) {
                    if (next == tiles) {
                        next = tiles.clone();
                    }
                    next[at] = tile;
                }
            }
        }
        return next == tiles ? this : new Frame(picture.width(), picture.height(), next);
    }

    private static int[] copy(Picture picture, int column, int row) {
        int[] tile = new int[TILE * TILE];
        int left = column * TILE;
        int top = row * TILE;
        int across = Math.min(TILE, picture.width() - left);
        int down = Math.min(TILE, picture.height() - top);
        for (int y = 0; y < down; y++) {
            picture.copy(left, top + y, tile, y * TILE, across);
        }
        return tile;
    }

    /** The part of this that a screen of another size shows: cut off, or black beyond the edges. Shares the tiles. */
    public Frame within(int otherWidth, int otherHeight) {
        if (otherWidth == width && otherHeight == height) {
            return this;
        }
        int otherColumns = tiles(otherWidth);
        int[][] others = new int[otherColumns * tiles(otherHeight)][];
        Arrays.fill(others, BLACK);
        for (int row = 0; row < Math.min(tiles(otherHeight), tiles(height)); row++) {
            System.arraycopy(tiles, row * columns, others, row * otherColumns, Math.min(columns, otherColumns));
        }
        return new Frame(otherWidth, otherHeight, others);
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** Tiles beside one another. */
    public int tileColumns() {
        return columns;
    }

    /** Tiles above one another. */
    public int tileRows() {
        return tiles(height);
    }

    /** The tile at {@code row * tileColumns() + column}; to be compared, not to be written. */
    public int[] tile(int index) {
        return tiles[index];
    }

    /** The pixel at column {@code x} and row {@code y}. */
    public int pixel(int x, int y) {
        return tiles[y / TILE * columns + x / TILE][y % TILE * TILE + x % TILE];
    }

    /** Copies the pixels of a rectangle, row by row, to the start of {@code destination}. */
    public void copy(int x, int y, int areaWidth, int areaHeight, int[] destination) {
        for (int row = 0; row < areaHeight; row++) {
            int tileRow = (y + row) / TILE * columns;
            int inTile = (y + row) % TILE * TILE;
            int to = row * areaWidth;
            int column = x;
            while (column < x + areaWidth) {
                int count = Math.min(TILE - column % TILE, x + areaWidth - column);
                System.arraycopy(tiles[tileRow + column / TILE], inTile + column % TILE, destination, to, count);
                to += count;
                column += count;
            }
        }
    }
}
