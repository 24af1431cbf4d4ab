package dev.xenolith.hypervisor.domain;

import static dev.xenolith.hypervisor.abi.Errno.E2BIG;
import static dev.xenolith.hypervisor.abi.Errno.EACCES;
import static dev.xenolith.hypervisor.abi.Errno.EEXIST;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOMEM;
import static dev.xenolith.hypervisor.abi.Errno.ENOSPC;
import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.hypervisor.abi.Sched;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.console.Log;
import dev.xenolith.hypervisor.event.EventPorts;
import dev.xenolith.hypervisor.event.Fifo;
import dev.xenolith.hypervisor.event.TwoLevel;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.memory.SharedLayout;
import dev.xenolith.hypervisor.paging.DescriptorTables;
import dev.xenolith.hypervisor.paging.PageTypes;
import dev.xenolith.hypervisor.paging.TableUpdates;
import dev.xenolith.hypervisor.paging.Teardown;
import dev.xenolith.hypervisor.paging.VcpuTables;
import dev.xenolith.hypervisor.trace.Trace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The life of domains (xen/common/domain.c): creation, pausing, shutting down, crashing and the end. Everything that a domain
 * holds is taken back here, in steps that can be interrupted; what others still map of it keeps it as a zombie.
 *
 * <p>Owns what all domains share. Callers have checked that they may.
 */
public final class Domains {
    /** Most vCPUs of a domain (XEN_LEGACY_MAX_VCPUS: each has its vcpu_info in shared_info). */
    public static final int MAX_VCPUS = Xen.LEGACY_MAX_VCPUS;

    /** Most pauses by toolstacks at a time. */
    private static final int MOST_PAUSES = 255;

    public final DomainTable table = new DomainTable();
    public final Dispatcher dispatcher;
    public final Preemption preemption;
    public final EventOperations events;
    public final GlobalVirqs globalVirqs = new GlobalVirqs(table);
    public final Memory memory;
    public final PageTypes types;
    public final TableUpdates updates;
    public final Log log;
    public final Trace trace;
    private final MachineClock clock;
    private final List<Consumer<Domain>> endListeners = new ArrayList<>();
    private final List<ResourceHolder> holders = new ArrayList<>();
    private Runnable machineEnd = () -> {};
    private VcpuState vcpuState = NO_STATE;
    /** The frames with Xen's own descriptors: pages 14 and 15 of every GDT. */
    private final int[] reservedGdtFrames = {-1, -1};
    /** Page 14 of the GDTs of 32-bit guests. */
    private int compatGdtFrame = -1;

    private static final VcpuState NO_STATE = new VcpuState() {
        @Override
        public void rootChanged(Vcpu vcpu) {
            // No processor holds a vCPU yet.
        }

        @Override
        public void ldtChanged(Vcpu vcpu) {
            // As above.
        }

        @Override
        public void unload(Vcpu vcpu) {
            // As above.
        }

        @Override
        public void retire(Vcpu vcpu) {
            // As above.
        }

        @Override
        public void dump(Vcpu vcpu) {
            // As above.
        }
    };

    /** Something that keeps state for domains and gives it back at their end, such as grant tables. */
    public interface ResourceHolder {
        /** A domain has been made, not visible to anybody yet. Returns 0, or an error that makes the creation fail. */
        int created(Domain domain);

        /** Gives back what a dying domain holds. 0, or -ERESTART: call again. */
        int release(Domain domain, Preempt preempt);

        /** The last frame of the domain is gone; forget it. */
        void ended(Domain domain);
    }

    public Domains(MachineClock clock, Dispatcher dispatcher, PageTypes types, TableUpdates updates, Log log,
            Trace trace) {
        this.clock = clock;
        this.dispatcher = dispatcher;
        this.types = types;
        this.updates = updates;
        this.memory = types.memory();
        this.log = log;
        this.trace = trace;
        preemption = new Preemption(clock, dispatcher);
        events = new EventOperations(table, dispatcher, trace);
    }

    /**
     * Connects those who load vCPUs onto processors, and the frames of GDT pages 14 and 15, and of the former for 32-bit guests; before the
     * first PV domain.
     */
    public void setVcpuState(VcpuState state, int gdtPage14, int gdtPage15, int compatGdtPage14) {
        compatGdtFrame = compatGdtPage14;
        vcpuState = state;
        reservedGdtFrames[0] = gdtPage14;
        reservedGdtFrames[1] = gdtPage15;
    }

    /**
     * Makes an empty PV domain one of 32 bits; 64 is what it is made as. 0; -EINVAL for other widths, other kinds of domain and the way
     * back; -EACCES if it has memory already; -ENOMEM.
     */
    public int setAddressSize(Domain domain, int bits) {
        boolean compat = bits == Integer.SIZE;
        if (domain.kind != Domain.Kind.PV || !compat && (bits != Long.SIZE || domain.memory.isCompat())) {
            return -EINVAL;
        }
        if (compat == domain.memory.isCompat()) {
            return 0;
        }
        if (domain.memory.totalPages() != 0) {
            return -EACCES;
        }
        return CompatDomain.make(this, domain, compatGdtFrame);
    }

    public VcpuState vcpuState() {
        return vcpuState;
    }

    /** {@code action} is done when domain 0 ends, for then nobody serves the others any more. */
    public void onMachineEnd(Runnable action) {
        machineEnd = action;
    }

    /** Adds a keeper of domains' state; before the first domain. */
    public void addHolder(ResourceHolder holder) {
        holders.add(holder);
    }

    /** {@code listener} is called when a domain has ended and its domid is free again. */
    public void onEnd(Consumer<Domain> listener) {
        endListeners.add(listener);
    }

    /**
     * {@code action} is done when the destruction of {@code domain} begins, before those that were named earlier: a Java domain gives back
     * what it holds of others.
     */
    public void onDeath(Domain domain, Runnable action) {
        domain.deathActions.add(action);
    }

    /** Machine time, ns. */
    public long now() {
        return clock.now();
    }

    /** Accounts work of the hypervisor for the present vCPU: {@code nanoseconds} of machine time. */
    public void charge(long nanoseconds) {
        clock.advance(nanoseconds);
    }

    // ---- beginning ---------------------------------------------------------------------------------------------------

    /**
     * Makes a domain without memory of its own, paused by the toolstack once, its vCPUs down. Returns its domid, or -EINVAL,
     * -ENOMEM, -ENOSPC. XEN_DOMCTL_createdomain.
     */
    public int create(Domain.Parameters parameters) {
        int domid = table.allocate();
        return domid < 0 ? -ENOSPC : create(domid, parameters);
    }

    /** As {@link #create(Domain.Parameters)}, with a given domid; -EEXIST if there is such a domain. */
    public int create(int domid, Domain.Parameters parameters) {
        if (parameters.maxVcpus() < 1 || parameters.maxVcpus() > MAX_VCPUS || parameters.maxEventPort() < 1
                || domid < 0 || domid >= Xen.DOMID_FIRST_RESERVED) {
            return -EINVAL;
        }
        if (table.find(domid) != null) {
            return -EEXIST;
        }
        MemoryOwner owner = memory.createOwner(domid, new MemoryOwner.Events() {
            @Override
            public void crash(String reason) {
                Domain domain = table.find(domid);
                if (domain != null) {
                    Domains.this.crash(domain, reason);
                }
            }

            @Override
            public void empty() {
                memoryGone(domid);
            }
        });
        Domain domain = parameters.kind() == Domain.Kind.PV
                ? buildPv(domid, parameters, owner)
                : buildJava(domid, parameters, owner);
        if (domain == null) {
            memory.removeOwner(owner);
            return -ENOMEM;
        }
        for (Vcpu vcpu : domain.vcpus) {
            vcpu.attachTimers(new VcpuTimers(vcpu, dispatcher, events));
        }
        domain.adjustPauseCount(1);
        domain.controllerPauses = 1;
        domain.clock.stop(clock.now());
        for (int i = 0; i < holders.size(); i++) {
            int rc = holders.get(i).created(domain);
            if (rc != 0) {
                abandon(domain, i);
                return rc;
            }
        }
        table.add(domain);
        for (Vcpu vcpu : domain.vcpus) {
            dispatcher.insert(vcpu);
        }
        return domid;
    }

    private @Nullable Domain buildPv(int domid, Domain.Parameters parameters, MemoryOwner owner) {
        DescriptorTables descriptors = DescriptorTables.create(types, owner, parameters.maxVcpus());
        if (descriptors == null) {
            return null;
        }
        int sharedInfo = memory.allocateHypervisorFrame();
        if (sharedInfo < 0) {
            descriptors.release();
            return null;
        }
        memory.share(sharedInfo, owner, true);
        PhysicalMemory ram = memory.ram();
        long base = (long) sharedInfo << PhysicalMemory.FRAME_SHIFT;
        for (int i = 0; i < Xen.LEGACY_MAX_VCPUS; i++) {
            ram.write8(base + i * Xen.VcpuInfo.SIZE + Xen.VcpuInfo.EVTCHN_UPCALL_MASK, 1);
        }
        Domain domain = new Domain(domid, parameters, owner, descriptors, sharedInfo,
                (d, maxPort) -> {
                    GuestEvents guest = new GuestEvents(d, dispatcher);
                    return new EventPorts(domid, d.vcpus.length, maxPort, new TwoLevel(ram, guest),
                            () -> new Fifo(types, owner, d.vcpus.length, guest));
                }, clock.now());
        for (Vcpu vcpu : domain.vcpus) {
            vcpu.infoAddress = base + vcpu.id * Xen.VcpuInfo.SIZE;
            descriptors.setReservedGdtPage(vcpu.id, 14, reservedGdtFrames[0]);
            descriptors.setReservedGdtPage(vcpu.id, 15, reservedGdtFrames[1]);
            vcpu.attach(new VcpuTables(types, updates, owner, descriptors, vcpu.id, preemption,
                    new VcpuTables.Changes() {
                        @Override
                        public void rootChanged() {
                            vcpuState.rootChanged(vcpu);
                        }

                        @Override
                        public void ldtChanged() {
                            vcpuState.ldtChanged(vcpu);
                        }
                    }), null);
        }
        return domain;
    }

    private Domain buildJava(int domid, Domain.Parameters parameters, MemoryOwner owner) {
        return new Domain(domid, parameters, owner, null, -1, (domain, maxPort) -> {
            for (Vcpu vcpu : domain.vcpus) {
                vcpu.attach(null, new JavaVcpu(vcpu, dispatcher));
            }
            // Events go to the first vCPU; handlers that are posted to others run there.
            return new EventPorts(domid, domain.vcpus.length, maxPort, domain.vcpus[0].java());
        }, clock.now());
    }

    /** Undoes a creation that failed at holder {@code failed}. */
    private void abandon(Domain domain, int failed) {
        domain.memory.setDying();
        for (int i = failed - 1; i >= 0; i--) {
            holders.get(i).release(domain, Preempt.NEVER);
            holders.get(i).ended(domain);
        }
        if (domain.descriptors != null) {
            CompatDomain.release(this, domain);
            domain.descriptors.release();
            memory.releaseHypervisorFrame(domain.sharedInfoFrame);
        }
        if (memory.owner(domain.domid) != null) {
            memory.removeOwner(domain.memory);
        }
    }

    // ---- pausing -----------------------------------------------------------------------------------------------------

    /** XEN_DOMCTL_pausedomain: counts as the toolstack's pause; -E2BIG after too many. */
    public int pauseByController(Domain domain) {
        if (domain.controllerPauses == MOST_PAUSES) {
            return -E2BIG;
        }
        domain.controllerPauses++;
        dispatcher.pause(domain);
        return 0;
    }

    /** XEN_DOMCTL_unpausedomain. -EINVAL if the toolstack has not paused it. */
    public int unpauseByController(Domain domain) {
        if (domain.controllerPauses == 0) {
            return -EINVAL;
        }
        domain.controllerPauses--;
        dispatcher.unpause(domain);
        return 0;
    }

    /** The domain's kernel has met a breakpoint and a debugger is attached: it stands still, and the debugger is told. */
    public void pauseForDebugger(Domain domain) {
        if (pauseByController(domain) == 0) {
            globalVirqs.raise(Xen.VIRQ_DEBUGGER);
        }
    }

    // ---- shutting down -----------------------------------------------------------------------------------------------

    /** SCHEDOP_watchdog of a vCPU; see {@link Watchdogs#set}. */
    public int watchdog(Vcpu vcpu, int id, int seconds) {
        Domain domain = vcpu.domain;
        if (domain.watchdogs == null) {
            domain.watchdogs = new Watchdogs(() -> {
                if (!domain.shuttingDown && !domain.isDying()) {
                    log.info("Watchdog timer fired for domain " + domain.domid);
                    shutdown(domain, Sched.SHUTDOWN_WATCHDOG);
                }
            });
        }
        return domain.watchdogs.set(id, seconds, dispatcher.timers(vcpu.processor()), clock.now());
    }

    /** Stops the domain with an SHUTDOWN_* {@code reason}; the first reason stays. Tells who watches domains. */
    public void shutdown(Domain domain, int reason) {
        if (domain.shutdownCode == -1) {
            domain.shutdownCode = reason;
        }
        if (domain.shuttingDown || domain.isDying()) {
            return;
        }
        domain.shuttingDown = true;
        domain.shutDown = true;
        endMachineWith(domain);
        for (Vcpu vcpu : domain.vcpus) {
            dispatcher.stopForShutdown(vcpu);
        }
        globalVirqs.raise(Xen.VIRQ_DOM_EXC);
        if (domain.debug != null && domain.shutdownCode != Sched.SHUTDOWN_SUSPEND) {
            domain.debug.end(domain.shutdownCode);
        }
    }

    /** As hwdom_shutdown of Xen: with the domain that owns the hardware the machine ends. */
    private void endMachineWith(Domain domain) {
        if (domain.domid == 0) {
            log.print("Hardware Dom0 halted: halting machine");
            machineEnd.run();
        }
    }

    /** SCHEDOP_shutdown_code: names the reason of a shutdown that is still to come. 0. */
    public int setShutdownCode(Domain domain, int reason) {
        domain.shutdownCode = reason;
        return 0;
    }

    /**
     * Lets a domain that shut down go on where it was (XEN_DOMCTL_resumedomain); if {@code cancelled}, the SCHEDOP_shutdown of its first
     * vCPU returns 1: there was no suspend. -EINVAL if it has not shut down, or was not to suspend.
     */
    public int resume(Domain domain, boolean cancelled) {
        if (!domain.shutDown || domain.isDying()) {
            return -EINVAL;
        }
        if (cancelled) {
            if (domain.kind != Domain.Kind.PV || domain.shutdownCode != Sched.SHUTDOWN_SUSPEND) {
                return -EINVAL;
            }
            Vcpu caller = domain.vcpus[0];
            vcpuState.unload(caller);
            caller.pv().gpr[Processor.RAX] = 1;
        }
        domain.shuttingDown = false;
        domain.shutDown = false;
        domain.shutdownCode = -1;
        for (Vcpu vcpu : domain.vcpus) {
            dispatcher.resumeFromShutdown(vcpu);
        }
        return 0;
    }

    /**
     * Takes from a suspended domain what it has set up with the hypervisor, so that it can be resumed as if restored elsewhere. 0,
     * -ERESTART, -EINVAL.
     */
    public int resetInterfaces(Domain domain, Preempt preempt) {
        return InterfaceReset.run(this, domain, preempt);
    }

    /** A vCPU gets a non-maskable interrupt, once its kernel has a handler for it. -EINVAL for a Java domain. */
    public int sendNmi(Vcpu vcpu) {
        if (vcpu.domain.kind != Domain.Kind.PV) {
            return -EINVAL;
        }
        vcpu.pv().nmiPending = true;
        dispatcher.unblock(vcpu);
        dispatcher.notice(vcpu);
        return 0;
    }

    /**
     * The domain did what no domain may, or met what it has no handler for: logs its state and shuts it down, once a debugger that is
     * attached has looked at it.
     */
    public void crash(Domain domain, String reason) {
        if (domain.shuttingDown || domain.isDying()) {
            return;
        }
        log.print(domain + " domain_crash: " + reason);
        int executing = dispatcher.executing();
        Vcpu current = executing < 0 ? null : dispatcher.current(executing);
        Vcpu culprit = current != null && current.domain == domain ? current : domain.vcpus[0];
        log.print("Domain " + domain.domid + " (vcpu#" + culprit.id + ") crashed on cpu#"
                + Math.max(0, culprit.processor()) + ":");
        if (domain.kind == Domain.Kind.PV) {
            vcpuState.dump(culprit);
        }
        if (domain.debug == null) {
            shutdown(domain, Sched.SHUTDOWN_CRASH);
        } else {
            if (domain.shutdownCode == -1) {
                domain.shutdownCode = Sched.SHUTDOWN_CRASH;
            }
            domain.debug.crash(culprit, () -> shutdown(domain, Sched.SHUTDOWN_CRASH));
        }
    }

    // ---- the end -----------------------------------------------------------------------------------------------------

    /**
     * Ends a domain, in steps. 0 when nothing is left but what others hold, or -ERESTART: call again. XEN_DOMCTL_destroydomain.
     */
    public int destroy(Domain domain, Preempt preempt) {
        if (domain.dying == Domain.Dying.ZOMBIE) {
            return 0;
        }
        if (domain.dying == Domain.Dying.ALIVE) {
            begin(domain);
        }
        int rc = 0;
        while (rc == 0 && domain.destroyStage < stages(domain)) {
            rc = stage(domain, domain.destroyStage, preempt);
            if (rc == 0) {
                domain.destroyStage++;
                if (domain.destroyStage < stages(domain) && preempt.check()) {
                    rc = -ERESTART;
                }
            }
        }
        if (rc == 0) {
            finish(domain);
        }
        return rc;
    }

    private void begin(Domain domain) {
        dispatcher.pause(domain);
        endMachineWith(domain);
        domain.dying = Domain.Dying.DYING;
        memory.claim(domain.memory, 0);
        domain.memory.setDying();
        globalVirqs.forget(domain);
        domain.deathActions.reversed().forEach(Runnable::run);
        if (domain.debug != null) {
            domain.debug.end(-1);
        }
        if (domain.watchdogs != null) {
            domain.watchdogs.stop();
        }
        for (Vcpu vcpu : domain.vcpus) {
            vcpu.timers().stop();
            dispatcher.retire(vcpu);
            if (domain.kind == Domain.Kind.JAVA) {
                vcpu.java().end();
            }
        }
    }

    private int stages(Domain domain) {
        return 1 + domain.vcpus.length + holders.size() + 1;
    }

    private int stage(Domain domain, int stage, Preempt preempt) {
        if (stage == 0) {
            return domain.events.end(preempt);
        }
        int vcpu = stage - 1;
        if (vcpu < domain.vcpus.length) {
            return releaseVcpu(domain, domain.vcpus[vcpu]);
        }
        int holder = vcpu - domain.vcpus.length;
        if (holder < holders.size()) {
            return holders.get(holder).release(domain, preempt);
        }
        if (domain.teardown == null) {
            domain.teardown = new Teardown(types, domain.memory, preempt);
        }
        return domain.teardown.run();
    }

    private int releaseVcpu(Domain domain, Vcpu vcpu) {
        if (domain.kind != Domain.Kind.PV) {
            return 0;
        }
        vcpuState.retire(vcpu);
        releaseInfo(vcpu);
        return vcpu.tables().release();
    }

    void releaseInfo(Vcpu vcpu) {
        if (vcpu.infoFrame >= 0) {
            types.letGo(vcpu.infoFrame);
            vcpu.infoFrame = -1;
        }
        vcpu.infoAddress = -1;
    }

    private void finish(Domain domain) {
        domain.dying = Domain.Dying.ZOMBIE;
        if (domain.descriptors != null) {
            CompatDomain.release(this, domain);
            domain.descriptors.release();
            memory.releaseHypervisorFrame(domain.sharedInfoFrame);
        }
        if (domain.memory.isEmpty()) {
            memoryGone(domain.domid);
        }
        globalVirqs.raise(Xen.VIRQ_DOM_EXC);
    }

    /** The last frame of a dying domain is gone. */
    private void memoryGone(int domid) {
        Domain domain = table.find(domid);
        if (domain == null || domain.dying != Domain.Dying.ZOMBIE) {
            return;
        }
        for (ResourceHolder holder : holders) {
            holder.ended(domain);
        }
        memory.removeOwner(domain.memory);
        table.remove(domain);
        for (Consumer<Domain> listener : endListeners) {
            listener.accept(domain);
        }
        // Once more: it may have been a zombie since it was destroyed (complete_domain_destroy).
        globalVirqs.raise(Xen.VIRQ_DOM_EXC);
    }

    /** A defect of the hypervisor showed while it worked for {@code domain}: nothing of the domain can be trusted any more. */
    public void quarantine(Domain domain) {
        domain.memory.quarantine();
        shutdown(domain, Sched.SHUTDOWN_CRASH);
    }

    // ---- vcpu_info ---------------------------------------------------------------------------------------------------

    /**
     * VCPUOP_register_vcpu_info: from now on the vCPU's vcpu_info is at byte {@code offset} of the domain's frame {@code mfn}; any
     * values. Once for each vCPU; all of its events become pending again.
     */
    public int registerInfo(Vcpu vcpu, long mfn, int offset) {
        if (vcpu.infoFrame >= 0 || Integer.compareUnsigned(offset, PhysicalMemory.FRAME_SIZE - Xen.VcpuInfo.SIZE) > 0
                || (offset & 7) != 0) {
            return -EINVAL;
        }
        if (!types.hold(mfn, vcpu.domain.memory)) {
            return -EINVAL;
        }
        PhysicalMemory ram = memory.ram();
        long address = (mfn << PhysicalMemory.FRAME_SHIFT) + offset;
        ram.copy(vcpu.infoAddress, address, Xen.VcpuInfo.SIZE);
        vcpu.infoFrame = (int) mfn;
        vcpu.infoAddress = address;
        // Mark everything as being pending, so that nothing is lost.
        ram.write8(address + Xen.VcpuInfo.EVTCHN_UPCALL_PENDING, 1);
        SharedLayout layout = vcpu.domain.memory.sharedLayout();
        layout.write(ram, address + layout.pendingSelector, -1);
        return 0;
    }

    /** MFNs of the hypervisor that hold GDT pages 14 and 15, for the audit. */
    public int[] reservedGdtFrames() {
        return Arrays.copyOf(reservedGdtFrames, reservedGdtFrames.length);
    }
}
