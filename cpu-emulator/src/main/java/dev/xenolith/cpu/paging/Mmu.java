package dev.xenolith.cpu.paging;

import dev.xenolith.cpu.execute.Logic;
import dev.xenolith.cpu.memory.Attention;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.memory.WriteLog;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The memory management unit of one processor: translates linear addresses by the second-level table or a walk and refills the
 * {@link Tlb} (SDM 3A chapter 4).
 *
 * <p>A translation is a value: a physical address, or if negative a fault, see {@link #isPageFault}. Nothing is thrown and no
 * state of the guest changes other than accessed and dirty flags, and those only when the whole access is allowed.
 *
 * <p>The fields are what CR0, CR4 and EFER say; whoever changes one of {@link #writeProtect}, {@link #smep},
 * {@link #noExecute}, {@link #levels}, {@link #pageSizeExtensions}, {@link #enabled}, {@link #busMask} or {@link #globalPages} flushes all.
 */
public final class Mmu {
    /** Kinds of access, as the bits that they set in a page fault's error code. */
    public static final int READ = 0;
    public static final int WRITE = 1 << 1;
    public static final int EXECUTE = 1 << 4;

    /** Who makes the access: tag bits, see {@link Tlb}. */
    public static final int SUPERVISOR = 0;
    public static final int USER = Tlb.USER;
    /** Supervisor data access while CR4.SMAP forbids user pages. */
    public static final int SUPERVISOR_SMAP = Tlb.SMAP;

    /** Error-code bits of #PF (SDM 3A 4.7). */
    public static final int PF_PRESENT = 1;
    public static final int PF_WRITE = 1 << 1;
    public static final int PF_USER = 1 << 2;
    public static final int PF_RESERVED = 1 << 3;
    public static final int PF_FETCH = 1 << 4;
    public static final int PF_KEY = 1 << 5;

    /** The translation of an address that is not canonical: #GP or #SS. */
    public static final long NON_CANONICAL = Long.MIN_VALUE | 1 << 16;

    private static final long ENTRY_PRESENT = 1;
    private static final long ENTRY_WRITABLE = 1 << 1;
    private static final long ENTRY_USER = 1 << 2;
    private static final long ENTRY_ACCESSED = 1 << 5;
    private static final long ENTRY_DIRTY = 1 << 6;
    private static final long ENTRY_LARGE = 1 << 7;
    private static final long ENTRY_GLOBAL = 1 << 8;
    private static final long ENTRY_NX = 1L << 63;
    /** 32-bit paging: entries of 4 bytes (SDM 3A 4.3). */
    public static final int LEVELS_32_BIT = 2;
    /** PAE paging: two levels below four entries that are kept in registers (SDM 3A 4.4). */
    public static final int LEVELS_PAE = 3;

    /** Bits of a linear address with four and with five levels of paging (SDM 3A 4.5). */
    public static final int LINEAR_BITS_4_LEVELS = 48;
    public static final int LINEAR_BITS_5_LEVELS = 57;
    private static final int MAX_LEVELS = 5;
    private static final int ENTRY_KEY_SHIFT = 59;
    private static final int KEY_MASK = 15;
    private static final int LEVEL_2M = 2;
    private static final int LEVEL_1G = 3;
    /** Reserved in entries of PAE paging, ignored in those of 4-level paging. */
    private static final long RESERVED_PAE = 0x7ff0_0000_0000_0000L;
    /** Bits 2:1 and 8:5 of a page-directory-pointer entry of PAE paging (SDM 3A table 4-8). */
    private static final long RESERVED_POINTER = 0x1e6;
    private static final int POINTERS = 4;
    private static final long ARCHITECTURAL_ADDRESS = 0x000f_ffff_ffff_f000L;

    public final Tlb tlb;
    private final PhysicalMemory memory;

    /** CR0.PG. */
    public boolean enabled;
    /** CR0.WP: supervisor writes respect read-only pages. */
    public boolean writeProtect;
    /** CR4.SMEP: supervisor fetches from user pages fault. */
    public boolean smep;
    /** EFER.NXE. */
    public boolean noExecute;
    /** CR4.PGE. */
    public boolean globalPages;
    /** CR4.PSE: 4 MiB pages in 32-bit paging. */
    public boolean pageSizeExtensions;
    /** Paging levels: {@link #LEVELS_32_BIT}, {@link #LEVELS_PAE}, 4, or 5 with CR4.LA57. */
    public int levels = 4;
    /** CR4.PKE in IA-32e mode: user pages have protection keys, whose rights for data {@link #setKeyRights} says. */
    public boolean protectionKeys;
    private int keyRights;
    /** Bits of a physical address that reach the bus: all but bit 20 while the A20 gate is closed. */
    public long busMask = -1;
    /** Physical address of the top-level table: CR3 without its flags. */
    public long root;

    /** Told of each write to memory, those of walks included, before it happens; null: nobody. */
    public @Nullable WriteLog log;

    /** Address bits of an entry below the processor's physical-address width. */
    private final long addressMask;
    private final long reservedAlways;
    private final boolean gigabytePages;

    /** Says of which pages the first-level tables hold nothing, so that each access to them takes the slow path; null: of none. */
    private @Nullable LongPredicate unheld;

    private long dataMisses;
    private long fetchMisses;
    private long walks;

    private final long[] pointers = new long[POINTERS];
    private final long[] pathAddress = new long[MAX_LEVELS + 1];
    private final long[] pathEntry = new long[MAX_LEVELS + 1];

    /**
     * @param physicalBits physical-address width (MAXPHYADDR), 36 to 52
     * @param gigabytePages whether 1 GiB pages exist (CPUID 0x80000001 EDX bit 26)
     */
    public Mmu(PhysicalMemory memory, FlushClock clock, int physicalBits, boolean gigabytePages) {
        this.memory = memory;
        this.tlb = new Tlb(memory, clock);
        this.addressMask = (1L << physicalBits) - 1 & Tlb.PAGE_MASK;
        this.reservedAlways = ARCHITECTURAL_ADDRESS & ~addressMask;
        this.gigabytePages = gigabytePages;
    }

    public PhysicalMemory memory() {
        return memory;
    }

    /** PKRU: two bits for each key, access-disable and write-disable (SDM 3A 4.6.2). */
    public int keyRights() {
        return keyRights;
    }

    public void setKeyRights(int value) {
        if (value != keyRights) {
            keyRights = value;
            if (protectionKeys) {
                tlb.forgetDataRights();
            }
        }
    }

    /** Keeps pages of which {@code pages} says so out of the first-level tables; null: none. The caller flushes all. */
    public void keepOut(@Nullable LongPredicate pages) {
        unheld = pages;
    }

    /** What has happened so far. */
    public Statistics statistics() {
        return new Statistics(dataMisses, fetchMisses, walks);
    }

    /**
     * Counts since the MMU was made.
     *
     * @param dataMisses data accesses that the first-level tables did not know the page of
     * @param fetchMisses fetches likewise
     * @param walks those of both that the second-level table did not know either
     */
    public record Statistics(long dataMisses, long fetchMisses, long walks) {
    }

    // ---- PAE registers ------------------------------------------------------------------------------------------------

    /**
     * Loads the four page-directory-pointer entries of PAE paging from the table at {@code cr3} (SDM 3A 4.4.1). False, with
     * nothing changed, if a present one has reserved bits set: #GP(0).
     */
    public boolean loadPointers(long cr3) {
        long table = cr3 & 0xffff_ffe0L;
        long reserved = RESERVED_POINTER | ~(addressMask | 0xfff);
        for (int i = 0; i < POINTERS; i++) {
            long entry = readEntry(table + i * 8L);
            if ((entry & ENTRY_PRESENT) != 0 && (entry & reserved) != 0) {
                return false;
            }
        }
        for (int i = 0; i < POINTERS; i++) {
            pointers[i] = readEntry(table + i * 8L);
        }
        return true;
    }

    /** Entry {@code index} (0 to 3) of the registers that {@link #loadPointers} loads. */
    public long pointer(int index) {
        return pointers[index];
    }

    /** Sets what {@link #pointer} returns, for the state of a machine. */
    public void setPointer(int index, long value) {
        pointers[index] = value;
    }

    // ---- results ----------------------------------------------------------------------------------------------------

    /** Whether {@code translation} is a page fault. */
    public static boolean isPageFault(long translation) {
        return translation < 0 && translation != NON_CANONICAL;
    }

    /** Error code of a page fault. */
    public static int errorCode(long translation) {
        return (int) translation;
    }

    /** Whether {@code linear} is canonical for the present number of levels (SDM 1 3.3.7.1). */
    public boolean isCanonical(long linear) {
        return isCanonical(linear, levels == MAX_LEVELS ? LINEAR_BITS_5_LEVELS : LINEAR_BITS_4_LEVELS);
    }

    /** Whether {@code linear} is canonical where addresses have {@code bits} bits. */
    public static boolean isCanonical(long linear, int bits) {
        return Logic.signExtend(linear, bits) == linear;
    }

    // ---- translating ------------------------------------------------------------------------------------------------

    /**
     * Translates {@code linear} in the current address space for {@code access} ({@link #READ}, {@link #WRITE},
     * {@link #EXECUTE}) by {@code privilege} ({@link #SUPERVISOR}, {@link #SUPERVISOR_SMAP}, {@link #USER}); refills the TLB.
     */
    public long translate(long linear, int access, int privilege) {
        long hit = findFirst(linear, access, privilege);
        return hit != Tlb.MISS ? hit : refill(linear, access, privilege);
    }

    /** Translates through the tables at {@code root} as in 4- or 5-level paging; neither looks at nor changes the TLB. */
    public long translate(long root, long linear, int access, int privilege) {
        if (!isCanonical(linear)) {
            return NON_CANONICAL;
        }
        long entry = walk(root, linear, access, privilege);
        return entry < 0 ? entry : entry & Tlb.PAGE_MASK & busMask | linear & ~Tlb.PAGE_MASK;
    }

    /**
     * Physical address that {@code linear} has at present, whatever its rights, or -1: for a debugger. Neither looks at nor changes the
     * TLB, and sets no accessed flag.
     */
    public long inspect(long linear) {
        if (!enabled) {
            return (linear & addressMask | linear & ~Tlb.PAGE_MASK) & busMask;
        }
        if (levels == LEVELS_32_BIT) {
            return inspect32(linear);
        }
        if (levels != LEVELS_PAE && !isCanonical(linear)) {
            return -1;
        }
        long entry = levels == LEVELS_PAE ? pointers[(int) (linear >>> 30) & POINTERS - 1] : root | ENTRY_PRESENT;
        for (int level = levels == LEVELS_PAE ? LEVEL_2M : levels; level > 0 && (entry & ENTRY_PRESENT) != 0; level--) {
            entry = readEntry((entry & addressMask) + ((linear >>> 12 + 9 * (level - 1) & 511) << 3));
            if ((entry & ENTRY_PRESENT) == 0 || (entry & reserved(level, entry)) != 0) {
                return -1;
            }
            if (level == 1 || level <= LEVEL_1G && (entry & ENTRY_LARGE) != 0) {
                long inPage = (1L << 12 + 9 * (level - 1)) - 1;
                return (entry & addressMask & ~inPage | linear & inPage) & busMask;
            }
        }
        return -1;
    }

    private long inspect32(long linear) {
        long entry = readEntry32((root & 0xffff_f000L) + (linear >>> 22 << 2 & 0xffc));
        if ((entry & ENTRY_PRESENT) != 0 && pageSizeExtensions && (entry & ENTRY_LARGE) != 0) {
            return (entry & 0xffc0_0000L | entry << 19 & 0xff_0000_0000L | linear & 0x3f_ffff) & busMask;
        }
        if ((entry & ENTRY_PRESENT) != 0) {
            entry = readEntry32((entry & 0xffff_f000L) + (linear >>> 12 << 2 & 0xffc));
        }
        return (entry & ENTRY_PRESENT) == 0 ? -1 : (entry & 0xffff_f000L | linear & 0xfff) & busMask;
    }

    private long findFirst(long linear, int access, int privilege) {
        int slot = Tlb.slot(linear);
        long tag = linear & Tlb.PAGE_MASK | (long) tlb.context() << Tlb.CONTEXT_SHIFT | privilege | Tlb.VALID;
        long addend;
        if (access == READ && tlb.read.tag(slot) == tag) {
            addend = tlb.read.addend(slot);
        } else if (access == WRITE && tlb.write.tag(slot) == tag) {
            addend = tlb.write.addend(slot);
        } else if (access == EXECUTE && tlb.fetch.tag(slot) == tag) {
            addend = tlb.fetch.addend(slot);
        } else if (access != EXECUTE) {
            long page = tlb.findMmio(linear, privilege, access);
            return page == Tlb.MISS ? Tlb.MISS : page | linear & ~Tlb.PAGE_MASK;
        } else {
            return Tlb.MISS;
        }
        return linear + addend - memory.hostBase();
    }

    private long refill(long linear, int access, int privilege) {
        long entry;
        if (access == EXECUTE) {
            fetchMisses++;
        } else {
            dataMisses++;
        }
        if (!enabled) {
            entry = linear & Tlb.PAGE_MASK & addressMask | Tlb.DIRTY;
        } else if (!isCanonical(linear)) {
            return NON_CANONICAL;
        } else {
            entry = tlb.findSecond(linear);
            if (entry == Tlb.MISS || !allowed(entry, access, privilege)
                    || access == WRITE && (entry & Tlb.DIRTY) == 0) {
                walks++;
                entry = walk(root, linear, access, privilege);
                if (entry < 0) {
                    return entry;
                }
                tlb.fillSecond(linear, entry);
            }
        }
        long page = entry & Tlb.PAGE_MASK & busMask;
        fillFirst(linear, access, privilege, page);
        return page | linear & ~Tlb.PAGE_MASK;
    }

    private void fillFirst(long linear, int access, int privilege, long page) {
        LongPredicate out = unheld;
        if (out != null && access != EXECUTE && out.test(linear)) {
            return;
        }
        int attention = memory.attention(page >>> PhysicalMemory.FRAME_SHIFT);
        long host = memory.hostBase() + page;
        if ((attention & Attention.ABSENT) != 0) {
            if (access != EXECUTE) {
                tlb.fillMmio(linear, privilege, access, page);
            }
        } else if (access == EXECUTE) {
            tlb.fillFetch(linear, privilege, host);
        } else {
            tlb.fillRead(linear, privilege, host);
            if (access == WRITE && (attention & Attention.ON_WRITE) == 0) {
                tlb.fillWrite(linear, privilege, host);
            }
        }
    }

    /** Access rights (SDM 3A 4.6.1) over the combined rights of a translation. */
    private boolean allowed(long rights, int access, int privilege) {
        if (protectionKeys && keyForbids(rights, access, privilege)) {
            return false;
        }
        boolean userPage = (rights & Tlb.USER_PAGE) != 0;
        if (privilege == USER) {
            return userPage && switch (access) {
                case READ -> true;
                case WRITE -> (rights & Tlb.WRITABLE) != 0;
                default -> (rights & Tlb.EXECUTABLE) != 0;
            };
        }
        if (access == EXECUTE) {
            return (rights & Tlb.EXECUTABLE) != 0 && !(smep && userPage);
        }
        if (privilege == SUPERVISOR_SMAP && userPage) {
            return false;
        }
        return access == READ || (rights & Tlb.WRITABLE) != 0 || !writeProtect;
    }

    /** Whether the key of a user page forbids a data access (SDM 3A 4.6.2). */
    private boolean keyForbids(long rights, int access, int privilege) {
        if (access == EXECUTE || (rights & Tlb.USER_PAGE) == 0) {
            return false;
        }
        int disabled = keyRights >>> 2 * ((int) (rights >>> Tlb.KEY_SHIFT) & KEY_MASK);
        return (disabled & 1) != 0
                || (disabled & 2) != 0 && access == WRITE && (privilege == USER || writeProtect);
    }

    // ---- the walk ---------------------------------------------------------------------------------------------------

    /** Physical page with the second-level table's bits, or a fault. */
    private long walk(long root, long linear, int access, int privilege) {
        if (levels == LEVELS_32_BIT) {
            return walk32(root, linear, access, privilege);
        }
        int top = levels;
        if (levels == LEVELS_PAE) {
            root = pointers[(int) (linear >>> 30) & POINTERS - 1];
            top = LEVEL_2M;
            if ((root & ENTRY_PRESENT) == 0) {
                return pageFault(access, privilege, 0);
            }
        }
        for (;;) {
            long table = root & addressMask;
            long rights = Tlb.WRITABLE | Tlb.USER_PAGE | Tlb.EXECUTABLE;
            int level = top;
            long entry;
            for (;; level--) {
                long address = table + ((linear >>> 12 + 9 * (level - 1) & 511) << 3);
                entry = readEntry(address);
                pathAddress[level] = address;
                pathEntry[level] = entry;
                if ((entry & ENTRY_PRESENT) == 0) {
                    return pageFault(access, privilege, 0);
                }
                if ((entry & reserved(level, entry)) != 0) {
                    return pageFault(access, privilege, PF_PRESENT | PF_RESERVED);
                }
                rights = combine(rights, entry);
                if (level == 1 || level <= LEVEL_1G && (entry & ENTRY_LARGE) != 0) {
                    break;
                }
                table = entry & addressMask;
            }
            if (protectionKeys) {
                rights |= (entry >>> ENTRY_KEY_SHIFT & KEY_MASK) << Tlb.KEY_SHIFT;
            }
            if (!allowed(rights, access, privilege)) {
                boolean key = protectionKeys && keyForbids(rights, access, privilege);
                return pageFault(access, privilege, PF_PRESENT | (key ? PF_KEY : 0));
            }
            if (markUsed(linear, top, level, 8, access == WRITE)) {
                return leaf(linear, level, pathEntry[level], rights);
            }
        }
    }

    /** The walk of 32-bit paging; 4 MiB pages have 40-bit addresses (PSE-36). */
    private long walk32(long root, long linear, int access, int privilege) {
        for (;;) {
            long address = (root & 0xffff_f000L) + (linear >>> 22 << 2 & 0xffc);
            long entry = readEntry32(address);
            long rights = combine(Tlb.WRITABLE | Tlb.USER_PAGE | Tlb.EXECUTABLE, entry);
            pathAddress[2] = address;
            pathEntry[2] = entry;
            int level = 2;
            boolean large = pageSizeExtensions && (entry & ENTRY_LARGE) != 0;
            long page = (entry & 0xffc0_0000L | entry << 19 & 0xff_0000_0000L) + (linear & 0x3f_f000);
            if ((entry & ENTRY_PRESENT) != 0 && !large) {
                address = (entry & 0xffff_f000L) + (linear >>> 12 << 2 & 0xffc);
                entry = readEntry32(address);
                rights = combine(rights, entry);
                pathAddress[1] = address;
                pathEntry[1] = entry;
                level = 1;
                page = entry & 0xffff_f000L;
            }
            if ((entry & ENTRY_PRESENT) == 0) {
                return pageFault(access, privilege, 0);
            }
            if (large && ((entry & 1 << 21) != 0 || (page & ~addressMask) != 0)) {
                return pageFault(access, privilege, PF_PRESENT | PF_RESERVED);
            }
            if (!allowed(rights, access, privilege)) {
                return pageFault(access, privilege, PF_PRESENT);
            }
            if (markUsed(linear, 2, level, 4, access == WRITE)) {
                // A 4 MiB page is noted as of 1 GiB, for the note on 2 MiB would cover half of it.
                return rights(page, pathEntry[level], rights | (large ? Tlb.LARGE_1G : 0));
            }
        }
    }

    private long readEntry32(long unmasked) {
        long address = unmasked & busMask;
        return memory.isMemory(address >>> PhysicalMemory.FRAME_SHIFT)
                ? memory.read(address, 4) & 0xffff_ffffL
                : 0xffff_ffffL;
    }

    private long leaf(long linear, int level, long entry, long rights) {
        long inPage = (1L << 12 + 9 * (level - 1)) - 1;
        long page = (entry & addressMask & ~inPage | linear & inPage) & Tlb.PAGE_MASK;
        if (level == LEVEL_2M) {
            rights |= Tlb.LARGE_2M;
        } else if (level == LEVEL_1G) {
            rights |= Tlb.LARGE_1G;
        }
        return rights(page, entry, rights);
    }

    private long rights(long page, long entry, long rights) {
        if ((entry & ENTRY_DIRTY) != 0) {
            rights |= Tlb.DIRTY;
        }
        if (globalPages && (entry & ENTRY_GLOBAL) != 0) {
            rights |= Tlb.GLOBAL;
        }
        return page | rights;
    }

    private static long combine(long rights, long entry) {
        if ((entry & ENTRY_WRITABLE) == 0) {
            rights &= ~Tlb.WRITABLE;
        }
        if ((entry & ENTRY_USER) == 0) {
            rights &= ~Tlb.USER_PAGE;
        }
        if ((entry & ENTRY_NX) != 0) {
            rights &= ~Tlb.EXECUTABLE;
        }
        return rights;
    }

    /** Bits that must be zero in a present entry (SDM 3A 4.5.4, tables 4-14 to 4-20). */
    private long reserved(int level, long entry) {
        long bits = reservedAlways | (noExecute ? 0 : ENTRY_NX) | (levels == LEVELS_PAE ? RESERVED_PAE : 0);
        if (level == 1 || (entry & ENTRY_LARGE) == 0) {
            return bits;
        }
        return switch (level) {
            case LEVEL_2M -> bits | 0x001f_e000L;
            case LEVEL_1G -> bits | (gigabytePages ? 0x3fff_e000L : ENTRY_LARGE);
            default -> bits | ENTRY_LARGE;
        };
    }

    /** An entry of a table that does not lie in memory reads as all ones, which is present with reserved bits. */
    private long readEntry(long unmasked) {
        long address = unmasked & busMask;
        return memory.isMemory(address >>> PhysicalMemory.FRAME_SHIFT) ? memory.read64(address) : -1;
    }

    /** Sets the accessed flags of the path, and the leaf's dirty flag; false if an entry has changed meanwhile. */
    private boolean markUsed(long linear, int top, int leafLevel, int entryBytes, boolean write) {
        for (int level = top; level >= leafLevel; level--) {
            long entry = pathEntry[level];
            long marked = entry | ENTRY_ACCESSED | (write && level == leafLevel ? ENTRY_DIRTY : 0);
            if (marked != entry) {
                long address = pathAddress[level] & busMask;
                if (log != null) {
                    log.mark(memory.hostBase() + address, entryBytes, linear);
                }
                if ((memory.attention(address >>> PhysicalMemory.FRAME_SHIFT) & Attention.ROM) == 0
                        && memory.compareExchange(address, entryBytes, entry, marked) != entry) {
                    return false;
                }
                pathEntry[level] = marked;
            }
        }
        return true;
    }

    /** Error code as SDM 3A 4.7: I/D is reported only where fetches can be forbidden. */
    private long pageFault(int access, int privilege, int bits) {
        int code = bits | (privilege == USER ? PF_USER : 0);
        if (access == WRITE) {
            code |= PF_WRITE;
        } else if (access == EXECUTE && (noExecute && levels != LEVELS_32_BIT || smep)) {
            code |= PF_FETCH;
        }
        return Long.MIN_VALUE | code;
    }
}
