package dev.xenolith.dom0.xenstore;

import org.jspecify.annotations.Nullable;

/** The store itself, outside any transaction: each operation takes effect at once. */
final class DirectView extends StoreView {
    DirectView(XenStore store, StoreConnection connection) {
        super(store, connection);
    }

    @Override
    Node root() {
        return store.root();
    }

    @Override
    void note(String path) {
        // Takes effect at once: nothing can change in between.
    }

    @Override
    void apply(Change change, Node newRoot) throws XenstoreException {
        change.check(store, false);
        change.book(store.domains);
        store.setRoot(newRoot, change.retiredBytes());
        store.wrote(connection, change.steps().size());
    }

    @Override
    void changed(String path, boolean exact, @Nullable Permissions before, Node node, @Nullable Node parent) {
        store.fire(path, exact, before, node, parent, connection.cause());
    }
}
