package dev.xenolith.dom0.xenstore;

/** One registered watch. */
final class Watch {
    final StoreConnection connection;

    /** Absolute, or the special name. */
    final String path;
    final String token;

    /** Position among all watches ever registered. */
    final long sequence;

    /** Characters that come off the front of a reported path: the connection's home if the watch was set with a relative path. */
    private final int prefix;

    Watch(StoreConnection connection, String path, String token, int prefix, long sequence) {
        this.connection = connection;
        this.path = path;
        this.token = token;
        this.prefix = prefix;
        this.sequence = sequence;
    }

    /** How this watch's owner is told of a change at {@code changed}, the watched path or one below it. */
    String reported(String changed) {
        return changed.substring(prefix);
    }

    /** The bytes that count against the domain. */
    int memory() {
        return path.length() + token.length();
    }
}
