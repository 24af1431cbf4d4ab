package dev.xenolith.dom0.host;

import dev.xenolith.dom0.lifecycle.DomainNodes.Node;
import dev.xenolith.dom0.lifecycle.NodeStore;
import dev.xenolith.dom0.xenstore.Permissions;
import dev.xenolith.dom0.xenstore.StoreAccess;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreError;
import dev.xenolith.dom0.xenstore.XenstoreException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The toolstack's nodes, written over dom0's own connection to xenstored, which refuses nothing that is well-formed. */
final class StoreNodes implements NodeStore {
    private final XenstoreClient client;

    StoreNodes(XenstoreClient client) {
        this.client = client;
    }

    @Override
    public void write(List<Node> nodes) {
        try {
            client.<Boolean>transaction(store -> {
                for (Node node : nodes) {
                    store.write(node.path(), node.value().getBytes(StandardCharsets.UTF_8));
                    store.setPermissions(node.path(), Permissions.parse(node.permissions()));
                }
                return true;
            });
        } catch (XenstoreException e) {
            throw new IllegalStateException("xenstored refused the toolstack's nodes: " + e.getMessage(), e);
        }
    }

    @Override
    public void write(String path, String value) {
        try {
            client.write(path, value.getBytes(StandardCharsets.UTF_8));
        } catch (XenstoreException e) {
            throw new IllegalStateException("xenstored refused to write " + path + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void permit(String path, List<String> permissions) {
        try {
            Permissions parsed = Permissions.parse(permissions);
            client.<Boolean>transaction(store -> {
                permit(store, path, parsed);
                return true;
            });
        } catch (XenstoreException e) {
            throw new IllegalStateException("xenstored refused permissions of " + path + ": " + e.getMessage(), e);
        }
    }

    private static void permit(StoreAccess store, String path, Permissions permissions) throws XenstoreException {
        store.setPermissions(path, permissions);
        for (String child : store.list(path)) {
            permit(store, path + '/' + child, permissions);
        }
    }

    @Override
    public @Nullable String find(String path) {
        try {
            return client.findText(path);
        } catch (XenstoreException e) {
            throw new IllegalStateException("xenstored refused to read " + path + ": " + e.getMessage(), e);
        }
    }

    @Override
    public Runnable watch(String path, Runnable handler) {
        try {
            return client.watch(path, changed -> handler.run())::close;
        } catch (XenstoreException e) {
            throw new IllegalStateException("xenstored refused to watch " + path + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void removeWithEmptyParents(String root) {
        remove(List.of(root));
        try {
            String parent = parent(root);
            while (!parent.isEmpty() && client.exists(parent) && client.list(parent).isEmpty()) {
                client.remove(parent);
                parent = parent(parent);
            }
        } catch (XenstoreException e) {
            throw new IllegalStateException("xenstored refused to tidy up above " + root + ": " + e.getMessage(), e);
        }
    }

    private static String parent(String path) {
        return path.substring(0, path.lastIndexOf('/'));
    }

    @Override
    public void remove(List<String> roots) {
        for (String root : roots) {
            try {
                client.remove(root);
            } catch (XenstoreException e) {
                if (e.error() != XenstoreError.ENOENT) {
                    throw new IllegalStateException("xenstored refused to remove " + root + ": " + e.getMessage(), e);
                }
            }
        }
    }
}
