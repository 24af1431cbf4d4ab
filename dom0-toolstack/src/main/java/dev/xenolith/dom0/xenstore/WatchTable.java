package dev.xenolith.dom0.xenstore;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All watches by path: a change looks up its own path and those above it, so it costs nothing for watches elsewhere. */
final class WatchTable {
    /** Connections hear in the order they were made, a connection's watches in the order they were set. */
    private static final Comparator<Watch> ORDER = Comparator.comparingLong((Watch watch) -> watch.connection.sequence)
            .thenComparingLong(watch -> watch.sequence);

    private final Map<String, List<Watch>> byPath = new HashMap<>();

    boolean isEmpty() { return byPath.isEmpty(); }

    void add(Watch watch) {
        byPath.computeIfAbsent(watch.path, path -> new ArrayList<>(1)).add(watch);
    }

    void remove(Watch watch) {
        List<Watch> watches = byPath.get(watch.path);
        if (watches != null) {
            watches.remove(watch);
            if (watches.isEmpty()) {
                byPath.remove(watch.path);
            }
        }
    }

    /**
     * Tells everyone who watches a path, and may know of it, that it changed.
     *
     * @param exact leaves out watches of the nodes above
     */
    void fire(String path, boolean exact, Visibility visibility, @Nullable Cause cause) {
        List<Watch> matches = matching(path, exact);
        StoreConnection asked = null;
        boolean visible = false;
        for (Watch watch : matches) {
            if (watch.connection != asked) {
                asked = watch.connection;
                visible = visibility.isVisibleTo(asked);
            }
            if (visible) {
                asked.deliver(watch.reported(path), watch.token, cause);
            }
        }
    }

    private List<Watch> matching(String path, boolean exact) {
        List<Watch> matches = new ArrayList<>();
        addAll(byPath.get(path), matches);
        if (!exact && !path.equals("/")) {
            for (int slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
                addAll(byPath.get(path.substring(0, slash)), matches);
            }
            addAll(byPath.get("/"), matches);
        }
        matches.sort(ORDER);
        return matches;
    }

    private static void addAll(@Nullable List<Watch> watches, List<Watch> matches) {
        if (watches != null) {
            matches.addAll(watches);
        }
    }

    /** Decides who may hear of a change. */
    @FunctionalInterface
    interface Visibility {
        boolean isVisibleTo(StoreConnection connection);
    }
}
