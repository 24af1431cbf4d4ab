package dev.xenolith.hypervisor.domain;

import dev.xenolith.hypervisor.abi.Xen;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All domains by domid, zombies included. */
public final class DomainTable {
    private final TreeMap<Integer, Domain> domains = new TreeMap<>();
    private int lastAllocated;

    /** The domain with this id, any value, or null. */
    public @Nullable Domain find(int domid) {
        return domains.get(domid);
    }

    /** The domain that {@code caller} means by {@code domid}, any value: DOMID_SELF is itself. Null if there is none. */
    public @Nullable Domain resolve(Domain caller, int domid) {
        return domid == Xen.DOMID_SELF ? caller : domains.get(domid);
    }

    /** A domid that no domain has, not reusing a recent one before all others; -1 if there is none. Never 0. */
    public int allocate() {
        for (int tried = 0; tried < Xen.DOMID_FIRST_RESERVED; tried++) {
            lastAllocated = lastAllocated + 1 >= Xen.DOMID_FIRST_RESERVED ? 1 : lastAllocated + 1;
            if (!domains.containsKey(lastAllocated)) {
                return lastAllocated;
            }
        }
        return -1;
    }

    void add(Domain domain) {
        if (domains.putIfAbsent(domain.domid, domain) != null) {
            throw new IllegalArgumentException(domain + " exists");
        }
    }

    void remove(Domain domain) {
        domains.remove(domain.domid);
    }

    /** All domains in ascending order of domid; a copy. */
    public List<Domain> all() {
        return new ArrayList<>(domains.values());
    }

    Collection<Domain> view() {
        return domains.values();
    }
}
