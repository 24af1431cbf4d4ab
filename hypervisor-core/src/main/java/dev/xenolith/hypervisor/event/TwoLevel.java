package dev.xenolith.hypervisor.event;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Xen;

/**
 * The two-level bitmaps of a 64-bit guest (xen/common/event_2l.c): a pending and a mask bit per port in shared_info, a selector
 * word and the upcall flag in each vcpu_info. The guest owns these words too, so nothing here believes them.
 */
public final class TwoLevel implements Delivery {
    private final PhysicalMemory ram;
    private final Upcall target;

    public TwoLevel(PhysicalMemory ram, Upcall target) {
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
    public void close(int port) {
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
            target.markPending(ram, vcpu);
        }
    }

    private long word(int array, int port) {
        return target.sharedInfo() + array + (port >>> 6) * 8L;
    }

    private static long bit(int port) {
        return 1L << (port & 63);
    }
}
