package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.tool.XenstoreTool;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenolith xenstore ...}: options of xenstore-ls, xenstore-read and so on; {@link XenstoreTool} is what they do. */
final class XenstoreCommands {
    private XenstoreCommands() {
    }

    private static XenstoreTool tool(CommandContext context, Xenstore store) {
        return new XenstoreTool(store, context.out(), text -> context.message("xenolith: xenstore: " + text));
    }

    /** A command that is a use of the tools and no more. */
    private abstract static class ToolCommand extends XenolithCommand {
        @Override
        final int run(CommandContext context) {
            try (Xenstore store = context.toolstack().xenstore()) {
                return use(context, tool(context, store));
            }
        }

        /** Returns the exit code. */
        abstract int use(CommandContext context, XenstoreTool tool);
    }

    /** {@code xenolith xenstore ls}. */
    @Command(name = "ls", description = "Show a tree with its values.")
    static final class Ls extends ToolCommand {
        @Option(names = {"-f",
            "--flat"}, description = "Whole paths; values are not cut unless for the terminal's width.")
        private boolean flat;

        @Option(names = {"-p", "--prefix"}, description = "Permissions too.")
        private boolean permissions;

        @Parameters(arity = "0..*", paramLabel = "PATH", defaultValue = "/", description = "Where to begin (default: /).")
        private List<String> paths = new ArrayList<>();

        @Override
        int use(CommandContext context, XenstoreTool tool) {
            return tool.ls(paths, flat, permissions,
                    context.client().outIsTerminal() ? context.client().columns() : 0);
        }
    }

    /** {@code xenolith xenstore list}. */
    @Command(name = "list", description = "List the children of nodes.")
    static final class ListChildren extends ToolCommand {
        @Option(names = {"-p", "--prefix"}, description = "Whole paths.")
        private boolean prefix;

        @Parameters(arity = "1..*", paramLabel = "PATH")
        private List<String> paths = new ArrayList<>();

        @Override
        int use(CommandContext context, XenstoreTool tool) {
            return tool.list(paths, prefix);
        }
    }

    /** {@code xenolith xenstore read}. */
    @Command(name = "read", description = "Print the values of nodes.")
    static final class Read extends ToolCommand {
        @Option(names = {"-p", "--prefix"}, description = "Each value after its path.")
        private boolean prefix;

        @Option(names = {"-R", "--raw"}, description = "The bytes as they are, without a newline.")
        private boolean raw;

        @Parameters(arity = "1..*", paramLabel = "PATH")
        private List<String> paths = new ArrayList<>();

        @Override
        int use(CommandContext context, XenstoreTool tool) {
            return tool.read(paths, prefix, raw);
        }
    }

    /** {@code xenolith xenstore write}. */
    @Command(name = "write", description = "Set the values of nodes, all or none of them.")
    static final class Write extends ToolCommand {
        @Option(names = {"-R", "--raw"}, description = "A backslash in a value is one.")
        private boolean raw;

        @Parameters(arity = "2..*", paramLabel = "PATH VALUE")
        private List<String> pairs = new ArrayList<>();

        @Override
        int use(CommandContext context, XenstoreTool tool) {
            if (pairs.size() % 2 != 0) {
                throw new ToolstackException(ToolstackException.USAGE,
                        "xenstore write: expected a value for " + pairs.getLast() + ", found none");
            }
            return tool.write(pairs, raw);
        }
    }

    /** {@code xenolith xenstore rm}. */
    @Command(name = "rm", description = "Remove nodes and all below them.")
    static final class Remove extends ToolCommand {
        @Option(names = {"-t", "--tidy"}, description = "Also parents that are left empty and without a value.")
        private boolean tidy;

        @Parameters(arity = "1..*", paramLabel = "PATH")
        private List<String> paths = new ArrayList<>();

        @Override
        int use(CommandContext context, XenstoreTool tool) {
            return tool.remove(paths, tidy);
        }
    }

    /** {@code xenolith xenstore exists}. */
    @Command(name = "exists", description = "Succeed if all nodes are there.")
    static final class Exists extends ToolCommand {
        @Parameters(arity = "1..*", paramLabel = "PATH")
        private List<String> paths = new ArrayList<>();

        @Override
        int use(CommandContext context, XenstoreTool tool) {
            return tool.exists(paths);
        }
    }

    /** {@code xenolith xenstore chmod}. */
    @Command(name = "chmod", description = "Set the permissions of a node: n, r, w or b with a domid each, the owner first.")
    static final class Chmod extends ToolCommand {
        @Option(names = {"-r", "--recurse"}, description = "Also all below it.")
        private boolean recurse;

        @Option(names = {"-u", "--upto"}, description = "Also its parents.")
        private boolean upTo;

        @Parameters(index = "0", paramLabel = "PATH")
        private String path = "";

        @Parameters(index = "1..*", arity = "1..*", paramLabel = "PERMISSION")
        private List<String> permissions = new ArrayList<>();

        @Override
        int use(CommandContext context, XenstoreTool tool) {
            for (String permission : permissions) {
                if (!permission.matches("[nrwb][0-9]{1,5}")) {
                    throw new ToolstackException(ToolstackException.USAGE,
                            "xenstore chmod: expected n, r, w or b and a domid, found '" + permission + "'");
                }
            }
            return tool.chmod(path, permissions, upTo, recurse);
        }
    }

    /** {@code xenolith xenstore watch}. */
    @Command(name = "watch", description = "Print the paths that change, the watched ones first.")
    static final class Watch extends XenolithCommand {
        @Option(names = {"-n", "--number"}, paramLabel = "N", description = "End after so many.")
        private int number = -1;

        @Parameters(arity = "1..*", paramLabel = "PATH", description = "Or @introduceDomain, @releaseDomain.")
        private List<String> paths = new ArrayList<>();

        @Override
        int run(CommandContext context) throws InterruptedException {
            if (number < -1) {
                throw new ToolstackException(ToolstackException.USAGE,
                        "xenstore watch: expected a number of events, found " + number);
            }
            try (Xenstore store = context.toolstack().xenstore(); Xenstore.Watch watch = store.watch(paths)) {
                return tool(context, store).watch(watch::take, number);
            } catch (XenstoreException e) {
                throw ToolstackException
                        .failure("xenstore: could not watch " + String.join(" ", paths) + ": " + e.error().text());
            }
        }
    }
}
