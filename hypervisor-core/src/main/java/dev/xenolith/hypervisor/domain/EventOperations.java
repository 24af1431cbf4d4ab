package dev.xenolith.hypervisor.domain;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.trace.Trace;
import dev.xenolith.hypervisor.trace.TraceClass;
import dev.xenolith.hypervisor.trace.TraceEvent;
import org.jspecify.annotations.Nullable;

/**
 * Event channel operations in the name of a domain (xen/common/event_channel.c), each with its one access check. Arguments may
 * have any value.
 */
public final class EventOperations {
    private final DomainTable domains;
    private final Dispatcher dispatcher;
    private final Trace trace;

    public EventOperations(DomainTable domains, Dispatcher dispatcher, Trace trace) {
        this.domains = domains;
        this.dispatcher = dispatcher;
        this.trace = trace;
    }

    /** EVTCHNOP_alloc_unbound: a port in domain {@code domid} for {@code remote}. Returns the port. */
    public int allocUnbound(Domain caller, int domid, int remote) {
        Domain domain = domains.resolve(caller, domid);
        if (domain == null) {
            return -ESRCH;
        }
        if (!Access.toTarget(caller, domain)) {
            return -EPERM;
        }
        if (domain.isDying()) {
            return -EINVAL;
        }
        return domain.events.allocUnbound(remote == Xen.DOMID_SELF ? caller.domid : remote);
    }

    /** EVTCHNOP_bind_interdomain: a local port bound to {@code remotePort} of {@code remote}. Returns the port. */
    public int bindInterdomain(Domain caller, int remote, int remotePort) {
        Domain domain = domains.resolve(caller, remote);
        if (domain == null || domain.isDying()) {
            return -ESRCH;
        }
        return caller.events.bindInterdomain(domain.events, remotePort);
    }

    /** EVTCHNOP_bind_virq. Returns the port. */
    public int bindVirq(Domain caller, long virq, long vcpu) {
        return caller.events.bindVirq(virq, vcpu);
    }

    /** EVTCHNOP_bind_ipi. Returns the port. */
    public int bindIpi(Domain caller, long vcpu) {
        return caller.events.bindIpi(vcpu);
    }

    /** EVTCHNOP_close. */
    public int close(Domain caller, long port) {
        return caller.events.close(port);
    }

    /** EVTCHNOP_send. */
    public int send(Domain caller, long port) {
        if (trace.on(TraceClass.EVENT) && caller.events.exists(port)) {
            long peer = caller.events.peerOf((int) port);
            trace.record(TraceEvent.EVENT_SEND, Math.max(0, dispatcher.executing()), caller.domid, 0, port,
                    peer << 32 | caller.events.peerPortOf((int) port), 0);
        }
        return caller.events.send(port);
    }

    /** EVTCHNOP_bind_vcpu. */
    public int bindVcpu(Domain caller, long port, long vcpu) {
        return caller.events.bindVcpu(port, vcpu);
    }

    /** EVTCHNOP_unmask. */
    public int unmask(Domain caller, long port) {
        return caller.events.unmask(port);
    }

    /** The domain whose port EVTCHNOP_status asks for, or null if the caller may not: {@code error} says why. */
    public @Nullable Domain statusTarget(Domain caller, int domid) {
        Domain domain = domains.resolve(caller, domid);
        return domain != null && Access.toTarget(caller, domain) ? domain : null;
    }

    /** Why {@link #statusTarget} returned null. */
    public int statusError(Domain caller, int domid) {
        return domains.resolve(caller, domid) == null ? -ESRCH : -EPERM;
    }

    /** EVTCHNOP_init_control. */
    public int initControl(Domain caller, long vcpu, long mfn, long offset) {
        return caller.events.initControl(vcpu, mfn, offset);
    }

    /** EVTCHNOP_expand_array. */
    public int expandArray(Domain caller, long mfn) {
        return caller.events.expandArray(mfn);
    }

    /** EVTCHNOP_set_priority. */
    public int setPriority(Domain caller, long port, long priority) {
        return caller.events.setPriority(port, priority);
    }

    /**
     * EVTCHNOP_reset: closes all ports of a domain, which is the caller or paused, and takes it back to the 2-level ABI.
     *
     * @param goingOn whether it was interrupted before
     * @return 0, an error, or -ERESTART: call again, going on
     */
    public int reset(Domain caller, int domid, boolean goingOn, Preempt preempt) {
        Domain domain = domains.resolve(caller, domid);
        if (domain == null) {
            return -ESRCH;
        }
        if (!Access.toTarget(caller, domain)) {
            return -EPERM;
        }
        if (domain.isDying() || domain != caller && !domain.isPausedByController()) {
            return -EINVAL;
        }
        return domain.events.reset(goingOn, preempt);
    }

    /** Raises a virtual interrupt of one vCPU. */
    public void raiseVirq(Vcpu vcpu, int virq) {
        int port = vcpu.domain.events.raiseVirq(virq, vcpu.id);
        if (trace.on(TraceClass.EVENT)) {
            trace.record(TraceEvent.EVENT_VIRQ, Math.max(0, dispatcher.executing()), vcpu.domain.domid, vcpu.id, virq,
                    port, 0);
        }
    }
}
