package dev.xenolith.hypervisor.event;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.SharedLayout;

/** The domain that a {@link Delivery} tells, and its vCPUs. */
public interface Upcall {
    /** Physical address of shared_info. */
    long sharedInfo();

    /** How shared_info and vcpu_info are laid out. */
    SharedLayout layout();

    /** Physical address of the vCPU's vcpu_info, -1 if it has none. */
    long vcpuInfo(int vcpu);

    /** The vCPU's upcall flag has been set: wakes it, interrupts it if it runs. */
    void upcallPending(int vcpu);

    /** A port has become pending, masked or not: vCPUs that poll it go on. */
    void portPending(int port, int vcpu);

    /** Raises the upcall flag of a vCPU that has a vcpu_info (vcpu_mark_events_pending). */
    default void markPending(PhysicalMemory ram, int vcpu) {
        long info = vcpuInfo(vcpu);
        if (info >= 0 && ram.read8(info + Xen.VcpuInfo.EVTCHN_UPCALL_PENDING) == 0) {
            ram.write8(info + Xen.VcpuInfo.EVTCHN_UPCALL_PENDING, 1);
            upcallPending(vcpu);
        }
    }
}
