package dev.xenolith.dom0.lifecycle;

/** Told of what happens to domains, on the machine thread, in the order in which it happens. */
public interface DomainListener {
    void created(int domid, String name);

    /** The domain stopped by itself, for a SHUTDOWN_* reason; what its configuration asks for comes next. */
    void shutDown(int domid, int reason);

    /** {@code newDomid} was built from the configuration of {@code domid}, which is gone. */
    void restarted(int domid, int newDomid);

    void destroyed(int domid);
}
