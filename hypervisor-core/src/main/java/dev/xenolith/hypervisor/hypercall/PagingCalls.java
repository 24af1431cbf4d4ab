package dev.xenolith.hypervisor.hypercall;

import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import org.jspecify.annotations.Nullable;

/** What the paging hypercalls have in common: domains named as owners of pages, and where translations may be cached. */
final class PagingCalls {
    /** Most vCPUs that one word of a vCPU mask names: domains have no more. */
    private static final int MASK_BITS = Long.SIZE;

    private PagingCalls() {}

    /**
     * Memory of the domain that {@code caller} names as owner of pages, any value; null if there is none. As in Xen its own domid is
     * not a foreign domain: it calls itself DOMID_SELF.
     */
    static @Nullable MemoryOwner pageOwner(Domains domains, Domain caller, int domid) {
        if (domid == Xen.DOMID_SELF) {
            return caller.memory;
        }
        if (domid == Xen.DOMID_IO) {
            return domains.memory.io();
        }
        if (domid == Xen.DOMID_XEN) {
            return domains.memory.xen();
        }
        Domain domain = domid == caller.domid ? null : domains.table.find(domid);
        return domain == null ? null : domain.memory;
    }

    /** XSM_TARGET for what {@link #pageOwner} has found. */
    static boolean mayTarget(Domain caller, MemoryOwner owner) {
        return owner == caller.memory || Access.isPrivileged(caller);
    }

    /** Processors on which translations of {@code vcpu} may be used: bit i for processor i. */
    static long processorsOf(Vcpu vcpu) {
        return vcpu.tagsValidOn < 0 ? 0 : 1L << vcpu.tagsValidOn;
    }

    /** Processors on which translations of any vCPU of {@code domain} may be used. */
    static long processorsOf(Domain domain) {
        long mask = 0;
        for (Vcpu vcpu : domain.vcpus) {
            mask |= processorsOf(vcpu);
        }
        return mask;
    }

    /** Processors of the caller's vCPUs in the vCPU mask at {@code handle}; -1 if it cannot be read. */
    static long readProcessors(Call call, long handle) {
        if (!call.readWord(handle)) {
            return -1;
        }
        long vcpus = call.get64(0);
        long mask = 0;
        for (Vcpu vcpu : call.domain.vcpus) {
            if (vcpu.id < MASK_BITS && (vcpus >>> vcpu.id & 1) != 0) {
                mask |= processorsOf(vcpu);
            }
        }
        return mask;
    }
}
