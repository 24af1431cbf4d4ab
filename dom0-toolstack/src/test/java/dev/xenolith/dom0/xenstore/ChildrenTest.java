package dev.xenolith.dom0.xenstore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ChildrenTest {
    @Test
    void behavesAsSortedMapAndOldVersionsStayAsTheyWere() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Map<String, Node> model = new TreeMap<>();
        Children children = Children.NONE;
        List<Children> versions = new ArrayList<>();
        List<List<String>> names = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            String name = Integer.toString(random.nextInt(400));
            if (random.nextInt(3) > 0) {
                Node node = new Node(Node.NO_VALUE, Permissions.owned(0, 0), Children.NONE, i);
                model.put(name, node);
                children = children.with(name, node);
            } else if (model.remove(name) != null) {
                children = children.without(name);
            }
            assertThat(children.get(name)).as("seed %d", seed).isSameAs(model.get(name));
            if (i % 1000 == 0) {
                versions.add(children);
                names.add(new ArrayList<>(model.keySet()));
            }
        }
        assertThat(children.names()).as("seed %d", seed).containsExactlyElementsOf(model.keySet());
        assertThat(children.size()).isEqualTo(model.size());
        assertThat(children.bytes()).isEqualTo(model.keySet().stream().mapToInt(name -> name.length() + 1).sum());
        for (int i = 0; i < versions.size(); i++) {
            assertThat(versions.get(i).names()).as("seed %d version %d", seed, i).isEqualTo(names.get(i));
        }
    }

    @Test
    void sortedInsertionStaysShallow() {
        Children children = Children.NONE;
        Node node = new Node(Node.NO_VALUE, Permissions.owned(0, 0), Children.NONE, 1);
        for (int i = 0; i < 100_000; i++) {
            children = children.with("%06d".formatted(i), node);
        }
        assertThat(children.size()).isEqualTo(100_000);
        assertThat(children.height()).isLessThanOrEqualTo(24);
    }
}
