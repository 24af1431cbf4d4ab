package dev.xenolith.dom0.lifecycle;

import dev.xenolith.dom0.build.PvBuilder;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.OperationException;

/** What serves a domain while it lives, or lets it serve others, seen from the toolstack: xenstored, and the backends that driver domains run. */
public interface GuestServices {
    /**
     * Maps the domain's rings and begins to serve them; or if they are served, connects the domain anew by other ports. On failure nothing
     * stays mapped or bound.
     */
    void introduce(int domid, PvBuilder.Built rings) throws OperationException;

    /** A domain that had shut down goes on: its next shutdown is to be told again. */
    void resumed(int domid);

    /** Stops serving: the console's last output is kept for who still reads it, mappings and ports are given back. */
    void release(int domid);

    /** Puts backends into a driver domain, which must not have run yet. */
    void startBackends(DomainHandle driver) throws OperationException;

    /**
     * Runs {@code action} when nothing that was behind the devices of a dead driver domain is open any more; soon for a domain that is
     * none.
     */
    void whenBackendsEnded(int domid, Runnable action);
}
