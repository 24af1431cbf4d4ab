package dev.xenolith.dom0.monitor;

import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is traced.
 *
 * @param file where it goes, null for standard error
 * @param from how many instructions all processors retire before the trace begins
 * @param count how many lines there are at most
 * @param firstAddress linear address of the first instruction to be traced; compared as unsigned
 * @param lastAddress of the last
 * @param processor whose doings are traced, -1 for all
 */
public record TraceSettings(Set<Kind> kinds, @Nullable Path file, long from, long count, long firstAddress,
        long lastAddress, int processor) {
    /** Kinds of things that happen. */
    public enum Kind {
        /** Each instruction with the registers that it changes. */
        INSTRUCTIONS,
        /** Exceptions, interrupts, INT n. */
        INTERRUPTS,
        /** Accesses to ports and to devices in memory. */
        DEVICES
    }

    public TraceSettings {
        kinds = Set.copyOf(kinds);
    }

    boolean covers(long address) {
        return Long.compareUnsigned(address, firstAddress) >= 0 && Long.compareUnsigned(address, lastAddress) <= 0;
    }
}
