package dev.xenolith.hypervisor.event;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.hypervisor.abi.EventChannel.FifoControlBlock;
import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.SharedLayout;
import dev.xenolith.hypervisor.paging.World;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** A guest with two vCPUs that consumes its FIFOs as the design says a guest does. */
final class FifoGuest implements Upcall {
    static final int VCPUS = 2;
    private static final int QUEUES = EventChannel.EVTCHN_FIFO_MAX_QUEUES;

    private final World world;
    final World.Guest memory;
    final EventPorts ports;
    private final long info;
    /** The guest's own copies of heads and ready bits, between two events. */
    private final int[][] heads = new int[VCPUS][QUEUES];
    private final int[] ready = new int[VCPUS];
    final List<Integer> array = new ArrayList<>();
    private final int[] control = new int[VCPUS];
    int upcalls;
    final BitSet noticed = new BitSet();

    FifoGuest(World world, int domid, int maxPort) {
        this.world = world;
        memory = world.guest(domid, 200);
        info = (long) memory.pages.get(0) << 12;
        ports = new EventPorts(domid, VCPUS, maxPort, new TwoLevel(world.ram, this),
                () -> new Fifo(world.types, memory.owner, VCPUS, this));
        world.audit.addHolder(visitor -> {
            Fifo fifo = ports.fifo();
            if (fifo != null) {
                fifo.forEachFrame(mfn -> visitor.use(mfn, FrameTable.WRITABLE, "FIFOs"));
            }
        });
    }

    /** Changes to FIFOs, with one page for the array. */
    void begin() {
        for (int vcpu = 0; vcpu < VCPUS; vcpu++) {
            assertThat(init(vcpu)).isZero();
        }
        assertThat(expand()).isZero();
    }

    int init(int vcpu) {
        control[vcpu] = memory.pages.get(2 + vcpu);
        return ports.initControl(vcpu, control[vcpu], 8);
    }

    int expand() {
        int mfn = memory.pages.get(10 + array.size());
        array.add(mfn);
        return ports.expandArray(mfn);
    }

    // ---- what the hypervisor sees ------------------------------------------------------------------------------------

    @Override
    public SharedLayout layout() {
        return SharedLayout.NATIVE;
    }

    @Override
    public long sharedInfo() {
        return info;
    }

    @Override
    public long vcpuInfo(int vcpu) {
        return info + vcpu * Xen.VcpuInfo.SIZE;
    }

    @Override
    public void upcallPending(int vcpu) {
        upcalls |= 1 << vcpu;
    }

    @Override
    public void portPending(int port, int vcpu) {
        noticed.set(port);
    }

    // ---- what the guest does -----------------------------------------------------------------------------------------

    private long at(int port) {
        return ((long) array.get(port / 1024) << 12) + port % 1024 * 4L;
    }

    boolean reaches(int port) {
        return port / 1024 < array.size();
    }

    int word(int port) {
        return world.ram.read32(at(port));
    }

    void setWord(int port, int value) {
        world.ram.write32(at(port), value);
    }

    boolean has(int port, int bit) {
        return (word(port) & bit) != 0;
    }

    void mask(int port) {
        setWord(port, word(port) | EventChannel.EVTCHN_FIFO_MASKED);
    }

    private long block(int vcpu) {
        return ((long) control[vcpu] << 12) + 8;
    }

    void setBlock(int vcpu, int index, int value) {
        world.ram.write32(block(vcpu) + index * 4L, value);
    }

    /** Takes what {@code vcpu} has to do, at most {@code most} events: the ports that are pending and not masked, in order. */
    List<Integer> consume(int vcpu, int most) {
        List<Integer> handled = new ArrayList<>();
        world.ram.write8(vcpuInfo(vcpu) + Xen.VcpuInfo.EVTCHN_UPCALL_PENDING, 0);
        upcalls &= ~(1 << vcpu);
        for (int i = 0; i < most; i++) {
            ready[vcpu] |= world.ram.read32(block(vcpu) + FifoControlBlock.READY);
            world.ram.write32(block(vcpu) + FifoControlBlock.READY, 0);
            if (ready[vcpu] == 0) {
                break;
            }
            int queue = Integer.numberOfTrailingZeros(ready[vcpu]);
            int port = heads[vcpu][queue];
            if (port == 0) {
                port = world.ram.read32(block(vcpu) + FifoControlBlock.HEAD + queue * 4L);
            }
            int word = word(port);
            setWord(port, word & ~(EventChannel.EVTCHN_FIFO_LINKED | EventChannel.EVTCHN_FIFO_LINK_MASK));
            heads[vcpu][queue] = word & EventChannel.EVTCHN_FIFO_LINK_MASK;
            if (heads[vcpu][queue] == 0) {
                ready[vcpu] &= ~(1 << queue);
            }
            if ((word & EventChannel.EVTCHN_FIFO_PENDING) != 0 && (word & EventChannel.EVTCHN_FIFO_MASKED) == 0) {
                setWord(port, word(port) & ~EventChannel.EVTCHN_FIFO_PENDING);
                handled.add(port);
            }
        }
        return handled;
    }

    List<Integer> consume(int vcpu) {
        return consume(vcpu, Integer.MAX_VALUE);
    }
}
