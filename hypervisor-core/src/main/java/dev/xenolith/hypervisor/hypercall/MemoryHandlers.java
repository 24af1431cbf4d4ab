package dev.xenolith.hypervisor.hypercall;

import dev.xenolith.hypervisor.abi.Hypercall;
import dev.xenolith.hypervisor.domain.DomainGrants;
import dev.xenolith.hypervisor.domain.Domains;

/** The handlers of all hypercalls about memory: page tables, reservations, grants. */
public final class MemoryHandlers {
    private MemoryHandlers() {}

    /** Adds them to {@code table}. */
    public static void addTo(Hypercalls.Table table, Domains domains, DomainGrants grants, Controls controls) {
        table.add(Hypercall.MMU_UPDATE, new MmuUpdateOp(domains))
                .add(Hypercall.MMUEXT_OP, new MmuextOp(domains))
                .add(Hypercall.UPDATE_VA_MAPPING, new VaMappingOp(domains, false))
                .add(Hypercall.UPDATE_VA_MAPPING_OTHERDOMAIN, new VaMappingOp(domains, true))
                .add(Hypercall.MEMORY_OP, new MemoryOp(domains, controls))
                .add(Hypercall.GRANT_TABLE_OP, new GrantTableOp(domains, grants))
                .addCompat(Hypercall.UPDATE_VA_MAPPING, new SplitArguments(new VaMappingOp(domains, false), 1, 1))
                .addCompat(Hypercall.UPDATE_VA_MAPPING_OTHERDOMAIN,
                        new SplitArguments(new VaMappingOp(domains, true), 1, 1));
    }
}
