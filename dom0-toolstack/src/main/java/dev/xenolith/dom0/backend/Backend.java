package dev.xenolith.dom0.backend;

/**
 * The backend of one device. Its bus calls it on the machine thread, in the order: {@link #start}; then any number of times
 * {@link #connect} and {@link #disconnect} in turns; at last {@link #stop}.
 */
public interface Backend {
    /**
     * Gets ready: reads what the toolstack says, opens what is behind the device, writes what the frontend must know before it
     * connects. Calls {@link BackendDevice#ready} when that is done, or {@link BackendDevice#fail}; later, if it takes time.
     */
    void start();

    /**
     * The frontend has said how it wants to be connected: maps its rings, binds its channels, writes what it must know to go on. Calls
     * {@link BackendDevice#connected} or {@link BackendDevice#fail}.
     */
    void connect();

    /**
     * Something has changed in the backend's own directory, be it by the toolstack or by the backend itself. Comes at any time between
     * {@link #start} and {@link #stop}.
     */
    default void settingsChanged() {
    }

    /** Gives everything of the frontend back at once: nothing may touch its memory after this. Also called when not connected. */
    void disconnect();

    /** Lets go of what is behind the device, and then runs {@code whenDone}, once. Comes after {@link #disconnect}. */
    void stop(Runnable whenDone);
}
