package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.xenstore.StoreSession;
import dev.xenolith.dom0.xenstore.XenstoreException;
import java.util.List;

/**
 * A connection to xenstored, as Domain-0, that lasts as long as the command that uses it. Unlike a component of dom0, a command
 * calls from its own thread and waits.
 */
public interface Xenstore extends StoreSession, AutoCloseable {
    /**
     * Watches paths: each fires once by itself, then at every change of it or below it.
     *
     * @param paths nodes, @introduceDomain or @releaseDomain
     */
    Watch watch(List<String> paths) throws XenstoreException;

    /** Ends open transactions and watches. */
    @Override
    void close();

    /** What one call of {@link #watch} has set. */
    interface Watch extends AutoCloseable {
        /**
         * Waits for the next event.
         *
         * @return the path that changed
         * @throws InterruptedException the client has gone
         */
        String take() throws InterruptedException;

        @Override
        void close();
    }
}
