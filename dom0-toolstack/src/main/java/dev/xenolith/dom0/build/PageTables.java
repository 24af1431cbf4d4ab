package dev.xenolith.dom0.build;

import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.OptionalLong;

/**
 * The four-level page tables that a PV domain starts on (SDM 3A 4.5): they map the bootstrap region writable, themselves
 * read-only as the hypervisor demands of page tables, and the P2M list where the kernel wants it.
 */
final class PageTables {
    private static final int LEVELS = 4;
    private static final int INDEX_BITS = 9;
    private static final int PAGE_SHIFT = 12;
    /** Present, writable, user, accessed, dirty. */
    private static final long WRITABLE = 0x67;
    private static final long READ_ONLY = 0x65;

    private final PvLayout layout;
    private final long[] mfns;
    private final SharedPage tables;
    private long used = 1;
    /** The level-1 table found last and the 2 MiB region it maps: addresses come in order. */
    private long lastRegion = -1;
    private long lastTable;

    /**
     * @param mfns machine frame of each PFN
     * @param tables the layout's page-table frames, zeroed
     */
    PageTables(PvLayout layout, long[] mfns, SharedPage tables) {
        this.layout = layout;
        this.mfns = mfns;
        this.tables = tables;
    }

    /** Number of tables needed to map {@code frames} frames at {@code base} and, if it lies apart, the P2M list. */
    static long count(long base, long frames, OptionalLong p2m, long p2mFrames) {
        long total = 1;
        for (int level = 1; level < LEVELS; level++) {
            int shift = PAGE_SHIFT + INDEX_BITS * level;
            long first = base >>> shift;
            long last = (base + (frames << PAGE_SHIFT) - 1) >>> shift;
            total += last - first + 1;
            if (p2m.isPresent()) {
                long p2mFirst = p2m.getAsLong() >>> shift;
                long p2mLast = (p2m.getAsLong() + (p2mFrames << PAGE_SHIFT) - 1) >>> shift;
                total += p2mLast - p2mFirst + 1;
                // A table that both ranges share is needed once.
                total -= Math.max(0, Math.min(last, p2mLast) - Math.max(first, p2mFirst) + 1);
            }
        }
        return total;
    }

    void build() {
        for (long pfn = 0; pfn < layout.mappedFrames(); pfn++) {
            boolean table = pfn >= layout.tablePfn() && pfn < layout.tablePfn() + layout.tableFrames();
            map(layout.virtual(pfn), pfn, table ? READ_ONLY : WRITABLE);
        }
        if (layout.separateP2m().isPresent()) {
            for (long i = 0; i < layout.p2mFrames(); i++) {
                map(layout.p2mVirtual() + (i << PAGE_SHIFT), layout.p2mPfn() + i, WRITABLE);
            }
        }
    }

    private void map(long address, long pfn, long flags) {
        long region = address >>> (PAGE_SHIFT + INDEX_BITS);
        if (region != lastRegion) {
            lastTable = levelOneTable(address);
            lastRegion = region;
        }
        tables.put64(slot(lastTable, address, 1), entry(pfn, flags));
    }

    private long levelOneTable(long address) {
        long table = 0;
        for (int level = LEVELS; level > 1; level--) {
            int slot = slot(table, address, level);
            long entry = tables.get64(slot);
            if (entry == 0) {
                long next = used++;
                tables.put64(slot, entry(layout.tablePfn() + next, WRITABLE));
                table = next;
            } else {
                table = tableOf(entry);
            }
        }
        return table;
    }

    /** Finds the table that an entry points to: tables are few, and only this class wrote the entry. */
    private long tableOf(long entry) {
        long mfn = entry >>> PAGE_SHIFT;
        for (long i = 0; i < used; i++) {
            if (mfns[(int) (layout.tablePfn() + i)] == mfn) {
                return i;
            }
        }
        throw new IllegalStateException("entry to an unknown table");
    }

    private static int slot(long table, long address, int level) {
        long index = address >>> (PAGE_SHIFT + INDEX_BITS * (level - 1)) & ((1 << INDEX_BITS) - 1);
        return (int) (table * PvLayout.PAGE_SIZE + index * Long.BYTES);
    }

    private long entry(long pfn, long flags) {
        return mfns[(int) pfn] << PAGE_SHIFT | flags;
    }
}
