package dev.xenolith.cpu.paging;

/**
 * Orders complete TLB flushes of all processors of a machine. Who lets go of a frame notes {@link #now}; a processor whose
 * {@link Tlb#flushStamp} is greater has flushed since then and cannot hold a translation to the frame.
 */
public final class FlushClock {
    private long now = 1;

    /** Stamp of the latest complete flush of any processor. */
    public long now() {
        return now;
    }

    long tick() {
        return ++now;
    }
}
