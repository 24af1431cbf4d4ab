package dev.xenolith.dom0.net.nat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;

/** A server on the host's loopback interface, each connection on a thread of its own. */
final class HostServer implements AutoCloseable {
    interface Service {
        void serve(Socket socket) throws Exception;
    }

    private final ServerSocket server;
    /** Ends when the first connection has been served. */
    final CompletableFuture<Void> served = new CompletableFuture<>();

    HostServer(Service service) {
        try {
            server = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(() -> {
            try {
                while (true) {
                    Socket socket = server.accept();
                    Thread.ofVirtual().start(() -> run(service, socket));
                }
            } catch (IOException e) {
                // Closed.
            }
        });
    }

    private void run(Service service, Socket socket) {
        try (socket) {
            service.serve(socket);
            served.complete(null);
        } catch (Exception e) {
            served.completeExceptionally(e);
        }
    }

    int port() {
        return server.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
