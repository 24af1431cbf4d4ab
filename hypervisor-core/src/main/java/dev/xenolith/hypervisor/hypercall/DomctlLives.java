package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Domctl;
import dev.xenolith.hypervisor.abi.Domctl.ArchDomainConfig;
import dev.xenolith.hypervisor.abi.Domctl.CreateDomain;
import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.grant.GrantTable;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainControl.DomainInfo;

/** The commands of domctl about the life of a domain. */
final class DomctlLives {
    private static final int MOST_PORT = EventChannel.EVTCHN_FIFO_NR_CHANNELS - 1;

    private final DomainInfos infos;

    DomctlLives(DomainInfos infos) {
        this.infos = infos;
    }

    /** createdomain; any domid that is no domain's asks for a new one (sanitise_domain_config). */
    long create(ControlCall op, int domid) {
        int flags = op.get32(CreateDomain.FLAGS);
        int grants = op.get32(CreateDomain.GRANT_OPTS);
        int emulation = op.get32(CreateDomain.EMULATION_FLAGS);
        boolean asksForMore = (flags & ~(CreateDomain.CDF_OOS_OFF | CreateDomain.CDF_XS_DOMAIN)) != 0
                || (grants & ~CreateDomain.GRANT_VERSION_MASK) != 0 || op.get32(CreateDomain.IOMMU_OPTS) != 0
                || op.get32(CreateDomain.VMTRACE_SIZE) != 0
                || (op.get32(CreateDomain.MISC_FLAGS) & ~ArchDomainConfig.MSR_RELAXED) != 0
                || (emulation & ~ArchDomainConfig.EMU_ALL) != 0;
        if (asksForMore) {
            return -EINVAL;
        }
        if (emulation != 0 || (flags & CreateDomain.CDF_XS_DOMAIN) != 0) {
            return -EOPNOTSUPP;
        }
        if (op.get32(CreateDomain.CPUPOOL_ID) != 0) {
            return -ESRCH;
        }
        int ports = op.get32(CreateDomain.MAX_EVTCHN_PORT);
        DomainControl.Creation creation = new DomainControl.Creation(op.handle(CreateDomain.HANDLE), false,
                op.get32(CreateDomain.MAX_VCPUS),
                Integer.compareUnsigned(ports, MOST_PORT) > 0 ? MOST_PORT : ports,
                orDefault(op.get32(CreateDomain.MAX_GRANT_FRAMES), GrantTable.DEFAULT_MAX_FRAMES),
                orDefault(op.get32(CreateDomain.MAX_MAPTRACK_FRAMES), GrantTable.DEFAULT_MAX_MAPTRACK_FRAMES),
                grants & CreateDomain.GRANT_VERSION_MASK);
        boolean chosen = domid > 0 && domid < Xen.DOMID_FIRST_RESERVED;
        int made = chosen ? op.control.create(domid, creation) : op.control.create(creation);
        if (made < 0) {
            return made;
        }
        op.putOuter16(Domctl.Op.DOMAIN, made);
        return op.copyBack(0);
    }

    private static int orDefault(int frames, int otherwise) {
        return frames < 0 ? otherwise : frames;
    }

    /** resumedomain: nothing to do for a domain that has not shut down. */
    long resume(ControlCall op, int domid) {
        DomainInfo info = op.control.info(domid);
        boolean stands = info == null || info.shutdown() || domid == op.call.domain.domid;
        return stands ? op.control.resume(domid, false) : 0;
    }

    /** getdomaininfo: of the domain, or the next one above it. */
    long info(ControlCall op, int domid) {
        DomainInfo info = op.control.info(domid);
        if (info == null) {
            if (domid >= Xen.DOMID_FIRST_RESERVED) {
                return -EINVAL;
            }
            info = op.control.list().stream().filter(other -> other.domid() > domid).findFirst().orElse(null);
            if (info == null) {
                return -ESRCH;
            }
        }
        op.put(infos.encode(op.control, info));
        op.putOuter16(Domctl.Op.DOMAIN, info.domid());
        return op.copyBack(0);
    }
}
