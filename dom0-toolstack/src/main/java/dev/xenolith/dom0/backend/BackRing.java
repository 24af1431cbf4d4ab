package dev.xenolith.dom0.backend;

import dev.xenolith.hypervisor.abi.Ring;
import dev.xenolith.hypervisor.operations.SharedPage;

/**
 * The backend's side of a ring (xen/include/public/io/ring.h). The backend's own indexes are here and not believed from the page; of the
 * frontend's only the difference to them counts, and it is checked.
 */
public final class BackRing {
    private final SharedPage page;
    private final int entryBytes;
    private final int size;
    /** Requests taken. */
    private int taken;
    /** Responses put into the ring, made known or not. */
    private int answered;

    /**
     * @param page the ring's pages, which this object then owns
     * @param entryBytes size of the larger of request and response
     */
    public BackRing(SharedPage page, int entryBytes) {
        this.page = page;
        this.entryBytes = entryBytes;
        size = Ring.size(page.size(), entryBytes);
        // A backend that comes back goes on where the one before it had answered.
        taken = page.get32(Ring.RSP_PROD);
        answered = taken;
    }

    /** The ring's pages. */
    public SharedPage page() {
        return page;
    }

    /** Requests that wait: none to as many as there are entries, or -1 if the frontend's index cannot be right. */
    public int waiting() {
        int produced = page.get32(Ring.REQ_PROD) - taken;
        return Integer.compareUnsigned(produced, size - (taken - answered)) > 0 ? -1 : produced;
    }

    /** Takes the next request. Returns the offset of its entry in {@link #page}. */
    public int take() {
        return entry(taken++);
    }

    /** Takes the last {@code count} requests back: they are to be looked at again later. */
    public void untake(int count) {
        taken -= count;
    }

    /** Offset of the entry for the next response, which counts as put there. */
    public int answer() {
        return entry(answered++);
    }

    private int entry(int index) {
        return Ring.ENTRIES + (index & size - 1) * entryBytes;
    }

    /** Makes the responses known. Returns whether the frontend is to be notified. */
    public boolean publish() {
        int before = page.get32(Ring.RSP_PROD);
        page.put32(Ring.RSP_PROD, answered);
        int event = page.get32(Ring.RSP_EVENT);
        return Integer.compareUnsigned(answered - event, answered - before) < 0;
    }

    /** Asks to be notified of the next request. Returns whether one has come meanwhile. */
    public boolean await() {
        return await(0);
    }

    /**
     * Asks to be notified of the next request after {@code enough} of those that wait, which are too few. Returns whether one has come
     * meanwhile.
     */
    public boolean await(int enough) {
        page.put32(Ring.REQ_EVENT, taken + enough + 1);
        return waiting() != enough;
    }
}
