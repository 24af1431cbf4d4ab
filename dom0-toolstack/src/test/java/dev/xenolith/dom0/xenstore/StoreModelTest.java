package dev.xenolith.dom0.xenstore;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.xenstore.StoreFixture.Client;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Random operations of three domains, in and out of transactions, against {@link NaiveStore}. */
class StoreModelTest {
    private static final String[] NAMES = {"a", "b", "c"};

    private final StoreFixture fixture = new StoreFixture();
    private final NaiveStore model = new NaiveStore();
    private final List<Client> clients = List.of(fixture.client(0), fixture.client(1), fixture.client(2));
    private final List<Running> running = new ArrayList<>();
    private long seed = System.nanoTime();
    private Random random = new Random(seed);
    private int conflicts;
    private int commits;
    private int successes;
    private int refusals;

    private record Running(Client client, Transaction transaction, NaiveStore model) {
    }

    @Test
    void agreesWithTheNaiveStore() throws XenstoreException {
        for (int round = 0; round < 30_000; round++) {
            step();
            if (round % 500 == 0) {
                compare(fixture.store.root(), model);
                for (Running open : running) {
                    compare(open.transaction.root(), open.model);
                }
                assertThat(fixture.store.audit()).as("seed %d", seed).isEmpty();
            }
        }
        compare(fixture.store.root(), model);
        assertThat(conflicts).as("conflicts, seed %d", seed).isGreaterThan(100);
        assertThat(commits).as("commits, seed %d", seed).isGreaterThan(100);
        assertThat(successes).as("successes, seed %d", seed).isGreaterThan(1000);
        assertThat(refusals).as("refusals, seed %d", seed).isGreaterThan(1000);
    }

    private void step() throws XenstoreException {
        int choice = random.nextInt(20);
        if (choice == 0 && running.size() < 5) {
            Client client = clients.get(random.nextInt(3));
            running.add(new Running(client, client.connection.start(), model.begin()));
        } else if (choice == 1 && !running.isEmpty()) {
            end(running.remove(random.nextInt(running.size())));
        } else if (choice < 10 && !running.isEmpty()) {
            Running open = running.get(random.nextInt(running.size()));
            operate(open.client, open.transaction, open.model);
        } else {
            Client client = clients.get(random.nextInt(3));
            operate(client, client.direct(), model);
        }
    }

    private void end(Running open) {
        boolean commit = random.nextInt(5) > 0;
        XenstoreError error = StoreFixture.errorOf(() -> open.client.connection.end(open.transaction.id, commit));
        XenstoreError expected = commit ? model.commit(open.model) : null;
        assertThat(error).as("commit, seed %d", seed).isEqualTo(expected);
        conflicts += expected == XenstoreError.EAGAIN ? 1 : 0;
        commits += expected == null && commit ? 1 : 0;
    }

    private void operate(Client client, StoreView view, NaiveStore naive) {
        String path = path();
        String value = Integer.toString(random.nextInt(1000));
        StoreConnection caller = client.connection;
        int operation = random.nextInt(9);
        XenstoreError error;
        @Nullable
        XenstoreError expected;
        switch (operation) {
            case 0, 1, 2 -> {
                String[] read = {""};
                error = StoreFixture.errorOf(() -> read[0] = StoreFixture.text(view.read(path)));
                expected = naive.read(caller, path);
                if (expected == null) {
                    assertThat(read[0]).as("%s, seed %d", path, seed).isEqualTo(naive.value(path));
                }
            }
            case 3, 4, 5 -> {
                error = StoreFixture.errorOf(() -> view.write(path, StoreFixture.bytes(value)));
                expected = naive.write(caller, path, value);
            }
            case 6 -> {
                error = StoreFixture.errorOf(() -> view.mkdir(path));
                expected = naive.mkdir(caller, path);
            }
            case 7 -> {
                error = StoreFixture.errorOf(() -> view.remove(path));
                expected = naive.remove(caller, path);
            }
            default -> {
                Permissions permissions = Permissions.owned(random.nextInt(3), random.nextInt(4)).and(random.nextInt(3),
                        random.nextInt(4));
                error = StoreFixture.errorOf(() -> view.setPermissions(path, permissions));
                expected = naive.setPermissions(caller, path, permissions);
            }
        }
        assertThat(error).as("operation %d on %s by %d, seed %d", operation, path, caller.domain.domid, seed)
                .isEqualTo(expected);
        successes += error == null ? 1 : 0;
        refusals += error == null ? 0 : 1;
    }

    private String path() {
        StringBuilder path = new StringBuilder(random.nextInt(4) == 0 ? "" : "/m");
        for (int depth = random.nextInt(4); depth > 0; depth--) {
            path.append('/').append(NAMES[random.nextInt(NAMES.length)]);
        }
        return path.isEmpty() ? "/" : path.toString();
    }

    private void compare(Node root, NaiveStore naive) {
        int count = 0;
        for (String path : naive.paths()) {
            Node node = Objects.requireNonNull(Tree.find(root, path), () -> path + ", seed " + seed);
            assertThat(StoreFixture.text(node.value)).as("%s, seed %d", path, seed)
                    .isEqualTo(naive.entry(path).value());
            assertThat(node.permissions).as("%s, seed %d", path, seed)
                    .hasToString(naive.entry(path).permissions().toString());
            assertThat(node.children.names()).as("%s, seed %d", path, seed).isEqualTo(naive.children(path));
            count += node.children.size();
        }
        assertThat(count).as("seed %d", seed).isEqualTo(naive.paths().size() - 1);
    }
}
