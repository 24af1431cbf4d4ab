package dev.xenolith.dom0.xenstore;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A store over a set of domains, and connections that keep what they hear. */
final class StoreFixture {
    final Set<Integer> domains = new TreeSet<>(Set.of(0, 1, 2, 3));
    long now;
    final XenStore store = new XenStore(domains::contains, () -> now);

    /** A connection whose events are kept as {@code path|token}. */
    static final class Client {
        final StoreConnection connection;
        final List<String> events = new ArrayList<>();
        final List<Cause> causes = new ArrayList<>();

        Client(XenStore store, int domid) {
            connection = store.connect(domid, (path, token, cause) -> {
                events.add(path + "|" + token);
                if (cause != null) {
                    cause.queued();
                    causes.add(cause);
                }
            });
        }

        StoreView direct() {
            return connection.direct();
        }

        /** The events since the last call. */
        List<String> heard() {
            List<String> heard = List.copyOf(events);
            events.clear();
            return heard;
        }

        void watch(String path, String token) throws XenstoreException {
            connection.announce(connection.watch(path, token));
        }
    }

    Client client(int domid) {
        return new Client(store, domid);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** Something that xenstore may refuse. */
    interface Attempt {
        void run() throws XenstoreException;
    }

    /** The error of an attempt, or null if it succeeded. */
    static @Nullable XenstoreError errorOf(Attempt attempt) {
        try {
            attempt.run();
            return null;
        } catch (XenstoreException e) {
            return e.error();
        }
    }
}
