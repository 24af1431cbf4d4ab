package dev.xenolith.dom0.xl;

import java.net.InetSocketAddress;

/** A debugger that is attached to a domain. */
public interface DomainDebugger extends AutoCloseable {
    /** Where gdb finds it. */
    InetSocketAddress address();

    /**
     * Waits until gdb has come and gone, or the domain has ended.
     *
     * @throws InterruptedException the client has gone
     */
    void await() throws InterruptedException;

    /** Detaches: the domain runs. A second time does nothing. */
    @Override
    void close();
}
