package dev.xenolith.dom0.xenstore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Random watches against the definition: a watch hears of its own path and of all below it. */
class WatchTableTest {
    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);
    private final StoreFixture fixture = new StoreFixture();

    private String path() {
        StringBuilder path = new StringBuilder();
        for (int depth = random.nextInt(5); depth > 0; depth--) {
            path.append('/').append(random.nextInt(3) == 0 ? "aa" : random.nextBoolean() ? "a" : "b");
        }
        return path.isEmpty() ? "/" : path.toString();
    }

    private static boolean hears(String watched, String changed, boolean exact) {
        return watched.equals(changed)
                || !exact && (watched.equals("/") || changed.startsWith(watched + "/"));
    }

    @Test
    void matchesTheDefinition() {
        List<String> heard = new ArrayList<>();
        List<StoreConnection> connections = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int number = i;
            connections.add(fixture.store.connect(0, (path, token, cause) -> heard.add(number + token)));
        }
        List<Watch> watches = new ArrayList<>();
        WatchTable table = new WatchTable();
        for (int i = 0; i < 20_000; i++) {
            if (random.nextInt(3) > 0 && watches.size() < 60) {
                StoreConnection connection = connections.get(random.nextInt(3));
                Watch watch = new Watch(connection, path(), "-" + i, 0, i);
                table.add(watch);
                watches.add(watch);
            } else if (!watches.isEmpty()) {
                table.remove(watches.remove(random.nextInt(watches.size())));
            }
            String changed = path();
            boolean exact = random.nextInt(4) == 0;
            List<String> expected = new ArrayList<>();
            for (StoreConnection connection : connections) {
                watches.stream().filter(watch -> watch.connection == connection && hears(watch.path, changed, exact))
                        .forEach(watch -> expected.add(connections.indexOf(connection) + watch.token));
            }
            heard.clear();
            table.fire(changed, exact, connection -> true, null);
            assertThat(heard).as("%s, seed %d", changed, seed).isEqualTo(expected);
        }
        watches.forEach(table::remove);
        assertThat(table.isEmpty()).as("seed %d", seed).isTrue();
    }
}
