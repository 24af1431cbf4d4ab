package dev.xenolith.dom0.xenstore;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One client of the store: a guest's ring or a component of a Java domain. It has watches and transactions. */
final class StoreConnection {
    /** XENSTORE_PAYLOAD_MAX: bytes of payload in a message of either direction. */
    static final int MAX_PAYLOAD = 4096;

    final XenStore store;
    final DomainRecord domain;
    final String home;

    /** Position among all connections ever made. */
    final long sequence;

    private final EventSink sink;
    private final DirectView direct;
    private final Map<Key, Watch> watches = new LinkedHashMap<>();
    private final Map<Integer, Transaction> transactions = new TreeMap<>(Integer::compareUnsigned);
    private int lastTransaction;
    private @Nullable Cause cause;

    private record Key(String path, String token) {
    }

    StoreConnection(XenStore store, DomainRecord domain, long sequence, EventSink sink) {
        this.store = store;
        this.domain = domain;
        this.sequence = sequence;
        this.sink = sink;
        home = StorePath.home(domain.domid);
        direct = new DirectView(store, this);
    }

    boolean isUnprivileged() { return domain.isUnprivileged(); }

    /** Whether a permission entry for {@code domid} is about this connection. */
    boolean actsFor(int domid) {
        DomainRecord target = domain.target;
        return domain.domid == domid || target != null && target.domid == domid;
    }

    /** The request being worked on, if what it causes counts against the domain. */
    @Nullable
    Cause cause() {
        return cause;
    }

    void setCause(@Nullable Cause request) { cause = request; }

    DirectView direct() {
        return direct;
    }

    /** The view that requests with transaction id {@code id} work on; 0 is none. */
    StoreView view(int id) throws XenstoreException {
        return id == 0 ? direct : transaction(id);
    }

    private Transaction transaction(int id) throws XenstoreException {
        Transaction transaction = transactions.get(id);
        if (transaction == null) {
            throw new XenstoreException(XenstoreError.ENOENT, "transaction " + Integer.toUnsignedString(id));
        }
        return transaction;
    }

    /** Starts a transaction and returns its id, an unsigned number that is not 0. */
    Transaction start() throws XenstoreException {
        if (isUnprivileged() && domain.transactions >= store.quotas.get(Quotas.Item.TRANSACTIONS)) {
            throw new XenstoreException(XenstoreError.ENOSPC, "transactions of domain " + domain.domid);
        }
        do {
            lastTransaction++;
        } while (lastTransaction == 0 || transactions.containsKey(lastTransaction));
        Transaction transaction = new Transaction(store, this, lastTransaction);
        transactions.put(lastTransaction, transaction);
        store.started(transaction);
        domain.transactions++;
        return transaction;
    }

    /** Ends a transaction, which is over also if it cannot be committed. */
    void end(int id, boolean commit) throws XenstoreException {
        Transaction transaction = transaction(id);
        discard(transaction);
        if (commit) {
            transaction.commit();
        }
    }

    private void discard(Transaction transaction) {
        transactions.remove(transaction.id);
        store.ended(transaction);
        transaction.end();
        domain.transactions--;
    }

    /** Registers a watch. The caller then lets it fire once with {@link #announce}. */
    Watch watch(String path, String token) throws XenstoreException {
        String absolute = StorePath.canonical(home, path);
        boolean valid = StorePath.isSpecial(path)
                ? path.length() <= StorePath.MAX_RELATIVE
                : StorePath.isValid(absolute, store.quotas.get(Quotas.Item.PATH_LENGTH));
        if (!valid) {
            throw new XenstoreException(XenstoreError.EINVAL, path);
        }
        Key key = new Key(absolute, token);
        if (watches.containsKey(key)) {
            throw new XenstoreException(XenstoreError.EEXIST, path);
        }
        if (isUnprivileged() && domain.watches >= store.quotas.get(Quotas.Item.WATCHES)) {
            throw new XenstoreException(XenstoreError.E2BIG, "watches of domain " + domain.domid);
        }
        int prefix = absolute.length() - path.length();
        Watch watch = new Watch(this, absolute, token, prefix, store.nextWatch());
        if (!domain.mayGrow(watch.memory(), store.quotas)) {
            throw new XenstoreException(XenstoreError.ENOMEM, path);
        }
        watches.put(key, watch);
        store.watches.add(watch);
        domain.watches++;
        domain.addSessionMemory(watch.memory());
        return watch;
    }

    /** The event that each watch starts with. It belongs to no request. */
    void announce(Watch watch) {
        deliver(watch.reported(watch.path), watch.token, null);
    }

    void unwatch(String path, String token) throws XenstoreException {
        Watch watch = watches.remove(new Key(StorePath.canonical(home, path), token));
        if (watch == null) {
            throw new XenstoreException(XenstoreError.ENOENT, path);
        }
        forget(watch);
    }

    private void forget(Watch watch) {
        store.watches.remove(watch);
        domain.watches--;
        domain.addSessionMemory(-watch.memory());
    }

    /** Forgets all watches and transactions (RESET_WATCHES, and the end of the connection). */
    void reset() {
        watches.values().forEach(this::forget);
        watches.clear();
        new ArrayList<>(transactions.values()).forEach(this::discard);
    }

    /** Hands an event to the client, unless no message could hold it. */
    void deliver(String path, String token, @Nullable Cause origin) {
        if (path.length() + token.length() + 2 <= MAX_PAYLOAD) {
            sink.event(path, token, origin);
        }
    }
}
