package dev.xenolith.dom0.host;

import dev.xenolith.dom0.gdb.Architecture;
import dev.xenolith.dom0.gdb.DomainTarget;
import dev.xenolith.dom0.gdb.GdbServer;
import dev.xenolith.dom0.lifecycle.DomainManager;
import dev.xenolith.dom0.xl.DomainDebugger;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.hypervisor.abi.Sched;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** gdb's way to a domain for a command, which waits on its own thread. */
final class CommandDebugger implements DomainDebugger {
    private static final Logger LOG = LoggerFactory.getLogger(CommandDebugger.class);
    private static final long LOOK_MILLIS = 500;
    private static final int SIGKILL = 9;
    private static final int SIGSEGV = 11;

    private final HostToolstack asker;
    private final GdbServer server;
    private final DomainTarget target;
    private final CountDownLatch over = new CountDownLatch(1);

    /**
     * Listens, and attaches.
     *
     * @param destroys whether gdb's kill destroys the domain
     */
    CommandDebugger(HostToolstack asker, DomainHandle dom0, DomainManager manager, int domid,
            InetSocketAddress address, boolean destroys) {
        this.asker = asker;
        try {
            Architecture architecture = asker.ask(() -> DomainTarget.architecture(dom0, domid));
            server = new GdbServer(address, architecture, false);
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, String.valueOf(e.getMessage()), e);
        }
        server.whenLeft(over::countDown);
        try {
            target = asker.ask(() -> {
                try {
                    return DomainTarget.attach(dom0, domid, asker::tell, new DomainTarget.Fate() {
                        @Override
                        public void kill() {
                            if (destroys) {
                                manager.destroy(domid, () -> {});
                            }
                        }

                        @Override
                        public void ended(int reason) {
                            CommandDebugger.this.ended(reason);
                        }
                    });
                } catch (IllegalStateException e) {
                    throw new ToolstackException(ToolstackException.FAILURE, String.valueOf(e.getMessage()), e);
                }
            });
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
        server.target(target);
    }

    /** On the machine thread: gdb, if it is there, is told how the domain has ended, and goes by itself. */
    private void ended(int reason) {
        boolean killed = reason < 0 || reason == Sched.SHUTDOWN_CRASH || reason == Sched.SHUTDOWN_WATCHDOG;
        server.targetEnded(killed, !killed ? reason : reason < 0 ? SIGKILL : SIGSEGV);
        if (!server.hasClient()) {
            over.countDown();
        }
    }

    @Override
    public InetSocketAddress address() {
        return server.address();
    }

    @Override
    public void await() throws InterruptedException {
        while (!over.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            asker.requireRunning();
        }
    }

    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
        try {
            asker.ask(() -> {
                server.forgetTarget();
                target.detach();
                return true;
            });
        } catch (ToolstackException e) {
            LOG.debug("domains end with their host: {}", e.line());
        } finally {
            server.close();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
