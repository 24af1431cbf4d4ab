package dev.xenolith.dom0.backend.network;

import dev.xenolith.hypervisor.operations.DomainHandle;

/** A pair of rings of a vif and their event channels, which may be one ("feature-split-event-channels"). */
final class NetworkQueue {
    /** What an event is charged, in ns of machine time. */
    private static final long EVENT_TIME = 1_000;

    private final DomainHandle handle;
    private final TransmitRing transmit;
    private final ReceiveRing receive;
    private final int transmitPort;
    private final int receivePort;
    private boolean closed;

    /** Serves both rings; they and the ports are this object's from now on. The ports may be the same. */
    NetworkQueue(DomainHandle handle, TransmitRing transmit, int transmitPort, ReceiveRing receive, int receivePort) {
        this.handle = handle;
        this.transmit = transmit;
        this.transmitPort = transmitPort;
        this.receive = receive;
        this.receivePort = receivePort;
    }

    /** Begins: the frontend may have sent and posted already. Does nothing if the queue has been closed. */
    void start() {
        if (closed) {
            return;
        }
        if (transmitPort == receivePort) {
            handle.events().onEvent(transmitPort, () -> {
                handle.charge(EVENT_TIME);
                receive.serve();
                transmit.serve();
            });
        } else {
            handle.events().onEvent(transmitPort, () -> {
                handle.charge(EVENT_TIME);
                transmit.serve();
            });
            handle.events().onEvent(receivePort, () -> {
                handle.charge(EVENT_TIME);
                receive.serve();
            });
        }
        transmit.serve();
    }

    ReceiveRing receive() {
        return receive;
    }

    /** Lets go of rings and ports. */
    void close() {
        if (!closed) {
            closed = true;
            transmit.close();
            receive.close();
            handle.events().close(transmitPort);
            if (receivePort != transmitPort) {
                handle.events().close(receivePort);
            }
        }
    }
}
