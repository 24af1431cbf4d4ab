package dev.xenolith.hypervisor.event;

import static dev.xenolith.hypervisor.abi.Errno.EEXIST;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOENT;
import static dev.xenolith.hypervisor.abi.Errno.ENOSPC;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.memory.SharedLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventPortsTest {
    private static final int MAX_PORT = 200;
    private final PhysicalMemory ram = new PhysicalMemory(MemoryLayout.flat(1 << 20));

    /** A guest with two vCPUs whose shared_info is one frame of {@link #ram}. */
    private final class Guest implements Upcall {
        final int frame;
        final EventPorts ports;
        int upcalls;

        Guest(int domid) {
            frame = domid + 1;
            ports = new EventPorts(domid, 2, MAX_PORT, new TwoLevel(ram, this));
        }

        @Override
        public SharedLayout layout() {
            return SharedLayout.NATIVE;
        }

        @Override
        public long sharedInfo() {
            return (long) frame << 12;
        }

        @Override
        public long vcpuInfo(int vcpu) {
            return sharedInfo() + vcpu * Xen.VcpuInfo.SIZE;
        }

        @Override
        public void upcallPending(int vcpu) {
            upcalls |= 1 << vcpu;
        }

        @Override
        public void portPending(int port, int vcpu) {
        }

        boolean pending(int port) {
            return ports.delivery().isPending(port);
        }
    }

    @AfterEach
    void unmap() {
        ram.close();
    }

    @Test
    void interdomainNotifiesTheOtherEnd() {
        Guest a = new Guest(1);
        Guest b = new Guest(2);
        int offered = a.ports.allocUnbound(2);
        int bound = b.ports.bindInterdomain(a.ports, offered);
        assertThat(bound).isEqualTo(1);
        assertThat(b.pending(bound)).as("binding notifies").isTrue();
        assertThat(a.ports.send(offered)).isZero();
        assertThat(b.ports.send(bound)).isZero();
        assertThat(a.pending(offered)).isTrue();
        assertThat(a.upcalls).isEqualTo(1);
        assertThat(ram.read64(a.vcpuInfo(0) + Xen.VcpuInfo.EVTCHN_PENDING_SEL)).isEqualTo(1);
        assertThat(ram.read8(a.vcpuInfo(0) + Xen.VcpuInfo.EVTCHN_UPCALL_PENDING)).isEqualTo(1);
    }

    @Test
    void onlyTheNamedDomainMayBind() {
        Guest a = new Guest(1);
        Guest b = new Guest(2);
        Guest c = new Guest(3);
        int offered = a.ports.allocUnbound(2);
        assertThat(c.ports.bindInterdomain(a.ports, offered)).isEqualTo(-EINVAL);
        assertThat(c.ports.used()).isZero();
        assertThat(b.ports.bindInterdomain(a.ports, offered)).isPositive();
        assertThat(b.ports.bindInterdomain(a.ports, offered)).as("second time").isEqualTo(-EINVAL);
        for (int port : new int[]{-1, 0, 77, MAX_PORT, MAX_PORT + 1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThat(b.ports.bindInterdomain(a.ports, port)).isEqualTo(-EINVAL);
        }
    }

    @Test
    void closingOneEndLeavesTheOtherUnbound() {
        Guest a = new Guest(1);
        Guest b = new Guest(2);
        int offered = a.ports.allocUnbound(2);
        int bound = b.ports.bindInterdomain(a.ports, offered);
        assertThat(b.ports.close(bound)).isZero();
        assertThat(a.ports.status(offered)).isEqualTo(EventChannel.EVTCHNSTAT_UNBOUND);
        assertThat(a.ports.send(offered)).as("nobody listens").isZero();
        assertThat(b.ports.bindInterdomain(a.ports, offered)).as("again").isEqualTo(bound);
    }

    @Test
    void maskedPortsAreDeliveredWhenUnmasked() {
        Guest a = new Guest(1);
        int port = a.ports.bindIpi(1);
        ram.write64(a.sharedInfo() + Xen.SharedInfo.EVTCHN_MASK, -1);
        a.ports.send(port);
        assertThat(a.pending(port)).isTrue();
        assertThat(a.upcalls).isZero();
        a.ports.unmask(port);
        assertThat(a.upcalls).isEqualTo(2);
    }

    @Test
    void virtualInterrupts() {
        Guest a = new Guest(1);
        int timer0 = a.ports.bindVirq(Xen.VIRQ_TIMER, 0);
        int timer1 = a.ports.bindVirq(Xen.VIRQ_TIMER, 1);
        assertThat(a.ports.bindVirq(Xen.VIRQ_TIMER, 1)).isEqualTo(-EEXIST);
        assertThat(a.ports.bindVirq(Xen.VIRQ_DOM_EXC, 1)).isEqualTo(-EINVAL);
        assertThat(a.ports.bindVirq(Xen.VIRQ_TIMER, 2)).isEqualTo(-ENOENT);
        assertThat(a.ports.bindVirq(Xen.NR_VIRQS, 0)).isEqualTo(-EINVAL);
        assertThat(a.ports.bindVirq(-1, 0)).isEqualTo(-EINVAL);
        assertThat(a.ports.raiseVirq(Xen.VIRQ_TIMER, 1)).isEqualTo(timer1);
        assertThat(a.pending(timer1)).isTrue();
        assertThat(a.pending(timer0)).isFalse();
        assertThat(a.ports.bindVcpu(timer1, 0)).as("a per-vCPU VIRQ stays").isEqualTo(-EINVAL);
        assertThat(a.ports.send(timer0)).isEqualTo(-EINVAL);
        int global = a.ports.bindVirq(Xen.VIRQ_CON_RING, 0);
        assertThat(a.ports.bindVcpu(global, 1)).isZero();
        assertThat(a.ports.close(global)).isZero();
        assertThat(a.ports.bindVirq(Xen.VIRQ_CON_RING, 0)).isEqualTo(global);
    }

    @Test
    void portsAreLimited() {
        Guest a = new Guest(1);
        for (int i = 1; i <= MAX_PORT; i++) {
            assertThat(a.ports.allocUnbound(0)).isEqualTo(i);
        }
        assertThat(a.ports.allocUnbound(0)).isEqualTo(-ENOSPC);
        assertThat(a.ports.bindIpi(0)).isEqualTo(-ENOSPC);
        a.ports.close(17);
        assertThat(a.ports.bindIpi(0)).isEqualTo(17);
        assertThat(a.ports.end(Preempt.NEVER)).isZero();
        assertThat(a.ports.used()).isZero();
    }

    /** Any calls with any arguments: both ends of every channel agree, and closed ports are not pending. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void bothEndsAgree(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Guest[] guests = {new Guest(0), new Guest(1), new Guest(2)};
        for (int step = 0; step < 20_000; step++) {
            Guest guest = guests[random.nextInt(guests.length)];
            Guest other = guests[random.nextInt(guests.length)];
            int port = random.nextInt(8) == 0 ? random.nextInt() : random.nextInt(40);
            switch (random.nextInt(9)) {
                case 0, 1 -> guest.ports.allocUnbound(random.nextInt(guests.length));
                case 2, 3 -> guest.ports.bindInterdomain(other.ports, port);
                case 4 -> guest.ports.bindVirq(random.nextInt(-1, Xen.NR_VIRQS + 1), random.nextInt(-1, 3));
                case 5 -> guest.ports.bindIpi(random.nextInt(-1, 3));
                case 6, 7 -> guest.ports.close(port);
                default -> {
                    guest.ports.send(port);
                    guest.ports.unmask(port);
                    guest.ports.bindVcpu(port, random.nextInt(-1, 3));
                }
            }
        }
        int used = 0;
        for (Guest guest : guests) {
            int count = 0;
            for (int port = 0; port <= MAX_PORT; port++) {
                int status = guest.ports.status(port);
                if (status == -EINVAL || status == EventChannel.EVTCHNSTAT_CLOSED) {
                    assertThat(guest.pending(port)).as("seed %d port %d", seed, port).isFalse();
                } else {
                    count++;
                }
                if (status == EventChannel.EVTCHNSTAT_INTERDOMAIN) {
                    EventPorts other = guests[guest.ports.peerOf(port)].ports;
                    int back = guest.ports.peerPortOf(port);
                    assertThat(other.status(back)).isEqualTo(EventChannel.EVTCHNSTAT_INTERDOMAIN);
                    assertThat(other.peerPortOf(back)).as("seed %d", seed).isEqualTo(port);
                }
            }
            assertThat(guest.ports.used()).as("seed %d", seed).isEqualTo(count);
            used += count;
        }
        assertThat(used).isPositive();
    }
}
