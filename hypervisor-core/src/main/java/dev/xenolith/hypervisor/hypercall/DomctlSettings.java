package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Domctl;
import dev.xenolith.hypervisor.abi.Domctl.AddressSize;
import dev.xenolith.hypervisor.abi.Domctl.MaxMem;
import dev.xenolith.hypervisor.abi.Domctl.NodeAffinity;
import dev.xenolith.hypervisor.abi.Domctl.SchedulerOp;
import dev.xenolith.hypervisor.abi.Domctl.ShadowOp;
import dev.xenolith.hypervisor.abi.Domctl.TscInfo;
import dev.xenolith.hypervisor.operations.DomainControl.DomainInfo;
import dev.xenolith.hypervisor.operations.DomainControl.SchedulerParameters;
import dev.xenolith.hypervisor.operations.DomainSettings.Tsc;

/** The commands of domctl about what a domain has and how its machine is. */
final class DomctlSettings {

    /** max_mem: any limit; one that no machine has is none. */
    long maxMemory(ControlCall op, int domid) {
        long kibibytes = op.get64(MaxMem.MAX_MEMKB);
        return op.control.setMaxMemory(domid, kibibytes < 0 ? Long.MAX_VALUE : kibibytes);
    }

    /** scheduler_op of credit2, which has no parameters of single vCPUs. */
    long scheduler(ControlCall op, int domid) {
        SchedulerParameters now = op.control.schedulerParameters(domid);
        if (now == null || op.get32(SchedulerOp.SCHED_ID) != Domctl.SCHEDULER_CREDIT2) {
            return op.copyBack(-EINVAL);
        }
        return op.copyBack(switch (op.get32(SchedulerOp.CMD)) {
            case SchedulerOp.PUTINFO -> {
                int weight = op.get16(SchedulerOp.WEIGHT);
                int cap = op.get16(SchedulerOp.CAP);
                yield op.control.setSchedulerParameters(domid, weight == 0 ? now.weight() : weight,
                        cap == SchedulerOp.SAME_CAP ? now.cap() : cap);
            }
            case SchedulerOp.GETINFO -> {
                op.put16(SchedulerOp.WEIGHT, now.weight());
                op.put16(SchedulerOp.CAP, now.cap());
                yield 0;
            }
            default -> -EINVAL;
        });
    }

    /** shadow_op of a PV domain, for which there is no shadow paging and no log of dirty pages (paging_domctl). */
    long shadow(ControlCall op, int domid) {
        DomainInfo info = op.control.info(domid);
        if (info == null || domid == op.call.domain.domid) {
            return -EINVAL;
        }
        if (info.dying()) {
            return 0;
        }
        return op.copyBack(switch (op.get32(ShadowOp.OP)) {
            case ShadowOp.GET_ALLOCATION -> {
                op.put32(ShadowOp.MB, 0);
                yield 0;
            }
            case ShadowOp.SET_ALLOCATION -> op.get32(ShadowOp.MB) == 0 ? 0 : -EOPNOTSUPP;
            case ShadowOp.ENABLE, ShadowOp.ENABLE_TEST, ShadowOp.ENABLE_LOGDIRTY -> -EOPNOTSUPP;
            default -> -EINVAL;
        });
    }

    long setAddressSize(ControlCall op, int domid) {
        return op.control.setAddressSize(domid, op.get32(AddressSize.BITS));
    }

    long getAddressSize(ControlCall op, int domid) {
        int bits = op.control.addressSize(domid);
        if (bits < 0) {
            return bits;
        }
        op.put32(AddressSize.BITS, bits);
        return op.copyBack(0);
    }

    long setTsc(ControlCall op, int domid) {
        return op.control.setTsc(domid, new Tsc(op.get32(TscInfo.TSC_MODE), op.get32(TscInfo.GTSC_KHZ),
                op.get32(TscInfo.INCARNATION), op.get64(TscInfo.ELAPSED_NSEC)));
    }

    long getTsc(ControlCall op, int domid) {
        Tsc tsc = op.control.tsc(domid);
        if (tsc == null) {
            return -ESRCH;
        }
        if (domid == op.call.domain.domid) {
            return -EINVAL;
        }
        op.put32(TscInfo.TSC_MODE, tsc.mode());
        op.put32(TscInfo.GTSC_KHZ, tsc.kilohertz());
        op.put32(TscInfo.INCARNATION, tsc.incarnation());
        op.put64(TscInfo.ELAPSED_NSEC, tsc.elapsedNanos());
        return op.copyBack(0);
    }

    long setNodes(ControlCall op, int domid) {
        ControlBitmap nodes = new ControlBitmap(op, NodeAffinity.NODEMAP, Long.SIZE);
        int rc = nodes.read();
        return rc == 0 ? op.control.setNodeAffinity(domid, nodes.value()) : rc;
    }

    long getNodes(ControlCall op, int domid) {
        return new ControlBitmap(op, NodeAffinity.NODEMAP, Long.SIZE).write(op.control.nodeAffinity(domid));
    }
}
