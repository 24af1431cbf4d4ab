package dev.xenolith.dom0.display.rfb;

import dev.xenolith.dom0.display.encoding.Area;
import dev.xenolith.dom0.display.encoding.Encoder;
import dev.xenolith.dom0.display.screen.Frame;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a viewer has been shown, tile by tile, and what it has not seen yet of a frame. */
final class ShownTiles {
    private static final int[] NOTHING = {};
    private static final int MAX_COLUMNS = Encoder.MAX_WIDTH / Frame.TILE;
    private static final int MAX_ROWS = Encoder.MAX_HEIGHT / Frame.TILE;

    private int width;
    private int height;
    private int columns;
    private int[][] shown = {};

    ShownTiles(int width, int height) {
        resize(width, height);
    }

    int width() {
        return width;
    }

    int height() {
        return height;
    }

    Area all() {
        return new Area(0, 0, width, height);
    }

    /** The viewer's screen has this size now, and shows nothing. */
    void resize(int newWidth, int newHeight) {
        width = newWidth;
        height = newHeight;
        columns = Frame.tiles(width);
        shown = new int[columns * Frame.tiles(height)][];
        Arrays.fill(shown, NOTHING);
    }

    /** What is in {@code area} has to be shown again. */
    void forget(Area area) {
        for (int row = area.y() / Frame.TILE; row < Frame.tiles(area.y() + area.height()); row++) {
            Arrays.fill(shown, row * columns + area.x() / Frame.TILE,
                    row * columns + Frame.tiles(area.x() + area.width()), NOTHING);
        }
    }

    /**
     * The rectangles in which {@code frame}, of this size, differs from what has been shown, in the tiles of which a part is in
     * {@code wanted}; and takes them for shown. No encoder finds one too large.
     *
     * @param limit of rectangles: what would be more is left for another time
     */
    List<Area> show(Frame frame, Area wanted, int limit) {
        List<Area> areas = new ArrayList<>();
        Runs runs = new Runs(areas);
        int left = wanted.x() / Frame.TILE;
        int right = Frame.tiles(wanted.x() + wanted.width());
        int bottom = Frame.tiles(wanted.y() + wanted.height());
        for (int row = wanted.y() / Frame.TILE; row < bottom; row++) {
            int column = left;
            while (column < right && areas.size() + runs.open < limit) {
                int end = column;
                while (end < right && end - column < MAX_COLUMNS && isNew(frame, row * columns + end)) {
                    shown[row * columns + end] = frame.tile(row * columns + end);
                    end++;
                }
                if (end > column) {
                    runs.add(row, column, end);
                }
                column = Math.max(end, column + 1);
            }
            runs.endAbove(row);
        }
        runs.endAbove(bottom);
        return areas;
    }

    private boolean isNew(Frame frame, int tile) {
        return frame.tile(tile) != shown[tile];
    }

    /** Makes rectangles of runs of tiles that are as wide as those in the row above. */
    private final class Runs {
        private final List<Area> areas;
        /** By the first column: the end of a run, its first row, and the last so far; no run where the last is -1. */
        private final int[] end = new int[columns];
        private final int[] top = new int[columns];
        private final int[] last = new int[columns];
        private int open;

        Runs(List<Area> areas) {
            this.areas = areas;
            Arrays.fill(last, -1);
        }

        void add(int row, int from, int to) {
            if (last[from] >= 0 && (end[from] != to || row - top[from] >= MAX_ROWS)) {
                finish(from);
            }
            if (last[from] < 0) {
                open++;
                end[from] = to;
                top[from] = row;
            }
            last[from] = row;
        }

        /** Those that have not gone on in {@code row} are complete. */
        void endAbove(int row) {
            for (int column = 0; column < columns && open > 0; column++) {
                if (last[column] >= 0 && last[column] < row) {
                    finish(column);
                }
            }
        }

        private void finish(int column) {
            int x = column * Frame.TILE;
            int y = top[column] * Frame.TILE;
            areas.add(new Area(x, y, (end[column] - column) * Frame.TILE, (last[column] + 1) * Frame.TILE - y)
                    .within(width, height));
            last[column] = -1;
            open--;
        }
    }
}
