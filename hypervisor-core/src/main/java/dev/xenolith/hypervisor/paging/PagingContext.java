package dev.xenolith.hypervisor.paging;

import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Preempt;

/**
 * What a caller of preemptible paging operations keeps between restarts: each vCPU has one, and so has each Java caller.
 *
 * <p>An operation that has to take a table apart, because it replaced an entry or because validation failed half way, leaves the
 * table here and the next operation of the same caller finishes it first ({@link PageTypes#finishDeferred}). The context holds a
 * reference to the deferred table, and a use of its type unless it is in progress.
 */
public final class PagingContext {
    final Preempt preempt;
    private int deferred = FrameTable.NO_FRAME;
    private boolean inProgress;
    /** Set by updates above L1: a linear mapping may show them, so the domain's processors flush before the caller goes on. */
    boolean flushNeeded;

    public PagingContext(Preempt preempt) {
        this.preempt = preempt;
    }

    /** Whether there is a table to take apart before anything else. */
    public boolean hasDeferred() {
        return deferred != FrameTable.NO_FRAME;
    }

    /** The deferred table, or {@link FrameTable#NO_FRAME}. */
    public int deferred() {
        return deferred;
    }

    /** Whether the deferred table's own state says how far it has been taken apart; the context then holds no use of its type. */
    public boolean deferredInProgress() {
        return inProgress;
    }

    /**
     * Leaves {@code table} to be taken apart later.
     *
     * @param inProgress whether that has begun
     */
    void defer(int table, boolean inProgress) {
        assert deferred == FrameTable.NO_FRAME || inProgress : "two tables deferred";
        deferred = table;
        this.inProgress = inProgress;
    }

    void clearDeferred() {
        deferred = FrameTable.NO_FRAME;
        inProgress = false;
    }
}
