package dev.xenolith.dom0.xenstore;

import org.jspecify.annotations.Nullable;

/** What xenstored knows of one domain: what it uses of the store, and whose nodes it may handle as its own. */
public final class DomainRecord {
    final int domid;

    /** The store's generation when this domain became known: permissions of older nodes meant an earlier domain of this domid. */
    final long generation;

    /** Nodes it owns, and the bytes of them that count. */
    int nodes;
    int nodeMemory;

    /** Bytes of its watches, transactions and undelivered messages. */
    int sessionMemory;

    int watches;
    int transactions;

    /** Requests whose reply, or an event that they caused elsewhere, is not delivered yet. */
    int outstanding;

    /** The domain it serves as device model (SET_TARGET). */
    @Nullable
    DomainRecord target;

    /** Its shutdown has been told to those who watch for it. */
    boolean shutdownTold;

    /** What it may write, if it is a guest: those that are only told no cannot be made to wait. */
    WriteRate.@Nullable Account writes;

    private @Nullable Runnable relief;
    private boolean large;

    DomainRecord(int domid, long generation) {
        this.domid = domid;
        this.generation = generation;
    }

    boolean isUnprivileged() { return domid != 0; }

    /** What a domain uses of the store: nodes that it owns, watches, transactions that are open, and bytes of all that. */
    public record Usage(int nodes, int watches, int transactions, int memory) {
    }

    Usage usage() {
        return new Usage(nodes, watches, transactions, memory());
    }

    int memory() {
        return nodeMemory + sessionMemory;
    }

    boolean mayGrow(int bytes, Quotas quotas) {
        return !isUnprivileged() || memory() + (long) bytes < quotas.get(Quotas.Item.MEMORY);
    }

    /** Counts bytes of messages, watches or transactions; they are given back with a negative number. */
    void addSessionMemory(int bytes) {
        sessionMemory += bytes;
        if (bytes < 0) {
            relieve();
        }
    }

    /** Follows a change of what the domain owns. */
    void addNodes(int count, int bytes) {
        nodes += count;
        nodeMemory += bytes;
        if (bytes < 0) {
            relieve();
        }
    }

    void requestBegins() {
        outstanding++;
    }

    void requestEnds() {
        outstanding--;
        relieve();
    }

    /** Calls back once when the domain uses less than now, for one whose requests wait because it uses too much. */
    void onRelief(Runnable action) {
        relief = action;
    }

    private void relieve() {
        Runnable action = relief;
        if (action != null) {
            relief = null;
            action.run();
        }
    }

    /** Says once when the domain's use goes over the soft limit. Returns whether this is that moment. */
    boolean becomesLarge(Quotas quotas) {
        boolean nowLarge = isUnprivileged() && memory() >= quotas.get(Quotas.Item.MEMORY_SOFT);
        boolean crossed = nowLarge && !large;
        large = nowLarge;
        return crossed;
    }
}
