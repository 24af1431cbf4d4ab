package dev.xenolith.dom0.lifecycle;

import dev.xenolith.hypervisor.abi.Sched;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks one domain to suspend itself, as libxl does (tools/libs/light/libxl_dom_suspend.c): the request in control/shutdown, which the
 * guest acknowledges by clearing it, and then its shutdown for that reason. Each has a minute of machine time.
 */
final class Suspension implements DomainListener {
    private static final String REQUEST = "suspend";
    /** In ns, for the acknowledgement, and again for the shutdown. */
    private static final long PATIENCE = 60_000_000_000L;

    private final DomainHandle dom0;
    private final NodeStore store;
    private final String node;
    private final int domid;
    private final Consumer<@Nullable String> outcome;
    private final Runnable unwatch;
    private DomainHandle.Timer timer;
    private boolean acknowledged;
    private boolean over;

    /** Starts it; {@code outcome} is told once, null or what went wrong. To be added as a listener. */
    Suspension(DomainHandle dom0, NodeStore store, int domid, Consumer<@Nullable String> outcome) {
        this.dom0 = dom0;
        this.store = store;
        this.domid = domid;
        this.outcome = outcome;
        node = DomainNodes.home(domid) + "/control/shutdown";
        store.write(node, REQUEST);
        timer = dom0.at(dom0.now() + PATIENCE, this::timeout);
        unwatch = store.watch(node, this::changed);
    }

    private void changed() {
        if (over || acknowledged) {
            return;
        }
        String value = store.find(node);
        if (value != null && value.isEmpty()) {
            acknowledged = true;
            timer.cancel();
            timer = dom0.at(dom0.now() + PATIENCE, this::timeout);
        }
    }

    private void timeout() {
        if (!over && !acknowledged) {
            store.write(node, "");
        }
        end(acknowledged
                ? "it has acknowledged the request to suspend, but did not within a minute"
                : "it did not acknowledge the request to suspend within a minute");
    }

    private void end(@Nullable String problem) {
        if (!over) {
            over = true;
            timer.cancel();
            unwatch.run();
            outcome.accept(problem);
        }
    }

    @Override
    public void shutDown(int which, int reason) {
        if (which == domid) {
            end(reason == Sched.SHUTDOWN_SUSPEND ? null : "it has shut down instead, reason code " + reason);
        }
    }

    @Override
    public void destroyed(int which) {
        if (which == domid) {
            end("it has been destroyed");
        }
    }

    @Override
    public void created(int which, String name) {
        // About another one.
    }

    @Override
    public void restarted(int which, int newDomid) {
        // Its end has been told.
    }
}
