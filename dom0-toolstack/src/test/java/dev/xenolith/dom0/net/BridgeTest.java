package dev.xenolith.dom0.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.net.packet.Mac;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.packet.OffloadFeatures;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.jspecify.annotations.Nullable;

class BridgeTest {
    private static final long A = 0x00163e000001L;
    private static final long B = 0x00163e000002L;
    private static final long C = 0x00163e000003L;

    private long now;
    private final Bridge bridge = new Bridge("xenbr0", () -> now);
    private final TestPort a = new TestPort("a");
    private final TestPort b = new TestPort("b");
    private final TestPort c = new TestPort("c");
    private Link la;
    private Link lb;
    private Link lc;

    private static final class TestPort implements NetworkPort {
        final String name;
        final List<String> got = new ArrayList<>();
        boolean full;
        @Nullable
        Runnable onFrame;

        TestPort(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public OffloadFeatures features() {
            return OffloadFeatures.NONE;
        }

        @Override
        public boolean deliver(byte[] buffer, int offset, int length, Offload offload) {
            if (full) {
                return false;
            }
            got.add(Mac.toString(Mac.read(buffer, offset + 6)) + " " + length);
            if (onFrame != null) {
                onFrame.run();
            }
            return true;
        }

        int take() {
            int count = got.size();
            got.clear();
            return count;
        }
    }

    @BeforeEach
    void attach() throws NetworkException {
        la = bridge.attach(a);
        lb = bridge.attach(b);
        lc = bridge.attach(c);
    }

    private static void send(Link link, long to, long from) {
        byte[] frame = new byte[60];
        Mac.write(frame, 0, to);
        Mac.write(frame, 6, from);
        link.send(frame, 0, frame.length, Offload.NONE);
    }

    @Test
    void learnsAndAges() {
        send(la, B, A);
        assertThat(List.of(a.take(), b.take(), c.take())).as("unknown: flooded").containsExactly(0, 1, 1);
        send(lb, A, B);
        assertThat(List.of(a.take(), b.take(), c.take())).as("known").containsExactly(1, 0, 0);
        now += Bridge.AGEING - 1;
        send(lb, A, B);
        assertThat(List.of(a.take(), b.take(), c.take())).as("still known").containsExactly(1, 0, 0);
        now += 1;
        send(lb, A, B);
        assertThat(List.of(a.take(), b.take(), c.take())).as("aged").containsExactly(1, 0, 1);
        send(lc, B, A);
        assertThat(bridge.find(A)).as("moved").isSameAs(lc);
        assertThat(bridge.counters()).isEqualTo(new Bridge.Counters(3, 2, 0, 0, 0));
    }

    @Test
    void floodsGroupsAndFiltersWhatStays() {
        send(la, Mac.BROADCAST, A);
        send(la, 0x01005e000001L, A);
        assertThat(List.of(a.take(), b.take(), c.take())).containsExactly(0, 2, 2);
        send(la, A, C);
        assertThat(List.of(a.take(), b.take(), c.take())).as("to where it came from").containsExactly(0, 0, 0);
        send(la, 0x0180c2000003L, A);
        assertThat(List.of(a.take(), b.take(), c.take())).as("for the neighbour").containsExactly(0, 0, 0);
        send(la, 0x0180c2000000L, A);
        assertThat(List.of(a.take(), b.take(), c.take())).as("spanning tree").containsExactly(0, 1, 1);
        assertThat(bridge.counters().filtered()).isEqualTo(2);
    }

    @Test
    void countsWhatIsDropped() {
        b.full = true;
        send(la, Mac.BROADCAST, A);
        assertThat(lb.counters().droppedFrames()).isEqualTo(1);
        assertThat(lc.counters()).isEqualTo(new Link.Counters(0, 0, 0, 1, 60, 0, 0));
        assertThat(la.counters()).isEqualTo(new Link.Counters(1, 60, 0, 0, 0, 0, 0));
        la.send(new byte[13], 0, 13, Offload.NONE);
        send(la, B, 0x0100_0000_0001L);
        la.send(new byte[60], 0, 60, Offload.blank(50, 16));
        la.send(new byte[Bridge.MAX_FRAME + 1], 0, Bridge.MAX_FRAME + 1, Offload.NONE);
        assertThat(la.counters().sentMalformed()).isEqualTo(4);
        // Blank, but neither TCP nor UDP.
        byte[] neither = new byte[60];
        Mac.write(neither, 0, Mac.BROADCAST);
        la.send(neither, 0, 60, Offload.blank(34, 16));
        assertThat(lb.counters().unfinishable() + lc.counters().unfinishable()).isEqualTo(2);
    }

    @Test
    void portsComeAndGo() throws NetworkException {
        send(la, Mac.BROADCAST, A);
        send(lb, Mac.BROADCAST, B);
        la.detach();
        la.detach();
        assertThat(bridge.links()).containsExactly(lb, lc);
        assertThat(bridge.find(A)).isNull();
        assertThat(bridge.find(B)).isSameAs(lb);
        c.take();
        send(la, Mac.BROADCAST, A);
        assertThat(c.take()).isZero();
        // From within a delivery.
        b.onFrame = () -> lc.detach();
        c.take();
        TestPort d = new TestPort("d");
        Link ld = bridge.attach(d);
        send(ld, Mac.BROADCAST, A);
        assertThat(b.take()).isPositive();
        assertThat(c.take()).isZero();
        for (int i = bridge.links().size(); i < Bridge.MAX_PORTS; i++) {
            bridge.attach(d);
        }
        assertThatThrownBy(() -> bridge.attach(d)).isInstanceOf(NetworkException.class)
                .hasMessage("xenbr0: no room for d, it has 1024 ports");
    }

    @Test
    void answersToAnswersEnd() {
        a.onFrame = () -> send(la, Mac.BROADCAST, A);
        b.onFrame = () -> send(lb, Mac.BROADCAST, B);
        send(lc, Mac.BROADCAST, C);
        assertThat(bridge.counters().tooDeep()).isPositive();
        assertThat(a.take() + b.take()).isLessThan(1000);
    }

    @Test
    void theTableIsBounded() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 50_000; i++) {
            send(la, A, random.nextLong() & 0xfeff_ffff_ffffL);
        }
        assertThat(bridge.addressCount()).isEqualTo(Bridge.MAX_ADDRESSES);
        assertThat(bridge.counters().unlearned()).isPositive();
        now += Bridge.AGEING;
        send(lb, A, B);
        assertThat(bridge.find(B)).isSameAs(lb);
        assertThat(bridge.addressCount()).isLessThan(10);
    }

    @Test
    void theTableIsAMap() {
        SplittableRandom random = new SplittableRandom(2);
        MacTable<Integer> table = new MacTable<>(500, 1000);
        Map<Long, Integer> values = new HashMap<>();
        Map<Long, Long> seen = new HashMap<>();
        Integer[] ports = {1001, 1002, 1003};
        for (long time = 0; time < 100_000; time++) {
            long mac = random.nextInt(400) * 0x0101_0101L;
            if (random.nextInt(500) == 0) {
                Integer port = ports[random.nextInt(3)];
                table.forget(port);
                values.values().removeIf(p -> p.equals(port));
            } else if (random.nextBoolean()) {
                Integer port = ports[random.nextInt(3)];
                assertThat(table.learn(mac, port, time)).isTrue();
                values.put(mac, port);
                seen.put(mac, time);
            }
            long asked = random.nextInt(400) * 0x0101_0101L;
            Integer expected = values.containsKey(asked) && time - seen.getOrDefault(asked, 0L) < 1000
                    ? values.get(asked)
                    : null;
            assertThat(table.find(asked, time)).isEqualTo(expected);
        }
    }

    @Test
    void bridgesAreMadeOnDemand() throws NetworkException {
        TestContext context = new TestContext(1);
        List<String> ends = new ArrayList<>();
        Bridges bridges = new Bridges(context, name -> name.startsWith("bad") ? bridge -> {
            throw new NetworkException("no device");
        } : bridge -> {
            bridge.attach(new TestPort("up"));
            return () -> ends.add(bridge.name());
        });
        Bridge first = bridges.bridge("xenbr0");
        assertThat(bridges.bridge("xenbr0")).isSameAs(first);
        assertThat(bridges.find("xenbr1")).isNull();
        assertThatThrownBy(() -> bridges.bridge("bad")).hasMessage("no device");
        assertThat(bridges.find("bad")).isNull();
        for (int i = 1; i < Bridges.MAX_BRIDGES; i++) {
            bridges.bridge("br" + i);
        }
        assertThatThrownBy(() -> bridges.bridge("more")).hasMessageContaining("256 already");
        Link link = first.links().getFirst();
        bridges.close();
        assertThat(ends).hasSize(256);
        assertThat(link.isAttached()).isFalse();
        assertThat(bridges.all()).isEmpty();
    }
}
