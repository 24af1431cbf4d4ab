package dev.xenolith.dom0.host;

import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.lifecycle.DomainListener;
import dev.xenolith.dom0.lifecycle.DomainManager;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.DomainEvents;
import dev.xenolith.dom0.xl.ShutdownReason;
import dev.xenolith.dom0.xl.ToolstackException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** One subscription to domain events: the machine thread puts, a command's thread takes, and neither waits for the other for long. */
final class EventQueue implements DomainEvents, DomainListener {
    private static final int CAPACITY = 4096;
    private static final int POLL_SECONDS = 1;

    private final HostToolstack toolstack;
    private final Machine machine;
    private final DomainManager manager;
    private final BlockingQueue<DomainEvent> queue = new ArrayBlockingQueue<>(CAPACITY);
    private volatile boolean overrun;

    EventQueue(HostToolstack toolstack, Machine machine, DomainManager manager) {
        this.toolstack = toolstack;
        this.machine = machine;
        this.manager = manager;
    }

    @Override
    public DomainEvent take() throws InterruptedException {
        while (true) {
            DomainEvent event = queue.poll(POLL_SECONDS, TimeUnit.SECONDS);
            if (event != null) {
                return event;
            }
            if (overrun) {
                throw ToolstackException
                        .failure("more than " + CAPACITY + " domain events were waiting: some are lost");
            }
            toolstack.requireRunning();
        }
    }

    @Override
    public void close() {
        machine.post(() -> manager.removeListener(this));
    }

    private void put(DomainEvent event) {
        overrun |= !queue.offer(event);
    }

    @Override
    public void created(int domid, String name) {
        put(new DomainEvent.Created(domid, name));
    }

    @Override
    public void shutDown(int domid, int reason) {
        put(new DomainEvent.ShutDown(domid, ShutdownReason.of(reason)));
    }

    @Override
    public void restarted(int domid, int newDomid) {
        put(new DomainEvent.Restarted(domid, newDomid));
    }

    @Override
    public void destroyed(int domid) {
        put(new DomainEvent.Destroyed(domid));
    }
}
