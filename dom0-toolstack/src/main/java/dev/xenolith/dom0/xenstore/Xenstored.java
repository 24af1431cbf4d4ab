package dev.xenolith.dom0.xenstore;

import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.operations.DomainControl.DomainInfo;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The daemon: serves guests over their rings and components of Java domains through {@link XenstoreClient}. It runs in the
 * domain whose handle it has, in turns of bounded length.
 */
public final class Xenstored implements DomainManagement {
    private static final Logger LOG = LoggerFactory.getLogger(Xenstored.class);

    /** GNTTAB_RESERVED_XENSTORE (xen/include/public/grant_table.h): the grant of the ring page. */
    private static final int RING_GRANT = 1;

    /** Event channel ports start at 1. */
    private static final int NO_PORT = 0;

    private static final int REQUESTS_PER_TURN = 16;

    /** What a request is charged, in ns of machine time. */
    private static final long REQUEST_TIME = 2_000;

    private final DomainHandle handle;
    private final XenStore store;
    private final Map<Integer, Guest> guests = new TreeMap<>();
    private final Map<Integer, List<XenstoreClient>> clients = new TreeMap<>();

    /** Domains that were released but have not ended, as far as we know. */
    private final Set<Integer> released = new TreeSet<>();
    private DomainHandle.@Nullable Timer expiry;

    /** A guest that is connected. */
    private final class Guest {
        final int domid;
        final SharedPage page;
        final XenstoreSession session;
        final RingTransport transport;
        int port;
        boolean scheduled;
        boolean gone;
        DomainHandle.@Nullable Timer patience;

        Guest(int domid, SharedPage page, int port) {
            this.domid = domid;
            this.page = page;
            this.port = port;
            session = new XenstoreSession(store, domid, Xenstored.this, this::schedule);
            transport = new RingTransport(page, session, () -> handle.events().send(this.port));
        }

        void schedule() {
            if (!scheduled && !gone) {
                scheduled = true;
                handle.post(this::serve);
            }
        }

        private void serve() {
            scheduled = false;
            if (gone) {
                return;
            }
            int requests = transport.serve(REQUESTS_PER_TURN);
            handle.charge((requests + 1) * REQUEST_TIME);
            if (requests == REQUESTS_PER_TURN) {
                schedule();
            } else if (!session.wantsInput()) {
                waitToBeHeard();
            }
            armExpiry(session.nextDeadline());
        }

        private void waitToBeHeard() {
            session.onRelief(this::schedule);
            long heardFrom = session.heardFrom();
            if (heardFrom > handle.now() && patience == null) {
                patience = handle.at(heardFrom, () -> {
                    patience = null;
                    schedule();
                });
            }
        }

        void close() {
            gone = true;
            if (patience != null) {
                patience.cancel();
            }
            session.close();
            handle.events().close(port);
            page.unmap();
        }
    }

    /** Starts with an empty store, in the domain of {@code handle}, which must be allowed to map grants of all guests. */
    public Xenstored(DomainHandle handle) {
        this.handle = handle;
        store = new XenStore(domid -> handle.control().info(domid) != null, handle::now);
        int port = handle.events().bindVirq(Xen.VIRQ_DOM_EXC);
        if (port < 0) {
            LOG.error("xenstored cannot bind VIRQ_DOM_EXC: {}; it will not notice domains that end", Errno.name(port));
        } else {
            handle.events().onEvent(port, this::checkDomains);
        }
    }

    /** The database, for audits. */
    public XenStore store() {
        return store;
    }

    /** Connects a component of a Java domain. Its watch handlers run on that domain's vCPU. */
    public XenstoreClient connect(DomainHandle client) {
        List<XenstoreClient> ofDomain = clients.computeIfAbsent(client.domid(), domid -> new ArrayList<>());
        XenstoreClient connected = new XenstoreClient(store, client.domid(), this, client::post, ofDomain::remove);
        ofDomain.add(connected);
        return connected;
    }

    /** What a domain that xenstored knows uses of the store. */
    public DomainRecord.Usage usage(int domid) {
        return store.domains.require(domid, store).usage();
    }

    @Override
    public void introduce(int domid, int port) throws XenstoreException {
        if (domid <= 0 || domid >= Xen.DOMID_FIRST_RESERVED) {
            throw new XenstoreException(XenstoreError.EINVAL, "domain " + domid);
        }
        Guest guest = guests.get(domid);
        if (guest == null) {
            guest = connectGuest(domid, port);
            released.remove(domid);
            store.fireSpecial(XenStore.INTRODUCE_DOMAIN);
        } else {
            handle.events().close(guest.port);
            guest.port = NO_PORT;
            guest.port = bind(domid, port);
        }
        handle.events().onEvent(guest.port, guest::schedule);
        guest.transport.restart();
    }

    private Guest connectGuest(int domid, int port) throws XenstoreException {
        SharedPage page;
        try {
            page = handle.grants().map(domid, RING_GRANT, false);
        } catch (OperationException e) {
            LOG.warn("domain {}: cannot map its xenstore ring: {}", domid, e.getMessage());
            throw new XenstoreException(translate(e.error()), "ring of domain " + domid);
        }
        int local;
        try {
            local = bind(domid, port);
        } catch (XenstoreException e) {
            page.unmap();
            throw e;
        }
        Guest guest = new Guest(domid, page, local);
        guests.put(domid, guest);
        return guest;
    }

    private int bind(int domid, int port) throws XenstoreException {
        int local = handle.events().bindInterdomain(domid, port);
        if (local < 0) {
            LOG.warn("domain {}: cannot bind its xenstore port {}: {}", domid, port, Errno.name(local));
            throw new XenstoreException(translate(local), "port " + port + " of domain " + domid);
        }
        return local;
    }

    /** The protocol's name of a Xen errno; those that it has no name for are EINVAL. */
    private static XenstoreError translate(int error) {
        String name = Errno.name(error);
        return Arrays.stream(XenstoreError.values()).filter(known -> known.name().equals(name)).findFirst()
                .orElse(XenstoreError.EINVAL);
    }

    @Override
    public void release(int domid) throws XenstoreException {
        end(connected(domid));
        released.add(domid);
    }

    private Guest connected(int domid) throws XenstoreException {
        Guest guest = guests.get(domid);
        if (guest == null) {
            throw new XenstoreException(XenstoreError.ENOENT, "domain " + domid);
        }
        return guest;
    }

    private void end(Guest guest) {
        guests.remove(guest.domid);
        guest.close();
        forget(guest.domid);
        store.fireSpecial(XenStore.RELEASE_DOMAIN);
    }

    private void forget(int domid) {
        List<XenstoreClient> ofDomain = clients.remove(domid);
        if (ofDomain != null) {
            List.copyOf(ofDomain).forEach(XenstoreClient::close);
        }
        store.forget(domid);
    }

    @Override
    public boolean isIntroduced(int domid) {
        return domid == 0 || guests.containsKey(domid);
    }

    @Override
    public void resume(int domid) throws XenstoreException {
        connected(domid);
        store.domains.require(domid, store).shutdownTold = false;
    }

    @Override
    public void setTarget(int domid, int target) throws XenstoreException {
        connected(domid);
        connected(target);
        store.domains.require(domid, store).target = store.domains.require(target, store);
    }

    /**
     * Something happened to a domain (VIRQ_DOM_EXC): tells of shutdowns and ends, and forgets domains that are gone. The end of a
     * domain that is not connected any more is told too, which the real one does not: others may have waited for it.
     */
    private void checkDomains() {
        boolean tell = released.removeIf(domid -> isEnding(handle.control().info(domid)));
        for (DomainRecord record : List.copyOf(store.domains.all())) {
            if (record.domid == 0) {
                continue;
            }
            Guest guest = guests.get(record.domid);
            DomainInfo info = handle.control().info(record.domid);
            if (guest == null) {
                if (info == null) {
                    forget(record.domid);
                    tell = true;
                }
            } else if (isEnding(info)) {
                end(guest);
            }
            if (info != null && info.shutdown() && !info.dying() && !record.shutdownTold) {
                record.shutdownTold = true;
                tell = true;
            }
        }
        if (tell) {
            store.fireSpecial(XenStore.RELEASE_DOMAIN);
        }
    }

    private static boolean isEnding(@Nullable DomainInfo info) {
        return info == null || info.dying();
    }

    /** Sees to it that events which nobody reads go away in time. All have the same time to wait, so a timer that is set is due first. */
    private void armExpiry(long deadline) {
        if (expiry == null && deadline != Long.MAX_VALUE) {
            expiry = handle.at(deadline, this::expire);
        }
    }

    private void expire() {
        expiry = null;
        long next = Long.MAX_VALUE;
        for (Guest guest : guests.values()) {
            guest.session.expire();
            next = Math.min(next, guest.session.nextDeadline());
        }
        armExpiry(next);
    }
}
