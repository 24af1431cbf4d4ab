package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENODATA;

import dev.xenolith.hypervisor.abi.ArchX86.CompatVcpuGuestContext;
import dev.xenolith.hypervisor.abi.ArchX86.VcpuGuestContext;
import dev.xenolith.hypervisor.abi.Domctl.GetVcpuInfo;
import dev.xenolith.hypervisor.abi.Domctl.MaxVcpus;
import dev.xenolith.hypervisor.abi.Domctl.VcpuAffinity;
import dev.xenolith.hypervisor.abi.Domctl.VcpuContext;
import dev.xenolith.hypervisor.operations.DomainControl.DomainInfo;
import dev.xenolith.hypervisor.operations.DomainControl.VcpuInfo;

/** The commands of domctl about vCPUs. */
final class DomctlVcpus {
    private final int processors;

    DomctlVcpus(int processors) {
        this.processors = processors;
    }

    /** max_vcpus: they have been made with the domain, so their number must be the one that was asked for then. */
    long maximum(ControlCall op, int domid) {
        DomainInfo info = op.control.info(domid);
        boolean right = info != null && domid != op.call.domain.domid && info.maxVcpus() == op.get32(MaxVcpus.MAX);
        return right ? 0 : -EINVAL;
    }

    long setContext(ControlCall op, int domid) {
        int vcpu = op.get32(VcpuContext.VCPU);
        long handle = op.get64(VcpuContext.CTXT);
        if (domid == op.call.domain.domid || op.control.vcpu(domid, vcpu) == null) {
            return -EINVAL;
        }
        if (handle == 0) {
            return ControlCall.preemptible(op.control.resetVcpu(domid, vcpu));
        }
        byte[] context = new byte[op.control.addressSize(domid) == Integer.SIZE
                ? CompatVcpuGuestContext.SIZE
                : VcpuGuestContext.SIZE];
        if (op.call.memory.read(handle, context, 0, context.length) != 0) {
            return -EFAULT;
        }
        return ControlCall.preemptible(op.control.setVcpuContext(domid, vcpu, context));
    }

    long getContext(ControlCall op, int domid) {
        int vcpu = op.get32(VcpuContext.VCPU);
        boolean itself = domid == op.call.domain.domid && vcpu == op.call.vcpu.id;
        if (itself || op.control.vcpu(domid, vcpu) == null) {
            return -EINVAL;
        }
        byte[] context = op.control.vcpuContext(domid, vcpu);
        if (context == null) {
            return -ENODATA;
        }
        return op.copyBack(op.write(op.get64(VcpuContext.CTXT), context, context.length));
    }

    long info(ControlCall op, int domid) {
        VcpuInfo vcpu = op.control.vcpu(domid, op.get32(GetVcpuInfo.VCPU));
        if (vcpu == null) {
            return -EINVAL;
        }
        op.put8(GetVcpuInfo.ONLINE, vcpu.online() ? 1 : 0);
        op.put8(GetVcpuInfo.BLOCKED, vcpu.blocked() ? 1 : 0);
        op.put8(GetVcpuInfo.RUNNING, vcpu.running() ? 1 : 0);
        op.put64(GetVcpuInfo.CPU_TIME, vcpu.cpuTimeNs());
        op.put32(GetVcpuInfo.CPU, vcpu.processor());
        return op.copyBack(0);
    }

    /** setvcpuaffinity: sets one or both, and tells which processors that leaves. */
    long setAffinity(ControlCall op, int domid) {
        VcpuInfo vcpu = op.control.vcpu(domid, op.get32(VcpuAffinity.VCPU));
        ControlBitmap hard = new ControlBitmap(op, VcpuAffinity.CPUMAP_HARD, processors);
        ControlBitmap soft = new ControlBitmap(op, VcpuAffinity.CPUMAP_SOFT, processors);
        int flags = op.get32(VcpuAffinity.FLAGS);
        boolean setsHard = (flags & VcpuAffinity.HARD) != 0;
        boolean setsSoft = (flags & VcpuAffinity.SOFT) != 0;
        if (vcpu == null || flags == 0 || setsHard && hard.isNull() || setsSoft && soft.isNull()) {
            return -EINVAL;
        }
        int rc = setsHard ? hard.read() : 0;
        if (rc == 0 && setsSoft) {
            rc = soft.read();
        }
        long newHard = setsHard ? all(hard.value()) : vcpu.hardAffinity();
        long newSoft = setsSoft ? all(soft.value()) : vcpu.softAffinity();
        if (rc == 0) {
            rc = op.control.setAffinity(domid, vcpu.vcpu(), newHard, newSoft);
        }
        if (rc == 0 && setsHard) {
            rc = hard.write(newHard);
        }
        if (rc == 0 && setsSoft) {
            rc = soft.write(newSoft & newHard);
        }
        return rc;
    }

    /** A set of all processors that there are is one of all that there could be. */
    private long all(long set) {
        long present = (1L << processors) - 1;
        return (set & present) == present ? -1L : set;
    }

    long getAffinity(ControlCall op, int domid) {
        VcpuInfo vcpu = op.control.vcpu(domid, op.get32(VcpuAffinity.VCPU));
        ControlBitmap hard = new ControlBitmap(op, VcpuAffinity.CPUMAP_HARD, processors);
        ControlBitmap soft = new ControlBitmap(op, VcpuAffinity.CPUMAP_SOFT, processors);
        int flags = op.get32(VcpuAffinity.FLAGS);
        boolean getsHard = (flags & VcpuAffinity.HARD) != 0;
        boolean getsSoft = (flags & VcpuAffinity.SOFT) != 0;
        if (vcpu == null || flags == 0 || getsHard && hard.isNull() || getsSoft && soft.isNull()) {
            return -EINVAL;
        }
        int rc = getsHard ? hard.write(vcpu.hardAffinity()) : 0;
        return rc == 0 && getsSoft ? soft.write(vcpu.softAffinity()) : rc;
    }
}
