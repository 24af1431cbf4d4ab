package dev.xenolith.dom0.xenstore;

/** One version of a node; a change makes a new one. The generation says which change made it. */
final class Node {
    /** A node that does not exist, where a generation is asked for. */
    static final long NO_GENERATION = -1;

    static final byte[] NO_VALUE = {};

    /** What C xenstored counts for a node besides its value and its list of children: the record's header and each permission. */
    private static final int HEADER_BYTES = 24;
    private static final int PERMISSION_BYTES = 8;

    final byte[] value;
    final Permissions permissions;
    final Children children;
    final long generation;

    Node(byte[] value, Permissions permissions, Children children, long generation) {
        this.value = value;
        this.permissions = permissions;
        this.children = children;
        this.generation = generation;
    }

    Node withChildren(Children changed, long newGeneration) {
        return new Node(value, permissions, changed, newGeneration);
    }

    /** The same node above another version of a child that it had already: not a change of this node. */
    Node withChildVersion(String name, Node child) {
        return new Node(value, permissions, children.with(name, child), generation);
    }

    /** The size that the node-size quota limits, in bytes. */
    int recordBytes() {
        return HEADER_BYTES + PERMISSION_BYTES * permissions.size() + value.length + children.bytes();
    }
}
