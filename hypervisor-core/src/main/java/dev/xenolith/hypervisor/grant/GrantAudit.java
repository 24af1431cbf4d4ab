package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.abi.Grant.GNTMAP_DEVICE_MAP;
import static dev.xenolith.hypervisor.abi.Grant.GNTMAP_HOST_MAP;
import static dev.xenolith.hypervisor.abi.Grant.GNTMAP_READONLY;

import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.paging.Audit;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Counts the uses of all grants anew from who has mapped them, while no copy and no unmap is under way. */
final class GrantAudit {
    private final Audit.Visitor visitor;
    /** Uses found, by granter and reference; see {@link Pins}. */
    private final Map<GrantTable, int[]> found = new IdentityHashMap<>();

    GrantAudit(Audit.Visitor visitor) {
        this.visitor = visitor;
    }

    /**
     * @param tables by domain id
     * @param settled whether what was unmapped has been given back
     */
    void visit(@Nullable GrantTable[] tables, boolean settled) {
        for (GrantTable table : tables) {
            if (table != null) {
                visit(table);
            }
        }
        for (GrantTable table : tables) {
            if (table != null && settled) {
                compare(table);
            }
        }
    }

    private void visit(GrantTable table) {
        MapTrack track = table.mapTrack();
        int used = 0;
        for (int handle = 0; handle < track.size(); handle++) {
            int flags = track.flags(handle);
            if (flags == 0) {
                continue;
            }
            used++;
            GrantTable granter = track.granter(handle);
            int ref = track.ref(handle);
            int mfn = granter.mfn(ref);
            boolean writable = (flags & GNTMAP_READONLY) == 0;
            found.computeIfAbsent(granter, g -> new int[g.pinned()])[ref] += GrantOperations.pinIncrement(flags);
            if (granter.grantee(ref) != table.owner().domid) {
                visitor.wrong("%s has mapped grant %d of %s, which is in use by d%d".formatted(table.owner(), ref,
                        granter.owner(), granter.grantee(ref)));
            }
            if ((flags & (GNTMAP_DEVICE_MAP | MapTrack.JAVA)) != 0) {
                if (writable) {
                    visitor.use(mfn, FrameTable.WRITABLE, "mapping of " + table.owner());
                } else {
                    visitor.reference(mfn, "mapping of " + table.owner());
                }
            }
            if ((flags & (GNTMAP_HOST_MAP | MapTrack.JAVA)) == GNTMAP_HOST_MAP) {
                visitor.permit(table.owner().domid, mfn, writable);
            }
        }
        if (used != track.used()) {
            visitor.wrong("%s counts %d mappings and has %d".formatted(table.owner(), track.used(), used));
        }
    }

    private void compare(GrantTable table) {
        int[] counted = found.getOrDefault(table, new int[0]);
        for (int ref = 0; ref < table.pinned(); ref++) {
            int uses = ref < counted.length ? counted[ref] : 0;
            if (uses != table.pins(ref)) {
                visitor.wrong("grant %d of %s counts uses %#x, found are %#x".formatted(ref, table.owner(),
                        table.pins(ref), uses));
            }
        }
    }
}
