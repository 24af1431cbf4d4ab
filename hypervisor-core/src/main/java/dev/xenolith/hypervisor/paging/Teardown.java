package dev.xenolith.hypervisor.paging;

import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.memory.Preempt;

/**
 * Takes back the pages of a dying domain, in steps. Its vCPUs' tables have been released before ({@link VcpuTables#release}); what
 * is left to undo are pins and tables that an operation left half done. As linear mappings have no cycles, everything else then
 * comes apart by itself. Pages that others still map stay, and keep the domain id taken, until they are unmapped.
 */
public final class Teardown {
    private final Memory memory;
    private final FrameTable frames;
    private final PageTypes types;
    private final MemoryOwner owner;
    private final PagingContext context;

    public Teardown(PageTypes types, MemoryOwner owner, Preempt preempt) {
        this.types = types;
        this.owner = owner;
        memory = types.memory();
        frames = memory.frames();
        context = new PagingContext(preempt);
    }

    /** What it has left to do, for the audit. */
    public PagingContext context() {
        return context;
    }

    /** Goes on. 0 when all pages have been given up, or -ERESTART: call again. */
    public int run() {
        if (types.finishDeferred(context) != 0) {
            return -ERESTART;
        }
        int mfn;
        while ((mfn = owner.firstPage()) != FrameTable.NO_FRAME) {
            memory.getMore(mfn);
            int rc = 0;
            if (frames.isPinned(mfn)) {
                frames.setTypeWord(mfn, frames.typeWord(mfn) & ~FrameTable.PINNED);
                rc = types.putTypeAndReference(mfn, context);
            } else if (frames.isPartial(mfn)) {
                rc = types.putType(mfn, FrameTable.NO_FRAME, true, context);
            }
            if (rc == 0) {
                memory.abandonPage(owner, mfn);
            }
            memory.put(mfn);
            if (rc != 0 || context.preempt.check()) {
                return -ERESTART;
            }
        }
        return 0;
    }
}
