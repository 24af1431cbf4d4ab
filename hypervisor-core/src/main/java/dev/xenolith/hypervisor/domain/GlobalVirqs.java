package dev.xenolith.hypervisor.domain;

import dev.xenolith.hypervisor.abi.Xen;
import org.jspecify.annotations.Nullable;

/** Which domain gets each global virtual interrupt: domain 0, unless another one has been named (XEN_DOMCTL_set_virq_handler). */
public final class GlobalVirqs {
    private final DomainTable domains;
    private final @Nullable Domain[] handlers = new Domain[Xen.NR_VIRQS];

    GlobalVirqs(DomainTable domains) {
        this.domains = domains;
    }

    /** Raises {@code virq} in the domain that handles it, if it has bound it. */
    public void raise(int virq) {
        Domain handler = handlers[virq] != null ? handlers[virq] : domains.find(0);
        if (handler != null && !handler.isDying()) {
            handler.events.raiseVirq(virq, 0);
        }
    }

    /** Names the domain that handles {@code virq}; null for domain 0. */
    public void setHandler(int virq, @Nullable Domain domain) {
        handlers[virq] = domain;
    }

    void forget(Domain domain) {
        for (int i = 0; i < handlers.length; i++) {
            if (handlers[i] == domain) {
                handlers[i] = null;
            }
        }
    }
}
