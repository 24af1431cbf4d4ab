package dev.xenolith.hypervisor.domain;

import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.hypervisor.abi.VcpuOp;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.schedule.ProcessorControl;
import dev.xenolith.hypervisor.schedule.Scheduler;
import dev.xenolith.hypervisor.time.TimerQueue;
import dev.xenolith.hypervisor.trace.Trace;
import dev.xenolith.hypervisor.trace.TraceClass;
import dev.xenolith.hypervisor.trace.TraceEvent;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Puts vCPUs on processors: what xen/common/sched/core.c does around a {@link Scheduler}. Keeps who is current on each
 * processor, the runstates, and each processor's request to schedule anew.
 */
public final class Dispatcher implements ProcessorControl {
    /** The processors' interrupts, for kicks and timers. */
    public interface Interrupts {
        int processors();

        /** Interrupts {@code processor} so that it looks for work: an interprocessor interrupt. */
        void interrupt(int processor);

        /** Arms the local APIC timer of {@code processor} for machine time {@code deadline}, Long.MAX_VALUE for never. */
        void arm(int processor, long deadline);
    }

    /** The state of one processor. */
    private static final class PerProcessor {
        final TimerQueue timers;
        final TimerQueue.Timer slice;
        @Nullable
        Vcpu current;
        boolean schedule;
        /** Time that it had nothing to run until {@link #idleSince}, from when on it has not if {@link #current} is null. */
        long idleTime;
        long idleSince;

        PerProcessor(TimerQueue timers) {
            this.timers = timers;
            slice = new TimerQueue.Timer() {
                @Override
                protected void expired(long now) {
                    schedule = true;
                }
            };
        }
    }

    private final MachineClock clock;
    private final Interrupts interrupts;
    private final Trace trace;
    private final PerProcessor[] processors;
    private final Scheduler scheduler;
    private int executing = -1;

    public Dispatcher(MachineClock clock, Interrupts interrupts, Trace trace,
            Function<ProcessorControl, Scheduler> policy) {
        this.clock = clock;
        this.trace = trace;
        this.interrupts = interrupts;
        processors = new PerProcessor[interrupts.processors()];
        for (int i = 0; i < processors.length; i++) {
            int processor = i;
            processors[i] = new PerProcessor(new TimerQueue(deadline -> interrupts.arm(processor, deadline)));
        }
        scheduler = policy.apply(this);
    }

    public Scheduler scheduler() {
        return scheduler;
    }

    public long now() {
        return clock.now();
    }

    @Override
    public int processors() {
        return processors.length;
    }

    @Override
    public TimerQueue timers(int processor) {
        return processors[processor].timers;
    }

    @Override
    public void kick(int processor) {
        processors[processor].schedule = true;
        if (processor != executing) {
            interrupts.interrupt(processor);
        }
    }

    @Override
    public void scheduleAt(int processor, long deadline) {
        processors[processor].timers.set(processors[processor].slice, deadline);
    }

    /** Says which processor has its turn on the machine thread, -1 for none: it needs no interrupt to notice things. */
    public void setExecuting(int processor) {
        executing = processor;
    }

    /** The processor that has its turn, -1 between turns. */
    public int executing() {
        return executing;
    }

    /** What {@code processor} runs, null if it is idle. */
    public @Nullable Vcpu current(int processor) {
        return processors[processor].current;
    }

    /** Nanoseconds that {@code processor} has had nothing to run. */
    public long idleTime(int processor) {
        PerProcessor p = processors[processor];
        return p.idleTime + (p.current == null ? clock.now() - p.idleSince : 0);
    }

    /** Whether {@code processor} was asked to schedule. */
    public boolean scheduleRequested(int processor) {
        return processors[processor].schedule;
    }

    /** Chooses what {@code processor} runs next, and until when. Returns it, null for idle. */
    public @Nullable Vcpu schedule(int processor) {
        PerProcessor p = processors[processor];
        long now = clock.now();
        p.schedule = false;
        Vcpu previous = p.current;
        Vcpu next = (Vcpu) scheduler.schedule(processor, previous, now);
        if (next != previous) {
            if (previous != null) {
                leave(previous, now);
                p.idleSince = now;
            } else {
                p.idleTime += now - p.idleSince;
            }
            if (next != null) {
                next.setProcessor(processor);
                next.setRunning(true);
                next.changeRunstate(VcpuOp.RUNSTATE_RUNNING, now);
            }
            p.current = next;
            if (next != null) {
                next.timers().beginRunning();
            }
            if (trace.on(TraceClass.SCHEDULE)) {
                recordSwitch(processor, previous, next);
            }
        }
        long end = scheduler.sliceEnd(processor);
        if (end == Long.MAX_VALUE) {
            p.slice.stop();
        } else {
            p.timers.set(p.slice, end);
        }
        return next;
    }

    private static void leave(Vcpu vcpu, long now) {
        vcpu.setRunning(false);
        vcpu.changeRunstate(vcpu.waitingRunstate(), now);
        vcpu.timers().endRunning();
    }

    private void recordSwitch(int processor, @Nullable Vcpu previous, @Nullable Vcpu next) {
        long before = previous == null ? -1 : (long) previous.domain.domid << 16 | previous.id;
        if (next == null) {
            trace.record(TraceEvent.IDLE, processor, Xen.DOMID_IDLE, processor, before, 0, 0);
        } else {
            trace.record(TraceEvent.RUN, processor, next.domain.domid, next.id, before, 0, 0);
        }
    }

    // ---- vCPUs -------------------------------------------------------------------------------------------------------

    /** Tells the scheduler of a new vCPU. */
    void insert(Vcpu vcpu) {
        scheduler.insert(vcpu, clock.now());
    }

    /** Takes a vCPU of a dying domain, which is paused, off its processor and away from the scheduler. */
    void retire(Vcpu vcpu) {
        if (vcpu.isRunning()) {
            processors[vcpu.processor()].current = null;
            processors[vcpu.processor()].idleSince = clock.now();
            leave(vcpu, clock.now());
            kick(vcpu.processor());
        }
        vcpu.setFlags(Vcpu.DOWN);
        vcpu.changeRunstate(VcpuOp.RUNSTATE_OFFLINE, clock.now());
        scheduler.remove(vcpu, clock.now());
    }

    /** Has a vCPU that runs on another processor look for its events now. */
    public void notice(Vcpu vcpu) {
        if (vcpu.isRunning() && vcpu.processor() != executing) {
            interrupts.interrupt(vcpu.processor());
        }
    }

    /** Ends a wait for events, if it is in one (vcpu_unblock). */
    public void unblock(Vcpu vcpu) {
        if (vcpu.has(Vcpu.BLOCKED)) {
            if (vcpu.has(Vcpu.POLLING)) {
                vcpu.domain.pollers--;
                vcpu.timers().stopPoll();
                vcpu.pollPort = 0;
            }
            vcpu.clearFlags(Vcpu.BLOCKED | Vcpu.POLLING);
            woken(vcpu);
        }
    }

    /** The running vCPU waits for an event; the caller has checked that none is pending (vcpu_block). */
    public void block(Vcpu vcpu) {
        vcpu.setFlags(Vcpu.BLOCKED);
        stopped(vcpu);
    }

    /** The running vCPU waits for {@code port} of its domain, or some port if 0, or {@link #unblock} (do_poll). */
    public void blockPolling(Vcpu vcpu, int port) {
        vcpu.domain.pollers++;
        vcpu.setFlags(Vcpu.BLOCKED | Vcpu.POLLING);
        vcpu.pollPort = port;
        stopped(vcpu);
    }

    /** The running vCPU lets others go first. */
    public void yield(Vcpu vcpu) {
        scheduler.yield(vcpu);
        kick(vcpu.processor());
    }

    /** VCPUOP_up. */
    public void up(Vcpu vcpu) {
        if (vcpu.has(Vcpu.DOWN)) {
            vcpu.clearFlags(Vcpu.DOWN);
            woken(vcpu);
        }
    }

    /** VCPUOP_down. */
    public void down(Vcpu vcpu) {
        vcpu.setFlags(Vcpu.DOWN);
        stopped(vcpu);
    }

    /** Keeps one vCPU from running until as many {@link #unpause} have come. It executes nothing after this returns. */
    public void pause(Vcpu vcpu) {
        vcpu.adjustPauseCount(1);
        stopped(vcpu);
    }

    public void unpause(Vcpu vcpu) {
        vcpu.adjustPauseCount(-1);
        woken(vcpu);
    }

    /** Keeps all vCPUs of a domain from running; its clock stops. They execute nothing after this returns. */
    public void pause(Domain domain) {
        domain.adjustPauseCount(1);
        if (domain.pauseCount() == 1) {
            domain.clock.stop(clock.now());
            for (Vcpu vcpu : domain.vcpus) {
                stopped(vcpu);
            }
        }
    }

    public void unpause(Domain domain) {
        domain.adjustPauseCount(-1);
        if (domain.pauseCount() == 0) {
            domain.clock.resume(clock.now());
            for (Vcpu vcpu : domain.vcpus) {
                vcpu.timers().rearm();
                woken(vcpu);
            }
        }
    }

    void stopForShutdown(Vcpu vcpu) {
        vcpu.setFlags(Vcpu.SHUTDOWN);
        stopped(vcpu);
    }

    void resumeFromShutdown(Vcpu vcpu) {
        vcpu.clearFlags(Vcpu.SHUTDOWN);
        woken(vcpu);
    }

    /** A reason not to run has gone. */
    private void woken(Vcpu vcpu) {
        if (vcpu.isRunning()) {
            return;
        }
        vcpu.changeRunstate(vcpu.waitingRunstate(), clock.now());
        if (vcpu.isRunnable()) {
            if (trace.on(TraceClass.SCHEDULE)) {
                trace.record(TraceEvent.WAKE, Math.max(0, executing), vcpu.domain.domid, vcpu.id, 0, 0, 0);
            }
            scheduler.wake(vcpu, clock.now());
        }
    }

    /** A reason not to run has come. A running vCPU leaves its processor before it executes another instruction. */
    private void stopped(Vcpu vcpu) {
        if (vcpu.isRunning()) {
            kick(vcpu.processor());
        } else {
            vcpu.changeRunstate(vcpu.waitingRunstate(), clock.now());
        }
        scheduler.sleep(vcpu, clock.now());
    }
}
