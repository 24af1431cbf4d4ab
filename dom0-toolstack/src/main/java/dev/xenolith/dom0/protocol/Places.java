package dev.xenolith.dom0.protocol;

import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where things are, by the XDG base directory specification.
 *
 * @param socket of the daemon; its lock is beside it
 * @param log of the daemon
 */
public record Places(Path socket, Path log) {
    /** Longest path of a Unix domain socket in bytes, the final NUL not counted (sun_path, unix(7)). */
    public static final int MAX_SOCKET_PATH = 107;

    /**
     * Finds the places.
     *
     * @param environment XENOLITH_SOCKET, XDG_RUNTIME_DIR, XDG_STATE_HOME, HOME
     * @param home the user's home, where HOME is not set
     */
    public static Places find(Map<String, String> environment, String home) {
        String xdgState = absolute(environment.get("XDG_STATE_HOME"));
        String user = absolute(environment.get("HOME"));
        Path state = (xdgState != null ? Path.of(xdgState) : Path.of(user != null ? user : home, ".local", "state"))
                .resolve("xenolith");
        String chosen = environment.get("XENOLITH_SOCKET");
        String runtime = absolute(environment.get("XDG_RUNTIME_DIR"));
        if (chosen != null && !chosen.isEmpty()) {
            // A host of its own keeps its log to itself too.
            Path socket = Path.of(chosen).toAbsolutePath();
            return new Places(socket, beside(socket, ".log"));
        }
        Path socket = runtime != null ? Path.of(runtime, "xenolith", "host.sock") : state.resolve("host.sock");
        return new Places(socket, state.resolve("host.log"));
    }

    /**
     * Finds the directory for what can be fetched or made again.
     *
     * @param environment XDG_CACHE_HOME, HOME
     * @param home the user's home, where HOME is not set
     */
    public static Path cache(Map<String, String> environment, String home) {
        String xdgCache = absolute(environment.get("XDG_CACHE_HOME"));
        String user = absolute(environment.get("HOME"));
        return (xdgCache != null ? Path.of(xdgCache) : Path.of(user != null ? user : home, ".cache"))
                .resolve("xenolith");
    }

    /** Finds the directory of the images that were pulled, as {@link #cache} does. */
    public static Path images(Map<String, String> environment, String home) {
        return cache(environment, home).resolve("images");
    }

    /** Relative paths in these variables are to be ignored, says the specification. */
    private static @Nullable String absolute(@Nullable String path) {
        return path != null && path.startsWith("/") ? path : null;
    }

    private static Path beside(Path path, String suffix) {
        return path.resolveSibling(path.getFileName() + suffix);
    }

    /** Returns the file that the living daemon holds a lock on, with its pid in it. */
    public Path lock() {
        return beside(socket, ".lock");
    }

    /** Returns the directory for core dumps of domains that crash. */
    public Path dumps() {
        return log.resolveSibling("dump");
    }

    /** Returns where what the daemon's JVM itself says goes. */
    public Path errors() {
        return beside(log, ".err");
    }
}
