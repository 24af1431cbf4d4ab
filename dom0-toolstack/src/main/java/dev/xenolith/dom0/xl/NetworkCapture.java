package dev.xenolith.dom0.xl;

/** A capture of what passes a port of a bridge, at work until it is closed. */
public interface NetworkCapture extends AutoCloseable {
    /**
     * Waits until the port is gone.
     *
     * @throws ToolstackException the file cannot be written any more
     * @throws InterruptedException the client has gone
     */
    void await() throws InterruptedException;

    /** Frames in the file, all of them after {@link #close}. */
    long written();

    /** Frames left out because the file could not be written as fast. */
    long dropped();

    /** Ends the capture; the file is complete when this returns. */
    @Override
    void close();
}
