package dev.xenolith.dom0.xl;

/** Something that happened to the life of a domain, in the order in which it happened. */
public sealed interface DomainEvent {
    /** Returns the domain it happened to. */
    int domid();

    /** The domain exists, still paused by its builder. */
    record Created(int domid, String name) implements DomainEvent {
    }

    /** The domain stopped by itself; what its configuration asks for in this case comes next. */
    record ShutDown(int domid, ShutdownReason reason) implements DomainEvent {
    }

    /**
     * The domain was built anew from its configuration, as on_reboot=restart asks; the old domid is gone.
     *
     * @param domid the old domain
     * @param newDomid the domain that replaces it, not yet unpaused
     */
    record Restarted(int domid, int newDomid) implements DomainEvent {
    }

    /** The domain is gone and its memory free. */
    record Destroyed(int domid) implements DomainEvent {
    }
}
