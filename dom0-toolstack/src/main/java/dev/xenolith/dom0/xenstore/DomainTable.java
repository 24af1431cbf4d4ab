package dev.xenolith.dom0.xenstore;

import java.util.Collection;
import java.util.Collections;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The domains that own nodes, are named in permissions, or are connected. */
final class DomainTable {
    private final TreeMap<Integer, DomainRecord> records = new TreeMap<>();
    private final IntPredicate exists;

    DomainTable(IntPredicate exists) {
        this.exists = exists;
    }

    @Nullable
    DomainRecord find(int domid) {
        return records.get(domid);
    }

    /** The record of a domain that the hypervisor knows, or null if it does not. */
    @Nullable
    DomainRecord findExisting(int domid, XenStore store) {
        DomainRecord record = records.get(domid);
        return record == null && exists.test(domid) ? require(domid, store) : record;
    }

    DomainRecord require(int domid, XenStore store) {
        DomainRecord record = records.get(domid);
        if (record == null) {
            record = new DomainRecord(domid, store.nextGeneration());
            records.put(domid, record);
        }
        return record;
    }

    void remove(DomainRecord record) {
        records.remove(record.domid);
        for (DomainRecord other : records.values()) {
            if (other.target == record) {
                other.target = null;
            }
        }
    }

    /** All records in ascending order of domid. */
    Collection<DomainRecord> all() {
        return Collections.unmodifiableCollection(records.values());
    }

    /** Permissions as they count today: entries for domains younger than the node, or gone, are void. */
    Permissions current(Node node) {
        Permissions permissions = node.permissions;
        if (permissions.size() == 1) {
            return permissions;
        }
        return permissions.staleUnless(domid -> {
            DomainRecord record = records.get(domid);
            return record != null && record.generation <= node.generation;
        });
    }
}
