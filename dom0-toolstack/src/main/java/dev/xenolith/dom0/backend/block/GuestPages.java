package dev.xenolith.dom0.backend.block;

import dev.xenolith.hypervisor.operations.Grants;
import dev.xenolith.hypervisor.operations.Grants.Parts;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How data comes out of a frontend's pages and into them: by copying what it grants for each request, or, if both ends agree on persistent
 * grants, through mappings that are kept ("feature-persistent"). The frontend then uses the same grants again and again; of those used longest
 * ago a mapping may be given back at any time.
 */
final class GuestPages {
    /** As many as Linux keeps: what 32 requests of 32 segments name, and some. */
    private static final int MOST_KEPT = 1056;

    private final Grants grants;
    private final int domid;
    private final @Nullable Map<Integer, SharedPage> kept;

    GuestPages(Grants grants, int domid, boolean persistent) {
        this.grants = grants;
        this.domid = domid;
        kept = persistent ? new LinkedHashMap<>(64, 0.75f, true) : null;
    }

    /** Gathers {@code parts}. Returns whether all could be read. */
    boolean read(Parts parts, byte[] target) {
        if (kept == null) {
            return grants.copyFrom(domid, parts, target, 0) == 0;
        }
        int at = 0;
        for (int i = 0; i < parts.count(); i++) {
            SharedPage page = page(kept, parts.reference(i));
            if (page == null) {
                return false;
            }
            page.read(parts.offset(i), target, at, parts.length(i));
            at += parts.length(i);
        }
        return true;
    }

    /** Scatters {@code source} over {@code parts}. Returns whether all could be written. */
    boolean write(Parts parts, byte[] source) {
        if (kept == null) {
            return grants.copyTo(domid, parts, source, 0) == 0;
        }
        int at = 0;
        for (int i = 0; i < parts.count(); i++) {
            SharedPage page = page(kept, parts.reference(i));
            if (page == null) {
                return false;
            }
            page.write(parts.offset(i), source, at, parts.length(i));
            at += parts.length(i);
        }
        return true;
    }

    /** The page of a grant, writable as persistent grants have to be; null if it cannot be mapped. */
    private @Nullable SharedPage page(Map<Integer, SharedPage> pages, int reference) {
        SharedPage page = pages.get(reference);
        if (page != null) {
            return page;
        }
        if (pages.size() >= MOST_KEPT) {
            Iterator<SharedPage> oldest = pages.values().iterator();
            oldest.next().unmap();
            oldest.remove();
        }
        try {
            page = grants.map(domid, reference, false);
        } catch (OperationException e) {
            return null;
        }
        pages.put(reference, page);
        return page;
    }

    /** Gives all mappings back. */
    void release() {
        if (kept != null) {
            kept.values().forEach(SharedPage::unmap);
            kept.clear();
        }
    }
}
