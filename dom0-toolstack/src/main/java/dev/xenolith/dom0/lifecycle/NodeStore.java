package dev.xenolith.dom0.lifecycle;

import java.util.List;

/** The toolstack's connection to xenstore. Failures of xenstored are unchecked: dom0's own connection is not refused. */
public interface NodeStore {
    /** Writes all nodes with their permissions, or none. */
    void write(List<DomainNodes.Node> nodes);

    /** Writes one value, keeping the node's permissions. */
    void write(String path, String value);

    /** Removes nodes with all below them; those that do not exist are no failure. */
    void remove(List<String> roots);
}
