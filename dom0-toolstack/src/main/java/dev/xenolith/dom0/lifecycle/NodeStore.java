package dev.xenolith.dom0.lifecycle;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The toolstack's connection to xenstore. Failures of xenstored are unchecked: dom0's own connection is not refused. */
public interface NodeStore {
    /** Writes all nodes with their permissions, or none. */
    void write(List<DomainNodes.Node> nodes);

    /** Writes one value, keeping the node's permissions. */
    void write(String path, String value);

    /** Gives a node and all below it permissions anew, in wire form; they then mean the domains that there are now. */
    void permit(String path, List<String> permissions);

    /** A node's value, null if there is no such node. */
    @Nullable
    String find(String path);

    /** Runs {@code handler} once soon and after each change of the node or below it. Returns what ends that. */
    Runnable watch(String path, Runnable handler);

    /** Removes nodes with all below them; those that do not exist are no failure. */
    void remove(List<String> roots);

    /** Removes a node with all below it, and then those above it that have become empty, as libxl__xs_path_cleanup. */
    void removeWithEmptyParents(String root);
}
