package dev.xenolith.hypervisor.operations;

/** Event channels in the name of one domain (xen/include/public/event_channel.h). */
public interface EventChannels {
    /** Allocates a port that {@code remote} may bind to. Returns the port. EVTCHNOP_alloc_unbound. */
    int allocUnbound(int remote);

    /** Allocates a port in domain {@code domid} that {@code remote} may bind to; for builders. Returns the port. */
    int allocUnboundFor(int domid, int remote);

    /** Binds a new local port to {@code remotePort} of {@code remote}. Returns the local port. EVTCHNOP_bind_interdomain. */
    int bindInterdomain(int remote, int remotePort);

    /** Binds a new local port to a virtual interrupt (abi VIRQ_*). Returns the port. EVTCHNOP_bind_virq. */
    int bindVirq(int virq);

    /** Closes a local port; its handler is forgotten. EVTCHNOP_close. */
    int close(int port);

    /** Notifies the other end of a local port. EVTCHNOP_send. */
    int send(int port);

    /** Names the handler that runs on the domain's vCPU each time the local port has become pending. */
    void onEvent(int port, Runnable handler);
}
