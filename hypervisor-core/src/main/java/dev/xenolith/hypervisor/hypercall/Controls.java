package dev.xenolith.hypervisor.hypercall;

import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.HostControl;
import java.util.function.Function;

/** The typed operations that toolstacks' hypercalls come down to, in the name of the domain that calls. */
public record Controls(Function<Domain, DomainControl> domains, Function<Domain, HostControl> host) {
}
