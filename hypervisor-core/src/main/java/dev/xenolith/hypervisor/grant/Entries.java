package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.abi.Grant.GTF_ACCEPT_TRANSFER;
import static dev.xenolith.hypervisor.abi.Grant.GTF_PERMIT_ACCESS;
import static dev.xenolith.hypervisor.abi.Grant.GTF_READONLY;
import static dev.xenolith.hypervisor.abi.Grant.GTF_SUB_PAGE;
import static dev.xenolith.hypervisor.abi.Grant.GTF_TRANSFER_COMMITTED;
import static dev.xenolith.hypervisor.abi.Grant.GTF_TRANSFER_COMPLETED;
import static dev.xenolith.hypervisor.abi.Grant.GTF_TYPE_MASK;

import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Frame;

/**
 * The entries of a grant table in one of the two versions. They are in the granter's reach, which may change them at any time. Both
 * versions begin with the same header: flags in the low 16 bits, the grantee in the high ones.
 */
abstract sealed class Entries permits EntriesV1, EntriesV2 {
    private final Frame[] shared;
    private final int entrySize;
    private final int perFrame;
    private final boolean checksReadOnly;
    private final boolean checksPeer;

    /** Entries in {@code shared}, which fills up from its start. */
    Entries(Frame[] shared, int entrySize, Checks checks) {
        this.shared = shared;
        this.entrySize = entrySize;
        perFrame = Frame.SIZE / entrySize;
        checksReadOnly = checks.on(Checks.Check.GRANT_READ_ONLY);
        checksPeer = checks.on(Checks.Check.GRANT_PEER);
    }

    /** 1 or 2. */
    abstract int version();

    /** Entries in one frame. */
    final int perFrame() {
        return perFrame;
    }

    final Frame page(int ref) {
        return shared[ref / perFrame];
    }

    final int offset(int ref) {
        return ref % perFrame * entrySize;
    }

    final int header(int ref) {
        return page(ref).get32(offset(ref));
    }

    final void setHeader(int ref, int flags, int domid) {
        page(ref).put32(offset(ref), domid << 16 | flags & 0xffff);
    }

    /** Frame number in entry {@code ref}, as the domain wrote it: unsigned 32 bits, or any 64. */
    abstract long frameNumber(int ref);

    abstract void setFrameNumber(int ref, long frame);

    /** Whether the entry hands on what a third domain has granted to its owner. */
    boolean isTransitive(int ref) {
        return false;
    }

    /** First byte of the page that an entry for a part of it is about; any 16-bit value. */
    int start(int ref) {
        return 0;
    }

    /** How many bytes of the page the entry is about; any 16-bit value. */
    int length(int ref) {
        return Frame.SIZE;
    }

    // ---- marks -------------------------------------------------------------------------------------------------------

    /**
     * Notes that {@code domid} is about to read, and write unless {@code readOnly}, after checking that it may.
     *
     * @param mapping whether it wants to map the page
     * @param pinned whether the entry is in use, so that type and grantee have been checked
     * @return GNTST_okay or GNTST_general_error
     */
    abstract int mark(int ref, int domid, boolean readOnly, boolean mapping, boolean pinned);

    /** Takes away marks, GTF_READING and GTF_WRITING. */
    abstract void unmark(int ref, int marks);

    /** The marks that an entry has. */
    abstract int marks(int ref);

    abstract void setMarks(int ref, int marks);

    /** Whether an entry with {@code header} and of a type that can be used lets {@code domid} do what it wants. */
    final boolean permits(int header, int domid, boolean readOnly, boolean mapping, boolean pinned) {
        if (!pinned && (!hasType(header & 0xffff, mapping) || header >>> 16 != domid && checksPeer)) {
            return false;
        }
        return readOnly || (header & GTF_READONLY) == 0 || !checksReadOnly;
    }

    private boolean hasType(int flags, boolean mapping) {
        return mapping
                ? (flags & (GTF_TYPE_MASK | GTF_SUB_PAGE)) == GTF_PERMIT_ACCESS
                : isCopyable(flags & GTF_TYPE_MASK);
    }

    /** Whether one may copy from and to an entry of {@code type}. */
    boolean isCopyable(int type) {
        return type == GTF_PERMIT_ACCESS;
    }

    // ---- whole entries -----------------------------------------------------------------------------------------------

    /** Exchanges two entries with their marks. */
    abstract void swap(int a, int b);

    /** Writes entry {@code ref}, as the domain itself could; for builders. */
    final void write(int ref, int flags, int domid, long frame) {
        setFrameNumber(ref, frame);
        setHeader(ref, flags, domid);
    }

    /** Notes that {@code domid} is about to give the domain a page through entry {@code ref}; false if it may not. */
    final boolean beginTransfer(int ref, int domid) {
        long expected = (domid << 16 | GTF_ACCEPT_TRANSFER) & 0xffff_ffffL;
        return page(ref).compareExchange(offset(ref), Integer.BYTES, expected,
                expected | GTF_TRANSFER_COMMITTED) == expected;
    }

    /** Notes that {@code frame} has come through entry {@code ref}. */
    final void completeTransfer(int ref, int frame) {
        setFrameNumber(ref, frame);
        Frame page = page(ref);
        page.put16(offset(ref), page.get16(offset(ref)) | GTF_TRANSFER_COMPLETED);
    }
}
