package dev.xenolith.dom0.host;

import dev.xenolith.dom0.protocol.Connection;
import dev.xenolith.dom0.protocol.Frames;
import dev.xenolith.dom0.protocol.Hello;
import dev.xenolith.dom0.protocol.Places;
import dev.xenolith.dom0.xl.Client;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.IOException;
import java.util.List;

/** Requests to the daemon itself. */
final class HostControl {
    private final Places places;

    HostControl(Places places) {
        this.places = places;
    }

    /**
     * Sends a request and copies the answer to the client.
     *
     * @return the exit code that the daemon gives
     * @throws ToolstackException the daemon does not answer
     */
    int request(Client client, String verb) {
        byte[] hello;
        try {
            hello = new Hello(Hello.HOST_CONTROL, List.of(verb), client.directory().toString(), client.environment(),
                    false,
                    client.outIsTerminal(), 0, 0).encode();
        } catch (IOException e) {
            throw new IllegalStateException(e); // Written to an array.
        }
        try (Connection connection = Connection.open(places)) {
            connection.send(Frames.HELLO, hello, 0, hello.length);
            while (true) {
                switch (connection.receive()) {
                    case Frames.STDOUT -> client.out().write(connection.payload(), 0, connection.length());
                    case Frames.STDERR -> client.err().write(connection.payload(), 0, connection.length());
                    case Frames.EXIT -> {
                        return connection.number();
                    }
                    case -1 -> throw new IOException("it closed the connection");
                    default -> {
                        // Nothing else matters here.
                    }
                }
            }
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE,
                    "the host at " + places.socket() + " does not answer: " + e.getMessage(), e);
        }
    }
}
