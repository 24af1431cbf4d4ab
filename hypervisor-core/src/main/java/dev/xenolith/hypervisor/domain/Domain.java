package dev.xenolith.hypervisor.domain;

import dev.xenolith.hypervisor.schedule.SchedDomain;
import dev.xenolith.hypervisor.time.DomainClock;
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
    public record Parameters(UUID handle, Kind kind, boolean privileged, int maxVcpus, int maxEventChannels) {
    }

    public final int domid;
    public final UUID handle;
    public final Kind kind;
    /** May control other domains and the host. */
    public final boolean privileged;
    public final Vcpu[] vcpus;
    public final SchedDomain sched;
    public final DomainClock clock = new DomainClock();
    /** VMASST_TYPE_* bits. */
    public long vmAssist;
    /** MFN of the shared_info page, -1 if there is none. */
    public int sharedInfoFrame = -1;

    private int pauseCount;
    /** How many of the pauses are the toolstack's (XEN_DOMCTL_pausedomain). */
    int controllerPauses;
    boolean shuttingDown;
    boolean shutDown;
    int shutdownCode = -1;
    Dying dying = Dying.ALIVE;

    Domain(int domid, Parameters parameters, long now) {
        this.domid = domid;
        handle = parameters.handle();
        kind = parameters.kind();
        privileged = parameters.privileged();
        sched = new SchedDomain(domid);
        vcpus = new Vcpu[parameters.maxVcpus()];
        for (int i = 0; i < vcpus.length; i++) {
            vcpus[i] = new Vcpu(this, i, now);
        }
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
