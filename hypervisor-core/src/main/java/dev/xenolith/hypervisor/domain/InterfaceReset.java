package dev.xenolith.hypervisor.domain;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Sched;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.memory.SharedLayout;

/**
 * Takes what a suspended kernel has set up with the hypervisor away from it, as a restore on another host does (the page of shared_info in
 * tools/libs/guest/xg_sr_restore_x86_pv.c, and what a new domain has not): ports, the vCPUs' registered areas, timers. A kernel whose
 * suspend was not cancelled sets all of it up anew. Its memory, page tables, descriptors, callbacks and grant table stay.
 */
final class InterfaceReset {
    private InterfaceReset() {
    }

    /** 0; -ERESTART: call again; -EINVAL for a domain that is not suspended, or no guest. */
    static int run(Domains domains, Domain domain, Preempt preempt) {
        if (!domain.isShutDown() || domain.isDying() || domain.shutdownCode() != Sched.SHUTDOWN_SUSPEND
                || domain.kind != Domain.Kind.PV) {
            return -EINVAL;
        }
        int rc = domain.events.reset(domain.events.isResetting(), preempt);
        if (rc != 0) {
            return rc;
        }
        PhysicalMemory ram = domains.memory.ram();
        long page = (long) domain.sharedInfoFrame << PhysicalMemory.FRAME_SHIFT;
        SharedLayout layout = domain.memory.sharedLayout();
        ram.fill(page + layout.pending, layout.bitmapBytes(), 0);
        ram.fill(page + layout.mask, layout.bitmapBytes(), 0xff);
        for (Vcpu vcpu : domain.vcpus) {
            vcpu.timers().stop();
            vcpu.pv().timeArea = 0;
            vcpu.pv().runstateArea = 0;
            domains.releaseInfo(vcpu);
            vcpu.infoAddress = page + Xen.SharedInfo.VCPU_INFO + vcpu.id * Xen.VcpuInfo.SIZE;
            ram.write8(vcpu.infoAddress + Xen.VcpuInfo.EVTCHN_UPCALL_PENDING, 0);
            layout.write(ram, vcpu.infoAddress + layout.pendingSelector, 0);
            // Nobody is interrupted before the kernel is ready: it went to sleep with interrupts off.
            ram.write8(vcpu.infoAddress + Xen.VcpuInfo.EVTCHN_UPCALL_MASK, 1);
        }
        return 0;
    }
}
