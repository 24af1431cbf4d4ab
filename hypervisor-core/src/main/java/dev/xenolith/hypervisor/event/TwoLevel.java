package dev.xenolith.hypervisor.event;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Xen;

/**
 * The two-level bitmaps of a 64-bit guest (xen/common/event_2l.c): a pending and a mask bit per port in shared_info, a selector
 * word and the upcall flag in each vcpu_info. The guest owns these words too, so nothing here believes them.
 */
public final class TwoLevel implements Delivery {
    /** The domain that is told. */
    public interface Target {
        /** Physical address of shared_info. */
        long sharedInfo();

        /** Physical address of the vCPU's vcpu_info, -1 if it has none. */
        long vcpuInfo(int vcpu);

        /** The vCPU's upcall flag has been set: wakes it, interrupts it if it runs. */
        void upcallPending(int vcpu);

        /** A port has become pending, masked or not: vCPUs that poll it go on. */
        void portPending(int port, int vcpu);
    }

    private final PhysicalMemory ram;
    private final Target target;

    public TwoLevel(PhysicalMemory ram, Target target) {
        this.ram = ram;
        this.target = target;
    }

    @Override
    public int limit() {
        return EventChannel.NR_CHANNELS_2L;
    }

    @Override
    public void setPending(int port, int vcpu) {
        long at = word(Xen.SharedInfo.EVTCHN_PENDING, port);
        long pending = ram.read64(at);
        if ((pending & bit(port)) != 0) {
            return;
        }
        ram.write64(at, pending | bit(port));
        if (!isMasked(port)) {
            select(port, vcpu);
        }
        target.portPending(port, vcpu);
    }

    @Override
    public void clearPending(int port) {
        long at = word(Xen.SharedInfo.EVTCHN_PENDING, port);
        long pending = ram.read64(at);
        if ((pending & bit(port)) != 0) {
            ram.write64(at, pending & ~bit(port));
        }
    }

    @Override
    public boolean isPending(int port) {
        return (ram.read64(word(Xen.SharedInfo.EVTCHN_PENDING, port)) & bit(port)) != 0;
    }

    @Override
    public boolean isMasked(int port) {
        return (ram.read64(word(Xen.SharedInfo.EVTCHN_MASK, port)) & bit(port)) != 0;
    }

    @Override
    public void unmask(int port, int vcpu) {
        long at = word(Xen.SharedInfo.EVTCHN_MASK, port);
        long mask = ram.read64(at);
        if ((mask & bit(port)) != 0) {
            ram.write64(at, mask & ~bit(port));
            if (isPending(port)) {
                select(port, vcpu);
            }
        }
    }

    /** Sets the port's word in the selector; the first such word raises the upcall flag. */
    private void select(int port, int vcpu) {
        long info = target.vcpuInfo(vcpu);
        if (info < 0) {
            return;
        }
        long at = info + Xen.VcpuInfo.EVTCHN_PENDING_SEL;
        long selector = ram.read64(at);
        if ((selector & 1L << (port >>> 6)) == 0) {
            ram.write64(at, selector | 1L << (port >>> 6));
            markPending(ram, info, target, vcpu);
        }
    }

    /** Raises the upcall flag (vcpu_mark_events_pending). */
    private static void markPending(PhysicalMemory ram, long info, Target target, int vcpu) {
        if (ram.read8(info + Xen.VcpuInfo.EVTCHN_UPCALL_PENDING) == 0) {
            ram.write8(info + Xen.VcpuInfo.EVTCHN_UPCALL_PENDING, 1);
            target.upcallPending(vcpu);
        }
    }

    private long word(int array, int port) {
        return target.sharedInfo() + array + (port >>> 6) * 8L;
    }

    private static long bit(int port) {
        return 1L << (port & 63);
    }
}
