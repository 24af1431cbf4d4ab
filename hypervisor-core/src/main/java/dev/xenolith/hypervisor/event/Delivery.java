package dev.xenolith.hypervisor.event;

/** How one domain sees its pending ports. Ports are valid when they get here. */
public interface Delivery {
    /** Ports are below this. */
    int limit();

    /** Makes {@code port} pending and, unless it is masked, lets {@code vcpu} know. */
    void setPending(int port, int vcpu);

    /** Forgets what is known of a port, that it is pending above all: it is being closed. */
    void close(int port);

    boolean isPending(int port);

    boolean isMasked(int port);

    /** Clears the mask; if the port is pending, lets {@code vcpu} know. */
    void unmask(int port, int vcpu);

    /** Whether a port that was closed must not be given out anew yet, because the guest may still come upon it. */
    default boolean isBusy(int port) {
        return false;
    }
}
