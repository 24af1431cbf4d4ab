package dev.xenolith.dom0.support;

import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainDebug;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.EventChannels;
import dev.xenolith.hypervisor.operations.Grants;
import dev.xenolith.hypervisor.operations.HostControl;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Predicate;

/** Domains with granted pages and event channels, and handlers that run when {@link #run} says so. */
public final class FakeHypervisor {
    private final Map<Integer, DomainControl.DomainInfo> domains = new TreeMap<>();
    private final Map<String, FakePage> granted = new HashMap<>();
    private final Map<Integer, Runnable> handlers = new TreeMap<>();
    private final Map<Integer, Peer> peers = new TreeMap<>();
    private final Deque<Runnable> queue = new ArrayDeque<>();
    private final Map<Integer, List<Runnable>> deaths = new HashMap<>();
    private final List<Timer> timers = new ArrayList<>();
    private final List<FakeMapping> mapped = new ArrayList<>();
    private long now;
    private long charged;
    private int nextPort = 1;
    private int virqPort;

    /** The other end of a port. */
    private static final class Peer {
        final int domid;
        final int port;
        int signals;

        Peer(int domid, int port) {
            this.domid = domid;
            this.port = port;
        }
    }

    private record Timer(long deadline, Runnable handler) {
    }

    public FakeHypervisor() {
        addDomain(0);
    }

    public void addDomain(int domid) {
        domains.put(domid, info(domid, false, false));
    }

    private static DomainControl.DomainInfo info(int domid, boolean shutdown, boolean dying) {
        return new DomainControl.DomainInfo(domid, new UUID(0, domid), 1, 1, 1, 1, true, false, false, shutdown, dying,
                false, 0, 0, false, 0);
    }

    /** Grants a new page and returns it. */
    public FakePage grant(int domid, int reference) {
        FakePage page = new FakePage();
        granted.put(domid + "/" + reference, page);
        return page;
    }

    /** A page that has been granted. */
    public FakePage granted(int domid, int reference) {
        FakePage page = granted.get(domid + "/" + reference);
        if (page == null) {
            throw new IllegalArgumentException("domain " + domid + " grants no " + reference);
        }
        return page;
    }

    /** A domain takes a grant back. */
    public void revoke(int domid, int reference) {
        granted.remove(domid + "/" + reference);
    }

    public void shutdown(int domid) {
        domains.put(domid, info(domid, true, false));
        raiseVirq();
    }

    public void dying(int domid) {
        List<Runnable> actions = deaths.remove(domid);
        if (actions != null) {
            actions.forEach(Runnable::run);
        }
        domains.put(domid, info(domid, true, true));
        raiseVirq();
    }

    public void destroy(int domid) {
        domains.remove(domid);
        granted.keySet().removeIf(key -> key.startsWith(domid + "/"));
        raiseVirq();
    }

    private void raiseVirq() {
        Runnable handler = handlers.get(virqPort);
        if (handler != null) {
            queue.add(handler);
        }
    }

    /** A guest signals all ports through which dom0 is bound to it. */
    public void signalFrom(int domid) {
        signal(peer -> peer.domid == domid);
    }

    /** A guest signals one of its ports. */
    public void signalFrom(int domid, int port) {
        signal(peer -> peer.domid == domid && peer.port == port);
    }

    private void signal(Predicate<Peer> which) {
        for (Map.Entry<Integer, Peer> entry : peers.entrySet()) {
            Runnable handler = handlers.get(entry.getKey());
            if (which.test(entry.getValue()) && handler != null) {
                queue.add(handler);
            }
        }
    }

    /** How often dom0 has signalled a domain since last asked. */
    public int takeSignals(int domid) {
        int signals = 0;
        for (Peer peer : peers.values()) {
            if (peer.domid == domid) {
                signals += peer.signals;
                peer.signals = 0;
            }
        }
        return signals;
    }

    /** Open ports of dom0. */
    public int openPorts() {
        return handlers.size() + peers.size();
    }

    /** Pages that dom0 has mapped and not given back. */
    public long mappedPages() {
        return mapped.stream().mapToInt(FakeMapping::pages).sum();
    }

    public long charged() {
        return charged;
    }

    /** Runs one queued handler. Returns whether there was one. */
    public boolean runOne() {
        Runnable handler = queue.poll();
        if (handler != null) {
            handler.run();
        }
        return handler != null;
    }

    /** Runs handlers until none is queued. */
    public void run() {
        for (int steps = 0; runOne(); steps++) {
            if (steps > 1_000_000) {
                throw new IllegalStateException("handlers never come to rest");
            }
        }
    }

    public long now() {
        return now;
    }

    /** Lets time pass, and due timers run. */
    public void advance(long nanoseconds) {
        long end = now + nanoseconds;
        while (true) {
            Timer next = timers.stream().min(Comparator.comparingLong(Timer::deadline)).orElse(null);
            if (next == null || next.deadline > end) {
                break;
            }
            timers.remove(next);
            now = Math.max(now, next.deadline);
            next.handler.run();
            run();
        }
        now = end;
    }

    /** The handle of a Java domain. */
    public DomainHandle handle(int domid) {
        return new Handle(domid);
    }

    private final class Handle implements DomainHandle, EventChannels, Grants {
        private final int domid;

        Handle(int domid) {
            this.domid = domid;
        }

        @Override
        public int domid() {
            return domid;
        }

        @Override
        public long now() {
            return now;
        }

        @Override
        public void post(Runnable handler) {
            queue.add(handler);
        }

        @Override
        public DomainHandle.Timer at(long deadline, Runnable handler) {
            FakeHypervisor.Timer timer = new FakeHypervisor.Timer(deadline, handler);
            timers.add(timer);
            return () -> timers.remove(timer);
        }

        @Override
        public void whenDying(Runnable action) {
            deaths.computeIfAbsent(domid, _ -> new ArrayList<>()).add(action);
        }

        @Override
        public void charge(long nanoseconds) {
            charged += nanoseconds;
        }

        @Override
        public EventChannels events() {
            return this;
        }

        @Override
        public Grants grants() {
            return this;
        }

        @Override
        public DomainControl control() {
            return (DomainControl) Proxy.newProxyInstance(DomainControl.class.getClassLoader(),
                    new Class<?>[]{DomainControl.class}, (proxy, method, arguments) -> {
                        return switch (method.getName()) {
                            case "info" -> domains.get((Integer) arguments[0]);
                            case "list" -> List.copyOf(domains.values());
                            case "mapForeign" -> throw new OperationException(-Errno.ESRCH, "no such frame");
                            default -> throw new UnsupportedOperationException(method.getName());
                        };
                    });
        }

        @Override
        public DomainDebug debug() {
            throw new UnsupportedOperationException();
        }

        @Override
        public HostControl host() {
            throw new UnsupportedOperationException();
        }

        @Override
        public int allocUnbound(int remote) {
            return -Errno.ENOSYS;
        }

        @Override
        public int allocUnboundFor(int owner, int remote) {
            return -Errno.ENOSYS;
        }

        @Override
        public int bindInterdomain(int remote, int remotePort) {
            if (!domains.containsKey(remote)) {
                return -Errno.ESRCH;
            }
            if (remotePort > 4095) {
                return -Errno.EINVAL;
            }
            peers.put(nextPort, new Peer(remote, remotePort));
            return nextPort++;
        }

        @Override
        public int bindVirq(int virq) {
            if (virq != Xen.VIRQ_DOM_EXC) {
                return -Errno.EINVAL;
            }
            virqPort = nextPort++;
            return virqPort;
        }

        @Override
        public int close(int port) {
            handlers.remove(port);
            return peers.remove(port) == null ? -Errno.EINVAL : 0;
        }

        @Override
        public int send(int port) {
            Peer peer = peers.get(port);
            if (peer == null) {
                return -Errno.EINVAL;
            }
            peer.signals++;
            return 0;
        }

        @Override
        public void onEvent(int port, Runnable handler) {
            handlers.put(port, handler);
        }

        @Override
        public SharedPage map(int owner, int reference, boolean readOnly) throws OperationException {
            return map(owner, new int[]{reference}, readOnly);
        }

        @Override
        public SharedPage map(int owner, int[] references, boolean readOnly) throws OperationException {
            List<FakePage> pages = new ArrayList<>();
            for (int reference : references) {
                FakePage page = granted.get(owner + "/" + reference);
                if (page == null) {
                    throw new OperationException(-3, "bad grant reference " + reference);
                }
                pages.add(page);
            }
            FakeMapping mapping = new FakeMapping(pages);
            mapped.add(mapping);
            return mapping;
        }

        @Override
        public int mapped() {
            return (int) mappedPages();
        }

        @Override
        public int copy(int sourceOwner, int sourceReference, int sourceOffset, int targetOwner, int targetReference,
                int targetOffset, int length) {
            byte[] bytes = new byte[length];
            copyFrom(sourceOwner, sourceReference, sourceOffset, bytes, 0, length);
            return copyTo(targetOwner, targetReference, targetOffset, bytes, 0, length);
        }

        @Override
        public int copyFrom(int owner, int reference, int offset, byte[] target, int targetOffset, int length) {
            FakePage page = granted.get(owner + "/" + reference);
            if (page == null) {
                return -3;
            }
            page.read(offset, target, targetOffset, length);
            return 0;
        }

        @Override
        public int copyTo(int owner, int reference, int offset, byte[] source, int sourceOffset, int length) {
            FakePage page = granted.get(owner + "/" + reference);
            if (page == null) {
                return -3;
            }
            page.write(offset, source, sourceOffset, length);
            return 0;
        }
    }
}
