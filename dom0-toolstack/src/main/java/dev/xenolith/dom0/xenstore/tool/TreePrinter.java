package dev.xenolith.dom0.xenstore.tool;

import dev.xenolith.dom0.xenstore.Permissions;
import dev.xenolith.dom0.xenstore.StoreAccess;
import dev.xenolith.dom0.xenstore.XenstoreError;
import dev.xenolith.dom0.xenstore.XenstoreException;
import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.Consumer;

/** {@code xenstore-ls}: a tree, one node a line, indented by a blank for each level. */
final class TreePrinter {
    /** What a value takes on its line besides itself, when it is cut: {@code  = "..."}. */
    private static final int TAG_WIDTH = " = \"...\"".length();

    /** Column from which permissions are printed, if the line is not longer. */
    private static final int PERMISSIONS_COLUMN = 60;

    private static final int DEFAULT_WIDTH = 80;
    private static final int NO_LIMIT = Integer.MAX_VALUE / 2;

    private final StoreAccess store;
    private final PrintStream out;
    private final Consumer<String> warnings;
    private final boolean flat;
    private final boolean permissions;
    private final int width;
    private final int permissionsColumn;

    /**
     * Prepares to print.
     *
     * @param columns width of the terminal that it goes to, 0 if it does not go to one
     */
    TreePrinter(StoreAccess store, PrintStream out, Consumer<String> warnings, boolean flat, boolean permissions,
            int columns) {
        this.store = store;
        this.out = out;
        this.warnings = warnings;
        this.flat = flat;
        this.permissions = permissions;
        width = columns > 0 ? columns - 2 : flat ? NO_LIMIT : DEFAULT_WIDTH;
        permissionsColumn = flat ? 0 : PERMISSIONS_COLUMN;
    }

    private record Level(String path, Iterator<String> names) {
    }

    /** Prints all below a node. What vanishes meanwhile is left out. */
    void print(String top) throws XenstoreException {
        Deque<Level> levels = new ArrayDeque<>();
        levels.push(new Level(top, store.list(top).iterator()));
        while (!levels.isEmpty()) {
            Level level = levels.element();
            if (!level.names.hasNext()) {
                levels.pop();
                continue;
            }
            String name = level.names.next();
            String path = level.path.endsWith("/") ? level.path + name : level.path + "/" + name;
            out.print(line(path, name, levels.size() - 1) + "\n");
            try {
                levels.push(new Level(path, store.list(path).iterator()));
            } catch (XenstoreException e) {
                if (e.error() != XenstoreError.ENOENT) {
                    throw e;
                }
            }
        }
    }

    private String line(String path, String name, int depth) {
        StringBuilder line = new StringBuilder();
        int used = 0;
        if (flat) {
            line.append(path);
        } else {
            line.append(" ".repeat(depth)).append(cut(name, width - TAG_WIDTH - depth));
            used = line.length();
        }
        try {
            byte[] value = store.read(path);
            String text = Values.sanitise(value);
            if (width < used + value.length + TAG_WIDTH) {
                line.append(" = \"").append(cut(text, width - TAG_WIDTH - used)).append("\\...\"");
            } else {
                line.append(" = \"").append(text).append('"');
                if (permissions) {
                    fill(line, used + text.length() + 5);
                }
            }
        } catch (XenstoreException e) {
            line.append(":\n");
        }
        if (permissions) {
            appendPermissions(line, path, name);
        }
        return line.toString();
    }

    /** printf's precision: a negative one is none. */
    private static String cut(String text, int length) {
        return length < 0 || length >= text.length() ? text : text.substring(0, length);
    }

    private void fill(StringBuilder line, int used) {
        line.append(' ');
        for (int column = used + 1; column < Math.min(permissionsColumn, width); column++) {
            line.append((column & 1) != 0 ? '.' : ' ');
        }
    }

    private void appendPermissions(StringBuilder line, String path, String name) {
        try {
            Permissions found = store.permissions(path);
            line.append("  (").append(found).append(')');
        } catch (XenstoreException e) {
            warnings.accept("could not access permissions for " + name + ": " + e.error().text());
        }
    }
}
