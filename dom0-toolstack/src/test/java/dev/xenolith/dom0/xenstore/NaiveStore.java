package dev.xenolith.dom0.xenstore;

import static dev.xenolith.dom0.xenstore.XenstoreError.EACCES;
import static dev.xenolith.dom0.xenstore.XenstoreError.EAGAIN;
import static dev.xenolith.dom0.xenstore.XenstoreError.EINVAL;
import static dev.xenolith.dom0.xenstore.XenstoreError.ENOENT;
import static dev.xenolith.dom0.xenstore.XenstoreError.EPERM;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What the store does, in the dullest way: one flat map that a transaction copies whole. Operations return the error or null. */
final class NaiveStore {
    record Entry(String value, Permissions permissions, long version) {
    }

    private final Map<String, Entry> nodes;
    private long[] versions = new long[1];

    /** In a transaction: the map at its start, and what it looked at. */
    private final Map<String, Entry> start;
    private final Set<String> looked = new TreeSet<>();

    NaiveStore() {
        nodes = new TreeMap<>();
        start = Map.of();
        put("/", "", Permissions.owned(0, Permissions.NONE));
        put("/tool", "", Permissions.owned(0, Permissions.NONE));
        put("/tool/xenstored", "", Permissions.owned(0, Permissions.NONE));
    }

    private NaiveStore(NaiveStore main) {
        nodes = new TreeMap<>(main.nodes);
        start = new TreeMap<>(main.nodes);
        versions = main.versions;
    }

    NaiveStore begin() {
        return new NaiveStore(this);
    }

    @Nullable
    XenstoreError commit(NaiveStore transaction) {
        for (String path : transaction.looked) {
            if (version(transaction.start, path) != version(nodes, path)) {
                return EAGAIN;
            }
        }
        for (String path : transaction.looked) {
            Entry mine = transaction.nodes.get(path);
            if (mine == null) {
                nodes.remove(path);
            } else if (version(transaction.start, path) != mine.version) {
                nodes.put(path, mine);
            }
        }
        return null;
    }

    private static long version(Map<String, Entry> map, String path) {
        Entry entry = map.get(path);
        return entry == null ? -1 : entry.version;
    }

    private void put(String path, String value, Permissions permissions) {
        nodes.put(path, new Entry(value, permissions, ++versions[0]));
    }

    private @Nullable Entry look(String path) {
        looked.add(path);
        return nodes.get(path);
    }

    private Entry known(String path) {
        return Objects.requireNonNull(look(path), path);
    }

    /** ENOENT if absent and the caller may know, EACCES if it may not do this. */
    private @Nullable XenstoreError access(StoreConnection caller, String path, int access) {
        Entry entry = look(path);
        if (entry != null) {
            return (entry.permissions.allowed(caller) & access) == access ? null : EACCES;
        }
        String above = path;
        while (entry == null) {
            above = StorePath.parent(above);
            entry = look(above);
        }
        return (entry.permissions.allowed(caller) & access) != 0 ? ENOENT : EACCES;
    }

    @Nullable
    XenstoreError read(StoreConnection caller, String path) {
        return access(caller, path, Permissions.READ);
    }

    String value(String path) {
        return known(path).value;
    }

    @Nullable
    XenstoreError write(StoreConnection caller, String path, String value) {
        XenstoreError error = access(caller, path, Permissions.WRITE);
        if (error == null) {
            put(path, value, known(path).permissions);
        } else if (error == ENOENT) {
            create(caller, path, value);
            error = null;
        }
        return error;
    }

    @Nullable
    XenstoreError mkdir(StoreConnection caller, String path) {
        XenstoreError error = access(caller, path, Permissions.WRITE);
        if (error == ENOENT) {
            create(caller, path, "");
            error = null;
        }
        return error;
    }

    private void create(StoreConnection caller, String path, String value) {
        String above = StorePath.parent(path);
        if (look(above) == null) {
            create(caller, above, "");
        }
        Entry parent = known(above);
        put(above, parent.value, parent.permissions);
        Permissions inherited = parent.permissions;
        put(path, value, caller.isUnprivileged() ? inherited.withOwner(caller.domain.domid) : inherited);
    }

    @Nullable
    XenstoreError remove(StoreConnection caller, String path) {
        XenstoreError error = access(caller, path, Permissions.WRITE);
        if (error == ENOENT) {
            return look(StorePath.parent(path)) == null ? ENOENT : null;
        }
        if (error != null) {
            return error;
        }
        if (path.equals("/")) {
            return EINVAL;
        }
        for (String below : new ArrayList<>(nodes.keySet())) {
            if (below.equals(path) || below.startsWith(path + "/")) {
                looked.add(below);
                nodes.remove(below);
            }
        }
        String above = StorePath.parent(path);
        Entry parent = known(above);
        put(above, parent.value, parent.permissions);
        return null;
    }

    @Nullable
    XenstoreError setPermissions(StoreConnection caller, String path, Permissions permissions) {
        XenstoreError error = access(caller, path, Permissions.WRITE | Permissions.OWNER);
        if (error != null) {
            return error;
        }
        Entry entry = known(path);
        if (caller.isUnprivileged() && entry.permissions.owner() != permissions.owner()) {
            return EPERM;
        }
        put(path, entry.value, permissions);
        return null;
    }

    Set<String> paths() {
        return nodes.keySet();
    }

    Entry entry(String path) {
        return Objects.requireNonNull(nodes.get(path));
    }

    List<String> children(String path) {
        return nodes.keySet().stream().filter(other -> !other.equals("/") && StorePath.parent(other).equals(path))
                .map(StorePath::name).sorted().toList();
    }
}
