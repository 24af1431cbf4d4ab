package dev.xenolith.dom0.host;

import dev.xenolith.dom0.xenstore.Permissions;
import dev.xenolith.dom0.xenstore.StoreAccess;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.XenstoreTransaction;
import dev.xenolith.dom0.xl.Xenstore;
import dev.xenolith.dom0.xl.XenstoreOperations;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A connection to xenstored for a command, which runs on another thread: each request becomes a handler of dom0. */
final class CommandXenstore implements Xenstore {
    private final HostToolstack toolstack;
    private final XenstoreClient client;
    private final Requests direct;

    CommandXenstore(HostToolstack toolstack, XenstoreClient client) {
        this.toolstack = toolstack;
        this.client = client;
        this.direct = new Requests(toolstack, client);
    }

    /** The requests that are the same in and outside of a transaction. */
    private static class Requests implements XenstoreOperations {
        private final HostToolstack toolstack;
        private final StoreAccess access;

        Requests(HostToolstack toolstack, StoreAccess access) {
            this.toolstack = toolstack;
            this.access = access;
        }

        @Override
        public List<String> directory(String path) {
            return ask(toolstack, path, () -> access.list(path));
        }

        @Override
        public byte[] read(String path) {
            return ask(toolstack, path, () -> access.read(path));
        }

        @Override
        public void write(String path, byte[] value) {
            ask(toolstack, path, () -> {
                access.write(path, value);
                return true;
            });
        }

        @Override
        public void mkdir(String path) {
            ask(toolstack, path, () -> {
                access.mkdir(path);
                return true;
            });
        }

        @Override
        public void remove(String path) {
            ask(toolstack, path, () -> {
                access.remove(path);
                return true;
            });
        }

        @Override
        public List<String> permissions(String path) {
            return ask(toolstack, path, () -> access.permissions(path).entries());
        }

        @Override
        public void setPermissions(String path, List<String> permissions) {
            ask(toolstack, path, () -> {
                access.setPermissions(path, Permissions.parse(permissions));
                return true;
            });
        }
    }

    private interface Request<T> {
        T send() throws XenstoreException;
    }

    private static <T> T ask(HostToolstack toolstack, String path, Request<T> request) {
        return toolstack.ask(() -> {
            try {
                return request.send();
            } catch (XenstoreException e) {
                throw new dev.xenolith.dom0.xl.XenstoreException(e.error().name(), path);
            }
        });
    }

    @Override
    public List<String> directory(String path) {
        return direct.directory(path);
    }

    @Override
    public byte[] read(String path) {
        return direct.read(path);
    }

    @Override
    public void write(String path, byte[] value) {
        direct.write(path, value);
    }

    @Override
    public void mkdir(String path) {
        direct.mkdir(path);
    }

    @Override
    public void remove(String path) {
        direct.remove(path);
    }

    @Override
    public List<String> permissions(String path) {
        return direct.permissions(path);
    }

    @Override
    public void setPermissions(String path, List<String> permissions) {
        direct.setPermissions(path, permissions);
    }

    @Override
    public Transaction transaction() {
        XenstoreTransaction transaction = ask(toolstack, "transaction", client::begin);
        return new OpenTransaction(transaction);
    }

    private final class OpenTransaction extends Requests implements Transaction {
        private final XenstoreTransaction transaction;

        OpenTransaction(XenstoreTransaction transaction) {
            super(toolstack, transaction);
            this.transaction = transaction;
        }

        @Override
        public boolean commit() {
            return ask(toolstack, "transaction", transaction::commit);
        }

        @Override
        public void close() {
            toolstack.ask(() -> {
                transaction.close();
                return true;
            });
        }
    }

    @Override
    public Watch watch(String path) {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        XenstoreClient.WatchRegistration registration = ask(toolstack, path, () -> client.watch(path, events::add));
        return new Watch() {
            @Override
            public String take() throws InterruptedException {
                while (true) {
                    String path = events.poll(1, TimeUnit.SECONDS);
                    if (path != null) {
                        return path;
                    }
                    toolstack.requireRunning();
                }
            }

            @Override
            public void close() {
                toolstack.ask(() -> {
                    registration.close();
                    return true;
                });
            }
        };
    }

    @Override
    public void close() {
        toolstack.ask(() -> {
            client.close();
            return true;
        });
    }
}
