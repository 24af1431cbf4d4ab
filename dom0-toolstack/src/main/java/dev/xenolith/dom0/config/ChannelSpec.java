package dev.xenolith.dom0.config;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A channel of a domain, as {@code channel=} describes it (xl.cfg(5)): a console more, by which programs in the guest and on the host talk.
 *
 * @param name by which the guest finds it
 * @param connection how it is reached on the host
 * @param path of the Unix socket, for {@link Connection#SOCKET}; null otherwise
 * @param backend the domain that serves it, by name or number; null for Domain-0
 */
public record ChannelSpec(String name, Connection connection, @Nullable String path, @Nullable String backend) {
    private static final List<String> KEYS = List.of("backend", "connection", "name", "path");
    /** Of a socket's address on Linux, less the terminator. */
    private static final int MAX_PATH = 107;

    /** How a channel is reached. */
    public enum Connection {
        /** As a console, with {@code xl console -n}: there are no pseudo terminals here. */
        PTY("pty"),
        /** By a Unix socket at which the backend listens. */
        SOCKET("socket");

        private final String key;

        Connection(String key) {
            this.key = key;
        }

        /** The word in a configuration and in xenstore. */
        public String key() {
            return key;
        }
    }

    /**
     * The same channel with another path, such as an absolute one.
     *
     * @throws IllegalArgumentException it is too long for the address of a socket
     */
    public ChannelSpec withPath(String newPath) {
        int length = newPath.getBytes(StandardCharsets.UTF_8).length;
        if (length > MAX_PATH) {
            throw new IllegalArgumentException(
                    "path: a socket's path has at most " + MAX_PATH + " bytes, " + newPath + " has " + length);
        }
        return new ChannelSpec(name, connection, newPath, backend);
    }

    /**
     * Reads a specification: {@code key=value}, separated by commas; of keys that come twice the last counts, as with xl.
     *
     * @throws IllegalArgumentException with what was expected and found
     */
    public static ChannelSpec parse(String text) {
        String name = null;
        String word = null;
        String path = null;
        String backend = null;
        for (String item : text.split(",", -1)) {
            String pair = item.strip();
            if (pair.isEmpty()) {
                continue;
            }
            int equals = pair.indexOf('=');
            String key = equals < 0 ? pair : pair.substring(0, equals).strip();
            String value = equals < 0 ? "" : pair.substring(equals + 1).strip();
            if (!KEYS.contains(key)) {
                throw new IllegalArgumentException("unknown key \"" + key + "\""
                        + Suggestions.nearest(key, KEYS).map(near -> "; did you mean '" + near + "'?").orElse(""));
            }
            if (value.isEmpty()) {
                throw new IllegalArgumentException(key + ": expected '=' and a value, found none");
            }
            switch (key) {
                case "name" -> name = value;
                case "connection" -> word = value;
                case "path" -> path = value;
                default -> backend = value;
            }
        }
        if (name == null) {
            throw new IllegalArgumentException("expected a name, found none");
        }
        Connection connection = connection(word);
        if (connection == Connection.SOCKET && path == null) {
            throw new IllegalArgumentException("connection socket: expected a path, found none");
        }
        if (connection != Connection.SOCKET && path != null) {
            throw new IllegalArgumentException("path: only a connection of type socket has one");
        }
        return new ChannelSpec(name, connection, path, backend);
    }

    private static Connection connection(@Nullable String word) {
        for (Connection each : Connection.values()) {
            if (each.key.equals(word)) {
                return each;
            }
        }
        throw new IllegalArgumentException(
                "expected connection pty or socket, found " + (word == null ? "none" : "\"" + word + "\""));
    }
}
