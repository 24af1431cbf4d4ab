package dev.xenolith.dom0.build;

import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.ArrayList;
import java.util.List;

/**
 * The page tables that a PV domain starts on (SDM 3A 4.4, 4.5): they map the bootstrap region writable, themselves read-only as the
 * hypervisor demands of page tables, and the P2M list where the kernel wants it. The root is the first of them.
 */
final class PageTables {
    private static final int INDEX_BITS = 9;
    private static final int PAGE_SHIFT = 12;

    /** Virtual addresses {@code first} to {@code last}, both included. */
    record Span(long first, long last) {
        static Span ofFrames(long address, long frames) {
            return new Span(address, address + (frames << PAGE_SHIFT) - 1);
        }

        boolean overlaps(Span other) {
            return Long.compareUnsigned(first, other.last) <= 0 && Long.compareUnsigned(other.first, last) <= 0;
        }
    }

    private final PvAbi abi;
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
        this.abi = layout.abi();
        this.layout = layout;
        this.mfns = mfns;
        this.tables = tables;
    }

    /** Number of tables needed to map {@code spans}. */
    static long count(PvAbi abi, List<Span> spans) {
        long total = 1;
        for (int level = 1; level < abi.levels(); level++) {
            List<Span> mapped = new ArrayList<>(spans);
            if (level == abi.levels() - 1) {
                abi.rootCovers().ifPresent(address -> mapped.add(new Span(address, address)));
            }
            total += count(mapped, PAGE_SHIFT + INDEX_BITS * level);
        }
        return total;
    }

    /** Number of regions of {@code 1 << shift} bytes in which any of {@code spans} lies. */
    private static long count(List<Span> spans, int shift) {
        List<Span> sorted = spans.stream().sorted((a, b) -> Long.compareUnsigned(a.first, b.first)).toList();
        long total = 0;
        long next = 0;
        for (Span span : sorted) {
            // A region that two of them share is counted once.
            long first = Math.max(span.first >>> shift, next);
            long end = (span.last >>> shift) + 1;
            total += Math.max(0, end - first);
            next = Math.max(next, end);
        }
        return total;
    }

    void build() {
        abi.rootCovers().ifPresent(address -> table(address, abi.levels() - 1));
        for (long pfn = 0; pfn < layout.mappedFrames(); pfn++) {
            boolean table = pfn >= layout.tablePfn() && pfn < layout.tablePfn() + layout.tableFrames();
            map(layout.virtual(pfn), pfn, table ? abi.pageFlags() & ~PvAbi.WRITABLE : abi.pageFlags());
        }
        if (layout.separateP2m().isPresent()) {
            for (long i = 0; i < layout.p2mFrames(); i++) {
                map(layout.p2mVirtual() + (i << PAGE_SHIFT), layout.p2mPfn() + i, abi.pageFlags());
            }
        }
    }

    private void map(long address, long pfn, long flags) {
        long region = address >>> (PAGE_SHIFT + INDEX_BITS);
        if (region != lastRegion) {
            lastTable = table(address, 1);
            lastRegion = region;
        }
        tables.put64(slot(lastTable, address, 1), entry(pfn, flags));
    }

    /** The table of level {@code wanted} for {@code address}, made if need be, as are those above it. */
    private long table(long address, int wanted) {
        long table = 0;
        for (int level = abi.levels(); level > wanted; level--) {
            int slot = slot(table, address, level);
            long entry = tables.get64(slot);
            if (entry == 0) {
                long next = used++;
                tables.put64(slot, entry(layout.tablePfn() + next,
                        level == abi.levels() ? abi.rootFlags() : abi.tableFlags()));
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
