package dev.xenolith.dom0.xenstore;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A transaction works on the tree as it was when it started and remembers each node that it looked at. It can be committed if
 * none of them has changed since.
 *
 * <p>C xenstored copies a node when the transaction first looks at it; here the snapshot is of the start, as
 * docs/misc/xenstore.txt promises. A request that a quota refuses makes the whole transaction fail, as there.
 */
final class Transaction extends StoreView {
    /** What is counted for remembering a node, besides its path. */
    private static final int ACCESS_BYTES = 64;

    final int id;

    /** Value of {@link XenStore#retiredBytes} when the snapshot was taken. */
    private long retiredAtSnapshot;

    private Node base;
    private Node root;
    private final Map<String, Access> accesses = new LinkedHashMap<>();
    private int memory;
    private int ownNodesGained;
    private boolean failed;
    private boolean outdated;

    /** What the transaction did with one node. */
    private static final class Access {
        boolean modified;
        boolean fires;
        boolean exact = true;
    }

    Transaction(XenStore store, StoreConnection connection, int id) {
        super(store, connection);
        this.id = id;
        base = store.root();
        root = base;
        retiredAtSnapshot = store.retiredBytes();
    }

    @Override
    Node root() {
        return root;
    }

    @Override
    void note(String path) throws XenstoreException {
        if (!accesses.containsKey(path)) {
            if (connection.isUnprivileged() && accesses.size() >= store.quotas.get(Quotas.Item.TRANSACTION_NODES)) {
                throw refused(path);
            }
            accesses.put(path, new Access());
            count(path.length() + ACCESS_BYTES);
        }
    }

    @Override
    void apply(Change change, Node newRoot) throws XenstoreException {
        int bytes = 0;
        for (Change.Step step : change.steps()) {
            Access access = access(step.path());
            bytes += step.after() == null ? 0 : step.after().recordBytes();
            bytes -= step.before() == null || !access.modified ? 0 : step.before().recordBytes();
        }
        if (bytes > 0 && !connection.domain.mayGrow(bytes, store.quotas)) {
            failed = true;
            throw new XenstoreException(XenstoreError.ENOMEM, "transaction of domain " + connection.domain.domid);
        }
        count(bytes);
        for (Change.Step step : change.steps()) {
            access(step.path()).modified = true;
        }
        ownNodesGained += change.nodesGained(connection.domain.domid);
        root = newRoot;
    }

    @Override
    void changed(String path, boolean exact, @Nullable Permissions before, Node node, @Nullable Node parent) {
        Access access = access(path);
        access.fires = true;
        access.exact &= exact;
    }

    /** Operations look at each node before they change it. */
    private Access access(String path) {
        Access access = accesses.get(path);
        if (access == null) {
            throw new IllegalStateException(path + " changed but never looked at");
        }
        return access;
    }

    private void count(int bytes) {
        memory += bytes;
        connection.domain.addSessionMemory(bytes);
    }

    @Override
    int ownNodes() {
        return super.ownNodes() + ownNodesGained;
    }

    @Override
    XenstoreException refused(String what) {
        failed = true;
        return super.refused(what);
    }

    /** Bytes of replaced nodes that this snapshot may be all that keeps. */
    long heldBytes() {
        return store.retiredBytes() - retiredAtSnapshot;
    }

    /**
     * Lets go of an old snapshot: what the transaction sees from now on is today's tree without its own changes, and its commit
     * answers EAGAIN.
     */
    void outdate() {
        outdated = true;
        base = store.root();
        root = base;
        retiredAtSnapshot = store.retiredBytes();
        ownNodesGained = 0;
        for (Access access : accesses.values()) {
            access.modified = false;
        }
    }

    /** Gives back what it was counted for. */
    void end() {
        count(-memory);
    }

    /**
     * Makes the changes and tells the watchers, in the order in which the transaction first looked at the nodes.
     *
     * @throws XenstoreException EAGAIN if a node that it looked at has changed, ENOMEM if one of its requests was refused by a
     *     quota or an owner is gone, ENOSPC if a domain would own too many nodes
     */
    void commit() throws XenstoreException {
        if (failed) {
            throw new XenstoreException(XenstoreError.ENOMEM, "transaction " + id);
        }
        if (outdated || conflicts()) {
            throw new XenstoreException(XenstoreError.EAGAIN, "transaction " + id);
        }
        Node before = base;
        Change change = new Change();
        Node merged = merge(change);
        change.check(store, connection.isUnprivileged());
        change.book(store.domains);
        store.setRoot(merged, change.retiredBytes());
        store.wrote(connection, 1);
        for (Map.Entry<String, Access> entry : accesses.entrySet()) {
            if (entry.getValue().fires) {
                fire(entry.getKey(), entry.getValue().exact, before);
            }
        }
    }

    private boolean conflicts() {
        if (store.root() != base) {
            for (String path : accesses.keySet()) {
                if (Tree.generation(base, path) != Tree.generation(store.root(), path)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Today's tree with the modified nodes, those above first; {@code change} gets what that does to the accounts. */
    private Node merge(Change change) {
        Node today = store.root();
        boolean undisturbed = today == base;
        Node merged = undisturbed ? root : today;
        for (Map.Entry<String, Access> entry : new TreeMap<>(accesses).entrySet()) {
            String path = entry.getKey();
            Node theirs = Tree.find(today, path);
            Node mine = Tree.find(root, path);
            if (!entry.getValue().modified || theirs == null && mine == null) {
                continue;
            }
            change.step(path, theirs, mine);
            if (!undisturbed) {
                merged = carry(merged, path, mine);
            }
        }
        return merged;
    }

    /** Puts one node of this transaction, or its absence, into another tree. Its children there are carried one by one. */
    private static Node carry(Node main, String path, @Nullable Node mine) {
        Node there = Tree.find(main, path);
        if (mine != null && there != null) {
            return Tree.replace(main, path, new Node(mine.value, mine.permissions, there.children, mine.generation));
        }
        String above = StorePath.parent(path);
        String name = StorePath.name(path);
        Node parent = Tree.find(main, above);
        if (parent == null || mine == null && there == null) {
            return main;
        }
        Children family = mine == null
                ? parent.children.without(name)
                : parent.children.with(name, new Node(mine.value, mine.permissions, Children.NONE, mine.generation));
        return Tree.replace(main, above, parent.withChildren(family, parent.generation));
    }

    private void fire(String path, boolean exact, Node before) {
        Node old = Tree.find(before, path);
        Node now = Tree.find(store.root(), path);
        Permissions oldPermissions = old == null ? null : store.domains.current(old);
        if (oldPermissions != null || now != null) {
            store.fire(path, exact, oldPermissions, now, null, connection.cause());
        }
    }
}
