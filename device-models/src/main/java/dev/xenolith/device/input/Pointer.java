package dev.xenolith.device.input;

/** A mouse or a tablet that somebody moves. Machine thread only. */
public interface Pointer {
    /** Buttons, as bits. */
    int LEFT = 1;
    int RIGHT = 1 << 1;
    int MIDDLE = 1 << 2;
    /** The far end of each axis of an absolute position. */
    int FAR = 0x7fff;

    /** Whether it tells positions, and not movements. */
    boolean isAbsolute();

    /**
     * It has been moved to a place, turned, or one of its buttons has been used.
     *
     * @param x from the left edge, 0, to the right one, {@link #FAR}; {@code y} likewise from the top down
     * @param wheel steps it was turned, positive away from the user
     * @param buttons those that are down now
     */
    void moveTo(int x, int y, int wheel, int buttons);

    /** The same for a movement of {@code dx} to the right and {@code dy} down, in counts of a mouse. */
    void moveBy(int dx, int dy, int wheel, int buttons);
}
