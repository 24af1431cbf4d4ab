package dev.xenolith.dom0.xenstore;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Versions of the whole tree, each known by its root. Paths are valid ones; nothing here recurses along a path. */
final class Tree {
    private Tree() {
    }

    static @Nullable Node find(Node root, String path) {
        Node node = root;
        int start = 1;
        while (start < path.length()) {
            int slash = path.indexOf('/', start);
            int end = slash < 0 ? path.length() : slash;
            Node child = node.children.get(path.substring(start, end));
            if (child == null) {
                return null;
            }
            node = child;
            start = end + 1;
        }
        return node;
    }

    /** The longest path that exists: {@code path} itself or one above it. Valid paths only. */
    static String deepest(Node root, String path) {
        Node node = root;
        int start = 1;
        while (start < path.length()) {
            int slash = path.indexOf('/', start);
            int end = slash < 0 ? path.length() : slash;
            Node child = node.children.get(path.substring(start, end));
            if (child == null) {
                return start == 1 ? "/" : path.substring(0, start - 1);
            }
            node = child;
            start = end + 1;
        }
        return path;
    }

    static long generation(Node root, String path) {
        Node node = find(root, path);
        return node == null ? Node.NO_GENERATION : node.generation;
    }

    /** The tree with {@code node} in place of the node at {@code path}, which must exist. Nodes above it keep their generation. */
    static Node replace(Node root, String path, Node node) {
        List<String> names = StorePath.components(path);
        Node[] above = new Node[names.size()];
        Node walk = root;
        for (int i = 0; i < above.length; i++) {
            above[i] = walk;
            Node child = walk.children.get(names.get(i));
            if (child == null) {
                throw new IllegalStateException("no node " + path);
            }
            walk = child;
        }
        Node changed = node;
        for (int i = above.length - 1; i >= 0; i--) {
            changed = above[i].withChildVersion(names.get(i), changed);
        }
        return changed;
    }
}
