package dev.xenolith.dom0.host;

import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.config.ChannelSpec;
import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.VifSpec;
import dev.xenolith.dom0.console.ConsoleDaemon;
import dev.xenolith.dom0.lifecycle.Device;
import dev.xenolith.dom0.lifecycle.DeviceChanges;
import dev.xenolith.dom0.lifecycle.DomainManager;
import dev.xenolith.dom0.lifecycle.DomainNodes;
import dev.xenolith.dom0.xl.BlockDeviceInfo;
import dev.xenolith.dom0.xl.ChannelInfo;
import dev.xenolith.dom0.xl.ConsoleConnection;
import dev.xenolith.dom0.xl.ConsoleOutput;
import dev.xenolith.dom0.xl.DomainDebugger;
import dev.xenolith.dom0.xl.DomainEvents;
import dev.xenolith.dom0.xl.DomainInfo;
import dev.xenolith.dom0.xl.DomainResources;
import dev.xenolith.dom0.xl.GuestControl;
import dev.xenolith.dom0.xl.HostInfo;
import dev.xenolith.dom0.xl.NetworkCapture;
import dev.xenolith.dom0.xl.NetworkPortInfo;
import dev.xenolith.dom0.xl.NoSuchDomainException;
import dev.xenolith.dom0.xl.ShutdownReason;
import dev.xenolith.dom0.xl.Toolstack;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.TraceOptions;
import dev.xenolith.dom0.xl.TraceOutput;
import dev.xenolith.dom0.xl.VcpuInfo;
import dev.xenolith.dom0.xl.VifInfo;
import dev.xenolith.dom0.xl.Xenstore;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.HostControl;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The commands' view of a running host: each call becomes a handler of dom0, and its caller waits for the answer. */
final class HostToolstack implements Toolstack {
    private static final int DOM0 = 0;
    private static final long PAGE_KIB = 4;
    private static final int DEFAULT_WEIGHT = 256;

    private final Host host;
    private final Machine machine;
    private final DomainHandle dom0;
    private final DomainControl control;
    private final DomainManager manager;
    private final HostResources resources;
    private final HostGuestControl guests;

    HostToolstack(Host host, Machine machine, DomainHandle dom0, DomainManager manager) {
        this.host = host;
        this.machine = machine;
        this.dom0 = dom0;
        this.control = dom0.control();
        this.manager = manager;
        this.resources = new HostResources(this, control, dom0.host(), manager, host.nodes());
        this.guests = new HostGuestControl(this, machine, control, manager, host.nodes());
    }

    // ---- asking ----

    /** Runs {@code question} as a handler of dom0 and waits for its answer. */
    <T extends @Nullable Object> T ask(Callable<T> question) {
        CompletableFuture<T> answer = machine.whilePowered(new CompletableFuture<>());
        machine.post(() -> dom0.post(() -> {
            try {
                answer.complete(question.call());
            } catch (Throwable t) {
                answer.completeExceptionally(t);
            }
        }));
        return await(answer);
    }

    /** Runs {@code errand} as a handler of dom0 soon, if the host is still there then. Does not wait. */
    void tell(Runnable errand) {
        machine.post(() -> dom0.post(errand));
    }

    static <T extends @Nullable Object> T await(CompletableFuture<T> answer) {
        try {
            return answer.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolstackException(ToolstackException.INTERRUPTED, "interrupted", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof ToolstackException known) {
                throw known;
            }
            throw new ToolstackException(ToolstackException.FAILURE,
                    cause instanceof java.util.concurrent.RejectedExecutionException
                            ? "the host is stopping"
                            : "internal error: " + cause,
                    e);
        }
    }

    /** Fails if the host is stopping: for those who wait for something that then never comes. */
    void requireRunning() {
        if (machine.ended().isDone()) {
            throw ToolstackException.failure("the host is stopping");
        }
    }

    static int check(int domid, int result, String what) {
        if (result == -Errno.ESRCH) {
            throw new NoSuchDomainException(domid);
        }
        if (result < 0) {
            throw ToolstackException.failure(what + " of domain " + domid + " failed: " + Errno.name(result));
        }
        return result;
    }

    private DomainControl.DomainInfo known(int domid) {
        DomainControl.DomainInfo info = control.info(domid);
        if (info == null) {
            throw new NoSuchDomainException(domid);
        }
        return info;
    }

    // ---- looking ----

    @Override
    public List<DomainInfo> domains() {
        return ask(() -> control.list().stream().map(this::describe).toList());
    }

    @Override
    public Optional<DomainInfo> domain(int domid) {
        return ask(() -> Optional.ofNullable(control.info(domid)).map(this::describe));
    }

    private DomainInfo describe(DomainControl.DomainInfo info) {
        int domid = info.domid();
        String name = manager.name(domid).orElse("(null)");
        DomainControl.SchedulerParameters share = control.schedulerParameters(domid);
        UUID uuid = manager.configuration(domid).map(DomainConfig::uuid).orElse(info.handle());
        return new DomainInfo(domid, name, uuid, info.pages() * PAGE_KIB, info.maxPages() * PAGE_KIB,
                info.onlineVcpus(),
                info.running(), info.blocked(), info.paused(), info.dying(),
                info.shutdown() ? ShutdownReason.of(info.shutdownReason()) : null,
                "Pool-0", share == null ? DEFAULT_WEIGHT : share.weight(),
                share == null ? 0 : share.cap(), info.cpuTimeNs(),
                machine.clock().now() - manager.startedAt(domid));
    }

    @Override
    public List<VcpuInfo> vcpus(int domid) {
        return ask(() -> {
            String name = manager.name(domid).orElse("(null)");
            int count = known(domid).maxVcpus();
            List<VcpuInfo> vcpus = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                DomainControl.VcpuInfo vcpu = control.vcpu(domid, i);
                if (vcpu != null) {
                    vcpus.add(new VcpuInfo(domid, name, i, vcpu.online(), vcpu.running(), vcpu.blocked(),
                            vcpu.processor(),
                            vcpu.cpuTimeNs(), bits(vcpu.hardAffinity()), bits(vcpu.softAffinity())));
                }
            }
            return vcpus;
        });
    }

    /** Every bit of the record set means "all", which a mask of all ones stands for. */
    private static BitSet bits(long mask) {
        return BitSet.valueOf(new long[]{mask});
    }

    @Override
    public Optional<DomainConfig> configuration(int domid) {
        return ask(() -> {
            known(domid);
            return manager.configuration(domid);
        });
    }

    @Override
    public HostInfo hostInfo() {
        return ask(() -> {
            HostControl.PhysicalInfo physical = dom0.host().physicalInfo();
            HostControl.Version version = dom0.host().version();
            long free = physical.freePages() * PAGE_KIB;
            long total = physical.totalPages() * PAGE_KIB;
            List<Integer> words = IntStream.of(physical.hardwareCapabilities()).boxed().toList();
            List<HostInfo.CpuTopology> topology = IntStream.range(0, physical.processors())
                    .mapToObj(cpu -> new HostInfo.CpuTopology(cpu, 0, 0)).toList();
            return new HostInfo(host.uname(),
                    new HostInfo.Physical(physical.processors(), physical.maxCpuId(), physical.coresPerSocket(),
                            physical.threadsPerCore(), physical.cpuKhz(), words,
                            List.of(physical.capabilities().trim().split(" +")), total, free,
                            physical.outstandingPages() * PAGE_KIB, 0, 0, 0),
                    topology, List.of(new HostInfo.NumaNode(total, free, List.of(10))),
                    new HostInfo.Version(version.major(), version.minor(), version.extra(), version.capabilities(),
                            physical.scheduler(), version.pageSize(), version.virtStart(), version.changeset(),
                            version.commandLine(), version.compiler(), version.compileBy(), version.compileDomain(),
                            version.compileDate(), version.buildId()));
        });
    }

    @Override
    public Instant wallClock() {
        return ask(() -> host.bootTime().plusNanos(machine.clock().now()));
    }

    @Override
    public String consoleRing(boolean clear) {
        return ask(() -> dom0.host().consoleRing(clear));
    }

    // ---- lives of domains ----

    @Override
    public int create(DomainConfig config) {
        CompletableFuture<Integer> created = machine.whilePowered(new CompletableFuture<>());
        machine.post(() -> dom0.post(() -> manager.create(config, new DomainManager.Outcome() {
            @Override
            public void created(int domid) {
                created.complete(domid);
            }

            @Override
            public void failed(String message, @Nullable Exception cause) {
                created.completeExceptionally(cause == null
                        ? new ToolstackException(ToolstackException.CREATE_FAILED, message)
                        : new ToolstackException(ToolstackException.CREATE_FAILED, message, cause));
            }
        })));
        return await(created);
    }

    @Override
    public void unpause(int domid) {
        ask(() -> known(domid).paused() ? check(domid, control.unpause(domid), "unpausing") : 0);
    }

    @Override
    public void pause(int domid) {
        ask(() -> known(domid).paused() ? 0 : check(domid, control.pause(domid), "pausing"));
    }

    @Override
    public void destroy(int domid) {
        if (domid == DOM0) {
            throw ToolstackException.failure("Domain-0 cannot be destroyed");
        }
        CompletableFuture<Boolean> gone = machine.whilePowered(new CompletableFuture<>());
        machine.post(() -> dom0.post(() -> {
            if (!manager.destroy(domid, () -> gone.complete(true))) {
                gone.completeExceptionally(new NoSuchDomainException(domid));
            }
        }));
        await(gone);
    }

    @Override
    public void requestShutdown(int domid, ShutdownRequest request) {
        ask(() -> {
            if (manager.configuration(domid).isEmpty()) {
                throw new NoSuchDomainException(domid);
            }
            host.nodes().write(DomainNodes.home(domid) + "/control/shutdown", switch (request) {
                case POWEROFF -> "poweroff";
                case REBOOT -> "reboot";
            });
            return 0;
        });
    }

    @Override
    public void rename(int domid, String oldName, String newName) {
        ask(() -> {
            known(domid);
            String refusal = manager.rename(domid, oldName, newName);
            if (refusal != null) {
                throw ToolstackException.failure(refusal);
            }
            return 0;
        });
    }

    // ---- devices ----

    @Override
    public void attachDisk(int domid, DiskSpec disk) {
        change(domid, outcome -> manager.devices().attach(domid, disk, outcome));
    }

    @Override
    public void changeMedium(int domid, DiskSpec medium) {
        change(domid, outcome -> manager.devices().changeMedium(domid, medium, outcome));
    }

    @Override
    public void attachVif(int domid, VifSpec vif) {
        change(domid, outcome -> manager.devices().attach(domid, vif, outcome));
    }

    @Override
    public void detachDisk(int domid, int number, boolean force) {
        change(domid, outcome -> manager.devices().detach(domid, DeviceChanges.VBD, number, force, outcome));
    }

    @Override
    public void detachVif(int domid, int number) {
        change(domid, outcome -> manager.devices().detach(domid, DeviceChanges.VIF, number, false, outcome));
    }

    /** Begins something that ends with an outcome, a problem or null, and waits for that. */
    private void change(int domid, Consumer<Consumer<@Nullable String>> begin) {
        CompletableFuture<Boolean> done = machine.whilePowered(new CompletableFuture<>());
        machine.post(() -> dom0.post(() -> {
            try {
                known(domid);
                begin.accept(problem -> {
                    if (problem == null) {
                        done.complete(true);
                    } else {
                        done.completeExceptionally(ToolstackException.failure(problem));
                    }
                });
            } catch (RuntimeException e) {
                done.completeExceptionally(e);
            }
        }));
        await(done);
    }

    @Override
    public List<BlockDeviceInfo> disks(int domid) {
        return ask(() -> {
            known(domid);
            return manager.devices().list(domid, DeviceChanges.VBD).stream()
                    .map(disk -> new BlockDeviceInfo(disk.device().number(), disk.device().backendDomid(), domid,
                            disk.state().ordinal(), disk.number("event-channel"), disk.number("ring-ref"),
                            disk.device().backend()))
                    .toList();
        });
    }

    @Override
    public List<VifInfo> vifs(int domid) {
        return ask(() -> {
            known(domid);
            return manager.devices().list(domid, DeviceChanges.VIF).stream().map(vif -> {
                int port = vif.number("event-channel");
                return new VifInfo(vif.device().number(), vif.device().backendDomid(), vif.text("mac"),
                        vif.state().ordinal(), port < 0 ? vif.number("event-channel-tx") : port,
                        vif.number("tx-ring-ref"), vif.number("rx-ring-ref"), vif.device().backend());
            }).toList();
        });
    }

    @Override
    public List<ChannelInfo> channels(int domid) {
        return ask(() -> {
            known(domid);
            List<ChannelSpec> specs = manager.configuration(domid).map(config -> config.devices().channels())
                    .orElse(List.of());
            return manager.devices().list(domid, ConsoleDaemon.CONSOLE).stream().map(channel -> {
                Device device = channel.device();
                ChannelSpec spec = specs.get(device.number() - 1);
                return new ChannelInfo(device.number(), device.backendDomid(), channel.state().ordinal(),
                        channel.number("port"), channel.number("ring-ref"), spec.connection().key(), spec.path());
            }).toList();
        });
    }

    @Override
    public List<NetworkPortInfo> networkPorts() {
        return ask(() -> host.network().ports());
    }

    @Override
    public NetworkCapture capture(String port, Path file, int snapLength) {
        return new CommandCapture(this, host.network(), port, file, snapLength, host.bootTime(), machine.clock()::now);
    }

    @Override
    public DomainDebugger debug(int domid, InetSocketAddress address, boolean destroys) {
        ask(() -> known(domid));
        return new CommandDebugger(this, dom0, manager, domid, address, destroys);
    }

    @Override
    public DomainResources resources() {
        return resources;
    }

    @Override
    public GuestControl guests() {
        return guests;
    }

    @Override
    public DomainEvents events() {
        EventQueue events = new EventQueue(this, machine, manager);
        ask(() -> {
            manager.addListener(events);
            return 0;
        });
        return events;
    }

    // ---- doors to other components ----

    @Override
    public ConsoleConnection attachConsole(int domid, int number, ConsoleOutput output) {
        return CommandConsole.attach(this, host.consoles(), domid, number, output);
    }

    @Override
    public Xenstore xenstore() {
        return host.openXenstore(this);
    }

    @Override
    public void trace(TraceOptions options, TraceOutput output) throws InterruptedException {
        new TraceReader(this, dom0.host()).print(options, output);
    }
}
