package dev.xenolith.hypervisor.memory;

/**
 * Keeps stale translations from outliving what they translate to, with few flushes: a counter moves with each flush, a frame is
 * stamped with it when the last use of its type ends, and when the frame gets a new type or owner only those processors flush
 * that have not done so since.
 *
 * <p>A translation of a frame can enter a TLB only while some page table entry maps it, hence while its type is in use or, for
 * read-only mappings, while it is allocated; both ends are stamped.
 */
public final class TlbFlush {
    private final TranslationCaches caches;
    private final boolean enforced;
    private final int processors;

    TlbFlush(TranslationCaches caches, Checks checks) {
        this.caches = caches;
        enforced = checks.on(Checks.Check.TLB_FLUSH);
        processors = caches.processors();
    }

    /** The stamp for a frame whose mappings have just gone. */
    public long stamp() {
        return caches.now();
    }

    /** Makes sure that no processor holds a translation from the time of {@code stamp} or before. */
    public void settle(long stamp) {
        if (!enforced) {
            return;
        }
        for (int i = 0; i < processors; i++) {
            if (caches.flushStamp(i) <= stamp) {
                caches.flush(i);
            }
        }
    }

    /** As {@link #flushMask}, where a right to memory has ended whose frame keeps its type and owner. */
    public void revoke(long mask) {
        if (enforced) {
            flushMask(mask);
        }
    }

    /** Drops every translation of one processor. */
    public void flush(int processor) {
        caches.flush(processor);
    }

    /** Drops every translation of the processors in {@code mask} (bit i: processor i); bits without a processor are ignored. */
    public void flushMask(long mask) {
        for (int i = 0; i < processors; i++) {
            if ((mask >>> i & 1) != 0) {
                caches.flush(i);
            }
        }
    }

    /** Drops the translations of one page on the processors in {@code mask}. */
    public void invalidateMask(long mask, long address) {
        for (int i = 0; i < processors; i++) {
            if ((mask >>> i & 1) != 0) {
                caches.invalidate(i, address);
            }
        }
    }

    /** One bit for each processor of the machine. */
    public long allProcessors() {
        return processors == Long.SIZE ? -1 : (1L << processors) - 1;
    }
}
