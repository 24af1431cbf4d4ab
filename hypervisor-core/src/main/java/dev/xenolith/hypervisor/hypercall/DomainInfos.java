package dev.xenolith.hypervisor.hypercall;

import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Domctl.GetDomainInfo;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainControl.DomainInfo;

/** Writes what is known of a domain as a xen_domctl_getdomaininfo (getdomaininfo of xen/common/domctl.c). */
final class DomainInfos {
    private final int physicalBits;

    /**
     * @param physicalBits width of a machine address
     */
    DomainInfos(int physicalBits) {
        this.physicalBits = physicalBits;
    }

    /** The structure for one domain. */
    byte[] encode(DomainControl control, DomainInfo info) {
        byte[] to = new byte[GetDomainInfo.SIZE];
        Bytes.put16(to, GetDomainInfo.DOMAIN, info.domid());
        int reason = info.shutdown() ? info.shutdownReason() : GetDomainInfo.NO_SHUTDOWN;
        Bytes.put32(to, GetDomainInfo.FLAGS, flag(info.dying(), GetDomainInfo.DYING)
                | flag(info.hvm(), GetDomainInfo.HVM_GUEST) | flag(info.shutdown(), GetDomainInfo.SHUTDOWN)
                | flag(info.paused(), GetDomainInfo.PAUSED) | flag(info.blocked(), GetDomainInfo.BLOCKED)
                | flag(info.running(), GetDomainInfo.RUNNING) | flag(info.debugged(), GetDomainInfo.DEBUGGED)
                | reason << GetDomainInfo.SHUTDOWN_SHIFT);
        Bytes.put64(to, GetDomainInfo.TOT_PAGES, info.pages());
        Bytes.put64(to, GetDomainInfo.MAX_PAGES, info.maxPages());
        Bytes.put64(to, GetDomainInfo.OUTSTANDING_PAGES, info.outstandingPages());
        Bytes.put64(to, GetDomainInfo.SHARED_INFO_FRAME, control.sharedInfoFrame(info.domid()));
        Bytes.put64(to, GetDomainInfo.CPU_TIME, info.cpuTimeNs());
        Bytes.put32(to, GetDomainInfo.NR_ONLINE_VCPUS, info.onlineVcpus());
        Bytes.put32(to, GetDomainInfo.MAX_VCPU_ID, info.maxVcpus() - 1);
        Bytes.put64(to, GetDomainInfo.HANDLE, Long.reverseBytes(info.handle().getMostSignificantBits()));
        Bytes.put64(to, GetDomainInfo.HANDLE + Long.BYTES,
                Long.reverseBytes(info.handle().getLeastSignificantBits()));
        Bytes.put8(to, GetDomainInfo.GPADDR_BITS, physicalBits);
        return to;
    }

    private static int flag(boolean set, int flag) {
        return set ? flag : 0;
    }
}
