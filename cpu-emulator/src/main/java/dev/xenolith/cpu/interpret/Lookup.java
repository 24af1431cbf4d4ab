package dev.xenolith.cpu.interpret;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One processor's direct-mapped table from linear address and context to block. */
final class Lookup {
    private static final int SIZE = 1 << 13;

    /** Linear address per slot. */
    final long[] rips = new long[SIZE];
    /** Generation and {@code codeContext} per slot; 0 is never current. */
    final long[] contexts = new long[SIZE];
    final @Nullable Block[] blocks = new Block[SIZE];
    private long generation = 1L << 32;

    static int slot(long rip) {
        return (int) (rip ^ rip >>> 13) & SIZE - 1;
    }

    /** What the context of an entry must be for a processor whose {@code codeContext} is given. */
    long context(int codeContext) {
        return generation | codeContext & 0xffff_ffffL;
    }

    void put(int slot, long rip, long context, Block block) {
        rips[slot] = rip;
        contexts[slot] = context;
        blocks[slot] = block;
    }

    /** Forgets what is at {@code rip}. */
    void forget(long rip) {
        contexts[slot(rip)] = 0;
    }

    /** Forgets all entries, because pages may now be elsewhere. */
    void flush() {
        generation += 1L << 32;
        if (generation < 0) {
            Arrays.fill(contexts, 0);
            generation = 1L << 32;
        }
    }
}
