package dev.xenolith.device.display;

/** A graphics card, as what watches its screen sees it. Machine thread only. */
public interface Display {
    /** Brings {@code picture} up to date, its size too; what has changed is noted there. The same picture each time. */
    void draw(Picture picture);
}
