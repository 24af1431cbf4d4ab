package dev.xenolith.cpu.processor;

import java.util.Arrays;

/**
 * Gives numbers to the combinations of base and limit that CS has outside 64-bit mode. The number is part of what blocks are looked
 * up by, so that a block whose limit has been checked once need not be checked again.
 */
final class CodeSegments {
    private static final int SLOTS = 64;
    private static final int MOST = 48;
    /** Numbers fit in seven bits; 0 is for code without base and limit. */
    static final int SHIFT = 25;

    private final long[] bases = new long[SLOTS];
    private final long[] limits = new long[SLOTS];
    private final boolean[] taken = new boolean[SLOTS];
    private int count;

    /** The number, 1 to 64, or 0 if all have to begin anew: then the caller clears what it knows by number and asks again. */
    int number(long base, long limit) {
        int slot = (int) (base >>> 4 ^ base >>> 11 ^ limit) & SLOTS - 1;
        while (taken[slot]) {
            if (bases[slot] == base && limits[slot] == limit) {
                return slot + 1;
            }
            slot = slot + 1 & SLOTS - 1;
        }
        if (count == MOST) {
            Arrays.fill(taken, false);
            count = 0;
            return 0;
        }
        taken[slot] = true;
        bases[slot] = base;
        limits[slot] = limit;
        count++;
        return slot + 1;
    }
}
