package dev.xenolith.dom0.xenstore;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All watches, as a tree of the watched paths: a change walks down its own path, so it costs nothing for watches elsewhere, nor
 * more than the length of the path.
 */
final class WatchTable {
    /** Connections hear in the order they were made, a connection's watches in the order they were set. */
    private static final Comparator<Watch> ORDER = Comparator
            .comparingLong((Watch watch) -> watch.connection.sequence).thenComparingLong(watch -> watch.sequence);

    private final Place root = new Place(null, "");

    /** Watches of special events; their names are no paths. */
    private final Map<String, Place> special = new HashMap<>();

    /** A path that is watched, or on the way to one. */
    private static final class Place {
        final @Nullable Place above;
        final String name;
        final Map<String, Place> below = new HashMap<>(2);
        final List<Watch> watches = new ArrayList<>(1);

        Place(@Nullable Place above, String name) {
            this.above = above;
            this.name = name;
        }

        boolean isUseless() { return watches.isEmpty() && below.isEmpty(); }
    }

    boolean isEmpty() { return root.isUseless() && special.isEmpty(); }

    void add(Watch watch) {
        Place place;
        if (StorePath.isSpecial(watch.path)) {
            place = special.computeIfAbsent(watch.path, path -> new Place(null, path));
        } else {
            place = root;
            for (String name : StorePath.components(watch.path)) {
                Place above = place;
                place = above.below.computeIfAbsent(name, key -> new Place(above, key));
            }
        }
        place.watches.add(watch);
    }

    void remove(Watch watch) {
        boolean isSpecial = StorePath.isSpecial(watch.path);
        Place place = isSpecial ? special.get(watch.path) : place(watch.path);
        if (place == null || !place.watches.remove(watch)) {
            throw new IllegalStateException("unknown watch of " + watch.path);
        }
        if (isSpecial && place.isUseless()) {
            special.remove(watch.path);
        }
        while (place.above != null && place.isUseless()) {
            place.above.below.remove(place.name);
            place = place.above;
        }
    }

    private @Nullable Place place(String path) {
        Place place = root;
        for (String name : StorePath.components(path)) {
            place = place == null ? null : place.below.get(name);
        }
        return place;
    }

    /**
     * Tells everyone who watches a path, and may know of it, that it changed.
     *
     * @param path a valid path or a special name
     * @param exact leaves out watches of the nodes above
     */
    void fire(String path, boolean exact, Visibility visibility, @Nullable Cause cause) {
        StoreConnection asked = null;
        boolean visible = false;
        for (Watch watch : matching(path, exact)) {
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
        if (StorePath.isSpecial(path)) {
            addAll(special.get(path), matches);
        } else if (exact) {
            addAll(place(path), matches);
        } else {
            Place place = root;
            addAll(place, matches);
            int start = 1;
            while (place != null && start < path.length()) {
                int slash = path.indexOf('/', start);
                int end = slash < 0 ? path.length() : slash;
                place = place.below.get(path.substring(start, end));
                addAll(place, matches);
                start = end + 1;
            }
        }
        matches.sort(ORDER);
        return matches;
    }

    private static void addAll(@Nullable Place place, List<Watch> matches) {
        if (place != null) {
            matches.addAll(place.watches);
        }
    }

    /** Decides who may hear of a change. */
    @FunctionalInterface
    interface Visibility {
        boolean isVisibleTo(StoreConnection connection);
    }
}
