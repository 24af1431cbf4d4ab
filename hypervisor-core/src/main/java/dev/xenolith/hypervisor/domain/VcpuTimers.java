package dev.xenolith.hypervisor.domain;

import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.time.TimerQueue;

/**
 * The timers of one vCPU, in its domain's time: the single shot and the periodic timer, which raise VIRQ_TIMER, and the end of a
 * poll. They stand still with the domain's clock.
 */
public final class VcpuTimers {
    private static final long NONE = Long.MAX_VALUE;

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
            // Ticks that were missed are not made up for.
            set(domainNow + period - (domainNow - lastTick) % period);
            lastTick = domainNow - (domainNow - lastTick) % period;
            events.raiseVirq(vcpu, Xen.VIRQ_TIMER);
        }
    };
    private final DomainTimer poll = new DomainTimer() {
        @Override
        void due(long domainNow) {
            dispatcher.unblock(vcpu);
        }
    };
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
    }

    /** VCPUOP_set_singleshot_timer: VIRQ_TIMER when the domain's time is {@code deadline} or more. */
    public void setSingleshot(long deadline) {
        singleshot.set(Math.max(0, deadline));
    }

    /** VCPUOP_stop_singleshot_timer. */
    public void stopSingleshot() {
        singleshot.clear();
    }

    /** VCPUOP_set_periodic_timer: VIRQ_TIMER every {@code period} ns, positive. */
    public void setPeriodic(long period) {
        this.period = period;
        lastTick = vcpu.domain.clock.at(dispatcher.now());
        periodic.set(lastTick + period);
    }

    /** VCPUOP_stop_periodic_timer. */
    public void stopPeriodic() {
        periodic.clear();
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
