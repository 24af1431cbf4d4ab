package dev.xenolith.dom0.xenstore;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A component's connection to xenstore, in the name of its domain. To be used on the machine thread. Watch handlers are called
 * through the executor, never from inside an operation.
 */
public final class XenstoreClient extends ViewAccess implements StoreSession, AutoCloseable {
    /** Events handled in one go. */
    private static final int EVENTS_PER_TURN = 64;

    private static final int MAX_ATTEMPTS = 16;

    /** What is counted for an event that waits, besides its text. */
    private static final int EVENT_BYTES = 16;

    private final StoreConnection connection;
    private final DomainManagement domains;
    private final Executor executor;
    private final Consumer<XenstoreClient> onClose;
    private final Map<String, Consumer<String>> handlers = new HashMap<>();
    private final Deque<Event> events = new ArrayDeque<>();
    private final Set<Key> waiting = new HashSet<>();
    private long tokens;
    private boolean closed;

    private record Key(String path, String token) {
        int bytes() {
            return path.length() + token.length() + EVENT_BYTES;
        }
    }

    private record Event(Key key, @Nullable Cause cause) {
    }

    XenstoreClient(XenStore store, int domid, DomainManagement domains, Executor executor,
            Consumer<XenstoreClient> onClose) {
        this.onClose = onClose;
        this.domains = domains;
        this.executor = executor;
        connection = store.connect(domid, this::enqueue);
    }

    /** The directory of this client's domain. */
    public String home() {
        return connection.home;
    }

    @Override
    StoreView view() throws XenstoreException {
        requireOpen();
        return connection.direct();
    }

    private void requireOpen() throws XenstoreException {
        if (closed) {
            throw new XenstoreException(XenstoreError.EIO, "connection is closed");
        }
    }

    @Override
    public XenstoreTransaction begin() throws XenstoreException {
        requireOpen();
        return new XenstoreTransaction(connection);
    }

    /** Does {@code work} in a transaction, again if others were in its way. What it throws aborts the transaction. */
    public <T extends @Nullable Object> T transaction(Work<T> work) throws XenstoreException {
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            try (XenstoreTransaction transaction = begin()) {
                T result = work.in(transaction);
                if (transaction.commit()) {
                    return result;
                }
            }
        }
        throw new XenstoreException(XenstoreError.EAGAIN, "transaction gave up after " + MAX_ATTEMPTS + " attempts");
    }

    /** What is done in a transaction. */
    @FunctionalInterface
    public interface Work<T extends @Nullable Object> {
        T in(StoreAccess store) throws XenstoreException;
    }

    /**
     * Watches a node and all below it, or one of the special events @introduceDomain and @releaseDomain. The handler is called
     * once soon, and then after each change, with the path that changed: relative if {@code path} is.
     */
    public WatchRegistration watch(String path, Consumer<String> handler) throws XenstoreException {
        requireOpen();
        String token = "client-" + tokens++;
        Watch watch = connection.watch(path, token);
        handlers.put(token, handler);
        connection.announce(watch);
        return () -> {
            if (handlers.remove(token) != null && !closed) {
                try {
                    connection.unwatch(path, token);
                } catch (XenstoreException e) {
                    throw new IllegalStateException(e);
                }
            }
        };
    }

    /** A watch that is set. */
    public interface WatchRegistration extends AutoCloseable {
        /** Ends the watch; its handler is not called any more. */
        @Override
        void close();
    }

    private void enqueue(String path, String token, @Nullable Cause cause) {
        Key key = new Key(path, token);
        if (!StorePath.isSpecial(path) && waiting.contains(key)
                || !connection.domain.mayGrow(key.bytes(), connection.store.quotas)) {
            return;
        }
        connection.domain.addSessionMemory(key.bytes());
        if (cause != null) {
            cause.queued();
        }
        waiting.add(key);
        events.add(new Event(key, cause));
        if (events.size() == 1) {
            executor.execute(this::dispatch);
        }
    }

    private void dispatch() {
        for (int i = 0; i < EVENTS_PER_TURN && !events.isEmpty(); i++) {
            Key key = take();
            Consumer<String> handler = handlers.get(key.token);
            if (handler != null) {
                handler.accept(key.path);
            }
        }
        if (!events.isEmpty()) {
            executor.execute(this::dispatch);
        }
    }

    private Key take() {
        Event event = events.remove();
        waiting.remove(event.key);
        connection.domain.addSessionMemory(-event.key.bytes());
        if (event.cause != null) {
            event.cause.delivered();
        }
        return event.key;
    }

    /** Connects a new domain's ring, as XS_INTRODUCE does: grant 1 and {@code port}, which waits for this domain. */
    public void introduce(int domid, int port) throws XenstoreException {
        requirePrivileged();
        domains.introduce(domid, port);
    }

    /** Ends a domain's connection and removes its nodes (XS_RELEASE). */
    public void release(int domid) throws XenstoreException {
        requirePrivileged();
        domains.release(domid);
    }

    public boolean isIntroduced(int domid) throws XenstoreException {
        requirePrivileged();
        return domains.isIntroduced(domid);
    }

    /** Lets the next shutdown of a domain be told by @releaseDomain again (XS_RESUME). */
    public void resume(int domid) throws XenstoreException {
        requirePrivileged();
        domains.resume(domid);
    }

    /** Lets a device model's domain act for the domain it serves (XS_SET_TARGET). */
    public void setTarget(int domid, int target) throws XenstoreException {
        requirePrivileged();
        domains.setTarget(domid, target);
    }

    private void requirePrivileged() throws XenstoreException {
        requireOpen();
        if (connection.isUnprivileged()) {
            throw new XenstoreException(XenstoreError.EACCES, "domain " + connection.domain.domid);
        }
    }

    /** Ends watches and open transactions; operations are then refused with EIO. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            onClose.accept(this);
            connection.reset();
            handlers.clear();
            while (!events.isEmpty()) {
                take();
            }
        }
    }
}
