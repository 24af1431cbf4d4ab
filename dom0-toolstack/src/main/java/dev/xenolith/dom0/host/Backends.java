package dev.xenolith.dom0.host;

import dev.xenolith.dom0.backend.BackendBus;
import dev.xenolith.dom0.backend.BackendDriver;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.Xenstored;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The backends of each domain that serves devices: domain 0, and driver domains. On the machine thread. */
final class Backends {
    private final Xenstored xenstored;
    private final List<BackendDriver> drivers;
    private final Map<Integer, BackendBus> buses = new HashMap<>();

    /** @param drivers what each of these domains can serve */
    Backends(Xenstored xenstored, List<BackendDriver> drivers) {
        this.xenstored = xenstored;
        this.drivers = drivers;
    }

    /** Serves devices in a domain until it dies, over a connection to xenstored of its own; {@code more} is what it alone can serve. */
    void start(DomainHandle domain, BackendDriver... more) throws XenstoreException {
        BackendBus bus = new BackendBus(domain, xenstored.connect(domain));
        for (BackendDriver driver : drivers) {
            bus.add(driver);
        }
        for (BackendDriver driver : more) {
            bus.add(driver);
        }
        buses.put(domain.domid(), bus);
    }

    /** Runs {@code action} when a domain that is dead has nothing open any more that was behind a device. */
    void whenEnded(int domid, Runnable action) {
        BackendBus bus = buses.remove(domid);
        if (bus == null) {
            action.run();
        } else {
            bus.whenEnded(action);
        }
    }
}
