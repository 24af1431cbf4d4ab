package dev.xenolith.dom0.lifecycle;

import dev.xenolith.dom0.build.PvBuilder;
import dev.xenolith.hypervisor.operations.OperationException;

/** What serves a domain's rings while it lives: xenstored and xenconsoled, seen from the toolstack. */
public interface GuestServices {
    /** Maps the domain's rings and begins to serve them. On failure nothing stays mapped or bound. */
    void introduce(int domid, PvBuilder.Built rings) throws OperationException;

    /** A domain that had shut down goes on: its next shutdown is to be told again. */
    void resumed(int domid);

    /** Stops serving: the console's last output is kept for who still reads it, mappings and ports are given back. */
    void release(int domid);
}
