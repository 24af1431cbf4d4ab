package dev.xenolith.dom0.xenstore;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The operations on the tree in the name of one connection: directly ({@link DirectView}) or inside a transaction
 * ({@link Transaction}). Paths may be relative to the connection's home. An operation that fails has changed nothing.
 */
abstract class StoreView {
    final XenStore store;
    final StoreConnection connection;

    StoreView(XenStore store, StoreConnection connection) {
        this.store = store;
        this.connection = connection;
    }

    /** The tree as this view sees it. */
    abstract Node root();

    /** The operation depends on the node at a valid absolute path, or on its absence: a transaction remembers that. */
    abstract void note(String path) throws XenstoreException;

    private @Nullable Node look(String path) throws XenstoreException {
        note(path);
        return Tree.find(root(), path);
    }

    /** The nearest node that exists at a path or above it. */
    private Node nearest(String path) throws XenstoreException {
        Node node = look(Tree.deepest(root(), path));
        return node == null ? root() : node;
    }

    /** Makes a prepared change that results in {@code newRoot}, if the quotas allow it. */
    abstract void apply(Change change, Node newRoot) throws XenstoreException;

    /**
     * Tells the watchers that a node changed; inside a transaction, once it is committed.
     *
     * @param exact only those who watch this very path
     * @param before the permissions it had, if it existed
     * @param node the node, or as it was last if it was removed
     * @param parent likewise the node above it
     */
    abstract void changed(String path, boolean exact, @Nullable Permissions before, Node node, @Nullable Node parent);

    byte[] read(String path) throws XenstoreException {
        return readable(path).value;
    }

    /** The node at a path that the connection may read. */
    Node readable(String path) throws XenstoreException {
        return existing(absolute(path), Permissions.READ);
    }

    void write(String path, byte[] value) throws XenstoreException {
        String name = absolute(path);
        Node before = accessible(name, Permissions.WRITE);
        if (before == null) {
            create(name, value);
            return;
        }
        Node after = new Node(value, store.domains.current(before), before.children, store.nextGeneration());
        replace(name, before, after);
        changed(name, false, null, after, null);
    }

    void mkdir(String path) throws XenstoreException {
        String name = absolute(path);
        if (accessible(name, Permissions.WRITE) == null) {
            create(name, Node.NO_VALUE);
        }
    }

    void remove(String path) throws XenstoreException {
        String name = absolute(path);
        if (accessible(name, Permissions.WRITE) == null) {
            if (look(StorePath.parent(name)) == null) {
                throw new XenstoreException(XenstoreError.ENOENT, name);
            }
            return;
        }
        if (name.equals("/")) {
            throw new XenstoreException(XenstoreError.EINVAL, name);
        }
        removeSubtree(name);
    }

    Permissions permissions(String path) throws XenstoreException {
        return store.domains.current(readable(path));
    }

    void setPermissions(String path, Permissions wanted) throws XenstoreException {
        if (connection.isUnprivileged() && wanted.size() > store.quotas.get(Quotas.Item.PERMISSIONS)) {
            throw new XenstoreException(XenstoreError.ENOSPC, path);
        }
        if (store.domains.findExisting(wanted.owner(), store) == null) {
            throw new XenstoreException(XenstoreError.ENOENT, "domain " + wanted.owner());
        }
        Permissions permissions = wanted.staleUnless(domid -> store.domains.findExisting(domid, store) != null);
        if (StorePath.isSpecial(path)) {
            store.setSpecialPermissions(connection, path, permissions);
            return;
        }
        String name = absolute(path);
        Node before = existing(name, Permissions.WRITE | Permissions.OWNER);
        if (connection.isUnprivileged() && permissions.owner() != before.permissions.owner()) {
            throw new XenstoreException(XenstoreError.EPERM, name);
        }
        Node after = new Node(before.value, permissions, before.children, store.nextGeneration());
        replace(name, before, after);
        changed(name, false, store.domains.current(before), after, null);
    }

    private String absolute(String path) {
        return StorePath.canonical(connection.home, path);
    }

    private Node existing(String name, int access) throws XenstoreException {
        Node node = accessible(name, access);
        if (node == null) {
            throw new XenstoreException(XenstoreError.ENOENT, name);
        }
        return node;
    }

    /**
     * The node if it exists and all of {@code access} is allowed; null if it does not exist and the connection may know that,
     * which it may if it has such access to the nearest node above.
     */
    private @Nullable Node accessible(String name, int access) throws XenstoreException {
        if (!StorePath.isValid(name, store.quotas.get(Quotas.Item.PATH_LENGTH))) {
            throw new XenstoreException(XenstoreError.EINVAL, name);
        }
        Node node = look(name);
        if (node != null) {
            if ((allowed(node) & access) == access) {
                return node;
            }
            throw new XenstoreException(XenstoreError.EACCES, name);
        }
        if ((allowed(nearest(name)) & access) == 0) {
            throw new XenstoreException(XenstoreError.EACCES, name);
        }
        return null;
    }

    private int allowed(Node node) {
        return store.domains.current(node).allowed(connection);
    }

    private void replace(String name, Node before, Node after) throws XenstoreException {
        requireSize(name, after);
        Change change = new Change();
        change.step(name, before, after);
        apply(change, Tree.replace(root(), name, after));
    }

    /** Makes a node and what is missing above it. New nodes inherit permissions; unprivileged domains own what they make. */
    private void create(String name, byte[] value) throws XenstoreException {
        String above = Tree.deepest(root(), name);
        Node parent = nearest(name);
        List<String> missing = new ArrayList<>();
        for (String path = name; !path.equals(above); path = StorePath.parent(path)) {
            note(path);
            missing.add(path);
        }
        requireNodes(missing.size());

        Permissions inherited = store.domains.current(parent);
        Permissions permissions = connection.isUnprivileged()
                ? inherited.withOwner(connection.domain.domid)
                : inherited;
        Change change = new Change();
        Node leaf = new Node(value, permissions, Children.NONE, store.nextGeneration());
        Node made = leaf;
        for (int i = 0; i < missing.size(); i++) {
            if (i > 0) {
                Children only = Children.NONE.with(StorePath.name(missing.get(i - 1)), made);
                made = new Node(Node.NO_VALUE, permissions, only, store.nextGeneration());
            }
            requireSize(missing.get(i), made);
            change.step(missing.get(i), null, made);
        }
        Children family = parent.children.with(StorePath.name(missing.getLast()), made);
        Node after = new Node(parent.value, inherited, family, store.nextGeneration());
        requireSize(above, after);
        change.step(above, parent, after);
        apply(change, Tree.replace(root(), above, after));
        changed(name, false, null, leaf, null);
    }

    /** Removes a node that exists and is not the root, with all below it: children first, as their watchers hear of it. */
    final void removeSubtree(String name) throws XenstoreException {
        String above = StorePath.parent(name);
        Node parent = look(above);
        Node top = look(name);
        if (parent == null || top == null) {
            throw new XenstoreException(XenstoreError.ENOENT, name);
        }
        List<Removal> removals = subtree(new Removal(name, top, parent));
        Change change = new Change();
        for (Removal removal : removals) {
            change.step(removal.path, removal.node, null);
        }
        Node after = parent.withChildren(parent.children.without(StorePath.name(name)), store.nextGeneration());
        change.step(above, parent, after);
        apply(change, Tree.replace(root(), above, after));
        for (Removal removal : removals) {
            changed(removal.path, removal.node != top, store.domains.current(removal.node), removal.node,
                    removal.parent);
        }
    }

    private record Removal(String path, Node node, Node parent) {
    }

    /** The nodes of a subtree, each after its children. */
    private List<Removal> subtree(Removal top) throws XenstoreException {
        record Frame(Removal removal, Iterator<String> names) {
        }
        List<Removal> order = new ArrayList<>();
        Deque<Frame> open = new ArrayDeque<>();
        open.push(new Frame(top, top.node.children.names().iterator()));
        while (!open.isEmpty()) {
            Frame frame = open.element();
            if (!frame.names.hasNext()) {
                order.add(open.pop().removal);
                continue;
            }
            String name = frame.names.next();
            String path = StorePath.child(frame.removal.path, name);
            Node child = frame.removal.node.children.get(name);
            if (child != null) {
                note(path);
                open.push(new Frame(new Removal(path, child, frame.removal.node), child.children.names().iterator()));
            }
        }
        return order;
    }

    private void requireSize(String name, Node node) throws XenstoreException {
        if (connection.isUnprivileged() && node.recordBytes() >= store.quotas.get(Quotas.Item.NODE_SIZE)) {
            throw refused(name);
        }
    }

    private void requireNodes(int more) throws XenstoreException {
        if (connection.isUnprivileged() && ownNodes() + more > store.quotas.get(Quotas.Item.NODES)) {
            throw refused("nodes of domain " + connection.domain.domid);
        }
    }

    /** How many nodes the connection's domain owns in this view. */
    int ownNodes() {
        return connection.domain.nodes;
    }

    /** A quota is used up. */
    XenstoreException refused(String what) {
        return new XenstoreException(XenstoreError.ENOSPC, what);
    }
}
