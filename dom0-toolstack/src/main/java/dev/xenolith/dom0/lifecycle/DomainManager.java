package dev.xenolith.dom0.lifecycle;

import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.build.BuildException;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainType;
import dev.xenolith.dom0.config.LifecycleAction;
import dev.xenolith.dom0.dump.CoreDump;
import dev.xenolith.dom0.lifecycle.ManagedDomain.State;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Sched;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The toolstack's knowledge of domains and what it does with them: creates them as transactions, follows their shutdowns and
 * carries out what their configurations ask for, renames and destroys them. One name belongs to one domain from the first step
 * of its creation to the last of its destruction, so that operations on one name serialise.
 *
 * <p>All methods are called from handlers of dom0.
 */
public final class DomainManager {
    private static final Logger LOG = LoggerFactory.getLogger(DomainManager.class);

    /** Receives the outcome of an operation: a domid, or why there is none. */
    public interface Outcome {
        void created(int domid);

        void failed(String message, @Nullable Exception cause);
    }

    /** libxl's slack over maxmem, for what the hypervisor itself charges to a domain, in KiB. */
    public static final long MAXMEM_SLACK_KIB = 1024;

    private final Machine machine;
    private final DomainHandle dom0;
    private final DomainControl control;
    private final NodeStore store;
    private final GuestServices services;
    private final DeviceBus deviceBus;
    private final DeviceChanges deviceChanges;
    private final Predicate<String> failureInjected;
    private final @Nullable CrashDumps crashDumps;
    private final RandomGenerator handles;
    private final Map<String, ManagedDomain> names = new LinkedHashMap<>();
    private final Map<Integer, ManagedDomain> domains = new TreeMap<>();
    private final List<DomainListener> listeners = new ArrayList<>();
    /** The domids that driver domains had when they were last there, by name. */
    private final Map<String, Integer> driverDomids = new HashMap<>();

    /**
     * @param failureInjected consulted before each step of a creation by the step's name; tests make steps fail with it
     * @param crashDumps where {@code on_crash="coredump-..."} dumps to; null for nowhere
     */
    public DomainManager(Machine machine, DomainHandle dom0, NodeStore store, GuestServices services,
            Predicate<String> failureInjected, @Nullable CrashDumps crashDumps) {
        this.machine = machine;
        this.dom0 = dom0;
        this.control = dom0.control();
        this.store = store;
        this.services = services;
        this.deviceBus = new DeviceBus(dom0, store);
        this.deviceChanges = new DeviceChanges(this, machine.random("mac"));
        this.failureInjected = failureInjected;
        this.crashDumps = crashDumps;
        this.handles = machine.random("handle");
    }

    /** Names of the steps of a creation, in order: what {@code failureInjected} is asked about. */
    public static List<String> creationSteps() {
        return DomainCreation.STEPS;
    }

    public void addListener(DomainListener listener) {
        listeners.add(listener);
    }

    public void removeListener(DomainListener listener) {
        listeners.remove(listener);
    }

    /** The configuration of a domain that this toolstack made. */
    public Optional<DomainConfig> configuration(int domid) {
        return Optional.ofNullable(domains.get(domid)).map(d -> d.config);
    }

    /** Remembers that a running domain has been changed to be like {@code config}: a reboot makes it so again. */
    public void reconfigure(int domid, DomainConfig config) {
        ManagedDomain domain = domains.get(domid);
        if (domain != null) {
            domain.config = config;
        }
    }

    /** The name of a domain, "Domain-0" for dom0, or empty if the toolstack does not know it. */
    public Optional<String> name(int domid) {
        return domid == dom0.domid() ? Optional.of("Domain-0") : configuration(domid).map(DomainConfig::name);
    }

    /** Machine time at which the domain was complete, in ns. */
    public long startedAt(int domid) {
        ManagedDomain domain = domains.get(domid);
        return domain == null ? 0 : domain.startedAt;
    }

    /** Makes a domain and leaves it paused. After a failure nothing of it is left. */
    public void create(DomainConfig config, Outcome outcome) {
        ManagedDomain holder = names.get(config.name());
        if (config.name().equals("Domain-0") || holder != null) {
            outcome.failed("domain '" + config.name() + "': the name is in use by "
                    + (holder == null || holder.domid < 0 ? "another domain" : "domain " + holder.domid), null);
            return;
        }
        for (ManagedDomain other : names.values()) {
            if (other.config.uuid().equals(config.uuid())) {
                outcome.failed("domain '" + config.name() + "': the uuid " + config.uuid() + " is in use by '"
                        + other.config.name() + "'", null);
                return;
            }
        }
        ManagedDomain domain = new ManagedDomain(config.withDevices(deviceChanges.settled(config.devices())));
        names.put(config.name(), domain);
        new DomainCreation(this, domain).start(outcome);
    }

    /**
     * Destroys a domain; {@code whenGone} runs once nothing of it is left, or no more than a zombie without a name: what other
     * domains still map, which goes by itself when they let go. Returns false if there is no such domain.
     */
    public boolean destroy(int domid, Runnable whenGone) {
        ManagedDomain domain = domains.get(domid);
        if (domain == null) {
            return destroyUnknown(domid, whenGone);
        }
        domain.whenGone = chain(domain.whenGone, whenGone);
        if (domain.state == State.ALIVE) {
            tearDown(domain);
        }
        return true;
    }

    /** Destroys a domain that another toolstack has made: it has no devices here, nor a name. */
    private boolean destroyUnknown(int domid, Runnable whenGone) {
        DomainControl.DomainInfo info = control.info(domid);
        boolean made = domid == dom0.domid() || names.values().stream().anyMatch(known -> known.domid == domid);
        if (info == null || made) {
            return false;
        }
        if (destroyStep(domid)) {
            dom0.post(() -> {
                if (!destroyUnknown(domid, whenGone)) {
                    whenGone.run();
                }
            });
        } else {
            LOG.info("domain {}, which another toolstack has made, is gone", domid);
            whenGone.run();
        }
        return true;
    }

    /** {@code action} runs when a domain has ended, however it ends, as {@code whenGone} of {@link #destroy}. */
    public void whenGone(int domid, Runnable action) {
        ManagedDomain domain = domains.get(domid);
        if (domain != null) {
            domain.whenGone = chain(domain.whenGone, action);
        }
    }

    /** Gives a domain another name, if it has the name {@code oldName} now. Returns why not, or null. */
    public @Nullable String rename(int domid, String oldName, String newName) {
        ManagedDomain domain = domains.get(domid);
        if (domain == null || domain.state != State.ALIVE) {
            return "domain " + domid + " does not exist";
        }
        if (!domain.config.name().equals(oldName)) {
            return "domain " + domid + " is not called '" + oldName + "' any more but '" + domain.config.name() + "'";
        }
        ManagedDomain holder = names.get(newName);
        if (newName.equals("Domain-0") || holder != null) {
            return "the name '" + newName + "' is in use";
        }
        setName(domain, newName);
        return null;
    }

    /** Writes a core dump of a domain to the file that {@code target} chooses; {@code outcome} is told null or why there is none. */
    public void dumpCore(int domid, CoreDump.Target target, Consumer<@Nullable String> outcome) {
        CoreDump.start(machine, dom0, domid, target, outcome::accept);
    }

    /** Asks a domain to suspend itself; {@code outcome} is told null once it has, or why it has not. */
    public void suspend(int domid, Consumer<@Nullable String> outcome) {
        DomainControl.DomainInfo info = control.info(domid);
        ManagedDomain domain = domains.get(domid);
        if (info == null || domain == null || domain.state != State.ALIVE) {
            outcome.accept("it does not exist");
        } else if (info.shutdown()) {
            outcome.accept("it has shut down already");
        } else if (domain.suspending) {
            outcome.accept("it has been asked already");
        } else {
            domain.suspending = true;
            DomainListener[] suspension = new DomainListener[1];
            suspension[0] = new Suspension(dom0, store, domid, problem -> {
                domain.suspending = false;
                removeListener(suspension[0]);
                outcome.accept(problem);
            });
            addListener(suspension[0]);
        }
    }

    /**
     * Lets a suspended domain go on in place; {@code outcome} is told null or why it does not.
     *
     * @param reconnected whether it is to have new ports, rings and backends, as after a restore; else its suspend counts as cancelled
     */
    public void resume(int domid, boolean reconnected, Consumer<@Nullable String> outcome) {
        ManagedDomain domain = domains.get(domid);
        if (domain == null || domain.state != State.ALIVE) {
            outcome.accept("it does not exist");
            return;
        }
        if (domain.reconnecting) {
            outcome.accept("it is being resumed already");
        } else if (reconnected) {
            domain.reconnecting = true;
            new Reconnection(this, domain, problem -> {
                domain.reconnecting = false;
                outcome.accept(problem);
            }).start();
        } else {
            outcome.accept(goOn(domain, true));
        }
    }

    /** The last step of a resume; returns why the domain does not go on, or null. */
    @Nullable
    String goOn(ManagedDomain domain, boolean cancelled) {
        int result = control.resume(domain.domid, cancelled);
        if (result < 0) {
            return result == -Errno.EINVAL ? "it is not suspended" : Errno.name(result);
        }
        domain.shutdownHandled = false;
        services.resumed(domain.domid);
        return null;
    }

    private void setName(ManagedDomain domain, String newName) {
        names.remove(domain.config.name());
        domain.config = domain.config.withName(newName);
        names.put(newName, domain);
        store.write(DomainNodes.home(domain.domid) + "/name", newName);
        store.write("/vm/" + domain.config.uuid() + "/name", newName);
    }

    private void changeHandle(ManagedDomain domain) {
        DomainConfig old = domain.config;
        UUID handle = new UUID(handles.nextLong() & ~0xf000L | 0x4000L, handles.nextLong() >>> 2 | Long.MIN_VALUE);
        domain.config = old.withUuid(handle);
        store.remove(List.of("/vm/" + old.uuid()));
        store.write(DomainNodes.vm(domain.domid, domain.config));
        store.write(DomainNodes.home(domain.domid) + "/vm", "/vm/" + handle);
    }

    /** Looks for domains that have shut down or are gone: the handler of VIRQ_DOM_EXC. */
    public void lookAtDomains() {
        for (ManagedDomain domain : List.copyOf(domains.values())) {
            DomainControl.DomainInfo info = control.info(domain.domid);
            if (domain.state != State.ALIVE) {
                continue;
            }
            if (info == null || info.dying()) {
                tearDown(domain);
            } else if (info.shutdown() && !domain.shutdownHandled) {
                domain.shutdownHandled = true;
                shutDown(domain, info.shutdownReason());
            }
        }
    }

    private void shutDown(ManagedDomain domain, int reason) {
        LOG.info("domain {} '{}' has shut down, reason {}", domain.domid, domain.config.name(), reason);
        listeners().forEach(l -> l.shutDown(domain.domid, reason));
        DomainConfig.Lifecycle lifecycle = domain.config.lifecycle();
        LifecycleAction action = switch (reason) {
            case Sched.SHUTDOWN_POWEROFF -> lifecycle.onPoweroff();
            case Sched.SHUTDOWN_REBOOT -> lifecycle.onReboot();
            case Sched.SHUTDOWN_SUSPEND -> LifecycleAction.PRESERVE;
            case Sched.SHUTDOWN_WATCHDOG -> lifecycle.onWatchdog();
            case Sched.SHUTDOWN_SOFT_RESET -> lifecycle.onSoftReset();
            default -> lifecycle.onCrash();
        };
        switch (action) {
            case DESTROY -> tearDown(domain);
            case RESTART -> restart(domain);
            case RENAME_RESTART -> renameAndRestart(domain);
            case PRESERVE -> LOG.info("domain {} '{}' is preserved", domain.domid, domain.config.name());
            case COREDUMP_DESTROY -> dumpCrashed(domain, () -> tearDown(domain));
            case COREDUMP_RESTART -> dumpCrashed(domain, () -> restart(domain));
            case SOFT_RESET -> {
                LOG.warn("domain {}: soft reset is not supported yet; destroying the domain", domain.domid);
                tearDown(domain);
            }
        }
    }

    /** Dumps a domain that has shut down, and goes on with {@code next}, also without a dump. */
    private void dumpCrashed(ManagedDomain domain, Runnable next) {
        CrashDumps dumps = crashDumps;
        if (dumps == null) {
            LOG.warn("domain {}: no dump, this host has no directory for dumps", domain.domid);
            next.run();
            return;
        }
        String name = domain.config.name();
        LOG.info("domain {} '{}': dumping core", domain.domid, name);
        dumpCore(domain.domid, () -> dumps.next(name), problem -> {
            if (problem != null) {
                LOG.error("domain {} '{}': no core dump: {}", domain.domid, name, problem);
            }
            if (domain.state == State.ALIVE) {
                next.run();
            }
        });
    }

    private void restart(ManagedDomain domain) {
        int old = domain.domid;
        DomainConfig config = domain.config;
        domain.whenGone = chain(domain.whenGone, () -> createAgain(config, old));
        tearDown(domain);
    }

    private void renameAndRestart(ManagedDomain domain) {
        DomainConfig config = domain.config;
        String kept = config.name();
        for (int i = 1; names.containsKey(kept); i++) {
            kept = config.name() + "-" + i;
        }
        // The new domain is to have the devices; and the identity goes with it: the dead one gets another name and another handle.
        changeHandle(domain);
        setName(domain, kept);
        createAgain(config, domain.domid);
    }

    private void createAgain(DomainConfig config, int old) {
        create(config, new Outcome() {
            @Override
            public void created(int domid) {
                listeners().forEach(l -> l.restarted(old, domid));
                control.unpause(domid);
            }

            @Override
            public void failed(String message, @Nullable Exception cause) {
                LOG.error("restarting '{}' failed: {}", config.name(), message);
            }
        });
    }

    private static Runnable chain(@Nullable Runnable first, Runnable second) {
        return first == null ? second : () -> {
            first.run();
            second.run();
        };
    }

    /**
     * Ends a domain in libxl's order: it stands still, backends let go of its devices, dom0's services are told, by xenstored and by its
     * nodes that go, and then the hypervisor destroys it. What was told comes before the destruction in the queue of dom0, so its services have let go
     * of the domain's pages by then.
     */
    private void tearDown(ManagedDomain domain) {
        domain.state = State.DESTROYING;
        int paused = control.pause(domain.domid);
        if (paused < 0) {
            LOG.debug("domain {} is dying already: {}", domain.domid, Errno.name(paused));
        }
        deviceBus.withdraw(List.copyOf(domain.devices), true, closed -> {
            if (!closed) {
                LOG.warn("domain {}: not all backends have let go of its devices in time", domain.domid);
            }
            domain.devices.clear();
            services.release(domain.domid);
            if (domain.config.type() == DomainType.JAVA) {
                driverDomids.put(domain.config.name(), domain.domid);
            }
            store.remove(DomainNodes.roots(domain.domid, domain.config));
            dom0.post(() -> destroyInHypervisor(domain));
        });
    }

    /** Calls the preemptible destroy operation until it is done. */
    private void destroyInHypervisor(ManagedDomain domain) {
        if (destroyStep(domain.domid)) {
            dom0.post(() -> destroyInHypervisor(domain));
        } else {
            services.whenBackendsEnded(domain.domid, () -> finish(domain));
        }
    }

    private void finish(ManagedDomain domain) {
        forget(domain);
        if (control.info(domain.domid) == null) {
            LOG.info("domain {} '{}' is gone", domain.domid, domain.config.name());
        } else {
            LOG.info("domain {} '{}' is a zombie: another domain maps pages of it, and the last to let go ends it",
                    domain.domid, domain.config.name());
        }
        listeners().forEach(l -> l.destroyed(domain.domid));
        Runnable whenGone = domain.whenGone;
        if (whenGone != null) {
            whenGone.run();
        }
    }

    /** One call of the destroy operation. Returns whether it wants to be called again. */
    boolean destroyStep(int domid) {
        int result = control.destroy(domid);
        if (result < 0 && result != DomainControl.AGAIN && result != -Errno.ESRCH) {
            LOG.error("BUG: destroying domain {} failed: {}", domid, Errno.name(result));
        }
        return result == DomainControl.AGAIN;
    }

    /** Registers a domain that is complete. */
    void complete(ManagedDomain domain) {
        domain.state = State.ALIVE;
        domain.startedAt = machine.clock().now();
        domains.put(domain.domid, domain);
        LOG.info("domain {} '{}' is complete", domain.domid, domain.config.name());
        listeners().forEach(l -> l.created(domain.domid, domain.config.name()));
        if (domain.config.type() == DomainType.JAVA) {
            Integer before = driverDomids.remove(domain.config.name());
            if (before != null && before != domain.domid && deviceChanges.dependOn(before)) {
                LOG.warn("driver domain '{}' is domain {} now and was {}: what that one served stays without a backend",
                        domain.config.name(), domain.domid, before);
            }
            deviceChanges.announceAgain(domain.domid);
        }
    }

    /** The domid that a driver domain should have: that of the last of its name, if others wait for it; 0 if any will do. */
    int driverDomid(String name) {
        Integer before = driverDomids.get(name);
        return before != null && deviceChanges.dependOn(before) && control.info(before) == null ? before : 0;
    }

    void forget(ManagedDomain domain) {
        names.remove(domain.config.name(), domain);
        domains.remove(domain.domid, domain);
    }

    private List<DomainListener> listeners() {
        return List.copyOf(listeners);
    }

    // ---- what a creation needs ----

    Machine machine() {
        return machine;
    }

    DomainHandle dom0() {
        return dom0;
    }

    NodeStore store() {
        return store;
    }

    /** The domain that a device's configuration names as its backend's, by name or number; dom0 if it names none. */
    int backendDomid(@Nullable String backend) throws IOException {
        if (backend == null || backend.equals("Domain-0")) {
            return dom0.domid();
        }
        ManagedDomain named = names.get(backend);
        if (named != null && named.state == State.ALIVE) {
            return named.domid;
        }
        if (backend.matches("[0-9]{1,5}") && control.info(Integer.parseInt(backend)) != null) {
            return Integer.parseInt(backend);
        }
        throw new IOException("backend=" + backend + ": there is no such domain");
    }

    /** What attaches devices to domains that live, and detaches them. */
    public DeviceChanges devices() {
        return deviceChanges;
    }

    /** A domain that is complete and not being torn down, or null. */
    @Nullable
    ManagedDomain living(int domid) {
        ManagedDomain domain = domains.get(domid);
        return domain == null || domain.state != State.ALIVE ? null : domain;
    }

    /** All domains, those that are being made too. */
    Collection<ManagedDomain> all() {
        return names.values();
    }

    DeviceBus deviceBus() {
        return deviceBus;
    }

    GuestServices services() {
        return services;
    }

    Predicate<String> failureInjected() {
        return failureInjected;
    }

    /** Everything that a creation that failed can say, for the user. */
    static String explain(DomainConfig config, Exception failure) {
        String message = failure instanceof BuildException || failure.getMessage() != null
                ? String.valueOf(failure.getMessage())
                : failure.toString();
        return "domain '" + config.name() + "': " + message;
    }
}
