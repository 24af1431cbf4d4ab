package dev.xenolith.hypervisor.domain;

import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.time.TimerQueue;

/**
 * The timers of one vCPU, in its domain's time: the single shot and the periodic timer, which raise VIRQ_TIMER, and the end of a
 * poll. They stand still with the domain's clock.
 */
public final class VcpuTimers {
    private static final long NONE = Long.MAX_VALUE;
    /** Guests start with a periodic timer of 10 ms, from the days when all of them had one. */
    private static final long DEFAULT_PERIOD = 10_000_000;

    private final Vcpu vcpu;
    private final Dispatcher dispatcher;
    private final EventOperations events;
    private final DomainTimer singleshot = new DomainTimer() {
        @Override
        void due(long domainNow) {
            events.raiseVirq(vcpu, Xen.VIRQ_TIMER);
        }
    };
    private final DomainTimer periodic = new DomainTimer() {
        @Override
        void due(long domainNow) {
            tick(domainNow);
        }
    };
    private final DomainTimer poll = new DomainTimer() {
        @Override
        void due(long domainNow) {
            dispatcher.unblock(vcpu);
        }
    };
    /** Of the periodic timer; 0 if it is stopped. */
    private long period;
    private long lastTick;

    /** A timer with a deadline in the domain's time. */
    private abstract class DomainTimer extends TimerQueue.Timer {
        private long domainDeadline = NONE;

        abstract void due(long domainNow);

        void set(long deadline) {
            domainDeadline = deadline;
            dispatcher.timers(vcpu.processor()).set(this, vcpu.domain.clock.toMachine(deadline));
        }

        void clear() {
            domainDeadline = NONE;
            stop();
        }

        /** The clock goes on. */
        void rearm() {
            if (domainDeadline != NONE) {
                set(domainDeadline);
            }
        }

        @Override
        protected void expired(long now) {
            if (vcpu.domain.clock.isStopped()) {
                return;
            }
            long domainNow = vcpu.domain.clock.at(now);
            if (domainNow < domainDeadline) {
                rearm();
                return;
            }
            domainDeadline = NONE;
            due(domainNow);
        }
    }

    VcpuTimers(Vcpu vcpu, Dispatcher dispatcher, EventOperations events) {
        this.vcpu = vcpu;
        this.dispatcher = dispatcher;
        this.events = events;
        period = vcpu.domain.kind == Domain.Kind.PV ? DEFAULT_PERIOD : 0;
    }

    /** VCPUOP_set_singleshot_timer: VIRQ_TIMER when the domain's time is {@code deadline} or more, at once if it is. */
    public void setSingleshot(long deadline) {
        if (deadline <= vcpu.domain.clock.at(dispatcher.now())) {
            singleshot.clear();
            events.raiseVirq(vcpu, Xen.VIRQ_TIMER);
        } else {
            singleshot.set(deadline);
        }
    }

    /** VCPUOP_stop_singleshot_timer. */
    public void stopSingleshot() {
        singleshot.clear();
    }

    /** VCPUOP_set_periodic_timer: VIRQ_TIMER every {@code nanoseconds}, positive, while the vCPU runs. */
    public void setPeriodic(long nanoseconds) {
        period = nanoseconds;
        if (vcpu.isRunning()) {
            beginRunning();
        }
    }

    /** VCPUOP_stop_periodic_timer. */
    public void stopPeriodic() {
        period = 0;
        periodic.clear();
    }

    /** The vCPU has got a processor: it gets its ticks again, one at once if it is due (vcpu_periodic_timer_work). */
    void beginRunning() {
        if (period != 0) {
            long now = vcpu.domain.clock.at(dispatcher.now());
            if (now >= lastTick + period) {
                tick(now);
            } else {
                periodic.set(lastTick + period);
            }
        }
    }

    /** The vCPU has lost its processor. */
    void endRunning() {
        periodic.clear();
    }

    /** Ticks that were missed are not made up for. */
    private void tick(long domainNow) {
        lastTick = domainNow;
        periodic.set(domainNow + period);
        events.raiseVirq(vcpu, Xen.VIRQ_TIMER);
    }

    /** The vCPU's poll ends when the domain's time is {@code deadline}. */
    public void setPoll(long deadline) {
        poll.set(Math.max(0, deadline));
    }

    /** The vCPU does not poll any more. */
    void stopPoll() {
        poll.clear();
    }

    /** The domain's clock goes on. */
    void rearm() {
        singleshot.rearm();
        periodic.rearm();
        poll.rearm();
    }

    /** Stops all of them. */
    void stop() {
        singleshot.clear();
        periodic.clear();
        poll.clear();
    }
}
