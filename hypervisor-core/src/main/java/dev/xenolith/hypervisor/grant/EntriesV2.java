package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.abi.Grant.GNTST_GENERAL_ERROR;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_OKAY;
import static dev.xenolith.hypervisor.abi.Grant.GTF_PERMIT_ACCESS;
import static dev.xenolith.hypervisor.abi.Grant.GTF_READING;
import static dev.xenolith.hypervisor.abi.Grant.GTF_SUB_PAGE;
import static dev.xenolith.hypervisor.abi.Grant.GTF_TRANSITIVE;
import static dev.xenolith.hypervisor.abi.Grant.GTF_TYPE_MASK;
import static dev.xenolith.hypervisor.abi.Grant.GTF_WRITING;

import dev.xenolith.hypervisor.abi.Grant;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Frame;

/**
 * Version 2: sixteen bytes for each entry, with a frame number of 64 bits; also entries for a part of a page, and such that hand on
 * another domain's grant. Marks are in frames of their own, two bytes for each entry.
 */
final class EntriesV2 extends Entries {
    private static final int STATUS_PER_FRAME = Frame.SIZE / Short.BYTES;

    private final Frame[] status;

    EntriesV2(Frame[] shared, Frame[] status, Checks checks) {
        super(shared, Grant.EntryV2.SIZE, checks);
        this.status = status;
    }

    /** How many frames the marks of {@code frames} frames of entries need. */
    static int statusFrames(int frames) {
        int entries = frames * (Frame.SIZE / Grant.EntryV2.SIZE);
        return (entries + STATUS_PER_FRAME - 1) / STATUS_PER_FRAME;
    }

    /** How many frames of entries have {@code statusFrames} frames of marks. */
    static int framesFor(int statusFrames) {
        return (statusFrames - 1) * STATUS_PER_FRAME / (Frame.SIZE / Grant.EntryV2.SIZE) + 1;
    }

    @Override
    int version() {
        return 2;
    }

    @Override
    long frameNumber(int ref) {
        return page(ref).get64(offset(ref) + Grant.EntryV2.FRAME);
    }

    @Override
    void setFrameNumber(int ref, long frame) {
        page(ref).put64(offset(ref) + Grant.EntryV2.FRAME, frame);
    }

    @Override
    boolean isTransitive(int ref) {
        return (header(ref) & GTF_TYPE_MASK) == GTF_TRANSITIVE;
    }

    /** Domain whose grant a transitive entry hands on; any 16-bit value. */
    int transitiveDomid(int ref) {
        return page(ref).get16(offset(ref) + Grant.EntryV2.TRANS_DOMID);
    }

    /** Reference in that domain's table; any value. */
    int transitiveRef(int ref) {
        return page(ref).get32(offset(ref) + Grant.EntryV2.GREF);
    }

    private boolean isSubPage(int ref) {
        return (header(ref) & (GTF_TYPE_MASK | GTF_SUB_PAGE)) == (GTF_PERMIT_ACCESS | GTF_SUB_PAGE);
    }

    @Override
    int start(int ref) {
        return isSubPage(ref) ? page(ref).get16(offset(ref) + Grant.EntryV2.PAGE_OFF) : 0;
    }

    @Override
    int length(int ref) {
        return isSubPage(ref) ? page(ref).get16(offset(ref) + Grant.EntryV2.LENGTH) : Frame.SIZE;
    }

    @Override
    boolean isCopyable(int type) {
        return type == GTF_PERMIT_ACCESS || type == GTF_TRANSITIVE;
    }

    // ---- marks -------------------------------------------------------------------------------------------------------

    @Override
    int mark(int ref, int domid, boolean readOnly, boolean mapping, boolean pinned) {
        if (!permits(header(ref), domid, readOnly, mapping, pinned)) {
            return GNTST_GENERAL_ERROR;
        }
        setMarks(ref, marks(ref) | GTF_READING | (readOnly ? 0 : GTF_WRITING));
        // A granter may end a grant that it sees unmarked: what it changed before it saw the mark counts.
        if (!permits(header(ref), domid, readOnly, mapping, pinned)) {
            unmark(ref, pinned ? GTF_WRITING : GTF_READING | GTF_WRITING);
            return GNTST_GENERAL_ERROR;
        }
        return GNTST_OKAY;
    }

    @Override
    void unmark(int ref, int marks) {
        setMarks(ref, marks(ref) & ~marks);
    }

    @Override
    int marks(int ref) {
        return status[ref / STATUS_PER_FRAME].get16(ref % STATUS_PER_FRAME * Short.BYTES);
    }

    @Override
    void setMarks(int ref, int marks) {
        status[ref / STATUS_PER_FRAME].put16(ref % STATUS_PER_FRAME * Short.BYTES, marks);
    }

    @Override
    void swap(int a, int b) {
        for (int part = 0; part < Grant.EntryV2.SIZE; part += Long.BYTES) {
            long first = page(a).get64(offset(a) + part);
            page(a).put64(offset(a) + part, page(b).get64(offset(b) + part));
            page(b).put64(offset(b) + part, first);
        }
        int first = marks(a);
        setMarks(a, marks(b));
        setMarks(b, first);
    }
}
