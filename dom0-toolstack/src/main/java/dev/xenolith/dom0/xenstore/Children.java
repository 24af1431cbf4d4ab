package dev.xenolith.dom0.xenstore;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The children of a node by name: an immutable AVL tree, so that versions share all but the path to what changed and lists come
 * out sorted. Recursion is as deep as the tree is high, at most 1.44 log2 of the number of children.
 */
final class Children {
    static final Children NONE = new Children();

    private final @Nullable Entry top;

    private Children() {
        top = null;
    }

    private Children(@Nullable Entry top) {
        this.top = top;
    }

    int size() {
        return size(top);
    }

    /** Bytes of the list of names as DIRECTORY sends it: each name and its NUL. */
    int bytes() {
        return top == null ? 0 : top.bytes;
    }

    /** Longest way from the top: 0 if empty. */
    int height() {
        return height(top);
    }

    @Nullable
    Node get(String name) {
        Entry entry = top;
        while (entry != null) {
            int order = name.compareTo(entry.name);
            if (order == 0) {
                return entry.node;
            }
            entry = order < 0 ? entry.left : entry.right;
        }
        return null;
    }

    Children with(String name, Node node) {
        return new Children(insert(top, name, node));
    }

    /** Without the child of that name, which must be there. */
    Children without(String name) {
        Entry rest = top == null ? null : delete(top, name);
        return rest == null ? NONE : new Children(rest);
    }

    /** The names in ascending order. */
    List<String> names() {
        List<String> names = new ArrayList<>(size());
        collect(top, names);
        return names;
    }

    private static void collect(@Nullable Entry entry, List<String> names) {
        if (entry != null) {
            collect(entry.left, names);
            names.add(entry.name);
            collect(entry.right, names);
        }
    }

    private static Entry insert(@Nullable Entry entry, String name, Node node) {
        if (entry == null) {
            return new Entry(name, node, null, null);
        }
        int order = name.compareTo(entry.name);
        if (order == 0) {
            return new Entry(name, node, entry.left, entry.right);
        }
        return order < 0
                ? balanced(entry, insert(entry.left, name, node), entry.right)
                : balanced(entry, entry.left, insert(entry.right, name, node));
    }

    private static @Nullable Entry delete(@Nullable Entry entry, String name) {
        if (entry == null) {
            return null;
        }
        int order = name.compareTo(entry.name);
        if (order < 0) {
            return balanced(entry, delete(entry.left, name), entry.right);
        }
        if (order > 0) {
            return balanced(entry, entry.left, delete(entry.right, name));
        }
        if (entry.left == null) {
            return entry.right;
        }
        if (entry.right == null) {
            return entry.left;
        }
        Entry next = entry.right;
        while (next.left != null) {
            next = next.left;
        }
        return balanced(next, entry.left, delete(entry.right, next.name));
    }

    /** {@code middle} between two subtrees whose heights differ by at most two. */
    private static Entry balanced(Entry middle, @Nullable Entry left, @Nullable Entry right) {
        int difference = height(left) - height(right);
        if (left != null && difference > 1) {
            Entry inner = left.right;
            if (inner == null || height(left.left) >= inner.height) {
                return entry(left, left.left, entry(middle, inner, right));
            }
            return entry(inner, entry(left, left.left, inner.left), entry(middle, inner.right, right));
        }
        if (right != null && difference < -1) {
            Entry inner = right.left;
            if (inner == null || height(right.right) >= inner.height) {
                return entry(right, entry(middle, left, inner), right.right);
            }
            return entry(inner, entry(middle, left, inner.left), entry(right, inner.right, right.right));
        }
        return entry(middle, left, right);
    }

    private static Entry entry(Entry middle, @Nullable Entry left, @Nullable Entry right) {
        return new Entry(middle.name, middle.node, left, right);
    }

    private static int height(@Nullable Entry entry) {
        return entry == null ? 0 : entry.height;
    }

    private static int size(@Nullable Entry entry) {
        return entry == null ? 0 : entry.size;
    }

    private static final class Entry {
        final String name;
        final Node node;
        final @Nullable Entry left;
        final @Nullable Entry right;
        final int height;
        final int size;
        final int bytes;

        Entry(String name, Node node, @Nullable Entry left, @Nullable Entry right) {
            this.name = name;
            this.node = node;
            this.left = left;
            this.right = right;
            height = 1 + Math.max(Children.height(left), Children.height(right));
            size = 1 + Children.size(left) + Children.size(right);
            bytes = name.length() + 1 + (left == null ? 0 : left.bytes) + (right == null ? 0 : right.bytes);
        }
    }
}
