package dev.xenolith.benchmark.soak;

import dev.xenolith.dom0.protocol.Connection;
import dev.xenolith.dom0.protocol.Frames;
import dev.xenolith.dom0.protocol.Hello;
import dev.xenolith.dom0.protocol.Places;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * One command line at the daemon, over its socket as the thin client would send it, but without a JVM for each: fifty at once
 * are then the daemon's load and not the machine's.
 */
final class Command implements AutoCloseable {
    private static final int RUNNING = -1;

    private final String line;
    private final Connection connection;
    private final StringBuilder out = new StringBuilder();
    private final StringBuilder err = new StringBuilder();
    private int exitCode = RUNNING;
    private int inputWanted;

    private Command(String line, Connection connection) {
        this.line = line;
        this.connection = connection;
    }

    /** Starts a command line, whose first word is xl or xenolith. */
    static Command start(Places places, Path directory, String... words) throws IOException {
        Command command = new Command(String.join(" ", words), Connection.open(places));
        byte[] hello = new Hello(words[0], List.of(words).subList(1, words.length), directory.toString(), Map.of(),
                false,
                false, 0, 0).encode();
        command.connection.send(Frames.HELLO, hello, 0, hello.length);
        return command;
    }

    /** Runs a command line to its end, which must be a success; returns what it prints. */
    static String run(Places places, Path directory, String... words) throws IOException {
        try (Command command = start(places, directory, words)) {
            return command.finish();
        }
    }

    /** Waits for the end, which must be a success; returns everything it has printed. */
    String finish() throws IOException {
        while (exitCode == RUNNING) {
            receive();
        }
        if (exitCode != 0) {
            throw failure("ended with " + exitCode);
        }
        return out.toString();
    }

    /** Waits until the command has printed {@code text}. */
    void await(String text) throws IOException {
        while (out.indexOf(text) < 0) {
            if (exitCode != RUNNING) {
                throw failure("ended with " + exitCode + " before it printed \"" + text.strip() + '"');
            }
            receive();
        }
    }

    /** Types a line. */
    void type(String text) throws IOException {
        byte[] bytes = (text + '\r').getBytes(StandardCharsets.US_ASCII);
        while (inputWanted < bytes.length && exitCode == RUNNING) {
            receive();
        }
        inputWanted -= bytes.length;
        connection.send(Frames.STDIN, bytes, 0, bytes.length);
    }

    private void receive() throws IOException {
        switch (connection.receive()) {
            case Frames.STDOUT -> out.append(text());
            case Frames.STDERR -> err.append(text());
            case Frames.WANT_STDIN -> inputWanted += connection.number();
            case Frames.EXIT -> exitCode = connection.number();
            case -1 -> throw failure("lost its host");
            default -> {
                // Modes of a terminal, which there is none of.
            }
        }
    }

    private String text() {
        return new String(connection.payload(), 0, connection.length(), StandardCharsets.UTF_8);
    }

    private IOException failure(String what) {
        return new IOException("'" + line + "' " + what + "; it said:\n" + out + err);
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }
}
