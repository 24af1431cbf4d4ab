package dev.xenolith.hypervisor.control;

import dev.xenolith.cpu.Processors;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.hypervisor.console.Log;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.DomainGrants;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.JavaVcpu;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.operations.CpuPolicy;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.HostControl;
import dev.xenolith.hypervisor.paging.Audit;
import dev.xenolith.hypervisor.trace.Trace;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * Makes what domains control others by: the handle of each Java domain, and what guests' hypercalls use. One of each a domain; gives back
 * what a domain held through it when it ends.
 */
public final class Handles {
    private final MachineClock clock;
    private final Domains domains;
    private final DomainGrants grants;
    private final VcpuContexts contexts;
    private final Log log;
    private final Trace trace;
    private final HostControl.Version version;
    private final Processors processors;
    private final Audit audit;
    private final Function<CpuPolicy.Kind, CpuPolicy> policies;
    private final Map<Domain, Handle> handles = new HashMap<>();
    private final Map<Domain, Privileges> privileges = new HashMap<>();

    private record Privileges(ControlOfDomain control, HostOperations host) {
    }

    public Handles(MachineClock clock, Domains domains, DomainGrants grants, VcpuContexts contexts, Log log,
            Trace trace, HostControl.Version version, Processors processors, Audit audit,
            Function<CpuPolicy.Kind, CpuPolicy> policies) {
        this.clock = clock;
        this.domains = domains;
        this.grants = grants;
        this.contexts = contexts;
        this.log = log;
        this.trace = trace;
        this.version = version;
        this.processors = processors;
        this.audit = audit;
        this.policies = policies;
    }

    /** The handle of {@code domain}, a Java domain. */
    public DomainHandle of(Domain domain) {
        return handles.computeIfAbsent(domain, this::make);
    }

    /** Control over other domains in the name of {@code domain}, of any kind. */
    public DomainControl control(Domain domain) {
        return privileges.computeIfAbsent(domain, this::privileges).control;
    }

    /** What {@code domain}, of any kind, may ask of the host. */
    public HostControl host(Domain domain) {
        return privileges.computeIfAbsent(domain, this::privileges).host;
    }

    private Handle make(Domain domain) {
        JavaVcpu vcpu = domain.vcpus[0].java();
        GrantsOfDomain granted = new GrantsOfDomain(domain, grants);
        DebugOfDomain debug = new DebugOfDomain(domain, vcpu, domains);
        domains.onDeath(domain, () -> {
            granted.release();
            debug.release();
            handles.remove(domain);
        });
        return new Handle(domain, vcpu, clock, action -> domains.onDeath(domain, action),
                new EventChannelsOfDomain(domain, vcpu, domains.events), granted, control(domain), debug, host(domain));
    }

    private Privileges privileges(Domain domain) {
        Mappings mappings = new Mappings(domains.types);
        ControlOfDomain control = new ControlOfDomain(domain, domains, mappings, contexts, grants, this::of,
                processors.model().tscScale().kilohertz());
        HostOperations host = new HostOperations(() -> !domain.isDying() && domain.privileged, domain.domid, version,
                log, trace, domains.memory, domains.dispatcher, policies, processorInfo());
        Audit.Holder holder = visitor -> mappings
                .forEachFrame((what, mfn) -> visitor.use(mfn, FrameTable.WRITABLE, what + " of " + domain));
        Audit.Holder deferred = Audit.of(control.context());
        audit.addHolder(holder);
        audit.addHolder(deferred);
        domains.onDeath(domain, () -> {
            mappings.release();
            audit.removeHolder(holder);
            if (!control.context().hasDeferred()) {
                audit.removeHolder(deferred);
            }
            privileges.remove(domain);
        });
        return new Privileges(control, host);
    }

    private HostOperations.Processors processorInfo() {
        int[] words = new int[8];
        int[] leaf = new int[4];
        processors.model().cpuid(1, 0, leaf);
        words[0] = leaf[3];
        words[1] = leaf[2];
        processors.model().cpuid(0x8000_0001, 0, leaf);
        words[2] = leaf[3];
        words[3] = leaf[2];
        processors.model().cpuid(0xd, 1, leaf);
        words[4] = leaf[0];
        processors.model().cpuid(7, 0, leaf);
        words[5] = leaf[1];
        words[6] = leaf[2];
        processors.model().cpuid(0x8000_0008, 0, leaf);
        words[7] = leaf[1];
        return new HostOperations.Processors(processors.count(), processors.model().tscScale().kilohertz(), words,
                domains.dispatcher.scheduler().optionName());
    }
}
