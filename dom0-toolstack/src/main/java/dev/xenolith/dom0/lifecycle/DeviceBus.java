package dev.xenolith.dom0.lifecycle;

import dev.xenolith.dom0.backend.XenbusState;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The toolstack's side of devices: announces them, waits until their backends are ready, and takes them back, as libxl_device.c does. All
 * methods are called from handlers of dom0; what takes time is told to a consumer later.
 */
final class DeviceBus {
    /** So long may a backend take to open what is behind a device, in ns of the domain's clock. */
    private static final long READY_TIME = 40_000_000_000L;
    /** So long a device that is taken back, as LIBXL_DESTROY_TIMEOUT. */
    private static final long CLOSE_TIME = 10_000_000_000L;

    private final DomainHandle dom0;
    private final NodeStore store;

    DeviceBus(DomainHandle dom0, NodeStore store) {
        this.dom0 = dom0;
        this.store = store;
    }

    /** Announces a device: its nodes appear all at once. */
    void announce(List<DomainNodes.Node> nodes) {
        store.write(nodes);
    }

    /** Waits until the backends of all {@code devices} are ready; tells {@code outcome} why one is not, or null. */
    void awaitReady(List<Device> devices, Consumer<@Nullable String> outcome) {
        String[] problem = new String[1];
        new Wait(devices, READY_TIME, () -> {
            for (Device device : devices) {
                String error = store.find(device.backend() + "/frontend-id") == null
                        ? "taken back before its backend was ready"
                        : store.find(device.backend() + "/error");
                if (error != null) {
                    problem[0] = describe(device) + ": " + error;
                    return true;
                }
            }
            return devices.stream().allMatch(device -> isReady(state(device)));
        }, inTime -> outcome.accept(problem[0] != null || inTime
                ? problem[0]
                : "no backend has taken on "
                        + describe(devices.stream().filter(d -> !isReady(state(d))).findFirst().orElseThrow())
                        + " in " + READY_TIME / 1_000_000_000 + " s"));
    }

    /**
     * Changes the medium of a drive and waits until its backend has.
     *
     * @param nodes ask for it; the first says what {@code medium} becomes when it is done
     */
    void change(Device device, List<DomainNodes.Node> nodes, Consumer<@Nullable String> outcome) {
        String[] problem = new String[1];
        String wanted = nodes.getFirst().value();
        store.write(nodes);
        new Wait(List.of(device), READY_TIME, () -> {
            if (store.find(device.backend() + "/frontend-id") == null) {
                problem[0] = "taken back before its backend has changed the medium";
                return true;
            }
            String error = store.find(device.backend() + "/medium-error");
            problem[0] = error == null || error.isEmpty() ? null : error;
            return problem[0] != null || wanted.equals(store.find(device.backend() + "/medium"));
        }, inTime -> outcome.accept(problem[0] == null && inTime
                ? null
                : describe(device) + ": " + (inTime
                        ? problem[0]
                        : "its backend has not changed the medium in " + READY_TIME / 1_000_000_000 + " s")));
    }

    private static String describe(Device device) {
        return "device " + device.kind() + '/' + device.number();
    }

    private static boolean isReady(XenbusState state) {
        return state != XenbusState.UNKNOWN && state != XenbusState.INITIALISING;
    }

    private XenbusState state(Device device) {
        return XenbusState.of(store.find(device.backend() + "/state"));
    }

    /**
     * Takes devices back: asks both ends to let go, and removes all nodes when the backends have, or time is up.
     *
     * @param force whether the frontends are not asked: their domain is dead or dying
     * @param outcome told whether all backends have let go. If not, and without {@code force}, nothing is removed
     */
    void withdraw(List<Device> devices, boolean force, Consumer<Boolean> outcome) {
        if (devices.isEmpty()) {
            outcome.accept(true);
            return;
        }
        for (Device device : devices) {
            if (store.find(device.backend() + "/state") != null) {
                if (force) {
                    store.remove(List.of(device.frontend()));
                }
                store.write(device.backend() + "/online", "0");
                if (isServed(device)) {
                    store.write(device.backend() + "/state", XenbusState.CLOSING.text());
                }
            }
        }
        new Wait(devices, CLOSE_TIME, () -> devices.stream().noneMatch(this::isServed), inTime -> {
            if (inTime || force) {
                for (Device device : devices) {
                    store.remove(List.of(device.frontend(), device.toolstack()));
                    store.removeWithEmptyParents(device.backend());
                }
            }
            outcome.accept(inTime);
        });
    }

    /** Whether a backend, in a domain that there is, has not let go of the device yet. */
    private boolean isServed(Device device) {
        XenbusState state = state(device);
        return state != XenbusState.UNKNOWN && state != XenbusState.CLOSED
                && dom0.control().info(device.backendDomid()) != null;
    }

    /** Watches the backends of devices until a condition holds or time is up. */
    private final class Wait {
        private final BooleanSupplier condition;
        private final Consumer<Boolean> outcome;
        private final List<Runnable> watches = new ArrayList<>();
        private final DomainHandle.Timer timer;
        private boolean over;

        Wait(List<Device> devices, long time, BooleanSupplier condition, Consumer<Boolean> outcome) {
            this.condition = condition;
            this.outcome = outcome;
            timer = dom0.at(dom0.now() + time, () -> end(false));
            for (Device device : devices) {
                watches.add(store.watch(device.backend(), this::look));
            }
            dom0.post(this::look);
        }

        private void look() {
            if (!over && condition.getAsBoolean()) {
                end(true);
            }
        }

        private void end(boolean inTime) {
            if (!over) {
                over = true;
                timer.cancel();
                watches.forEach(Runnable::run);
                outcome.accept(inTime);
            }
        }
    }
}
