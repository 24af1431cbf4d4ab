package dev.xenolith.dom0.xl;

/** An attached console, seen from the client. */
public interface ConsoleConnection extends AutoCloseable {
    /**
     * Sends input to the domain; returns when the console daemon has taken all of it, which a guest that does not read
     * may delay for as long as it likes.
     *
     * @throws InterruptedException the client has gone; bytes not yet taken are dropped
     * @throws ToolstackException the domain has ended
     */
    void input(byte[] bytes, int offset, int length) throws InterruptedException;

    /** Says that the {@link ConsoleOutput} has room again. Any thread; cheap; more often than needed does no harm. */
    void outputHasRoom();

    /** Detaches. Any thread; a second time does nothing. */
    @Override
    void close();
}
