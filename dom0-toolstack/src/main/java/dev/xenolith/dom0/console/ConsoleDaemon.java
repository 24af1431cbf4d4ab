package dev.xenolith.dom0.console;

import dev.xenolith.dom0.backend.Backend;
import dev.xenolith.dom0.backend.BackendDevice;
import dev.xenolith.dom0.backend.BackendDriver;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainControl.DomainInfo;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The daemon: watches domains come and go, serves the console of each whose {@code console/type} is xenconsoled, and lets
 * clients attach. There is no pseudo terminal, so it writes no {@code console/tty}; {@code console/limit} bounds the backlog.
 */
public final class ConsoleDaemon {
    private static final Logger LOG = LoggerFactory.getLogger(ConsoleDaemon.class);

    /** GNTTAB_RESERVED_CONSOLE (xen/include/public/grant_table.h): the grant of the ring page. */
    private static final int RING_GRANT = 0;

    /** The kind of device that a further console is. */
    public static final String CONSOLE = "console";

    private static final int DEFAULT_LIMIT = 1 << 20;
    private static final int MAX_LIMIT = 16 << 20;

    private final DomainHandle handle;
    private final XenstoreClient store;
    private final Overflow overflow;
    private final ConsoleLogs logs;
    private final Map<Integer, Entry> consoles = new TreeMap<>();
    private final Map<Extra, GuestConsole> extras = new HashMap<>();

    private record Entry(GuestConsole console, XenstoreClient.WatchRegistration watch) {
    }

    /** Names a console that is not its domain's first. */
    private record Extra(int domid, int number) {
    }

    /** Starts in the domain of {@code handle}, whose connection to xenstore {@code store} is. */
    public ConsoleDaemon(DomainHandle handle, XenstoreClient store, Overflow overflow, ConsoleLogs logs)
            throws XenstoreException {
        this.handle = handle;
        this.store = store;
        this.overflow = overflow;
        this.logs = logs;
        store.watch("@introduceDomain", path -> findDomains());
        store.watch("@releaseDomain", path -> findDomains());
    }

    /**
     * Attaches a client to the console of a domain, which need not have its ring yet.
     *
     * @return null if there is no such domain
     */
    public @Nullable ConsoleAttachment attach(int domid, ConsoleClient client) {
        Entry entry = consoles.get(domid);
        if (entry == null) {
            DomainInfo info = domid == handle.domid() ? null : handle.control().info(domid);
            entry = info == null || info.dying() ? null : add(domid);
        }
        return entry == null ? null : entry.console.attach(client);
    }

    /** The domain has a new port for its console, of the same number perhaps: connects to it. */
    public void reconnect(int domid) {
        Entry entry = consoles.get(domid);
        if (entry != null) {
            entry.console.disconnect();
            refresh(domid);
        }
    }

    /**
     * Attaches a client to one of the consoles of a domain.
     *
     * @param number 0 for the first
     * @return null if there is no such domain or console
     */
    public @Nullable ConsoleAttachment attach(int domid, int number, ConsoleClient client) {
        GuestConsole extra = extras.get(new Extra(domid, number));
        return number == 0 ? attach(domid, client) : extra == null ? null : extra.attach(client);
    }

    /** Makes the backends of consoles that are announced as devices: all but the first of a domain, whose ring its builder makes. */
    public BackendDriver extraConsoles(ConsoleSockets sockets) {
        return new BackendDriver() {
            @Override
            public String kind() {
                return CONSOLE;
            }

            @Override
            public Backend create(BackendDevice device) {
                Extra extra = new Extra(device.frontendId(), device.number());
                GuestConsole console = new GuestConsole(handle, overflow, DEFAULT_LIMIT);
                String name = find("/local/domain/" + extra.domid + "/name");
                console.setLog(
                        name == null || name.isEmpty() ? null : logs.open(extra.domid, name + '-' + extra.number));
                extras.put(extra, console);
                return new ConsoleBackend(device, console, sockets, () -> extras.remove(extra));
            }
        };
    }

    private @Nullable String find(String path) {
        try {
            return store.findText(path);
        } catch (XenstoreException e) {
            return null;
        }
    }

    /** Lines of output of a domain that were dropped because nobody read them in time. */
    public long droppedLines(int domid) {
        Entry entry = consoles.get(domid);
        return entry == null ? 0 : entry.console.backlog().droppedLines();
    }

    private void findDomains() {
        List<DomainInfo> domains = handle.control().list();
        Set<Integer> alive = new HashSet<>();
        for (DomainInfo info : domains) {
            if (info.domid() != handle.domid() && !info.dying()) {
                alive.add(info.domid());
                if (!consoles.containsKey(info.domid())) {
                    add(info.domid());
                }
            }
        }
        for (int domid : List.copyOf(consoles.keySet())) {
            if (!alive.contains(domid)) {
                remove(domid);
            }
        }
    }

    private @Nullable Entry add(int domid) {
        GuestConsole console = new GuestConsole(handle, overflow, DEFAULT_LIMIT);
        try {
            Entry entry = new Entry(console, store.watch(directory(domid), path -> refresh(domid)));
            consoles.put(domid, entry);
            return entry;
        } catch (XenstoreException e) {
            LOG.warn("domain {}: cannot watch its console: {}", domid, e.getMessage());
            return null;
        }
    }

    private void remove(int domid) {
        Entry entry = consoles.remove(domid);
        if (entry != null) {
            entry.watch.close();
            entry.console.end();
        }
    }

    private static String directory(int domid) {
        return "/local/domain/" + domid + "/console";
    }

    /** Looks at a domain's console nodes: connects the ring that they tell of, or gives it back if they are gone. */
    private void refresh(int domid) {
        Entry entry = consoles.get(domid);
        if (entry == null) {
            return;
        }
        GuestConsole console = entry.console;
        try {
            String directory = directory(domid);
            Long frame = number(store.findText(directory + "/ring-ref"));
            Long port = number(store.findText(directory + "/port"));
            String type = store.findText(directory + "/type");
            GuestConsole.Ring ring = console.ring();
            if (frame == null || port == null) {
                console.disconnect();
                return;
            }
            if (type != null && !type.equals("xenconsoled") || ring != null && ring.remotePort() == port) {
                return;
            }
            Long limit = number(store.findText(directory + "/limit"));
            if (limit != null && limit > 0) {
                console.setLimit((int) Math.min(limit, MAX_LIMIT));
            }
            if (!console.hasLog()) {
                String name = store.findText("/local/domain/" + domid + "/name");
                console.setLog(name == null || name.isEmpty() ? null : logs.open(domid, name));
            }
            console.disconnect();
            connect(domid, console, frame, (int) (long) port);
        } catch (XenstoreException e) {
            LOG.warn("domain {}: cannot read its console nodes: {}", domid, e.getMessage());
        }
    }

    private void connect(int domid, GuestConsole console, long frame, int port) {
        SharedPage page = map(domid, frame);
        if (page == null) {
            return;
        }
        int local = handle.events().bindInterdomain(domid, port);
        if (local < 0) {
            LOG.warn("domain {}: cannot bind its console port {}: {}", domid, port, Errno.name(local));
            page.unmap();
            return;
        }
        console.connect(new GuestConsole.Ring(page, local, port));
    }

    /** The ring page: by grant, else as a foreign frame. */
    private @Nullable SharedPage map(int domid, long frame) {
        try {
            return handle.grants().map(domid, RING_GRANT, false);
        } catch (OperationException granted) {
            try {
                return handle.control().mapForeign(domid, frame);
            } catch (OperationException foreign) {
                LOG.warn("domain {}: cannot map its console ring: {}; {}", domid, granted.getMessage(),
                        foreign.getMessage());
                return null;
            }
        }
    }

    /** A decimal number that fits into 63 bits, or null. */
    private static @Nullable Long number(@Nullable String text) {
        return text == null || !text.matches("[0-9]{1,18}") ? null : Long.valueOf(text);
    }
}
