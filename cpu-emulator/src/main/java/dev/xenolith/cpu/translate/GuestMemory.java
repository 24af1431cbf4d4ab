package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.paging.TlbTable;
import dev.xenolith.cpu.processor.Processor;

/**
 * Where memory is, for units. A unit holds the addresses of the TLB's tables in locals and hands them over; what the TLB does not have it
 * is asked to find, and what it cannot find (a page fault, a device, a page with code, an access that crosses pages) is for the
 * interpreter.
 */
public final class GuestMemory {
    private GuestMemory() {}

    /**
     * Host address of {@code last + 1} bytes at linear {@code address}, to be read, by the TLB's table at {@code table}; 0 if the unit must
     * be left.
     */
    public static long readable(Processor p, long table, long context, long address, int last) {
        long entry = TlbTable.entry(table, address + last);
        return TlbTable.has(entry, address & -4096 | context)
                ? TlbTable.host(entry, address)
                : p.refill(address, last + 1, false);
    }

    /** The same to be written. */
    public static long writable(Processor p, long table, long context, long address, int last) {
        long entry = TlbTable.entry(table, address + last);
        return TlbTable.has(entry, address & -4096 | context)
                ? TlbTable.host(entry, address)
                : p.refill(address, last + 1, true);
    }
}
