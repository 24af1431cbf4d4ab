package dev.xenolith.dom0.host;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.backend.HostWork;
import dev.xenolith.dom0.backend.block.BlockDriver;
import dev.xenolith.dom0.backend.block.ImageOpener;
import dev.xenolith.dom0.backend.network.NetworkDriver;
import dev.xenolith.dom0.build.PvBuilder;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.console.ConsoleDaemon;
import dev.xenolith.dom0.console.ConsoleLogs;
import dev.xenolith.dom0.console.Overflow;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.OpenMode;
import dev.xenolith.dom0.dump.DumpDirectory;
import dev.xenolith.dom0.lifecycle.CrashDumps;
import dev.xenolith.dom0.lifecycle.DomainListener;
import dev.xenolith.dom0.lifecycle.DomainManager;
import dev.xenolith.dom0.lifecycle.GuestServices;
import dev.xenolith.dom0.lifecycle.NodeStore;
import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.Xenstored;
import dev.xenolith.dom0.xl.HostInfo;
import dev.xenolith.dom0.xl.Toolstack;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.Xenstore;
import dev.xenolith.hypervisor.Hypervisor;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.OperationException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A whole host in this process: machine, hypervisor, dom0 and its services. The daemon puts a socket in front of it; tests and
 * benchmarks use it as it is. Several may live in one JVM.
 */
public final class Host implements RunningHost {
    private static final Logger LOG = LoggerFactory.getLogger(Host.class);

    /** So long may the domains of a host that stops take to end. */
    private static final long END_SECONDS = 10;
    private static final Logger CONSOLE = LoggerFactory.getLogger("xen");

    private final Machine machine;
    private final Hypervisor hypervisor;
    private final DomainHandle dom0;
    private final Instant bootTime;
    private final Xenstored xenstored;
    private final XenstoreClient storeClient;
    private final StoreNodes nodes;
    private final ConsoleDaemon consoles;
    private final ConsoleSocketServer consoleSockets;
    private final ImageLocks imageLocks = new ImageLocks();
    private final HostNetwork network;
    private final Backends backends;
    private final DomainManager manager;
    private final HostToolstack toolstack;

    private Host(Machine machine, Hypervisor hypervisor, DomainHandle dom0, Instant bootTime,
            NetworkOptions networkOptions, BootHooks hooks)
            throws XenstoreException {
        this.machine = machine;
        this.hypervisor = hypervisor;
        this.dom0 = dom0;
        this.bootTime = bootTime;
        xenstored = new Xenstored(dom0);
        storeClient = xenstored.connect(dom0);
        nodes = new StoreNodes(storeClient);
        consoles = new ConsoleDaemon(dom0, storeClient, Overflow.DISCARD, ConsoleLogs.NONE);
        consoleSockets = new ConsoleSocketServer(machine, dom0);
        network = new HostNetwork(NetworkContext.of(machine, dom0), networkOptions);
        backends = backends();
        backends.start(dom0, consoles.extraConsoles(consoleSockets));
        manager = new DomainManager(machine, dom0, nodes, new Services(), hooks.failureInjected(),
                crashDumps(hooks.dumps()));
        toolstack = new HostToolstack(this, machine, dom0, manager);
        nodes.write("/local/domain/0/name", "Domain-0");
        nodes.write("/local/domain/0/domid", "0");
        storeClient.mkdir("/vm");
        storeClient.mkdir("/libxl");
        storeClient.watch("@releaseDomain", path -> manager.lookAtDomains());
    }

    /** Boots a host; returns when dom0 is ready for commands. */
    public static Host boot(HostOptions options) {
        return boot(options, BootHooks.NONE);
    }

    /** As {@link #boot(HostOptions)}; core dumps of domains that crash go to {@code dumps}. */
    public static Host boot(HostOptions options, Path dumps) {
        return boot(options, BootHooks.NONE.withDumps(dumps));
    }

    /** As {@link #boot(HostOptions)}, with what a test wants to be different. */
    static Host boot(HostOptions options, BootHooks hooks) {
        long seed = options.seed().orElseGet(() -> RandomGenerator.getDefault().nextLong());
        Machine machine = Machine.of(new Machine.Configuration(options.clock(), seed, options.translation()),
                new Machine.Hardware(
                        options.memoryMiB() << 20, options.cpus(), CpuModel.named(options.cpuModel().key())));
        try {
            Instant bootTime = bootTime(options);
            Hypervisor hypervisor = hooks.hypervisor().boot(machine, options.xenCommandLine(),
                    bootTime.getEpochSecond(), CONSOLE::info);
            DomainHandle dom0 = hypervisor.dom0();
            // Before the machine starts, so that it is the first thing that it does: runs with one seed are then identical.
            CompletableFuture<Host> host = machine.call(() -> {
                Host made = new Host(machine, hypervisor, dom0, bootTime, options.network(), hooks);
                hooks.first().accept(made);
                return made;
            });
            machine.start(hooks.supervisor().apply(hypervisor));
            Host made = host.join();
            made.openNetwork();
            return made;
        } catch (CompletionException e) {
            machine.close();
            throw new ToolstackException(ToolstackException.FAILURE, "the host does not start: " + e.getCause(), e);
        } catch (RuntimeException | Error e) {
            machine.close();
            throw e;
        }
    }

    private void openNetwork() {
        if (network.opensByItself()) {
            return;
        }
        try {
            HostToolstack.await(machine.whilePowered(toolstack.ask(network::open)));
        } catch (ToolstackException e) {
            close();
            Throwable cause = e.getCause() == null ? null : e.getCause().getCause();
            throw new ToolstackException(ToolstackException.FAILURE,
                    "the host does not start: " + (cause == null ? e.line() : cause.getMessage()), e);
        }
    }

    /** What dom0 and driver domains run backends with. */
    private Backends backends() {
        HostWork work = new HostWork() {
            @Override
            public <T> void submit(long latency, Callable<T> task, Completion<? super T> completion) {
                machine.submit(latency, task, completion::completed);
            }
        };
        ImageOpener images = (file, format, readOnly) -> DiskImages.open(file, format,
                readOnly ? OpenMode.READ_ONLY : OpenMode.READ_WRITE, imageLocks);
        return new Backends(xenstored, List.of(new BlockDriver(BlockDriver.VBD, images, work),
                new BlockDriver(BlockDriver.QDISK, images, work), new NetworkDriver(network.bridges())));
    }

    private @Nullable CrashDumps crashDumps(@Nullable Path directory) {
        if (directory == null) {
            return null;
        }
        DumpDirectory dumps = new DumpDirectory(directory);
        return name -> dumps.next(name, bootTime.plusNanos(machine.clock().now()));
    }

    /** A machine with a virtual clock begins at a date of its own, so that runs with one seed are identical. */
    private static Instant bootTime(HostOptions options) {
        return switch (options.clock()) {
            case REAL -> Instant.now();
            case VIRTUAL -> Instant.parse("2026-01-01T00:00:00Z");
        };
    }

    /** What the toolstack has to tell xenstored; xenconsoled finds domains by itself, through xenstore. */
    private final class Services implements GuestServices {
        @Override
        public void introduce(int domid, PvBuilder.Built rings) throws OperationException {
            try {
                storeClient.introduce(domid, rings.xenstorePort());
                consoles.reconnect(domid);
            } catch (XenstoreException e) {
                throw new OperationException(-1, "xenstored cannot serve domain " + domid + ": " + e.getMessage());
            }
        }

        @Override
        public void resumed(int domid) {
            try {
                storeClient.resume(domid);
            } catch (XenstoreException e) {
                LOG.error("BUG: xenstored does not resume domain {}", domid, e);
            }
        }

        @Override
        public void startBackends(DomainHandle driver) throws OperationException {
            try {
                backends.start(driver);
            } catch (XenstoreException e) {
                throw new OperationException(-1, "its backends do not start: " + e.getMessage());
            }
        }

        @Override
        public void whenBackendsEnded(int domid, Runnable action) {
            backends.whenEnded(domid, action);
        }

        @Override
        public void release(int domid) {
            try {
                if (storeClient.isIntroduced(domid)) {
                    storeClient.release(domid);
                }
            } catch (XenstoreException e) {
                LOG.error("BUG: xenstored does not release domain {}", domid, e);
            }
        }
    }

    @Override
    public Toolstack toolstack() {
        return toolstack;
    }

    /** The hypervisor, for audits and statistics. */
    public Hypervisor hypervisor() {
        return hypervisor;
    }

    public Machine machine() {
        return machine;
    }

    /** Creates a domain and lets it run; {@code whenGone} is called when it has come and gone. On the machine thread. */
    void createAndRun(DomainConfig config, Runnable whenGone) {
        createAndRun(config, whenGone, why -> {});
    }

    /** The same; {@code whyNot} is told if there is no domain. */
    void createAndRun(DomainConfig config, Runnable whenGone, Consumer<String> whyNot) {
        dom0.post(() -> manager.create(config, new DomainManager.Outcome() {
            @Override
            public void created(int domid) {
                manager.whenGone(domid, whenGone);
                dom0.control().unpause(domid);
            }

            @Override
            public void failed(String message, @Nullable Exception cause) {
                LOG.error("{}", message, cause);
                whyNot.accept(message);
            }
        }));
    }

    /** {@code listener} is told of domains from now on, on the machine thread. */
    void addListener(DomainListener listener) {
        dom0.post(() -> manager.addListener(listener));
    }

    /** dom0's door to the hypervisor; to be used on the machine thread. */
    DomainHandle dom0() {
        return dom0;
    }

    HostNetwork network() {
        return network;
    }

    NodeStore nodes() {
        return nodes;
    }

    Xenstored xenstored() {
        return xenstored;
    }

    ConsoleDaemon consoles() {
        return consoles;
    }

    Xenstore openXenstore(HostToolstack asker) {
        XenstoreClient client = asker.ask(() -> xenstored.connect(dom0));
        return new CommandXenstore(asker, client);
    }

    Instant bootTime() {
        return bootTime;
    }

    /** dom0's uname: it is this program. */
    HostInfo.Uname uname() {
        String node;
        try {
            node = InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            node = "(none)";
        }
        return new HostInfo.Uname(node, "xenolith", "Java " + Runtime.version(), "x86_64");
    }

    @Override
    public void close() {
        // What waits for a domain that does not end is let go when the machine stops.
        try (ExecutorService destroyers = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                if (!machine.ended().isDone()) {
                    destroyAll(destroyers);
                    toolstack.ask(() -> {
                        network.close();
                        return 0;
                    });
                }
            } catch (ToolstackException | TimeoutException e) {
                LOG.warn("not all domains were destroyed before the host stopped: {}", e.getMessage());
            } finally {
                machine.close();
                network.closeSockets();
                consoleSockets.close();
            }
        }
    }

    private void destroyAll(ExecutorService destroyers) throws TimeoutException {
        CompletableFuture<?>[] ends = toolstack.domains().stream().mapToInt(d -> d.domid()).filter(id -> id != 0)
                .mapToObj(id -> CompletableFuture.runAsync(() -> destroyQuietly(id), destroyers))
                .toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(ends).get(END_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            LOG.error("BUG: destroying a domain failed", e.getCause());
        }
    }

    private void destroyQuietly(int domid) {
        try {
            toolstack.destroy(domid);
        } catch (ToolstackException e) {
            LOG.debug("domain {} went by itself: {}", domid, e.line());
        }
    }
}
