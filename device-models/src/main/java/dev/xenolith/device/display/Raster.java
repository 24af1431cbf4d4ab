package dev.xenolith.device.display;

/**
 * How the CRT controller counts through a picture: what its address counter is at the beginning of each line, and which row of a character
 * the line is.
 *
 * @param lines lines of the picture
 * @param lastRow number of a character's last row
 * @param doubled whether each row is shown twice
 * @param start where the counter starts
 * @param step what it grows by after a character's last row
 * @param firstRow the row that the picture starts with
 * @param lineCompare the line after which the counter starts again from zero; {@link #NO_SPLIT} for none
 */
record Raster(int lines, int lastRow, boolean doubled, int start, int step, int firstRow, int lineCompare) {
    static final int NO_SPLIT = Integer.MAX_VALUE;
    private static final int ROW_MASK = 0x1f;

    /** Of {@code registers}' modes. */
    static Raster of(RegisterFile crtc) {
        int overflow = crtc.get(0x07);
        int scan = crtc.get(0x09);
        int lines = (crtc.get(0x12) | overflow << 7 & 0x100 | overflow << 3 & 0x200) + 1;
        int start = (crtc.get(0x0c) << 8 | crtc.get(0x0d)) + (crtc.get(0x08) >>> 5 & 3);
        int compare = crtc.get(0x18) | overflow << 4 & 0x100 | scan << 3 & 0x200;
        return new Raster(lines, scan & ROW_MASK, scan >>> 7 != 0, start, 2 * crtc.get(0x13),
                crtc.get(0x08) & ROW_MASK, compare);
    }

    boolean isBelowSplit(int line) {
        return line > lineCompare;
    }

    /** For each line the counter, shifted left by five bits, and the row. */
    int[] scan() {
        int[] scan = new int[lines];
        int counter = start;
        int row = firstRow;
        boolean again = doubled;
        for (int line = 0; line < lines; line++) {
            scan[line] = counter << 5 | row;
            if (line == lineCompare) {
                counter = 0;
                row = 0;
                again = doubled;
            } else if (again) {
                again = false;
            } else {
                again = doubled;
                counter += row == lastRow ? step : 0;
                row = row == lastRow ? 0 : row + 1 & ROW_MASK;
            }
        }
        return scan;
    }

    static int counter(int scan) {
        return scan >>> 5;
    }

    static int row(int scan) {
        return scan & ROW_MASK;
    }
}
