package dev.xenolith.dom0.xenstore;

import org.jspecify.annotations.Nullable;

/** What xenstored knows of one domain: what it uses of the store, and whose nodes it may handle as its own. */
final class DomainRecord {
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

    DomainRecord(int domid, long generation) {
        this.domid = domid;
        this.generation = generation;
    }

    boolean isUnprivileged() { return domid != 0; }

    int memory() {
        return nodeMemory + sessionMemory;
    }

    boolean mayGrow(int bytes, Quotas quotas) {
        return !isUnprivileged() || memory() + (long) bytes < quotas.get(Quotas.Item.MEMORY);
    }

    /** Counts bytes of messages, watches or transactions; they are given back with a negative number. */
    void addSessionMemory(int bytes) {
        sessionMemory += bytes;
    }
}
