package dev.xenolith.hypervisor.domain;

import dev.xenolith.hypervisor.event.EventPorts;
import dev.xenolith.hypervisor.grant.GrantTable;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.paging.DescriptorTables;
import dev.xenolith.hypervisor.paging.Teardown;
import dev.xenolith.hypervisor.schedule.SchedDomain;
import dev.xenolith.hypervisor.time.DomainClock;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A domain: an isolated machine with its own memory, vCPUs and event channels.
 */
public final class Domain {
    /** What its vCPUs execute. */
    public enum Kind {
        /** A paravirtualised 64-bit kernel. */
        PV,
        /** Handlers in Java: dom0 and driver domains. */
        JAVA
    }

    /** How far gone it is. */
    public enum Dying {
        ALIVE,
        /** Its resources are being taken back. */
        DYING,
        /** Nothing is left but what others still map. */
        ZOMBIE
    }

    /** What it is made with. */
    public record Parameters(UUID handle, Kind kind, boolean privileged, int maxVcpus, int maxEventPort,
            GrantTable.Limits grants) {
        /** With the default limits for grants. */
        public Parameters(UUID handle, Kind kind, boolean privileged, int maxVcpus, int maxEventPort) {
            this(handle, kind, privileged, maxVcpus, maxEventPort, GrantTable.Limits.DEFAULT);
        }
    }

    public final int domid;
    public UUID handle;
    public final Kind kind;
    /** May control other domains and the host. */
    public final boolean privileged;
    public final Vcpu[] vcpus;
    public final SchedDomain sched;
    public final DomainClock clock = new DomainClock();
    public final MemoryOwner memory;
    public final EventPorts events;
    /** Limits of its grant table. */
    final GrantTable.Limits grantLimits;
    /** Where the processor finds the vCPUs' descriptor tables; null in a Java domain. */
    public final @Nullable DescriptorTables descriptors;
    /** MFN of the shared_info page, -1 if there is none. */
    public final int sharedInfoFrame;
    /** Offset of {@link #clock} that the wall clock in shared_info was computed from. */
    public long wallClockOffset = Long.MIN_VALUE;
    /** The e820 entries of XENMEM_set_memory_map; null if none have been set. */
    public byte @Nullable [] memoryMap;
    /** How far its wall clock is ahead of the host's, in seconds. */
    public long timeOffsetSeconds;
    /** Whether a debugger waits for its kernel's breakpoints. */
    public boolean debugged;
    /** Nodes that its memory should be on. */
    public long nodeAffinity = 1;
    /** XEN_DOMCTL_settscinfo: the mode that was asked for, and how often it has been set. */
    public int tscMode;
    public int tscIncarnation;
    /** VMASST_TYPE_* bits. */
    public long vmAssist;
    /** Machine time at which it was created. */
    public final long created;

    /** A debugger's hold on it. */
    @Nullable
    DebugSession debug;
    /** Done when its destruction begins. */
    final List<Runnable> deathActions = new ArrayList<>(0);
    @Nullable
    Watchdogs watchdogs;
    /** vCPUs in SCHEDOP_poll. */
    int pollers;
    private int pauseCount;
    /** How many of the pauses are the toolstack's (XEN_DOMCTL_pausedomain). */
    int controllerPauses;
    boolean shuttingDown;
    boolean shutDown;
    int shutdownCode = -1;
    Dying dying = Dying.ALIVE;

    /** How far {@link Domains#destroy} has come. */
    int destroyStage;
    @Nullable
    Teardown teardown;

    Domain(int domid, Parameters parameters, MemoryOwner memory, @Nullable DescriptorTables descriptors,
            int sharedInfoFrame, EventsFactory factory, long now) {
        this.domid = domid;
        this.memory = memory;
        this.descriptors = descriptors;
        this.sharedInfoFrame = sharedInfoFrame;
        created = now;
        handle = parameters.handle();
        kind = parameters.kind();
        privileged = parameters.privileged();
        grantLimits = parameters.grants();
        sched = new SchedDomain(domid);
        vcpus = new Vcpu[parameters.maxVcpus()];
        for (int i = 0; i < vcpus.length; i++) {
            vcpus[i] = new Vcpu(this, i, now);
        }
        events = factory.create(this, parameters.maxEventPort());
    }

    /** Makes the ports of a new domain, and what tells it of its events. */
    @FunctionalInterface
    interface EventsFactory {
        EventPorts create(Domain domain, int maxPort);
    }

    /** The vCPU with this number, any value, or null. */
    public @Nullable Vcpu vcpu(long id) {
        return id >= 0 && id < vcpus.length ? vcpus[(int) id] : null;
    }

    int pauseCount() {
        return pauseCount;
    }

    void adjustPauseCount(int change) {
        pauseCount += change;
        assert pauseCount >= 0;
    }

    /** What takes its pages back, while that goes on. */
    public @Nullable Teardown teardown() {
        return teardown;
    }

    /** What the debugger that is attached, if any, wants. */
    public @Nullable DebugSession debug() {
        return debug;
    }

    public boolean isDebugged() { return debug != null; }

    public boolean isPausedByController() { return controllerPauses > 0; }

    /** Whether it has asked, or been told, to shut down and all its vCPUs have stopped. */
    public boolean isShutDown() {
        return shutDown;
    }

    /** SHUTDOWN_* reason, -1 if it has not been shut down. */
    public int shutdownCode() {
        return shutdownCode;
    }

    public Dying dying() {
        return dying;
    }

    public boolean isDying() { return dying != Dying.ALIVE; }

    /** {@code d7}, as Xen's log names it. */
    @Override
    public String toString() {
        return "d" + domid;
    }
}
