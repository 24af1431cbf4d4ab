package dev.xenolith.cpu.paging;

import dev.xenolith.cpu.memory.FrameListener;
import dev.xenolith.cpu.memory.PhysicalMemory;
import java.util.Arrays;

/**
 * The translation lookaside buffer of one processor; see the package for the layout of tags.
 *
 * <p>Address-space tags (0 to {@value #ADDRESS_SPACE_TAGS} - 1, the software name of an address space, like a PCID) are given a
 * context number when first used after a flush. So switching between tags and flushing one of them touch no entry.
 *
 * <p>INVLPG clears the slots of a page for every context at once. Where a large page has been split into entries, invalidating
 * any address in it must remove them all: a small filter remembers the 2 MiB and 1 GiB regions that hold large pages, and
 * INVLPG in one of them flushes everything.
 */
public final class Tlb implements FrameListener {
    /** Entries of each first-level table. */
    public static final int ENTRIES = 1024;
    /** Entries of the second-level table. */
    public static final int SECOND_LEVEL_ENTRIES = 8192;
    /** Number of address-space tags. */
    public static final int ADDRESS_SPACE_TAGS = 4096;

    /** Tag bit: set in every entry and in everything compared with one. */
    public static final int VALID = 1;
    /** Tag bit: access at CPL 3. */
    public static final int USER = 1 << 1;
    /** Tag bit: supervisor data access that may not touch user pages. */
    public static final int SMAP = 1 << 2;
    /** Lowest bit of the context in a tag. */
    public static final int CONTEXT_SHIFT = 3;
    /** Context that no entry has. */
    public static final int NO_CONTEXT = 0;

    static final long PAGE_MASK = -4096L;
    private static final int LAST_CONTEXT = 511;

    /** Second-level entry: physical page, and these bits. */
    static final int WRITABLE = 1;
    static final int USER_PAGE = 1 << 1;
    static final int EXECUTABLE = 1 << 2;
    static final int DIRTY = 1 << 3;
    static final int GLOBAL = 1 << 4;
    static final int LARGE_2M = 1 << 5;
    static final int LARGE_1G = 1 << 6;
    /** Lowest of the four bits of the protection key. */
    static final int KEY_SHIFT = 7;
    /** What a second-level lookup returns if there is no entry; no entry has it, for a translation is never all zero rights. */
    static final long MISS = -1;

    private static final int WAYS = 2;
    private static final int SETS = SECOND_LEVEL_ENTRIES / WAYS;
    private static final int MMIO_ENTRIES = 32;
    private static final int LARGE_FILTER_BITS = 32_768;

    /** Of data that may be read. */
    public final TlbTable read = new TlbTable();
    /** Of data that may be written without anyone being told. */
    public final TlbTable write = new TlbTable();
    /** Of code. */
    public final TlbTable fetch = new TlbTable();

    private final long[] secondTag = new long[SECOND_LEVEL_ENTRIES];
    private final long[] secondEntry = new long[SECOND_LEVEL_ENTRIES];
    private int nextWay;

    private final long[] mmioTag = new long[MMIO_ENTRIES];
    private final long[] mmioPage = new long[MMIO_ENTRIES];

    private final long[] largeFilter = new long[LARGE_FILTER_BITS / 64];

    private final short[] contextOfTag = new short[ADDRESS_SPACE_TAGS];
    private int lastContext;
    private int globalContext;
    private int currentTag;
    private int currentContext;

    private final PhysicalMemory memory;
    private final FlushClock clock;

    /** Stamp of this processor's latest complete flush; see {@link FlushClock}. */
    private long flushStamp;

    public Tlb(PhysicalMemory memory, FlushClock clock) {
        this.memory = memory;
        this.clock = clock;
        clear();
        memory.addListener(this);
    }

    /** Context of the current address space, 1 to 511: what {@link #CONTEXT_SHIFT} places in a tag. */
    public int context() {
        return currentContext;
    }

    /** Tag of the current address space. */
    public int addressSpaceTag() {
        return currentTag;
    }

    /** Stamp of the latest flush of everything. */
    public long flushStamp() {
        return flushStamp;
    }

    // ---- flushing: callers read context() again afterwards ----------------------------------------------------------

    /** Makes {@code tag} the current address space; keeps what is known of it and of all others. */
    public void switchTo(int tag) {
        currentTag = tag;
        if (contextOfTag[tag] == NO_CONTEXT) {
            contextOfTag[tag] = (short) newContext();
        }
        currentContext = contextOfTag[tag];
    }

    /** Forgets the non-global translations of the address space {@code tag}. */
    public void flush(int tag) {
        contextOfTag[tag] = NO_CONTEXT;
        if (tag == currentTag) {
            switchTo(tag);
        }
    }

    /** Forgets every translation: all address spaces, global pages included. */
    public void flushAll() {
        clear();
    }

    /** Forgets which data accesses are allowed, and keeps the translations: protection-key rights have changed. */
    public void forgetDataRights() {
        read.clear();
        write.clear();
        Arrays.fill(mmioTag, 0);
    }

    /** Forgets the translations of the page at {@code linear} in every address space, global ones included. */
    public void invalidatePage(long linear) {
        if (mayBeLarge(linear)) {
            clear();
            return;
        }
        forgetPage(linear);
    }

    /** Forgets what is held of the page at {@code linear}, so that the next access to it walks; of a large page, of this part. */
    public void forgetPage(long linear) {
        int slot = slot(linear);
        read.clear(slot);
        write.clear(slot);
        fetch.clear(slot);
        mmioTag[slot & MMIO_ENTRIES - 1] = 0;
        int set = set(linear);
        Arrays.fill(secondTag, set, set + WAYS, 0);
    }

    private int newContext() {
        if (lastContext == LAST_CONTEXT) {
            clear();
        }
        return ++lastContext;
    }

    private void clear() {
        read.clear();
        write.clear();
        fetch.clear();
        Arrays.fill(mmioTag, 0);
        Arrays.fill(secondTag, 0);
        Arrays.fill(largeFilter, 0);
        Arrays.fill(contextOfTag, (short) NO_CONTEXT);
        globalContext = 1;
        currentContext = 2;
        lastContext = 2;
        contextOfTag[currentTag] = (short) currentContext;
        flushStamp = clock.tick();
    }

    @Override
    public void writeAttentionAdded(long firstFrame, long count) {
        long first = memory.hostBase() + (firstFrame << PhysicalMemory.FRAME_SHIFT);
        long length = count << PhysicalMemory.FRAME_SHIFT;
        for (int i = 0; i < ENTRIES; i++) {
            long host = (write.tag(i) & PAGE_MASK) + write.addend(i);
            if (write.tag(i) != 0 && Long.compareUnsigned(host - first, length) < 0) {
                write.clear(i);
            }
        }
    }

    /** What the second level holds is looked at again before use. */
    @Override
    public void framesMoved() {
        forgetDataRights();
        fetch.clear();
    }

    // ---- filling ----------------------------------------------------------------------------------------------------

    /** Slot of the page that holds {@code linear} in each first-level table. */
    public static int slot(long linear) {
        return (int) (linear >>> 12) & ENTRIES - 1;
    }

    private long tag(long linear, int privilege) {
        return linear & PAGE_MASK | (long) currentContext << CONTEXT_SHIFT | privilege | VALID;
    }

    void fillRead(long linear, int privilege, long hostPage) {
        read.set(slot(linear), tag(linear, privilege), hostPage - (linear & PAGE_MASK));
    }

    void fillWrite(long linear, int privilege, long hostPage) {
        write.set(slot(linear), tag(linear, privilege), hostPage - (linear & PAGE_MASK));
    }

    void fillFetch(long linear, int privilege, long hostPage) {
        fetch.set(slot(linear), tag(linear, privilege), hostPage - (linear & PAGE_MASK));
    }

    /** Notes the physical page of a device; reads and writes are told apart by {@code access}. */
    void fillMmio(long linear, int privilege, int access, long physicalPage) {
        int slot = slot(linear) & MMIO_ENTRIES - 1;
        mmioTag[slot] = tag(linear, privilege);
        mmioPage[slot] = physicalPage | access;
    }

    /** Physical page of the device at {@code linear} if this access (READ or WRITE) is known to be allowed, or MISS. */
    long findMmio(long linear, int privilege, int access) {
        int slot = slot(linear) & MMIO_ENTRIES - 1;
        return mmioTag[slot] == tag(linear, privilege) && (mmioPage[slot] & ~PAGE_MASK) == access
                ? mmioPage[slot] & PAGE_MASK
                : MISS;
    }

    // ---- second level: key is page and context, or the global context ------------------------------------------------

    /** The second-level entry for {@code linear}: physical page and rights, or {@link #MISS}. */
    long findSecond(long linear) {
        long own = tag(linear, 0);
        long global = linear & PAGE_MASK | (long) globalContext << CONTEXT_SHIFT | VALID;
        int set = set(linear);
        for (int i = set; i < set + WAYS; i++) {
            if (secondTag[i] == own || secondTag[i] == global) {
                return secondEntry[i];
            }
        }
        return MISS;
    }

    void fillSecond(long linear, long entry) {
        int context = (entry & GLOBAL) != 0 ? globalContext : currentContext;
        long tag = linear & PAGE_MASK | (long) context << CONTEXT_SHIFT | VALID;
        int set = set(linear);
        int at = victim(set, tag);
        secondTag[at] = tag;
        secondEntry[at] = entry;
        if ((entry & LARGE_2M) != 0) {
            noteLarge(linear >>> 21);
        } else if ((entry & LARGE_1G) != 0) {
            noteLarge(~(linear >>> 30));
        }
    }

    /** The entry of this tag if there is one, else a free one, else either in turn. */
    private int victim(int set, long tag) {
        for (int i = set; i < set + WAYS; i++) {
            if (secondTag[i] == tag) {
                return i;
            }
        }
        for (int i = set; i < set + WAYS; i++) {
            if (secondTag[i] == 0) {
                return i;
            }
        }
        nextWay ^= 1;
        return set + nextWay;
    }

    private static int set(long linear) {
        long page = linear >>> 12;
        return ((int) (page ^ page >>> 12 ^ page >>> 24) & SETS - 1) * WAYS;
    }

    private void noteLarge(long region) {
        int bit = filterBit(region);
        largeFilter[bit >>> 6] |= 1L << bit;
    }

    private boolean mayBeLarge(long linear) {
        int small = filterBit(linear >>> 21);
        int big = filterBit(~(linear >>> 30));
        return (largeFilter[small >>> 6] >>> small & 1 | largeFilter[big >>> 6] >>> big & 1) != 0;
    }

    private static int filterBit(long region) {
        return (int) (region * 0x9e37_79b9_7f4a_7c15L >>> 49);
    }
}
