package dev.xenolith.hypervisor.domain;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.event.Upcall;
import dev.xenolith.hypervisor.memory.SharedLayout;

/** How a guest's vCPUs learn of its events: they wake, or are interrupted, or stop polling. */
final class GuestEvents implements Upcall {
    private final Domain domain;
    private final Dispatcher dispatcher;

    GuestEvents(Domain domain, Dispatcher dispatcher) {
        this.domain = domain;
        this.dispatcher = dispatcher;
    }

    @Override
    public long sharedInfo() {
        return (long) domain.sharedInfoFrame << PhysicalMemory.FRAME_SHIFT;
    }

    @Override
    public SharedLayout layout() {
        return domain.memory.sharedLayout();
    }

    @Override
    public long vcpuInfo(int vcpu) {
        return domain.vcpus[vcpu].infoAddress;
    }

    @Override
    public void upcallPending(int vcpu) {
        Vcpu target = domain.vcpus[vcpu];
        dispatcher.unblock(target);
        dispatcher.notice(target);
    }

    @Override
    public void portPending(int port, int vcpu) {
        if (domain.pollers == 0) {
            return;
        }
        for (Vcpu poller : domain.vcpus) {
            if (poller.has(Vcpu.POLLING) && (poller.pollPort == 0 || poller.pollPort == port)) {
                dispatcher.unblock(poller);
            }
        }
    }
}
