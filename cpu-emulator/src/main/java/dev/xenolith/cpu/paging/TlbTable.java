package dev.xenolith.cpu.paging;

import dev.xenolith.cpu.memory.HostMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * One of the first-level tables of a {@link Tlb}: entries of a tag and an addend, eight bytes each, in memory of the host, where they are
 * reached with one address and without a check of bounds, by the interpreter and by translated code.
 */
public final class TlbTable {
    private static final int ADDEND = 8;

    private static final int ENTRY_SHIFT = 4;
    /** Shift of a linear address that makes its page number an offset in the table. */
    private static final int OFFSET_SHIFT = 12 - ENTRY_SHIFT;
    private static final int OFFSET_MASK = Tlb.ENTRIES - 1 << ENTRY_SHIFT;

    private static final long BYTES = (long) Tlb.ENTRIES << ENTRY_SHIFT;
    private static final long LINE = 64;

    /** Keeps the memory as long as this object lives. */
    private final MemorySegment memory = Arena.ofAuto().allocate(BYTES, LINE);
    /** Its host address. */
    public final long address = memory.address();

    /** Host address of the entry, in the table at {@code table}, for an access whose last byte is at {@code last}. */
    public static long entry(long table, long last) {
        return table + (last >>> OFFSET_SHIFT & OFFSET_MASK);
    }

    /** Whether the tag of the entry at host address {@code entry} is {@code tag}. */
    public static boolean has(long entry, long tag) {
        return HostMemory.get64(entry) == tag;
    }

    /** Host address of what is at {@code linear}, in the page of the entry at host address {@code entry}. */
    public static long host(long entry, long linear) {
        return linear + HostMemory.get64(entry + ADDEND);
    }

    /** Tag of entry {@code slot}; 0: it is empty. */
    long tag(int slot) {
        return HostMemory.get64(address + ((long) slot << ENTRY_SHIFT));
    }

    /** What is added to a linear address for the host address. */
    long addend(int slot) {
        return HostMemory.get64(address + ((long) slot << ENTRY_SHIFT) + ADDEND);
    }

    void set(int slot, long tag, long addend) {
        HostMemory.put64(address + ((long) slot << ENTRY_SHIFT), tag);
        HostMemory.put64(address + ((long) slot << ENTRY_SHIFT) + ADDEND, addend);
    }

    void clear(int slot) {
        HostMemory.put64(address + ((long) slot << ENTRY_SHIFT), 0);
    }

    void clear() {
        HostMemory.fill(address, BYTES, 0);
    }
}
