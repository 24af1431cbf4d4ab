package dev.xenolith.hypervisor.event;

/** How one domain sees its pending ports. Ports are valid when they get here. */
public interface Delivery {
    /** Ports are below this. */
    int limit();

    /** Makes {@code port} pending and, unless it is masked, lets {@code vcpu} know. */
    void setPending(int port, int vcpu);

    /** Forgets that a port is pending: it is being closed. */
    void clearPending(int port);

    boolean isPending(int port);

    boolean isMasked(int port);

    /** Clears the mask; if the port is pending, lets {@code vcpu} know. */
    void unmask(int port, int vcpu);
}
