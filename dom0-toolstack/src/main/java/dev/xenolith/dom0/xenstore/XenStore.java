package dev.xenolith.dom0.xenstore;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.IntPredicate;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The database: today's tree, the domains that own its nodes, and the watches on it. Clients reach it through a
 * {@link XenstoreClient} or a {@link XenstoreSession}.
 */
public final class XenStore {
    static final String INTRODUCE_DOMAIN = "@introduceDomain";
    static final String RELEASE_DOMAIN = "@releaseDomain";

    /**
     * Bytes of replaced nodes that open transactions may keep alive. Snapshots cost their owner nothing, so without a limit
     * domains could fill the heap by keeping old versions of what others write.
     */
    private static final long MAX_HELD_BYTES = 64 << 20;

    private static final Permissions NOBODY = Permissions.owned(0, Permissions.NONE);

    final Quotas quotas = new Quotas();
    final WatchTable watches = new WatchTable();
    final DomainTable domains;
    private final WriteRate writeRate = new WriteRate();
    private final LongSupplier clock;

    private final Map<String, Permissions> specialPermissions = new TreeMap<>();

    /** Oldest snapshot first, as long as none has been outdated; those that were go to the end. */
    private final Set<Transaction> open = new LinkedHashSet<>();
    private final StoreConnection own;
    private Node root = new Node(Node.NO_VALUE, NOBODY, Children.NONE, 0);
    private long generation;
    private long retired;
    private long connections;
    private long watchesSet;
    private boolean logsRequests;

    /**
     * An empty store.
     *
     * @param exists tells whether the hypervisor knows a domain
     * @param clock machine time in ns
     */
    public XenStore(IntPredicate exists, LongSupplier clock) {
        this.clock = clock;
        domains = new DomainTable(exists);
        DomainRecord dom0 = domains.require(0, this);
        dom0.nodes = 1;
        dom0.nodeMemory = root.recordBytes() + 1;
        own = new StoreConnection(this, dom0, connections++, (path, token, cause) -> {});
        specialPermissions.put(INTRODUCE_DOMAIN, NOBODY);
        specialPermissions.put(RELEASE_DOMAIN, NOBODY);
        try {
            own.direct().mkdir("/tool/xenstored");
        } catch (XenstoreException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Connects a client to a store that no daemon serves, such as one of a tool or a benchmark: requests about domains are
     * refused with ENOSYS.
     */
    public XenstoreClient client(int domid, Executor executor) {
        return new XenstoreClient(this, domid, new NoDomains(), executor, client -> {});
    }

    /** Likewise, for a client that speaks the wire protocol. */
    public XenstoreSession session(int domid) {
        return new XenstoreSession(this, domid, new NoDomains(), () -> {});
    }

    StoreConnection connect(int domid, EventSink sink) {
        return new StoreConnection(this, domains.require(domid, this), connections++, sink);
    }

    /** Switches the log of all requests on or off. */
    void logRequests(boolean on) {
        logsRequests = on;
    }

    boolean logsRequests() {
        return logsRequests;
    }

    Node root() {
        return root;
    }

    /** Makes another tree today's. {@code retiredBytes} is what stays behind for those who hold the old one. */
    void setRoot(Node newRoot, long retiredBytes) {
        root = newRoot;
        retired += retiredBytes;
        while (!open.isEmpty()) {
            Transaction oldest = open.iterator().next();
            if (oldest.heldBytes() <= MAX_HELD_BYTES) {
                break;
            }
            open.remove(oldest);
            oldest.outdate();
            open.add(oldest);
        }
    }

    /** Bytes of nodes replaced so far. */
    long retiredBytes() {
        return retired;
    }

    long nextGeneration() {
        return ++generation;
    }

    long nextWatch() {
        return watchesSet++;
    }

    long now() {
        return clock.getAsLong();
    }

    WriteRate writeRate() {
        return writeRate;
    }

    /** A connection's domain has written while others have transactions open that this may be in the way of. */
    void wrote(StoreConnection connection, int nodes) {
        WriteRate.Account account = connection.domain.writes;
        if (account != null && !open.isEmpty()) {
            writeRate.spend(account, nodes, now());
        }
    }

    void started(Transaction transaction) {
        open.add(transaction);
    }

    void ended(Transaction transaction) {
        open.remove(transaction);
    }

    /**
     * Tells the watchers of a change. A connection hears of it if it may read the node, or could before the change, or may read
     * the node above.
     *
     * @param node the node, or as it was last; null if it was removed in a transaction, then {@code before} decides
     * @param parent the node above if that is not in the tree any more
     */
    void fire(String path, boolean exact, @Nullable Permissions before, @Nullable Node node, @Nullable Node parent,
            @Nullable Cause cause) {
        watches.fire(path, exact, connection -> mayRead(connection, before)
                || node != null && (mayRead(connection, domains.current(node))
                        || mayRead(connection, parentPermissions(path, parent))),
                cause);
    }

    private @Nullable Permissions parentPermissions(String path, @Nullable Node known) {
        Node parent = known == null ? Tree.find(root, StorePath.parent(path)) : known;
        return parent == null ? null : domains.current(parent);
    }

    private static boolean mayRead(StoreConnection connection, @Nullable Permissions permissions) {
        return permissions != null && (permissions.allowed(connection) & Permissions.READ) != 0;
    }

    /** Lets a special event (@introduceDomain, @releaseDomain) happen. */
    void fireSpecial(String name) {
        watches.fire(name, true, connection -> mayRead(connection, specialPermissions.get(name)), null);
    }

    /** Permissions of a special event: reading is hearing of it. */
    void setSpecialPermissions(StoreConnection connection, String name, Permissions permissions)
            throws XenstoreException {
        Permissions before = specialPermissions.get(name);
        if (before == null) {
            throw new XenstoreException(XenstoreError.EINVAL, name);
        }
        int needed = Permissions.WRITE | Permissions.OWNER;
        if ((before.allowed(connection) & needed) != needed) {
            throw new XenstoreException(XenstoreError.EACCES, name);
        }
        specialPermissions.put(name, permissions);
    }

    /** Forgets a domain that is gone, and removes its nodes with all that is below them. Its connections are closed already. */
    void forget(int domid) {
        DomainRecord record = domains.find(domid);
        if (record == null || domid == 0) {
            return;
        }
        for (String path : ownedBy(domid)) {
            try {
                own.direct().removeSubtree(path);
            } catch (XenstoreException e) {
                throw new IllegalStateException("removing " + path, e);
            }
        }
        specialPermissions.replaceAll((name, permissions) -> permissions.owner() == domid
                ? permissions.withOwner(0).staleUnless(id -> id != domid)
                : permissions.staleUnless(id -> id != domid));
        domains.remove(record);
    }

    /** The topmost nodes that a domain owns, in order. */
    private List<String> ownedBy(int domid) {
        List<String> owned = new ArrayList<>();
        walk((path, node) -> {
            boolean mine = node.permissions.owner() == domid;
            if (mine && !path.equals("/")) {
                owned.add(path);
            }
            return !mine;
        });
        return owned;
    }

    /** Visits nodes, each before its children; {@code visitor} says whether to go below. */
    private void walk(Visitor visitor) {
        record Frame(String path, Node node, Iterator<String> names) {
        }
        Deque<Frame> stack = new ArrayDeque<>();
        if (visitor.enter("/", root)) {
            stack.push(new Frame("/", root, root.children.names().iterator()));
        }
        while (!stack.isEmpty()) {
            Frame frame = stack.element();
            if (!frame.names.hasNext()) {
                stack.pop();
                continue;
            }
            String name = frame.names.next();
            Node child = frame.node.children.get(name);
            String path = StorePath.child(frame.path, name);
            if (child != null && visitor.enter(path, child)) {
                stack.push(new Frame(path, child, child.children.names().iterator()));
            }
        }
    }

    private interface Visitor {
        boolean enter(String path, Node node);
    }

    /**
     * Recounts what each domain owns and compares. Returns one line for each account that is wrong: none, unless the store has
     * a bug.
     */
    public List<String> audit() {
        Map<Integer, long[]> counted = new TreeMap<>();
        walk((path, node) -> {
            long[] count = counted.computeIfAbsent(node.permissions.owner(), owner -> new long[2]);
            count[0]++;
            count[1] += node.recordBytes() + path.length();
            return true;
        });
        List<String> wrong = new ArrayList<>();
        for (DomainRecord record : domains.all()) {
            long[] count = counted.getOrDefault(record.domid, new long[2]);
            counted.remove(record.domid);
            if (record.nodes != count[0] || record.nodeMemory != count[1]) {
                wrong.add("domain %d: %d nodes of %d bytes booked, %d of %d found".formatted(record.domid, record.nodes,
                        record.nodeMemory, count[0], count[1]));
            }
        }
        counted.keySet().forEach(domid -> wrong.add("domain " + domid + " is unknown but owns nodes"));
        return wrong;
    }
}
