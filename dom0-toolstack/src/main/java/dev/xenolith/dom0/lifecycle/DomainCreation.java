package dev.xenolith.dom0.lifecycle;

import dev.xenolith.dom0.build.BuildException;
import dev.xenolith.dom0.build.PvBuilder;
import dev.xenolith.dom0.config.CpuSelection;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainType;
import dev.xenolith.dom0.lifecycle.DomainManager.Outcome;
import dev.xenolith.dom0.lifecycle.Transaction.Progress;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Makes one domain, step by step, each step with its undo. */
final class DomainCreation {
    /** Names of the steps, in order, as failure injection and progress know them. */
    static final List<String> STEPS = List.of("read the kernel", "create the domain", "set limits", "write its nodes",
            "build its memory", "write its rings", "serve its rings", "attach its devices", "announce it");

    /** Modelled time to read a kernel from a disk, in ns: a base and one per byte read at 200 MB/s. */
    private static final long READ_LATENCY = 2_000_000;

    private static final int KIB_PER_FRAME = 4;
    private static final int DEFAULT_MAX_EVENT_CHANNELS = 1023;
    private static final int DEFAULT_GRANT_FRAMES = 64;
    private static final int DEFAULT_MAPTRACK_FRAMES = 1024;
    private static final int DEFAULT_GRANT_VERSION = 2;

    private final DomainManager manager;
    private final ManagedDomain domain;
    private final DomainConfig config;
    private final DomainHandle dom0;
    private final DomainControl control;
    private PvBuilder.@Nullable Payload payload;
    private long @Nullable [] frames;
    private int populated;
    private @Nullable Exception unreadable;
    private boolean reading;
    private @Nullable PvBuilder builder;
    private @Nullable String notReady;

    DomainCreation(DomainManager manager, ManagedDomain domain) {
        this.manager = manager;
        this.domain = domain;
        this.config = domain.config;
        this.dom0 = manager.dom0();
        this.control = dom0.control();
    }

    void start(Outcome outcome) {
        Transaction transaction = new Transaction(dom0::post, manager.failureInjected(), failure -> {
            if (failure == null) {
                outcome.created(domain.domid);
            } else {
                manager.forget(domain);
                outcome.failed(DomainManager.explain(config, failure), failure);
            }
        });
        transaction.step(STEPS.get(0), () -> read(transaction)).step(STEPS.get(1), this::createEmpty, this::destroy)
                .step(STEPS.get(2), this::limit).step(STEPS.get(3), this::writeNodes, this::removeNodes)
                .step(STEPS.get(4), this::build).step(STEPS.get(5), this::writeRings)
                .step(STEPS.get(6), this::serveRings, this::stopServing)
                .step(STEPS.get(7), () -> attach(transaction), () -> detach(transaction))
                .step(STEPS.get(8), this::announce).start();
    }

    private Progress read(Transaction transaction) throws Exception {
        DomainConfig.Boot boot = config.boot();
        if (boot == null) {
            return Progress.DONE;
        }
        if (config.type() != DomainType.PV) {
            throw new BuildException("type=\"" + config.type().key() + "\" is not supported yet, only \"pv\" is");
        }
        if (!reading) {
            reading = true;
            manager.machine().submit(READ_LATENCY, () -> PvBuilder.Payload.read(boot.kernel(), boot.ramdisk()),
                    (result, failure) -> {
                        payload = result;
                        unreadable = failure;
                        transaction.resume();
                    });
            return Progress.WAIT;
        }
        if (unreadable != null) {
            throw unreadable;
        }
        return Progress.DONE;
    }

    private Progress createEmpty() throws IOException {
        long free = control.list().isEmpty() ? 0 : dom0.host().physicalInfo().freePages() * 4;
        if (config.memoryKiB() > free) {
            throw new IOException("memory=%d asks for %d MiB, %d MiB are free".formatted(config.memoryKiB() / 1024,
                    config.memoryKiB() / 1024, free / 1024));
        }
        DomainConfig.Limits limits = config.limits();
        DomainControl.Creation creation = new DomainControl.Creation(config.uuid(), false, config.maxVcpus(),
                limits.maxEventChannels().orElse(DEFAULT_MAX_EVENT_CHANNELS),
                limits.maxGrantFrames().orElse(DEFAULT_GRANT_FRAMES),
                limits.maxMaptrackFrames().orElse(DEFAULT_MAPTRACK_FRAMES),
                limits.maxGrantVersion().orElse(DEFAULT_GRANT_VERSION), config.privileged());
        domain.domid = check(isJava()
                ? control.createJava(manager.driverDomid(config.name()), creation)
                : control.create(creation), "creating the domain");
        return Progress.DONE;
    }

    private boolean isJava() { return config.type() == DomainType.JAVA; }

    private Progress destroy() {
        if (domain.domid < 0) {
            return Progress.DONE;
        }
        return manager.destroyStep(domain.domid) ? Progress.MORE : Progress.DONE;
    }

    private Progress limit() throws IOException {
        check(control.setMaxMemory(domain.domid, config.maxMemoryKiB() + DomainManager.MAXMEM_SLACK_KIB),
                "limiting its memory");
        check(control.setMemoryMapLimit(domain.domid, config.maxMemoryKiB()), "describing its memory");
        DomainConfig.Scheduling share = config.scheduling();
        if (share.weight().isPresent() || share.cap().isPresent()) {
            check(control.setSchedulerParameters(domain.domid, share.weight().orElse(256), share.cap().orElse(0)),
                    "setting weight and cap");
        }
        List<CpuSelection> affinity = config.hardAffinity();
        for (int vcpu = 0; vcpu < affinity.size(); vcpu++) {
            long mask = 0;
            for (int cpu = 0; cpu < Long.SIZE; cpu++) {
                if (affinity.get(vcpu).contains(cpu)) {
                    mask |= 1L << cpu;
                }
            }
            check(control.setAffinity(domain.domid, vcpu, mask, -1L), "setting cpus of vCPU " + vcpu);
        }
        return Progress.DONE;
    }

    private Progress writeNodes() {
        manager.store().write(DomainNodes.of(domain.domid, config));
        return Progress.DONE;
    }

    private Progress removeNodes() {
        manager.store().remove(DomainNodes.roots(domain.domid, config));
        return Progress.DONE;
    }

    private Progress build() throws BuildException, IOException {
        if (isJava()) {
            return populate();
        }
        if (builder == null) {
            builder = new PvBuilder(dom0, domain.domid, Objects.requireNonNull(payload), config.memoryKiB(),
                    Objects.requireNonNull(config.boot()).commandLine(), config.privileged());
        }
        return builder.step() ? Progress.MORE : Progress.DONE;
    }

    /** Java handlers do not see their memory, but it counts as any domain's does. */
    private Progress populate() throws IOException {
        if (frames == null) {
            frames = new long[Math.toIntExact(config.memoryKiB() / KIB_PER_FRAME)];
        }
        populated = check(control.populate(domain.domid, frames, populated), "allocating memory");
        return populated < frames.length ? Progress.MORE : Progress.DONE;
    }

    private Progress writeRings() {
        if (isJava()) {
            return Progress.DONE;
        }
        PvBuilder.Built rings = Objects.requireNonNull(builder).built();
        manager.store()
                .write(DomainNodes.rings(domain.domid, rings.consoleFrame(), rings.consolePort(), rings.xenstoreFrame(),
                        rings.xenstorePort()));
        return Progress.DONE;
    }

    private Progress serveRings() throws Exception {
        if (isJava()) {
            DomainHandle driver = control.handle(domain.domid);
            if (driver == null) {
                throw new IOException("it is gone already");
            }
            manager.services().startBackends(driver);
            return Progress.DONE;
        }
        manager.services().introduce(domain.domid, Objects.requireNonNull(builder).built());
        return Progress.DONE;
    }

    private Progress stopServing() {
        manager.services().release(domain.domid);
        return Progress.DONE;
    }

    private Progress attach(Transaction transaction) throws IOException {
        if (domain.devices.isEmpty() && !config.devices().isEmpty()) {
            DeviceBus bus = manager.deviceBus();
            for (DeviceNodes.Announced announced : DeviceNodes.all(domain.domid, config.devices(),
                    manager::backendDomid)) {
                domain.devices.add(announced.device());
                bus.announce(announced.nodes());
            }
            bus.awaitReady(domain.devices, problem -> {
                notReady = problem;
                transaction.resume();
            });
            return Progress.WAIT;
        }
        if (notReady != null) {
            throw new IOException(notReady);
        }
        return Progress.DONE;
    }

    private Progress detach(Transaction transaction) {
        if (domain.devices.isEmpty()) {
            return Progress.DONE;
        }
        List<Device> devices = List.copyOf(domain.devices);
        domain.devices.clear();
        manager.deviceBus().withdraw(devices, true, closed -> transaction.resume());
        return Progress.WAIT;
    }

    private Progress announce() {
        manager.complete(domain);
        return Progress.DONE;
    }

    private static int check(int result, String what) throws IOException {
        if (result < 0) {
            throw new IOException(what + " failed: " + Errno.name(result));
        }
        return result;
    }
}
