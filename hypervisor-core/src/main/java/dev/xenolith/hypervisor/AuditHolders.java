package dev.xenolith.hypervisor;

import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.DomainGrants;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.event.Fifo;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.paging.Audit;

/** Tells the audit who holds frames: vCPUs and descriptor tables of the domains that exist when it runs, and grants. */
public final class AuditHolders {
    private AuditHolders() {
    }

    /** Names all that {@code domains} and {@code grants} hold to {@code audit}. */
    public static void register(Audit audit, Domains domains, DomainGrants grants) {
        audit.addHolder(visitor -> {
            for (Domain domain : domains.table.all()) {
                if (domain.kind != Domain.Kind.PV || domain.dying() == Domain.Dying.ZOMBIE) {
                    continue;
                }
                if (domain.privileged) {
                    visitor.permitForeign(domain.domid);
                }
                if (domain.teardown() != null) {
                    Audit.of(domain.teardown().context()).visit(visitor);
                }
                Fifo fifo = domain.events.fifo();
                if (fifo != null) {
                    fifo.forEachFrame(mfn -> visitor.use(mfn, FrameTable.WRITABLE, "event FIFOs of " + domain));
                }
                if (domain.descriptors != null) {
                    Audit.of(domain.descriptors).visit(visitor);
                }
                for (Vcpu vcpu : domain.vcpus) {
                    Audit.of(vcpu.tables()).visit(visitor);
                    if (vcpu.infoFrame >= 0) {
                        visitor.use(vcpu.infoFrame, FrameTable.WRITABLE, "vcpu_info of " + vcpu);
                    }
                }
            }
        });
        audit.addHolder(grants.operations.holder());
    }
}
