package dev.xenolith.hypervisor.grant;

import dev.xenolith.hypervisor.abi.Grant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The grants of others that one domain has mapped, by handle. */
final class MapTrack {
    /** What there is no handle for. */
    static final int NONE = -1;
    /** Flag beside GNTMAP_*: a mapping in Java, which has no page table entry. */
    static final int JAVA = 1 << 8;
    /** Handles that one frame of Xen's would hold: the unit of the limit. */
    private static final int HANDLES_PER_FRAME = 256;

    private final int limit;
    private @Nullable GrantTable[] granter = {};
    private int[] ref = {};
    /** GNTMAP_* of what is still mapped; 0 for a free handle. */
    private int[] flags = {};
    /** Free handles, through this: a queue, so that a stale handle is not somebody else's at once. */
    private int[] nextFree = {};
    private int firstFree = NONE;
    private int lastFree = NONE;
    private int used;

    MapTrack(int maxFrames) {
        limit = (int) Math.min((long) maxFrames * HANDLES_PER_FRAME, Integer.MAX_VALUE / 2);
    }

    /** A free handle, or {@link #NONE} at the limit. */
    int allocate() {
        if (firstFree == NONE && !grow()) {
            return NONE;
        }
        int handle = firstFree;
        firstFree = nextFree[handle];
        if (firstFree == NONE) {
            lastFree = NONE;
        }
        used++;
        return handle;
    }

    private boolean grow() {
        int old = flags.length;
        if (old >= limit) {
            return false;
        }
        int size = Math.min(limit, Math.max(64, old * 2));
        granter = Arrays.copyOf(granter, size);
        ref = Arrays.copyOf(ref, size);
        flags = Arrays.copyOf(flags, size);
        nextFree = Arrays.copyOf(nextFree, size);
        for (int i = old; i < size; i++) {
            nextFree[i] = i + 1 < size ? i + 1 : NONE;
        }
        firstFree = old;
        lastFree = size - 1;
        return true;
    }

    void free(int handle) {
        granter[handle] = null;
        flags[handle] = 0;
        nextFree[handle] = NONE;
        if (lastFree == NONE) {
            firstFree = handle;
        } else {
            nextFree[lastFree] = handle;
        }
        lastFree = handle;
        used--;
    }

    void set(int handle, GrantTable table, int reference, int mapFlags) {
        granter[handle] = table;
        ref[handle] = reference;
        flags[handle] = mapFlags;
    }

    /** GNTMAP_* of {@code handle}, any value; 0 if nothing is mapped. */
    int flags(int handle) {
        return handle >= 0 && handle < flags.length ? flags[handle] : 0;
    }

    void clearFlags(int handle, int gone) {
        flags[handle] &= ~gone;
    }

    boolean isMapped(int handle) {
        return (flags(handle) & (Grant.GNTMAP_HOST_MAP | Grant.GNTMAP_DEVICE_MAP)) != 0;
    }

    GrantTable granter(int handle) {
        GrantTable table = granter[handle];
        if (table == null) {
            throw new IllegalStateException("handle " + handle + " is free");
        }
        return table;
    }

    int ref(int handle) {
        return ref[handle];
    }

    /** Handles are below this. */
    int size() {
        return flags.length;
    }

    /** Handles in use. */
    int used() {
        return used;
    }
}
