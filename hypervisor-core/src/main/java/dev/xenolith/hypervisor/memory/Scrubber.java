package dev.xenolith.hypervisor.memory;

import dev.xenolith.cpu.memory.PhysicalMemory;

/**
 * Makes returned frames zero again before somebody else gets them, and gives memory that nobody uses back to the host.
 *
 * <p>Frames are looked at in blocks of {@value #BLOCK}: a block that is free as a whole goes back to the host in one piece, single
 * frames beside used ones are filled with zeroes. So the host's share depends on what domains have now and not on the order in which
 * earlier ones returned their frames.
 */
final class Scrubber {
    /** Frames in a block, which is one word of the bit maps: 256 KiB. */
    private static final int BLOCK = Long.SIZE;

    private final PhysicalMemory ram;
    /** A bit for each frame: nobody has it. */
    private final long[] free;
    /** A bit for each frame: returned since the last {@link #clean}. */
    private final long[] dirty;
    /** The words of {@code dirty} that may be other than zero, end exclusive; empty if not below the end. */
    private int dirtyFrom = Integer.MAX_VALUE;
    private int dirtyTo;

    /** For frame numbers under {@code frames}. */
    Scrubber(PhysicalMemory ram, int frames) {
        this.ram = ram;
        int blocks = (frames + BLOCK - 1) / BLOCK;
        free = new long[blocks];
        dirty = new long[blocks];
    }

    /** A frame that nobody has and that is still as the host gave it. */
    void addFresh(int mfn) {
        free[mfn / BLOCK] |= 1L << mfn;
    }

    /** A frame is handed out. */
    void take(int mfn) {
        free[mfn / BLOCK] &= ~(1L << mfn);
    }

    /** A frame comes back. */
    void add(int mfn) {
        int block = mfn / BLOCK;
        free[block] |= 1L << mfn;
        dirty[block] |= 1L << mfn;
        dirtyFrom = Math.min(dirtyFrom, block);
        dirtyTo = Math.max(dirtyTo, block + 1);
    }

    /** Zeroes what has come back since the last call. */
    void clean() {
        if (dirtyFrom >= dirtyTo) {
            return;
        }
        int block = dirtyFrom;
        while (block < dirtyTo) {
            int whole = block;
            while (whole < dirtyTo && dirty[whole] != 0 && free[whole] == -1L) {
                dirty[whole++] = 0;
            }
            if (whole > block) {
                ram.discardFrames((long) block * BLOCK, (long) (whole - block) * BLOCK);
                block = whole;
            } else {
                fill(block++);
            }
        }
        dirtyFrom = Integer.MAX_VALUE;
        dirtyTo = 0;
    }

    private void fill(int block) {
        for (long left = dirty[block]; left != 0; left &= left - 1) {
            ram.zeroFrame((long) block * BLOCK + Long.numberOfTrailingZeros(left));
        }
        dirty[block] = 0;
    }
}
