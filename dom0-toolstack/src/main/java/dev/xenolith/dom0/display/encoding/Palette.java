package dev.xenolith.dom0.display.encoding;

import java.util.Arrays;

/** The few different pixels of a rectangle, numbered in the order in which they came. */
final class Palette {
    /** Most that there can be. */
    static final int MAX = 256;

    private static final int SLOTS = 1024;
    private static final int MULTIPLIER = 0x9e3779b1;
    private static final int SLOT_SHIFT = 22;

    private final int[] pixels = new int[MAX];
    /** One more than the number of a pixel, 0 for a free slot. */
    private final int[] slots = new int[SLOTS];
    private int size;

    /** Collects those of the first {@code count} pixels; returns false if there are more than {@code limit}. */
    boolean collect(int[] from, int count, int limit) {
        size = 0;
        Arrays.fill(slots, 0);
        int last = ~from[0];
        for (int i = 0; i < count; i++) {
            int pixel = from[i];
            if (pixel != last) {
                last = pixel;
                int slot = slot(pixel);
                if (slots[slot] == 0) {
                    if (size == limit) {
                        return false;
                    }
                    pixels[size] = pixel;
                    slots[slot] = ++size;
                }
            }
        }
        return true;
    }

    int size() {
        return size;
    }

    int pixel(int number) {
        return pixels[number];
    }

    /** The number of a pixel that has been collected. */
    int number(int pixel) {
        return slots[slot(pixel)] - 1;
    }

    private int slot(int pixel) {
        int slot = pixel * MULTIPLIER >>> SLOT_SHIFT;
        while (slots[slot] != 0 && pixels[slots[slot] - 1] != pixel) {
            slot = slot + 1 & SLOTS - 1;
        }
        return slot;
    }
}
