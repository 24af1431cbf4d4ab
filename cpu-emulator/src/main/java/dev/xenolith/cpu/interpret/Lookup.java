package dev.xenolith.cpu.interpret;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One processor's direct-mapped table from linear address and context to block. */
final class Lookup {
    private static final int SIZE = 1 << 13;

    /** Linear address and context of each slot, side by side for the cache; context 0 is never current. */
    private final long[] keys = new long[2 * SIZE];
    private final @Nullable Block[] blocks = new Block[SIZE];
    private long generation = 1L << 32;

    private static int slot(long rip) {
        return (int) (rip ^ rip >>> 13) & SIZE - 1;
    }

    /**
     * What the context of an entry must be for a processor whose {@code codeContext} is given: its generation too, so that no
     * two contexts are equal if pages may be elsewhere.
     */
    long context(int codeContext) {
        return generation | codeContext & 0xffff_ffffL;
    }

    /** The block at linear address {@code rip}, or null if it is not known. */
    @Nullable
    Block find(long rip, long context) {
        int slot = slot(rip);
        return keys[2 * slot] == rip && keys[2 * slot + 1] == context ? blocks[slot] : null;
    }

    void put(long rip, long context, Block block) {
        int slot = slot(rip);
        keys[2 * slot] = rip;
        keys[2 * slot + 1] = context;
        blocks[slot] = block;
    }

    /** Forgets what is at {@code rip}. */
    void forget(long rip) {
        keys[2 * slot(rip) + 1] = 0;
    }

    /** Forgets all entries, because pages may now be elsewhere. */
    void flush() {
        generation += 1L << 32;
        if (generation < 0) {
            Arrays.fill(keys, 0);
            generation = 1L << 32;
        }
    }
}
