package dev.xenolith.hypervisor.schedule;

import org.jspecify.annotations.Nullable;

/** What a scheduler schedules: one vCPU. Everything but {@link #isRunnable} is the scheduler's and its core's to change. */
public abstract class SchedUnit {
    public static final long ANY_PROCESSOR = -1L;

    public final SchedDomain schedDomain;
    /** Number of the vCPU in its domain. */
    public final int id;
    /** Where it runs, or ran last. */
    private int processor;
    private long hardAffinity = ANY_PROCESSOR;
    private long softAffinity = ANY_PROCESSOR;
    private boolean running;
    /** The scheduler's own state of the unit; set between {@link Scheduler#insert} and {@link Scheduler#remove}. */
    @Nullable
    Object privateState;

    protected SchedUnit(SchedDomain schedDomain, int id) {
        this.schedDomain = schedDomain;
        this.id = id;
    }

    /** Whether it has something to do and nothing forbids it. */
    public abstract boolean isRunnable();

    public final int processor() {
        return processor;
    }

    /** Moves it; only while it is not running. */
    public final void setProcessor(int processor) {
        this.processor = processor;
    }

    /** Whether it is the current unit of {@link #processor}. */
    public final boolean isRunning() { return running; }

    public final void setRunning(boolean running) { this.running = running; }

    /** Mask of the processors it may run on. */
    public final long hardAffinity() {
        return hardAffinity;
    }

    /** Mask of the processors it should run on. */
    public final long softAffinity() {
        return softAffinity;
    }

    /** Use {@link Scheduler#affinityChanged} after it. */
    public final void setAffinity(long hard, long soft) {
        hardAffinity = hard;
        softAffinity = soft;
    }

    @Override
    public String toString() {
        return "d" + schedDomain.domid + "v" + id;
    }
}
