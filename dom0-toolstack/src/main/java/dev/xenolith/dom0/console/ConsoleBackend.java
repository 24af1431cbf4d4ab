package dev.xenolith.dom0.console;

import dev.xenolith.dom0.backend.Backend;
import dev.xenolith.dom0.backend.BackendDevice;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * One of a domain's further consoles, whose frontend makes the ring itself and says where it is (Linux's hvc_xen,
 * {@code xencons_connect_backend}). Where the connection is a socket, the console is also behind that.
 */
final class ConsoleBackend implements Backend {
    private final BackendDevice device;
    private final DomainHandle handle;
    private final GuestConsole console;
    private final ConsoleSockets sockets;
    private final Runnable whenEnded;
    private ConsoleSockets.@Nullable Listener listener;
    private boolean opening;
    private @Nullable Runnable whenStopped;

    /** @param whenEnded told that the console is none any more */
    ConsoleBackend(BackendDevice device, GuestConsole console, ConsoleSockets sockets, Runnable whenEnded) {
        this.device = device;
        this.handle = device.handle();
        this.console = console;
        this.sockets = sockets;
        this.whenEnded = whenEnded;
    }

    @Override
    public void start() {
        String connection = device.setting("connection");
        String path = device.setting("path");
        if (connection == null || connection.equals("pty")) {
            device.ready();
        } else if (!connection.equals("socket")) {
            device.fail("connection '" + connection + "' is neither pty nor socket");
        } else if (path == null || path.isEmpty()) {
            device.fail("connection socket: no path");
        } else {
            opening = true;
            sockets.listen(Path.of(path), console::attach, this::listening);
        }
    }

    private void listening(ConsoleSockets.@Nullable Listener made, @Nullable Exception failure) {
        opening = false;
        listener = made;
        if (whenStopped != null) {
            closeListener(whenStopped);
        } else if (made == null) {
            device.fail(failure == null ? "its socket cannot be opened" : String.valueOf(failure.getMessage()));
        } else {
            device.ready();
        }
    }

    @Override
    public void connect() {
        long reference = device.askedNumber("ring-ref", -1);
        long port = device.askedNumber("port", -1);
        if (reference < 0 || reference > 0xffff_ffffL) {
            device.fail("the frontend does not say where its ring-ref is");
            return;
        }
        if (port < 0 || port > Integer.MAX_VALUE) {
            device.fail("the frontend names no port");
            return;
        }
        SharedPage page;
        try {
            page = handle.grants().map(device.frontendId(), (int) reference, false);
        } catch (OperationException e) {
            device.fail("the frontend's ring cannot be mapped: " + e.getMessage());
            return;
        }
        int local = handle.events().bindInterdomain(device.frontendId(), (int) port);
        if (local < 0) {
            page.unmap();
            device.fail("the frontend's port " + port + " cannot be bound: " + Errno.name(local));
            return;
        }
        device.connected();
        console.connect(new GuestConsole.Ring(page, local, (int) port));
    }

    @Override
    public void disconnect() {
        console.disconnect();
    }

    @Override
    public void stop(Runnable whenDone) {
        whenEnded.run();
        console.end();
        whenStopped = whenDone;
        if (!opening) {
            closeListener(whenDone);
        }
    }

    private void closeListener(Runnable whenDone) {
        ConsoleSockets.Listener open = listener;
        listener = null;
        if (open == null) {
            whenDone.run();
        } else {
            open.close(whenDone);
        }
    }
}
