package dev.xenolith.hypervisor.domain;

import dev.xenolith.hypervisor.abi.VcpuOp;
import dev.xenolith.hypervisor.paging.VcpuTables;
import dev.xenolith.hypervisor.schedule.SchedUnit;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One virtual CPU: why it does not run if it does not, how long it was in each runstate, and its guest state. Whether and where
 * it runs is decided through the {@link Dispatcher}.
 */
public final class Vcpu extends SchedUnit {
    /** Waits for an event (SCHEDOP_block). */
    public static final int BLOCKED = 1;
    /** Not brought up, or taken down (VCPUOP_up, VCPUOP_down). */
    public static final int DOWN = 2;
    /** Waits for one of some event channels or a timeout (SCHEDOP_poll); goes with {@link #BLOCKED}. */
    public static final int POLLING = 4;
    /** Its domain has shut down. */
    public static final int SHUTDOWN = 8;

    public final Domain domain;
    private final @Nullable PvContext pv;
    /** The tables that a PV guest's vCPU runs on. */
    private @Nullable VcpuTables tables;
    /** What a Java domain's vCPU executes. */
    private @Nullable JavaVcpu java;
    private @Nullable VcpuTimers timers;
    /** Frame of a registered vcpu_info, held with a writable use; -1 if it is in shared_info. */
    public int infoFrame = -1;
    /** Physical address of this vCPU's vcpu_info, -1 if there is none. */
    public long infoAddress = -1;
    /** Port of SCHEDOP_poll; 0 if it polls none or several. */
    public int pollPort;
    /** Whether VCPUOP_initialise or a builder has given it a context. */
    public boolean initialised;
    /** Processor that holds its registers, -1 if {@link #pv} does. */
    public int loadedOn = -1;
    /** Address-space tag of kernel mode, that of user mode is the next; -1 if it has none yet. */
    public int tag = -1;
    /** Processor on which the tags stand for this vCPU's present tables, -1 for none. */
    public int tagsValidOn = -1;
    /** Mask of the processors that may hold translations of this vCPU. */
    public long processorsUsed;

    /** Hypercalls made since it exists, restarted ones once for each time; a multicall is one. */
    public long hypercalls;

    private int pauseFlags = DOWN;
    private int pauseCount;
    private int runstate = VcpuOp.RUNSTATE_OFFLINE;
    private long runstateSince;
    private final long[] runstateTime = new long[4];

    Vcpu(Domain domain, int id, long now) {
        super(domain.sched, id);
        this.domain = domain;
        this.pv = domain.kind == Domain.Kind.PV ? new PvContext() : null;
        this.runstateSince = now;
    }

    void attach(@Nullable VcpuTables tables, @Nullable JavaVcpu java) {
        this.tables = tables;
        this.java = java;
    }

    void attachTimers(VcpuTimers timers) {
        this.timers = timers;
    }

    public VcpuTimers timers() {
        return Objects.requireNonNull(timers);
    }

    /** The tables that this vCPU of a PV guest runs on. */
    public VcpuTables tables() {
        return Objects.requireNonNull(tables);
    }

    /** State of this vCPU of a PV guest. */
    public PvContext pv() {
        return Objects.requireNonNull(pv);
    }

    /** What this vCPU of a Java domain executes. */
    public JavaVcpu java() {
        return Objects.requireNonNull(java);
    }

    @Override
    public boolean isRunnable() { return (pauseFlags | pauseCount | domain.pauseCount()) == 0; }

    /** {@link #BLOCKED}, {@link #DOWN} and so on. */
    public boolean has(int flags) {
        return (pauseFlags & flags) != 0;
    }

    public boolean isUp() { return (pauseFlags & DOWN) == 0; }

    void setFlags(int flags) { pauseFlags |= flags; }

    void clearFlags(int flags) {
        pauseFlags &= ~flags;
    }

    int pauseCount() {
        return pauseCount;
    }

    void adjustPauseCount(int change) {
        pauseCount += change;
        assert pauseCount >= 0;
    }

    // ---- runstate ----------------------------------------------------------------------------------------------------

    /** One of VcpuOp.RUNSTATE_*. */
    public int runstate() {
        return runstate;
    }

    /** Machine time since when it has been in {@link #runstate}. */
    public long runstateSince() {
        return runstateSince;
    }

    /** Nanoseconds spent in {@code state} until {@code now}. */
    public long runstateTime(int state, long now) {
        return runstateTime[state] + (state == runstate ? now - runstateSince : 0);
    }

    /** Enters {@code state}, or the same again, at {@code now}. */
    void changeRunstate(int state, long now) {
        runstateTime[runstate] += now - runstateSince;
        runstate = state;
        runstateSince = now;
    }

    /** The runstate of a vCPU that is not running. */
    int waitingRunstate() {
        if (isRunnable()) {
            return VcpuOp.RUNSTATE_RUNNABLE;
        }
        return has(BLOCKED) && pauseCount == 0 && domain.pauseCount() == 0
                ? VcpuOp.RUNSTATE_BLOCKED
                : VcpuOp.RUNSTATE_OFFLINE;
    }
}
