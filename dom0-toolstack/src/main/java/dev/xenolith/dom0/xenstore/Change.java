package dev.xenolith.dom0.xenstore;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A change of the tree that is prepared in full, checked against the quotas, and only then made: it happens or it does not. */
final class Change {
    /** Bytes of Java heap that the new version of one node on the way down takes, estimated generously. */
    private static final int VERSION_BYTES = 128;

    /** One node that the change makes, replaces or removes. */
    record Step(String path, @Nullable Node before, @Nullable Node after) {
    }

    /** What the change does to the account of one owner. */
    private static final class Account {
        int nodes;
        int memory;
    }

    private final List<Step> steps = new ArrayList<>();
    private final Map<Integer, Account> accounts = new TreeMap<>();
    private long retired;

    void step(String path, @Nullable Node before, @Nullable Node after) {
        steps.add(new Step(path, before, after));
        if (before != null) {
            book(path, before, -1);
            retired += before.recordBytes();
        }
        if (after != null) {
            book(path, after, 1);
        }
        retired += (long) VERSION_BYTES * StorePath.depth(path);
    }

    private void book(String path, Node node, int sign) {
        Account account = accounts.computeIfAbsent(node.permissions.owner(), owner -> new Account());
        account.nodes += sign;
        account.memory += sign * (node.recordBytes() + path.length());
    }

    List<Step> steps() {
        return steps;
    }

    /** Upper bound of the heap that stays occupied by what this change replaces, as long as someone holds the old version. */
    long retiredBytes() {
        return retired;
    }

    /** How many more nodes the domain owns afterwards. */
    int nodesGained(int domid) {
        Account account = accounts.get(domid);
        return account == null ? 0 : account.nodes;
    }

    /**
     * Checks that each owner exists and stays within its memory, and within its number of nodes if {@code countNodes}.
     */
    void check(XenStore store, boolean countNodes) throws XenstoreException {
        for (Map.Entry<Integer, Account> entry : accounts.entrySet()) {
            Account account = entry.getValue();
            if (account.nodes <= 0 && account.memory <= 0) {
                continue;
            }
            DomainRecord owner = store.domains.findExisting(entry.getKey(), store);
            if (owner == null || account.memory > 0 && !owner.mayGrow(account.memory, store.quotas)) {
                throw new XenstoreException(XenstoreError.ENOMEM, "domain " + entry.getKey());
            }
            if (countNodes && account.nodes > 0 && owner.isUnprivileged()
                    && owner.nodes + account.nodes > store.quotas.get(Quotas.Item.NODES)) {
                throw new XenstoreException(XenstoreError.ENOSPC, "nodes of domain " + entry.getKey());
            }
        }
    }

    /** Makes the accounts follow. */
    void book(DomainTable domains) {
        for (Map.Entry<Integer, Account> entry : accounts.entrySet()) {
            DomainRecord owner = domains.find(entry.getKey());
            if (owner != null) {
                owner.addNodes(entry.getValue().nodes, entry.getValue().memory);
            }
        }
    }
}
