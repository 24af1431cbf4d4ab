package dev.xenolith.hypervisor.paging;

/** Bits of page table entries of all levels (SDM 3A 4.5.4) and the uses that the PV interface makes of the free ones. */
public final class Pte {
    public static final long PRESENT = 1;
    public static final long WRITABLE = 1 << 1;
    public static final long USER = 1 << 2;
    public static final long WRITE_THROUGH = 1 << 3;
    public static final long CACHE_DISABLE = 1 << 4;
    public static final long ACCESSED = 1 << 5;
    public static final long DIRTY = 1 << 6;
    /** L1: PAT index; L2 and L3: maps a large page. */
    public static final long PAGE_SIZE = 1 << 7;
    public static final long GLOBAL = 1 << 8;
    /** Bits 9 to 11, free for software. */
    public static final long AVAILABLE = 0xe00;
    public static final long ADDRESS = 0x000f_ffff_ffff_f000L;
    /** Bits 52 to 62, free for software; without protection keys. */
    public static final long AVAILABLE_HIGH = 0x7ffL << 52;
    /** Set by the hypervisor in L1 entries that the guest gave no USER bit: the page is the guest kernel's. */
    public static final long GUEST_KERNEL = 1L << 52;
    public static final long NO_EXECUTE = 1L << 63;

    /** Bits a domain without devices may set in a present entry above L1. */
    private static final long ALLOWED = PRESENT | WRITABLE | USER | ACCESSED | DIRTY | AVAILABLE | AVAILABLE_HIGH
            | ADDRESS | NO_EXECUTE;

    /** Bits that change nothing that was checked: a new value that differs in these alone needs no new check. */
    static final long HARMLESS = NO_EXECUTE | AVAILABLE_HIGH | AVAILABLE | GLOBAL | DIRTY | ACCESSED | USER;

    private Pte() {}

    public static boolean isPresent(long entry) {
        return (entry & PRESENT) != 0;
    }

    public static boolean isWritable(long entry) {
        return (entry & WRITABLE) != 0;
    }

    /** Frame number that the entry holds, 0 to 2^40 - 1. */
    public static long frame(long entry) {
        return (entry & ADDRESS) >>> 12;
    }

    /** A present entry for {@code mfn} with {@code flags}. */
    public static long of(int mfn, long flags) {
        return (long) mfn << 12 | flags;
    }

    /** Whether a present entry of a table of {@code level}, of a 32-bit guest if {@code compat}, has a bit that it may not have. */
    static boolean isForbidden(long entry, int level, boolean compat) {
        long allowed = switch (level) {
            case 1 -> ALLOWED | GLOBAL;
            // The four entries that a PAE processor loads have no such bits.
            case 3 -> compat ? ALLOWED & ~(NO_EXECUTE | AVAILABLE_HIGH) : ALLOWED;
            default -> ALLOWED;
        };
        return (entry & ~allowed) != 0;
    }

    /**
     * What is stored for a guest's {@code entry} in a table of {@code level}: 64-bit PV kernels run in ring 3, so everything is
     * USER and the guest's own distinction moves to GUEST_KERNEL; user pages are GLOBAL, so that a system call keeps them in the
     * TLB. 32-bit kernels run in ring 1: the processor makes the distinction, but in L3 entries, which have no such bits to a PAE guest.
     */
    public static long adjust(long entry, int level, boolean compat) {
        if (!isPresent(entry)) {
            return entry;
        }
        if (compat) {
            return level == 3 ? entry | USER | WRITABLE : entry;
        }
        return switch (level) {
            case 1 -> {
                long adjusted = (entry & USER) == 0 ? entry | GUEST_KERNEL | USER : entry;
                yield (adjusted & GUEST_KERNEL) == 0 ? adjusted | GLOBAL : adjusted;
            }
            case 4 -> entry | USER | ACCESSED;
            default -> entry | USER;
        };
    }
}
