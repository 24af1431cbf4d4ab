package dev.xenolith.dom0.display.encoding;

/** A rectangle of pixels, from its top left corner. */
public record Area(int x, int y, int width, int height) {
    /** How many pixels it has. */
    public int pixels() {
        return width * height;
    }

    /** The part of it that a screen of that size has; of width or height 0 if there is none. */
    public Area within(int screenWidth, int screenHeight) {
        int left = Math.min(x, screenWidth);
        int top = Math.min(y, screenHeight);
        return new Area(left, top, Math.min(width, screenWidth - left), Math.min(height, screenHeight - top));
    }
}
