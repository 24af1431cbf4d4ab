package dev.xenolith.dom0.net;

/** What leads out of a bridge: makes a port and attaches it. */
@FunctionalInterface
public interface Uplink {
    /** A bridge whose ports reach only each other. */
    Uplink NONE = bridge -> () -> {};

    /**
     * Connects a new bridge, on the machine thread.
     *
     * @return ends the connection, on the machine thread
     * @throws NetworkException naming what is missing
     */
    Connection connect(Bridge bridge) throws NetworkException;

    /** An uplink at work. */
    @FunctionalInterface
    interface Connection extends AutoCloseable {
        @Override
        void close();
    }
}
