package dev.xenolith.dom0.xenstore.tool;

import dev.xenolith.dom0.xenstore.Permissions;
import dev.xenolith.dom0.xenstore.StoreAccess;
import dev.xenolith.dom0.xenstore.StoreSession;
import dev.xenolith.dom0.xenstore.StoreTransaction;
import dev.xenolith.dom0.xenstore.XenstoreException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/**
 * What the xenstore tools do and print. Each method returns an exit status. All but {@link #ls} and {@link #watch} work in a
 * transaction where the real tools do, and print only once it is committed.
 */
public final class XenstoreTool {
    private final StoreSession store;
    private final PrintStream out;
    private final Consumer<String> complaints;

    /**
     * Makes the tools for a connection.
     *
     * @param complaints where lines for standard error go, without the name of the program
     */
    public XenstoreTool(StoreSession store, PrintStream out, Consumer<String> complaints) {
        this.store = store;
        this.out = out;
        this.complaints = complaints;
    }

    /** Something that cannot go on: one line of error text. */
    private static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;

        Failure(String message) {
            super(message, null, false, false);
        }

        Failure(String message, XenstoreException cause) {
            this(message + ": " + cause.error().text());
        }
    }

    /** What is done with the store; it prints to a buffer. Returns an exit status. */
    @FunctionalInterface
    private interface Work {
        int in(StoreAccess access, ByteArrayOutputStream buffer) throws Failure;
    }

    /** xenstore-read: prints values, with their paths if {@code prefix}, as they are if {@code raw}. */
    public int read(List<String> keys, boolean prefix, boolean raw) {
        return run(keys.size() > 1, (access, buffer) -> {
            for (String key : keys) {
                byte[] value;
                try {
                    value = access.read(key);
                } catch (XenstoreException e) {
                    throw new Failure("couldn't read path " + key, e);
                }
                if (prefix) {
                    print(buffer, key + ": ");
                }
                if (raw) {
                    buffer.writeBytes(value);
                } else {
                    print(buffer, Values.sanitise(value) + "\n");
                }
            }
            return 0;
        });
    }

    /**
     * xenstore-write: sets values, in which escapes are understood unless {@code raw}.
     *
     * @param keysAndValues keys, each followed by its value
     */
    public int write(List<String> keysAndValues, boolean raw) {
        if (keysAndValues.isEmpty() || keysAndValues.size() % 2 != 0) {
            throw new IllegalArgumentException("each key needs its value");
        }
        return run(keysAndValues.size() > 2, (access, buffer) -> {
            for (int i = 0; i < keysAndValues.size(); i += 2) {
                String text = keysAndValues.get(i + 1);
                try {
                    access.write(keysAndValues.get(i),
                            raw ? text.getBytes(StandardCharsets.UTF_8) : Values.unsanitise(text));
                } catch (XenstoreException e) {
                    throw new Failure("could not write path " + keysAndValues.get(i), e);
                }
            }
            return 0;
        });
    }

    /** xenstore-rm: removes nodes, with {@code tidy} also the nodes above that are left without value and children. */
    public int remove(List<String> keys, boolean tidy) {
        return run(true, (access, buffer) -> {
            for (String key : keys) {
                remove(access, key);
                String above = key;
                while (tidy && above.lastIndexOf('/') > 0) {
                    above = above.substring(0, above.lastIndexOf('/'));
                    if (!isBare(access, above)) {
                        break;
                    }
                    remove(access, above);
                }
            }
            return 0;
        });
    }

    private static void remove(StoreAccess access, String path) throws Failure {
        try {
            access.remove(path);
        } catch (XenstoreException e) {
            throw new Failure("could not remove path " + path, e);
        }
    }

    private static boolean isBare(StoreAccess access, String path) {
        try {
            return access.read(path).length == 0 && access.list(path).isEmpty();
        } catch (XenstoreException e) {
            return false;
        }
    }

    /** xenstore-list: prints the names of children, as paths if {@code prefix}. */
    public int list(List<String> keys, boolean prefix) {
        return run(true, (access, buffer) -> {
            for (String key : keys) {
                try {
                    for (String name : access.list(key)) {
                        print(buffer, (!prefix ? "" : key.endsWith("/") ? key : key + "/") + name + "\n");
                    }
                } catch (XenstoreException e) {
                    throw new Failure("could not list path " + key, e);
                }
            }
            return 0;
        });
    }

    /** xenstore-exists: succeeds, silently, if all are there. */
    public int exists(List<String> keys) {
        return run(true, (access, buffer) -> {
            for (String key : keys) {
                try {
                    access.read(key);
                } catch (XenstoreException e) {
                    return 1;
                }
            }
            return 0;
        });
    }

    /**
     * xenstore-chmod: sets the permissions of a node, with {@code upTo} of all above it too (but not the root), with
     * {@code recurse} of all below.
     *
     * @param permissions letter (n, r, w or b) and domid each, the owner first
     */
    public int chmod(String key, List<String> permissions, boolean upTo, boolean recurse) {
        return run(true, (access, buffer) -> {
            Permissions parsed;
            try {
                parsed = Permissions.parse(permissions);
            } catch (XenstoreException e) {
                throw new Failure("Invalid permission specification: " + String.join(" ", permissions));
            }
            setPermissions(access, key, parsed);
            for (int slash = key.lastIndexOf('/'); upTo && slash > 0; slash = key.lastIndexOf('/', slash - 1)) {
                setPermissions(access, key.substring(0, slash), parsed);
            }
            if (recurse) {
                setPermissionsBelow(access, key, parsed);
            }
            return 0;
        });
    }

    private static void setPermissions(StoreAccess access, String path, Permissions permissions) throws Failure {
        try {
            access.setPermissions(path, permissions);
        } catch (XenstoreException e) {
            throw new Failure("Error occurred setting permissions on '" + path + "'", e);
        }
    }

    private static void setPermissionsBelow(StoreAccess access, String top, Permissions permissions) throws Failure {
        Deque<String> left = new ArrayDeque<>(List.of(top));
        while (!left.isEmpty()) {
            String path = left.pop();
            try {
                for (String name : access.list(path)) {
                    String child = path.endsWith("/") ? path + name : path + "/" + name;
                    setPermissions(access, child, permissions);
                    left.push(child);
                }
            } catch (XenstoreException e) {
                throw new Failure("could not list path " + path, e);
            }
        }
    }

    /**
     * xenstore-ls: prints a tree.
     *
     * @param flat whole paths, values never cut
     * @param permissions those too
     * @param columns width of the terminal, 0 if there is none: lines are then cut for one of 80, unless {@code flat}
     */
    public int ls(List<String> keys, boolean flat, boolean permissions, int columns) {
        TreePrinter printer = new TreePrinter(store, out, this::complain, flat, permissions, columns);
        for (String key : keys.isEmpty() ? List.of("/") : keys) {
            try {
                printer.print(key);
            } catch (XenstoreException e) {
                complain("xs_directory (" + key + "): " + e.error().text());
                return 1;
            }
        }
        return 0;
    }

    /** Where {@link #watch} gets events. */
    @FunctionalInterface
    public interface Events {
        /** Waits for the next path that changed. */
        String take() throws InterruptedException;
    }

    /**
     * xenstore-watch: prints paths that change.
     *
     * @param number how many, -1 for no end
     */
    public int watch(Events events, int number) throws InterruptedException {
        for (int count = 0; number == -1 || count < number; count++) {
            out.print(events.take() + "\n");
            out.flush();
        }
        return 0;
    }

    private int run(boolean inTransaction, Work work) {
        ByteArrayOutputStream buffer = new ByteArrayOutputStream();
        int status;
        try {
            status = inTransaction ? transact(work, buffer) : work.in(store, buffer);
        } catch (Failure e) {
            complain(String.valueOf(e.getMessage()));
            status = 1;
        }
        out.writeBytes(buffer.toByteArray());
        out.flush();
        return status;
    }

    private int transact(Work work, ByteArrayOutputStream buffer) throws Failure {
        while (true) {
            buffer.reset();
            try (StoreTransaction transaction = begin()) {
                int status = work.in(transaction, buffer);
                if (status != 0 || transaction.commit()) {
                    return status;
                }
            } catch (XenstoreException e) {
                throw new Failure("couldn't end transaction", e);
            }
        }
    }

    private StoreTransaction begin() throws Failure {
        try {
            return store.begin();
        } catch (XenstoreException e) {
            throw new Failure("couldn't start transaction", e);
        }
    }

    private void complain(String message) {
        complaints.accept(message);
    }

    private static void print(ByteArrayOutputStream buffer, String text) {
        buffer.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
    }
}
