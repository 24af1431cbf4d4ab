package dev.xenolith.hypervisor.domain;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.grant.GrantCopy;
import dev.xenolith.hypervisor.grant.GrantOperations;
import dev.xenolith.hypervisor.grant.GrantTable;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.paging.GrantEntries;

/** Gives each domain its grant table, and takes back at its end what it has granted and mapped. */
public final class DomainGrants implements Domains.ResourceHolder {
    /** What a domain may set as limit of its table at most, so that nobody can ask for more frames than make sense. */
    public static final int MOST_FRAMES = 4096;

    public final GrantOperations operations;
    public final GrantCopy copies;
    private final Domains domains;

    /** To be added to {@code domains} as a holder. */
    public DomainGrants(Domains domains) {
        this.domains = domains;
        operations = new GrantOperations(domains.types, new GrantEntries(domains.types, domains.updates));
        copies = new GrantCopy(operations);
    }

    /** The memory that grants are about. */
    public PhysicalMemory ram() {
        return domains.memory.ram();
    }

    /** The table of a domain that exists. */
    public GrantTable of(Domain domain) {
        GrantTable table = operations.table(domain.domid);
        if (table == null) {
            throw new IllegalStateException(domain + " has no grant table");
        }
        return table;
    }

    @Override
    public int created(Domain domain) {
        GrantTable.Limits limits = domain.grantLimits;
        if (limits.frames() < 1 || limits.frames() > MOST_FRAMES || limits.mapTrackFrames() < 0
                || limits.version() < 1 || limits.version() > GrantTable.DEFAULT_MAX_VERSION) {
            return -Errno.EINVAL;
        }
        GrantTable table = GrantTable.create(domains.memory, domain.memory, limits);
        if (table == null) {
            return -Errno.ENOMEM;
        }
        operations.add(table);
        return 0;
    }

    @Override
    public int release(Domain domain, Preempt preempt) {
        GrantTable table = of(domain);
        int rc = operations.releaseMappings(table, preempt);
        if (rc == 0) {
            table.release();
        }
        return rc;
    }

    @Override
    public void ended(Domain domain) {
        GrantTable table = operations.table(domain.domid);
        if (table != null) {
            operations.remove(table);
        }
    }
}
