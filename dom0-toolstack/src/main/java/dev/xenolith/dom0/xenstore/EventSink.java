package dev.xenolith.dom0.xenstore;

import org.jspecify.annotations.Nullable;

/** Where a connection's watch events go. It queues; it never calls back into the store. */
interface EventSink {
    /**
     * Takes one event.
     *
     * @param path what changed, relative if the watch is
     * @param cause the request that caused it, if it counts against a domain
     */
    void event(String path, String token, @Nullable Cause cause);
}
