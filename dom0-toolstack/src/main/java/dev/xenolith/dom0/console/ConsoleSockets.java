package dev.xenolith.dom0.console;

import dev.xenolith.dom0.backend.HostWork;
import java.nio.file.Path;
import java.util.function.Function;

/** Unix sockets of the host behind which consoles are. Methods are called on the machine thread, and call back there. */
public interface ConsoleSockets {
    /** Waits for connections. */
    interface Listener {
        /** Closes the socket and its connections, and then runs {@code whenClosed}. */
        void close(Runnable whenClosed);
    }

    /**
     * Listens at {@code path}; who connects is attached.
     *
     * @param attach attaches a connection to the console
     * @param completion told of the listener, or why there is none
     */
    void listen(Path path, Function<ConsoleClient, ConsoleAttachment> attach,
            HostWork.Completion<? super Listener> completion);
}
