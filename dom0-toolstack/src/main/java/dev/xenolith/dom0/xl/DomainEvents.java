package dev.xenolith.dom0.xl;

/**
 * A subscription to {@link DomainEvent}s, from the moment it was made: subscribe first, then act or look, and nothing is
 * missed. Bounded by the implementation; a subscriber that does not read in time gets a {@link ToolstackException}, it
 * never makes the machine wait.
 */
public interface DomainEvents extends AutoCloseable {
    /**
     * Waits for the next event.
     *
     * @throws InterruptedException the client has gone
     * @throws ToolstackException the host is stopping, or this subscriber fell too far behind
     */
    DomainEvent take() throws InterruptedException;

    @Override
    void close();
}
