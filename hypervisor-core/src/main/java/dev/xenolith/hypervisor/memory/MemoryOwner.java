package dev.xenolith.hypervisor.memory;

/**
 * Memory of one domain: its pages, how many it has and may have, and whether it is on its way out. Created through
 * {@link Memory#createOwner}; outlives the domain's other parts for as long as somebody else holds one of its frames.
 */
public final class MemoryOwner {
    /** What memory management has to tell the domain. */
    public interface Events {
        /** The domain broke a rule that costs it its life; called at most once per operation, from within it. */
        void crash(String reason);

        /** The last frame has gone; only for a dying domain. */
        void empty();
    }

    /** Domain id, also of DOMID_XEN and DOMID_IO. */
    public final int domid;
    final Events events;

    /** A list of frames through the frame table's links. */
    static final class FrameList {
        int head = FrameTable.NO_FRAME;
        int tail = FrameTable.NO_FRAME;
    }

    final FrameList pages = new FrameList();
    final FrameList sharedPages = new FrameList();
    /** Pages that a dying domain has let go of but somebody still refers to. */
    final FrameList lingeringPages = new FrameList();
    private long totalPages;
    private long maxPages;
    private long sharedPageCount;
    private long claimedPages;
    private long perDomainL4Entry;
    private boolean compat;
    private boolean dying;
    private boolean crashed;
    private boolean quarantined;

    MemoryOwner(int domid, Events events) {
        this.domid = domid;
        this.events = events;
    }

    /** Pages the domain has, other than those the hypervisor shares with it. XENMEM_current_reservation. */
    public long totalPages() {
        return totalPages;
    }

    /** Most pages the domain may have. XENMEM_maximum_reservation. */
    public long maxPages() {
        return maxPages;
    }

    /** Limits the domain to {@code pages}; what it has above that it keeps. */
    public void setMaxPages(long pages) {
        maxPages = pages;
    }

    /** Pages of the hypervisor that this domain sees: shared info, grant table, vCPU areas. */
    public long sharedPages() {
        return sharedPageCount;
    }

    /** Free frames that are kept for this domain. */
    public long claimedPages() {
        return claimedPages;
    }

    void adjustClaimed(long change) {
        claimedPages += change;
    }

    void adjustTotal(long change) {
        totalPages += change;
    }

    void adjustShared(long change) {
        sharedPageCount += change;
    }

    /** Entry for the domain's own L4 slot in each of its address spaces, 0 if it has none. */
    public long perDomainL4Entry() {
        return perDomainL4Entry;
    }

    public void setPerDomainL4Entry(long entry) { perDomainL4Entry = entry; }

    /** Whether this is a 32-bit PV domain: its address spaces are PAE ones, their roots level-3 tables. */
    public boolean isCompat() {
        return compat;
    }

    /** Layout of what the hypervisor shares with the domain. */
    public SharedLayout sharedLayout() {
        return compat ? SharedLayout.COMPAT : SharedLayout.NATIVE;
    }

    /** Makes it one of a 32-bit domain; before it has any page. */
    public void setCompat() {
        assert totalPages == 0;
        compat = true;
    }

    /** Whether the domain is being destroyed: it gets no more memory. */
    public boolean isDying() { return dying; }

    /** From now on the domain gets no memory and its tables are taken apart. Cannot be undone. */
    public void setDying() {
        dying = true;
    }

    /** Whether nothing is left: the domain id may be used again. */
    public boolean isEmpty() {
        return totalPages == 0 && sharedPageCount == 0;
    }

    /** Keeps the domain's frames from ever being used again, because a bug may have left something that points to them. */
    public void quarantine() {
        quarantined = true;
    }

    boolean isQuarantined() { return quarantined; }

    /** Crashes the domain, once. */
    public void crash(String reason) {
        if (!crashed) {
            crashed = true;
            events.crash(reason);
        }
    }

    /** First page of the domain, or {@link FrameTable#NO_FRAME}; {@link Memory#nextPage} goes on. */
    public int firstPage() {
        return pages.head;
    }

    /** First page that a dying domain has given up and somebody still holds, or {@link FrameTable#NO_FRAME}. */
    public int firstLingeringPage() {
        return lingeringPages.head;
    }

    /** First page that the hypervisor shares with the domain, or {@link FrameTable#NO_FRAME}. */
    public int firstSharedPage() {
        return sharedPages.head;
    }

    @Override
    public String toString() {
        return "d" + domid;
    }
}
