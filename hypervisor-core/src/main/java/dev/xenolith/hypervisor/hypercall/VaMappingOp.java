package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Mmu;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.memory.TlbFlush;
import dev.xenolith.hypervisor.paging.VcpuTables;

/**
 * update_va_mapping and update_va_mapping_otherdomain: changes the L1 entry of a linear address (argument 0) to argument 1 and
 * flushes as argument 2 says; argument 3 of the latter names whose page is mapped.
 */
public final class VaMappingOp implements Handler {
    private final Domains domains;
    private final boolean otherDomain;

    public VaMappingOp(Domains domains, boolean otherDomain) {
        this.domains = domains;
        this.otherDomain = otherDomain;
    }

    @Override
    public long call(Call call) {
        int domid = otherDomain ? (int) call.argument(3) & 0xffff : Xen.DOMID_SELF;
        MemoryOwner pages = PagingCalls.pageOwner(domains, call.domain, domid);
        if (pages == null) {
            return -ESRCH;
        }
        if (pages != domains.memory.io() && !PagingCalls.mayTarget(call.domain, pages)) {
            return -EPERM;
        }
        VcpuTables tables = call.vcpu.tables();
        long linear = call.argument(0);
        int rc = domains.updates.updateMapping(tables.walkRoot(), linear, call.argument(1), tables.owner(), pages);
        return rc != 0 ? rc : flush(call, linear, call.argument(2));
    }

    private long flush(Call call, long linear, long flags) {
        int what = (int) flags & Mmu.UVMF_FLUSHTYPE_MASK;
        if (what != Mmu.UVMF_TLB_FLUSH && what != Mmu.UVMF_INVLPG) {
            return 0;
        }
        long where = flags & ~Mmu.UVMF_FLUSHTYPE_MASK;
        long processors;
        if (where == Mmu.UVMF_LOCAL) {
            processors = 1L << Math.max(0, call.vcpu.loadedOn);
        } else if (where == Mmu.UVMF_ALL) {
            processors = PagingCalls.processorsOf(call.domain);
        } else {
            processors = PagingCalls.readProcessors(call, where);
            if (processors == -1) {
                return -EFAULT;
            }
        }
        TlbFlush tlb = domains.memory.tlb();
        if (what == Mmu.UVMF_TLB_FLUSH) {
            tlb.flushMask(processors);
        } else {
            tlb.invalidateMask(processors, linear);
        }
        return 0;
    }
}
