package dev.xenolith.hypervisor.event;

import static dev.xenolith.hypervisor.abi.Errno.EAGAIN;
import static dev.xenolith.hypervisor.abi.Errno.EBUSY;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOENT;
import static dev.xenolith.hypervisor.abi.Errno.ENOSPC;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.ERESTART;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_LINKED;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_MASKED;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_NR_CHANNELS;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_PENDING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.paging.World;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FifoTest {
    private final World world = new World(8, Checks.ALL);
    private final FifoGuest guest = new FifoGuest(world, 1, EVTCHN_FIFO_NR_CHANNELS - 1);
    private final EventPorts ports = guest.ports;

    @AfterEach
    void sound() {
        world.assertSound();
        assertThat(World.complete(() -> ports.end(Preempt.NEVER))).isZero();
        guest.memory.destroy();
        world.assertSound();
        assertThat(guest.memory.empty).as("no page is held any more").isTrue();
        world.close();
    }

    private int ipi(int vcpu) {
        int port = ports.bindIpi(vcpu);
        assertThat(port).isPositive();
        return port;
    }

    @Test
    void eventsComeInOrder() {
        guest.begin();
        int a = ipi(0);
        int b = ipi(0);
        int c = ipi(0);
        for (int port : new int[]{b, a, c, b}) {
            assertThat(ports.send(port)).isZero();
        }
        assertThat(guest.upcalls).isEqualTo(1);
        assertThat(guest.consume(0)).containsExactly(b, a, c);
        assertThat(guest.consume(0)).isEmpty();
        ports.send(b);
        assertThat(guest.upcalls).as("the queue was empty").isEqualTo(1);
        assertThat(guest.consume(0)).containsExactly(b);
    }

    @Test
    void urgentEventsComeFirst() {
        guest.begin();
        int a = ipi(0);
        int b = ipi(0);
        int c = ipi(0);
        assertThat(ports.setPriority(b, 0)).isZero();
        assertThat(ports.setPriority(a, 15)).isZero();
        ports.send(a);
        ports.send(c);
        ports.send(b);
        assertThat(guest.consume(0)).containsExactly(b, c, a);
        assertThat(ports.setPriority(a, 16)).isEqualTo(-EINVAL);
        assertThat(ports.setPriority(a, 0xffff_ffffL)).isEqualTo(-EINVAL);
        assertThat(ports.setPriority(999, 3)).isEqualTo(-EINVAL);
        ports.close(b);
        assertThat(ipi(0)).isEqualTo(b);
        ports.send(c);
        ports.send(b);
        assertThat(guest.consume(0)).as("a new port has the default").containsExactly(c, b);
    }

    @Test
    void maskedEventsWaitForTheUnmask() {
        guest.begin();
        int port = ipi(1);
        guest.mask(port);
        ports.send(port);
        assertThat(guest.noticed.get(port)).as("who polls it is told").isTrue();
        assertThat(guest.word(port)).isEqualTo(EVTCHN_FIFO_PENDING | EVTCHN_FIFO_MASKED);
        assertThat(guest.consume(1)).isEmpty();
        assertThat(ports.delivery().isMasked(port)).isTrue();
        assertThat(ports.unmask(port)).isZero();
        assertThat(guest.upcalls).isEqualTo(2);
        assertThat(guest.consume(1)).containsExactly(port);
    }

    /** What is in an old queue stays in it; what comes next goes to the new one. */
    @Test
    void portsMoveBetweenQueues() {
        ports.allocUnbound(7);
        int port = ports.allocUnbound(1);
        int other = ports.bindInterdomain(ports, port);
        guest.begin();
        guest.consume(0);
        ports.send(other);
        assertThat(ports.bindVcpu(port, 1)).isZero();
        ports.setPriority(port, 2);
        ports.send(other);
        assertThat(guest.consume(1)).isEmpty();
        assertThat(guest.consume(0)).containsExactly(port);
        ports.send(other);
        assertThat(guest.consume(0)).isEmpty();
        assertThat(guest.consume(1)).containsExactly(port);
        // The old queue's tail was this port: a new event there must not be linked to it.
        int next = ipi(0);
        ports.send(other);
        ports.send(next);
        assertThat(guest.consume(0)).containsExactly(next);
        assertThat(guest.consume(1)).containsExactly(port);
    }

    @Test
    void changingTheAbiKeepsWhatIsPending() {
        int early = ipi(0);
        int late = ipi(1);
        ports.send(late);
        assertThat(ports.initControl(0, guest.memory.pages.get(2), 8)).isZero();
        assertThat(ports.delivery()).isInstanceOf(Fifo.class);
        ports.close(early);
        assertThat(ipi(0)).isEqualTo(early);
        ports.send(early);
        assertThat(guest.init(1)).isZero();
        // The block of vCPU 0 is there already.
        assertThat(guest.init(0)).isEqualTo(-EINVAL);
        assertThat(guest.expand()).isZero();
        assertThat(guest.consume(0)).containsExactly(early);
        assertThat(guest.consume(1)).containsExactly(late);
    }

    @Test
    void pagesAreCheckedAndHeld() {
        int mfn = guest.memory.pages.get(2);
        assertThat(ports.expandArray(mfn)).isEqualTo(-EOPNOTSUPP);
        int port = ipi(0);
        assertThat(ports.setPriority(port, 3)).isEqualTo(-ENOSYS);
        assertThat(ports.initControl(FifoGuest.VCPUS, mfn, 0)).isEqualTo(-ENOENT);
        for (long offset : new long[]{4, 4096 - 64, 4096, 0xffff_fff8L}) {
            assertThat(ports.initControl(0, mfn, offset)).isEqualTo(-EINVAL);
        }
        World.Guest other = world.guest(2, 4);
        int table = guest.memory.pages.get(150);
        assertThat(guest.memory.pin(table, FrameTable.L1)).isZero();
        for (long bad : new long[]{-1, 1L << 40, other.pages.get(0), table}) {
            assertThat(ports.initControl(0, bad, 0)).isEqualTo(-EINVAL);
        }
        assertThat(ports.delivery()).isInstanceOf(TwoLevel.class);
        assertThat(ports.initControl(0, mfn, 4096 - EventChannel.FifoControlBlock.SIZE)).isZero();
        for (long bad : new long[]{-1, 1L << 40, other.pages.get(0), table}) {
            assertThat(ports.expandArray(bad)).isEqualTo(-EINVAL);
        }
        assertThat(guest.memory.pin(mfn, FrameTable.L1)).as("it is written to").isEqualTo(-EINVAL);
        world.reservations.decrease(guest.memory.owner, mfn);
        world.assertSound();
        assertThat(world.frames.owner(mfn)).as("given up by the guest, but held").isEqualTo(1);
        for (int i = 0; i < 128; i++) {
            assertThat(ports.expandArray(guest.memory.pages.get(3 + i))).isZero();
        }
        assertThat(ports.expandArray(guest.memory.pages.get(140))).isEqualTo(-ENOSPC);
        assertThat(ports.reset(false, Preempt.NEVER)).isZero();
        assertThat(guest.memory.pin(guest.memory.pages.get(3), FrameTable.L1)).as("let go").isZero();
        assertThat(ports.delivery()).isInstanceOf(TwoLevel.class);
        other.destroy();
    }

    @Test
    void resetGoesBackToTwoLevels() {
        guest.begin();
        for (int i = 0; i < 5000; i++) {
            int port = ipi(0);
            if (i >= 1000) {
                ports.send(port);
            }
        }
        assertThat(ports.reset(true, Preempt.NEVER)).as("none under way").isEqualTo(-EBUSY);
        int[] asked = new int[1];
        Preempt third = () -> ++asked[0] == 3;
        assertThat(ports.reset(false, third)).isEqualTo(-ERESTART);
        assertThat(ports.reset(false, Preempt.NEVER)).isEqualTo(-EBUSY);
        assertThat(ports.used()).isEqualTo(5000 - 3 * 64);
        int between = ports.bindIpi(0);
        assertThat(between).isPositive();
        assertThat(ports.reset(true, Preempt.NEVER)).isEqualTo(-EAGAIN);
        assertThat(ports.delivery()).isInstanceOf(Fifo.class);
        assertThat(ports.reset(false, Preempt.NEVER)).isZero();
        assertThat(ports.used()).isZero();
        assertThat(ports.delivery()).isInstanceOf(TwoLevel.class);
        int port = ipi(1);
        assertThat(port).as("whatever FIFO words say").isEqualTo(1);
        ports.send(port);
        assertThat(ports.delivery().isPending(port)).isTrue();
        assertThat(world.ram.read64(guest.vcpuInfo(1) + Xen.VcpuInfo.EVTCHN_PENDING_SEL)).isEqualTo(1);
        guest.array.clear();
    }

    @Test
    void linkedPortsAreNotGivenOutAnew() {
        guest.begin();
        int port = ipi(0);
        ports.send(port);
        ports.close(port);
        assertThat(ipi(0)).as("still in a queue").isNotEqualTo(port);
        assertThat(guest.consume(0)).as("closed").isEmpty();
        int again = ipi(0);
        int then = ipi(0);
        assertThat(List.of(again, then)).contains(port);
    }

    /** A guest that marks all its words as linked gets no ports, and its refusals stay cheap; the rest works. */
    @Test
    void everyPortBusy() {
        guest.begin();
        for (int port = 1; port < 1024; port++) {
            guest.setWord(port, EVTCHN_FIFO_LINKED);
        }
        int refusals = 0;
        while (ports.bindIpi(0) == -ENOSPC) {
            refusals++;
        }
        assertThat(refusals).isBetween(1, 20);
        for (int port = 1; port < 1024; port++) {
            guest.setWord(port, 0);
        }
        int lowest = Integer.MAX_VALUE;
        for (int i = 0; i < 40; i++) {
            lowest = Math.min(lowest, ipi(0));
        }
        assertThat(lowest).isEqualTo(1);
    }

    @Test
    void allPortsThatThereAre() {
        guest.begin();
        int bound = 0;
        int port;
        while ((port = ports.bindIpi(0)) > 0) {
            bound = port;
        }
        assertThat(port).isEqualTo(-ENOSPC);
        assertThat(bound).isEqualTo(EVTCHN_FIFO_NR_CHANNELS - 1);
        assertThat(ports.send(bound)).isZero();
        assertThat(ports.delivery().isPending(bound)).as("no word yet").isFalse();
        while (!guest.reaches(bound)) {
            assertThat(guest.expand()).isZero();
        }
        assertThat(guest.consume(0)).containsExactly(bound);
        assertThat(ports.close(4711)).isZero();
        assertThat(ipi(1)).isEqualTo(4711);
        assertThat(ports.status(EVTCHN_FIFO_NR_CHANNELS)).isEqualTo(-EINVAL);
    }

    @Test
    void limitOfTheDomainStands() {
        FifoGuest small = new FifoGuest(world, 3, 5000);
        small.begin();
        int bound = 0;
        while (small.ports.bindIpi(0) > 0) {
            bound++;
        }
        assertThat(bound).isEqualTo(5000);
        assertThat(small.ports.end(Preempt.NEVER)).isZero();
        small.memory.destroy();
    }

    /** Whatever is done, in whatever order: each event arrives, once, on the vCPU and with the priority it was raised for. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void noEventIsLost(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] expected = new int[64];
        if (random.nextBoolean()) {
            guest.begin();
        }
        for (int step = 0; step < 30_000; step++) {
            if (ports.fifo() == null && step > 200) {
                guest.begin();
            }
            int port = 1 + random.nextInt(40);
            boolean open = ports.exists(port);
            switch (random.nextInt(12)) {
                case 0 -> ports.bindIpi(random.nextInt(2));
                case 1 -> {
                    if (open) {
                        ports.close(port);
                        expected[port] = 0;
                    }
                }
                case 2 -> ports.setPriority(port, random.nextInt(16));
                case 3 -> ports.bindVcpu(port, random.nextInt(2));
                case 4 -> {
                    if (ports.fifo() != null) {
                        guest.mask(port);
                    }
                }
                case 5 -> ports.unmask(port);
                case 6, 7 -> {
                    if (ports.fifo() != null) {
                        for (int handled : guest.consume(random.nextInt(2), random.nextInt(6))) {
                            assertThat(expected[handled]).as("seed %d, port %d", seed, handled).isEqualTo(1);
                            expected[handled] = 0;
                        }
                    }
                }
                default -> {
                    if (open) {
                        ports.send(port);
                        expected[port] = 1;
                    }
                }
            }
        }
        for (int port = 1; port < 64; port++) {
            ports.unmask(port);
        }
        for (int vcpu = 0; vcpu < 2; vcpu++) {
            for (int handled : guest.consume(vcpu)) {
                assertThat(expected[handled]).as("seed %d, port %d", seed, handled).isEqualTo(1);
                expected[handled] = 0;
            }
        }
        assertThat(expected).as("seed %d", seed).containsOnly(0);
    }

    /** Garbage in words and control blocks: the operations go on, end, and write nowhere but into the pages they were given. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void hostileWordsHurtNobodyElse(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        guest.begin();
        FifoGuest peer = new FifoGuest(world, 2, 100);
        peer.begin();
        List<Integer> untouched = new ArrayList<>(guest.memory.pages.subList(100, 200));
        long before = digest(untouched);
        for (int step = 0; step < 20_000; step++) {
            int port = random.nextInt(1, 60);
            switch (random.nextInt(10)) {
                case 0 -> ports.allocUnbound(2);
                case 1 -> peer.ports.bindInterdomain(ports, port);
                case 2 -> ports.bindIpi(random.nextInt(2));
                case 3 -> ports.close(port);
                case 4 -> {
                    guest.setWord(port, random.nextInt());
                    guest.setBlock(random.nextInt(2), random.nextInt(18), random.nextInt());
                }
                case 5 -> ports.unmask(port);
                case 6 -> ports.setPriority(port, random.nextInt(18));
                case 7 -> ports.bindVcpu(port, random.nextInt(2));
                case 8 -> peer.ports.send(port);
                default -> ports.send(port);
            }
            int rc = ports.bindIpi(0);
            assertThat(rc == -ENOSPC || rc > 0).isTrue();
            if (rc > 0) {
                ports.close(rc);
            }
        }
        assertThat(digest(untouched)).as("seed %d", seed).isEqualTo(before);
        // The peer, which is honest, still gets what is sent to it.
        for (int port = 1; port <= 100; port++) {
            peer.ports.close(port);
        }
        peer.consume(0);
        peer.consume(1);
        int offered = peer.ports.allocUnbound(1);
        int bound = -1;
        for (int i = 0; i < 100 && bound < 0; i++) {
            bound = ports.bindInterdomain(peer.ports, offered);
        }
        assertThat(bound).isPositive();
        peer.consume(0);
        peer.consume(1);
        ports.send(bound);
        assertThat(peer.consume(0)).containsExactly(offered);
        assertThat(peer.ports.end(Preempt.NEVER)).isZero();
        peer.memory.destroy();
    }

    private long digest(List<Integer> frames) {
        long digest = 0;
        for (int mfn : frames) {
            digest = digest * 31 + world.ram.digest((long) mfn << 12, 4096);
        }
        return digest;
    }

    /** The end of a domain, interrupted at every k-th question, closes everything once. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void theEndCanBeInterrupted(int every) {
        guest.begin();
        for (int i = 0; i < 1000; i++) {
            ipi(0);
        }
        for (int port = 1; port < 1000; port += 3) {
            ports.send(port);
            ports.close(port);
            ports.bindIpi(1);
        }
        int[] asked = new int[1];
        int[] restarts = new int[1];
        assertThat(World.complete(() -> {
            int rc = ports.end(() -> ++asked[0] % every == 0);
            restarts[0] += rc == -Errno.ERESTART ? 1 : 0;
            return rc;
        })).isZero();
        assertThat(restarts[0]).isPositive();
        assertThat(ports.used()).isZero();
        assertThat(ports.fifo()).isNull();
    }
}
