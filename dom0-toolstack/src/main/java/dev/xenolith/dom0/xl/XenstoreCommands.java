package dev.xenolith.dom0.xl;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenolith xenstore ...}: the commands of xenstore-ls, xenstore-read and so on. */
final class XenstoreCommands {
    private XenstoreCommands() {
    }

    /** A body that may have to be done again. */
    @FunctionalInterface
    private interface Body {
        void run(XenstoreOperations store);
    }

    /** Runs a body in a transaction until it holds, or bare if there is only one request in it. */
    private static void transact(Xenstore store, boolean needed, Body body) {
        if (!needed) {
            body.run(store);
            return;
        }
        while (true) {
            try (Xenstore.Transaction transaction = store.transaction()) {
                body.run(transaction);
                if (transaction.commit()) {
                    return;
                }
            }
        }
    }

    /** {@code xenolith xenstore ls}. */
    @Command(name = "ls", description = "Show a tree with its values.")
    static final class Ls extends XenolithCommand {
        private static final String CUT = "\\...";

        @Option(names = {"-f", "--flat"}, description = "Whole paths, values never cut.")
        private boolean flat;

        @Option(names = {"-p", "--prefix"}, description = "Permissions too.")
        private boolean permissions;

        @Parameters(arity = "0..*", paramLabel = "PATH", defaultValue = "/", description = "Where to begin (default: /).")
        private List<String> paths = new ArrayList<>();

        @Override
        int run(CommandContext context) {
            int width = context.client().outIsTerminal() && !flat
                    ? Math.max(20, context.client().columns() - 2)
                    : Integer.MAX_VALUE;
            try (Xenstore store = context.toolstack().xenstore()) {
                for (String path : paths) {
                    list(context, store, path, 0, width);
                }
            }
            return 0;
        }

        /** Depth is bounded by the length of paths, 3072 bytes. */
        private void list(CommandContext context, Xenstore store, String path, int depth, int width) {
            List<String> children;
            try {
                children = store.directory(path);
            } catch (XenstoreException e) {
                if (depth > 0 && e.error().equals("ENOENT")) {
                    return; // It went while we were looking.
                }
                throw e;
            }
            for (String child : children) {
                String whole = path.endsWith("/") ? path + child : path + "/" + child;
                StringBuilder line = new StringBuilder(flat ? whole : " ".repeat(depth) + child);
                try {
                    String value = XenstoreValues.toText(store.read(whole));
                    int room = width - line.length() - 5;
                    line.append(" = \"");
                    if (value.length() > room) {
                        line.append(value, 0, Math.max(0, room - CUT.length())).append(CUT);
                    } else {
                        line.append(value);
                    }
                    line.append('"');
                    if (permissions) {
                        line.append("  (").append(String.join(",", store.permissions(whole))).append(')');
                    }
                } catch (XenstoreException e) {
                    line.append(':'); // Gone, or not ours to read: the name is all there is.
                }
                context.line("%s", line);
                list(context, store, whole, depth + 1, width);
            }
        }
    }

    /** {@code xenolith xenstore list}. */
    @Command(name = "list", description = "List the children of nodes.")
    static final class ListChildren extends XenolithCommand {
        @Option(names = {"-p", "--prefix"}, description = "Whole paths.")
        private boolean prefix;

        @Parameters(arity = "1..*", paramLabel = "PATH")
        private List<String> paths = new ArrayList<>();

        @Override
        int run(CommandContext context) {
            StringBuilder lines = new StringBuilder();
            try (Xenstore store = context.toolstack().xenstore()) {
                transact(store, paths.size() > 1, operations -> {
                    lines.setLength(0);
                    for (String path : paths) {
                        String before = !prefix ? "" : path.equals("/") ? "/" : path + "/";
                        operations.directory(path).forEach(child -> lines.append(before).append(child).append('\n'));
                    }
                });
            }
            context.out().print(lines);
            return 0;
        }
    }

    /** {@code xenolith xenstore read}. */
    @Command(name = "read", description = "Print the values of nodes.")
    static final class Read extends XenolithCommand {
        @Option(names = {"-p", "--prefix"}, description = "Each value after its path.")
        private boolean prefix;

        @Option(names = {"-R", "--raw"}, description = "The bytes as they are, without a newline.")
        private boolean raw;

        @Parameters(arity = "1..*", paramLabel = "PATH")
        private List<String> paths = new ArrayList<>();

        @Override
        int run(CommandContext context) {
            List<byte[]> values = new ArrayList<>();
            try (Xenstore store = context.toolstack().xenstore()) {
                transact(store, paths.size() > 1, operations -> {
                    values.clear();
                    paths.forEach(path -> values.add(operations.read(path)));
                });
            }
            for (int i = 0; i < values.size(); i++) {
                if (prefix) {
                    context.out().print(paths.get(i) + ": ");
                }
                if (raw) {
                    context.out().writeBytes(values.get(i));
                } else {
                    context.out().print(XenstoreValues.toText(values.get(i)) + "\n");
                }
            }
            return 0;
        }
    }

    /** {@code xenolith xenstore write}. */
    @Command(name = "write", description = "Set the values of nodes, all or none of them.")
    static final class Write extends XenolithCommand {
        @Option(names = {"-R", "--raw"}, description = "A backslash in a value is one.")
        private boolean raw;

        @Parameters(arity = "2..*", paramLabel = "PATH VALUE")
        private List<String> pairs = new ArrayList<>();

        @Override
        int run(CommandContext context) {
            if (pairs.size() % 2 != 0) {
                throw new ToolstackException(ToolstackException.USAGE,
                        "xenstore write: expected a value for " + pairs.getLast() + ", found none");
            }
            try (Xenstore store = context.toolstack().xenstore()) {
                transact(store, pairs.size() > 2, operations -> {
                    for (int i = 0; i < pairs.size(); i += 2) {
                        String value = pairs.get(i + 1);
                        operations.write(pairs.get(i),
                                raw ? value.getBytes(StandardCharsets.UTF_8) : XenstoreValues.toValue(value));
                    }
                });
            }
            return 0;
        }
    }

    /** {@code xenolith xenstore rm}. */
    @Command(name = "rm", description = "Remove nodes and all below them.")
    static final class Remove extends XenolithCommand {
        @Option(names = {"-t", "--tidy"}, description = "Also parents that are left empty and without a value.")
        private boolean tidy;

        @Parameters(arity = "1..*", paramLabel = "PATH")
        private List<String> paths = new ArrayList<>();

        @Override
        int run(CommandContext context) {
            try (Xenstore store = context.toolstack().xenstore()) {
                transact(store, true, operations -> paths.forEach(path -> remove(operations, path)));
            }
            return 0;
        }

        private void remove(XenstoreOperations operations, String path) {
            operations.remove(path);
            String parent = path;
            while (tidy && parent.lastIndexOf('/') > 0) {
                parent = parent.substring(0, parent.lastIndexOf('/'));
                if (operations.read(parent).length > 0 || !operations.directory(parent).isEmpty()) {
                    return;
                }
                operations.remove(parent);
            }
        }
    }

    /** {@code xenolith xenstore exists}. */
    @Command(name = "exists", description = "Succeed if all nodes are there.")
    static final class Exists extends XenolithCommand {
        @Parameters(arity = "1..*", paramLabel = "PATH")
        private List<String> paths = new ArrayList<>();

        @Override
        int run(CommandContext context) {
            try (Xenstore store = context.toolstack().xenstore()) {
                transact(store, paths.size() > 1, operations -> paths.forEach(operations::read));
                return 0;
            } catch (XenstoreException e) {
                if (e.error().equals("ENOENT")) {
                    return ToolstackException.FAILURE;
                }
                throw e;
            }
        }
    }

    /** {@code xenolith xenstore chmod}. */
    @Command(name = "chmod", description = "Set the permissions of a node: n, r, w or b with a domid each, the owner first.")
    static final class Chmod extends XenolithCommand {
        @Option(names = {"-r", "--recurse"}, description = "Also all below it.")
        private boolean recurse;

        @Option(names = {"-u", "--upto"}, description = "Also its parents.")
        private boolean upTo;

        @Parameters(index = "0", paramLabel = "PATH")
        private String path = "";

        @Parameters(index = "1..*", arity = "1..*", paramLabel = "PERMISSION")
        private List<String> permissions = new ArrayList<>();

        @Override
        int run(CommandContext context) {
            for (String permission : permissions) {
                if (!permission.matches("[nrwb][0-9]{1,5}")) {
                    throw new ToolstackException(ToolstackException.USAGE,
                            "xenstore chmod: expected n, r, w or b and a domid, found '" + permission + "'");
                }
            }
            try (Xenstore store = context.toolstack().xenstore()) {
                transact(store, recurse || upTo, operations -> {
                    set(operations, path, recurse);
                    for (int slash = path.lastIndexOf('/'); upTo
                            && slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
                        operations.setPermissions(path.substring(0, slash), permissions);
                    }
                });
            }
            return 0;
        }

        private void set(XenstoreOperations operations, String node, boolean below) {
            operations.setPermissions(node, permissions);
            if (below) {
                operations.directory(node).forEach(child -> set(operations, node + "/" + child, true));
            }
        }
    }

    /** {@code xenolith xenstore watch}. */
    @Command(name = "watch", description = "Print the paths that change, the watched one first.")
    static final class Watch extends XenolithCommand {
        @Option(names = {"-n", "--number"}, paramLabel = "N", description = "End after so many.")
        private int number = -1;

        @Parameters(paramLabel = "PATH", description = "Or @introduceDomain, @releaseDomain.")
        private String path = "";

        @Override
        int run(CommandContext context) throws InterruptedException {
            try (Xenstore store = context.toolstack().xenstore(); Xenstore.Watch watch = store.watch(path)) {
                for (int count = 0; number < 0 || count < number; count++) {
                    context.line("%s", watch.take());
                    context.flush();
                }
            }
            return 0;
        }
    }
}
