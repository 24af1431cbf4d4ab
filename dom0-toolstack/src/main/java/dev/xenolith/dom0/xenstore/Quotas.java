package dev.xenolith.dom0.xenstore;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What one unprivileged domain may use of xenstore, with C xenstored's defaults. The limits are those of the whole store;
 * CONTROL's {@code quota} and {@code quota-soft} show and set them. Each is the largest number allowed.
 */
final class Quotas {
    /** One limit. Names and descriptions are what {@code xenstore-control quota} prints. */
    enum Item {
        /** Refused with ENOSPC. */
        NODES("nodes", 1000, "Nodes per domain"),
        /** Refused with E2BIG. */
        WATCHES("watches", 128, "Watches per domain"),
        /** Refused with ENOSPC. */
        TRANSACTIONS("transactions", 10, "Transactions per domain"),
        /** Beyond it requests wait. */
        OUTSTANDING("outstanding", 20, "Outstanding requests per domain"),
        /** Refused with ENOSPC. */
        TRANSACTION_NODES("transaction-nodes", 1024, "Max. number of accessed nodes per transaction"),
        /** Bytes; refused with ENOMEM, and requests wait. */
        MEMORY("memory", (5 << 20) / 2, "Total Xenstore memory per domain (error level)"),
        /** Bytes that a node must stay below, counted as {@link Node#recordBytes}; refused with ENOSPC. */
        NODE_SIZE("node-size", 2048, "Max. size of a node"),
        /** Bytes; refused with EINVAL, also of privileged domains. */
        PATH_LENGTH("path-max", StorePath.MAX_RELATIVE, "Max. length of a node path"),
        /** Refused with ENOSPC. */
        PERMISSIONS("permissions", 5, "Max. number of permissions per node"),
        /** Bytes; only logged. */
        MEMORY_SOFT("memory", 2 << 20, "Total Xenstore memory per domain (warning level)");

        final String quotaName;
        final int initial;
        final String description;

        Item(String quotaName, int initial, String description) {
            this.quotaName = quotaName;
            this.initial = initial;
            this.description = description;
        }

        boolean isSoft() { return this == MEMORY_SOFT; }

        static @Nullable Item named(String name, boolean soft) {
            for (Item item : values()) {
                if (item.isSoft() == soft && item.quotaName.equals(name)) {
                    return item;
                }
            }
            return null;
        }
    }

    private final int[] limits = Arrays.stream(Item.values()).mapToInt(item -> item.initial).toArray();

    int get(Item item) {
        return limits[item.ordinal()];
    }

    void set(Item item, int limit) {
        limits[item.ordinal()] = limit;
    }
}
