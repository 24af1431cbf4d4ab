package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.abi.Grant.GNTST_GENERAL_ERROR;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_OKAY;
import static dev.xenolith.hypervisor.abi.Grant.GTF_READING;
import static dev.xenolith.hypervisor.abi.Grant.GTF_WRITING;

import dev.xenolith.hypervisor.abi.Grant;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Frame;

/** Version 1: eight bytes for each entry, with a frame number of 32 bits; marks are flags beside the granter's own. */
final class EntriesV1 extends Entries {
    /** The guest may change an entry between our read and our exchange, but not for ever. */
    private static final int MAX_RETRIES = 5;

    EntriesV1(Frame[] shared, Checks checks) {
        super(shared, Grant.EntryV1.SIZE, checks);
    }

    @Override
    int version() {
        return 1;
    }

    @Override
    long frameNumber(int ref) {
        return page(ref).get32(offset(ref) + Grant.EntryV1.FRAME) & 0xffff_ffffL;
    }

    @Override
    void setFrameNumber(int ref, long frame) {
        page(ref).put32(offset(ref) + Grant.EntryV1.FRAME, (int) frame);
    }

    @Override
    int mark(int ref, int domid, boolean readOnly, boolean mapping, boolean pinned) {
        int word = header(ref);
        for (int i = 0; i < MAX_RETRIES; i++) {
            if (!permits(word, domid, readOnly, mapping, pinned)) {
                return GNTST_GENERAL_ERROR;
            }
            int wanted = word | GTF_READING | (readOnly ? 0 : GTF_WRITING);
            int found = (int) page(ref).compareExchange(offset(ref), Integer.BYTES, word & 0xffff_ffffL,
                    wanted & 0xffff_ffffL);
            if (found == word) {
                return GNTST_OKAY;
            }
            word = found;
        }
        return GNTST_GENERAL_ERROR;
    }

    @Override
    void unmark(int ref, int marks) {
        Frame page = page(ref);
        int offset = offset(ref);
        int flags = page.get16(offset);
        while (marks != 0) {
            int found = (int) page.compareExchange(offset, Short.BYTES, flags, flags & ~marks);
            if (found == flags) {
                return;
            }
            flags = found;
        }
    }

    @Override
    int marks(int ref) {
        return header(ref) & (GTF_READING | GTF_WRITING);
    }

    @Override
    void setMarks(int ref, int marks) {
        int header = header(ref);
        setHeader(ref, header & 0xffff & ~(GTF_READING | GTF_WRITING) | marks, header >>> 16);
    }

    @Override
    void swap(int a, int b) {
        long first = page(a).get64(offset(a));
        page(a).put64(offset(a), page(b).get64(offset(b)));
        page(b).put64(offset(b), first);
    }
}
