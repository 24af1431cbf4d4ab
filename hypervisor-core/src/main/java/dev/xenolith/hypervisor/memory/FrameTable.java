package dev.xenolith.hypervisor.memory;

import dev.xenolith.hypervisor.abi.Xen;
import java.util.Arrays;

/**
 * What is known of each frame, as a structure of arrays indexed by machine frame number: owner, references, type and uses of the
 * type, and the flush stamp. About 44 bytes a frame.
 *
 * <p>Words are laid out like Xen's {@code page_info} (xen/arch/x86/include/asm/mm.h) in spirit, not bit for bit. This class keeps
 * the words; {@link Memory} keeps references and owners consistent, {@code paging.PageTypes} keeps types so.
 */
public final class FrameTable {
    /** No type: may become any. */
    public static final int NONE = 0;
    /** Page tables by level; a frame of type L1 is a table of 4 KiB mappings. */
    public static final int L1 = 1;
    public static final int L2 = 2;
    public static final int L3 = 3;
    public static final int L4 = 4;
    /** A page of a GDT or LDT. */
    public static final int SEGMENT_DESCRIPTORS = 5;
    /** Mapped writable. */
    public static final int WRITABLE = 7;

    /** Type word: the guest has asked to keep the type; counts as one use. */
    public static final long PINNED = 1L << 60;
    /** Type word: the contents have been found to obey the type's rules. */
    public static final long VALIDATED = 1L << 59;
    /** Type word: validation or its undoing was interrupted; the type has one use and the frame one reference for this. */
    public static final long PARTIAL = 1L << 58;
    /** Type word: an L2 that maps the M2P table too, that of slot 3 of a 32-bit guest's L3 (PGT_pae_xen_l2). */
    public static final long PAE_XEN = 1L << 57;
    private static final int PAE_XEN_TYPE = 8;
    /** What a use of an L2 with {@link #PAE_XEN} needs; the type itself is L2. */
    public static final int L2_PAE_XEN = PAE_XEN_TYPE | L2;
    /** Type word: number of uses that rely on the type. */
    public static final long USES = (1L << 48) - 1;
    private static final int TYPE_SHIFT = 61;

    /** Reference word: the owner has not given the frame back; counts as one reference. */
    public static final long ALLOCATED = 1L << 63;
    /** Reference word: belongs to the hypervisor, which may share it with a domain. */
    public static final long HYPERVISOR = 1L << 62;
    /** Reference word: never to be used again. */
    public static final long QUARANTINED = 1L << 61;
    /** Reference word: number of references that keep the frame with its owner. */
    public static final long REFERENCES = (1L << 48) - 1;

    /** End of a list of frames, or no frame. */
    public static final int NO_FRAME = -1;
    /** Owner of frames that belong to nobody. */
    static final char NOBODY = Xen.DOMID_INVALID;
    /** Owner of what is not RAM. */
    static final char NOT_RAM = Xen.DOMID_IO;

    private final long[] type;
    private final long[] references;
    private final long[] stamp;
    private final char[] owner;
    private final int[] table;
    final int[] next;
    final int[] previous;

    FrameTable(int frames) {
        type = new long[frames];
        references = new long[frames];
        stamp = new long[frames];
        owner = new char[frames];
        table = new int[frames];
        next = new int[frames];
        previous = new int[frames];
        Arrays.fill(owner, NOT_RAM);
    }

    /** Frames from 0 to the end of RAM, holes included. */
    public int size() {
        return owner.length;
    }

    /** Whether {@code mfn}, any value, is a frame of RAM. */
    public boolean isRam(long mfn) {
        return mfn >= 0 && mfn < owner.length && owner[(int) mfn] != NOT_RAM;
    }

    // ---- owner and references ----------------------------------------------------------------------------------------

    /** Domain id of the owner; DOMID_INVALID if there is none. */
    public int owner(int mfn) {
        return owner[mfn];
    }

    void setOwner(int mfn, int domid) {
        owner[mfn] = (char) domid;
    }

    /** The reference word. */
    public long referenceWord(int mfn) {
        return references[mfn];
    }

    void setReferenceWord(int mfn, long word) {
        references[mfn] = word;
    }

    /** Number of references. */
    public long references(int mfn) {
        return references[mfn] & REFERENCES;
    }

    public boolean isAllocated(int mfn) {
        return (references[mfn] & ALLOCATED) != 0;
    }

    /** Whether the frame belongs to the hypervisor, perhaps shared with a domain. */
    public boolean isHypervisors(int mfn) {
        return (references[mfn] & HYPERVISOR) != 0;
    }

    /** Whether the frame was taken out of use for good, after a defect of the hypervisor's own. */
    public boolean isQuarantined(int mfn) {
        return (references[mfn] & QUARANTINED) != 0;
    }

    // ---- type --------------------------------------------------------------------------------------------------------

    /** The type word. */
    public long typeWord(int mfn) {
        return type[mfn];
    }

    public void setTypeWord(int mfn, long word) {
        type[mfn] = word;
    }

    /** NONE, L1 to L4, SEGMENT_DESCRIPTORS or WRITABLE. */
    public int type(int mfn) {
        return (int) (type[mfn] >>> TYPE_SHIFT);
    }

    /** Type of a type word. */
    public static int typeOf(long word) {
        return (int) (word >>> TYPE_SHIFT);
    }

    /** Type of a type word, or L2_PAE_XEN. */
    public static int needOf(long word) {
        return typeOf(word) | ((word & PAE_XEN) != 0 ? PAE_XEN_TYPE : 0);
    }

    /** The type of a need: L2 for L2_PAE_XEN. */
    public static int typeOfNeed(int need) {
        return need & ~PAE_XEN_TYPE;
    }

    /** A type word of {@code type}, or of L2_PAE_XEN, with no other flags and no uses. */
    public static long typeWordOf(int type) {
        return (long) type << TYPE_SHIFT | ((type & PAE_XEN_TYPE) != 0 ? PAE_XEN : 0);
    }

    /** Number of uses that rely on the type. */
    public long uses(int mfn) {
        return type[mfn] & USES;
    }

    public boolean isPinned(int mfn) {
        return (type[mfn] & PINNED) != 0;
    }

    public boolean isValidated(int mfn) {
        return (type[mfn] & VALIDATED) != 0;
    }

    public boolean isPartial(int mfn) {
        return (type[mfn] & PARTIAL) != 0;
    }

    /** When the last use of the type ended: see {@link TlbFlush}. */
    public long stamp(int mfn) {
        return stamp[mfn];
    }

    public void setStamp(int mfn, long value) {
        stamp[mfn] = value;
    }

    // ---- page tables -------------------------------------------------------------------------------------------------
    // Bits 0..9 progress, bit 10 the child in progress, bits 16..31 linear count (signed).

    /** Starts a page table with no entry validated and no linear entries. */
    public void resetTable(int mfn) {
        table[mfn] = 0;
    }

    /** Of an interrupted table: entries below this hold their references. 0..512. */
    public int validatedEntries(int mfn) {
        return table[mfn] & 0x3ff;
    }

    /** Of an interrupted table: whether the entry at {@link #validatedEntries} holds a reference (but no use) of its target. */
    public boolean childInProgress(int mfn) {
        return (table[mfn] & 0x400) != 0;
    }

    /** Notes how far validation, or its undoing, has come. */
    public void setProgress(int mfn, int validatedEntries, boolean childInProgress) {
        table[mfn] = (table[mfn] & 0xffff_0000) | validatedEntries | (childInProgress ? 0x400 : 0);
    }

    /**
     * Linear mappings: positive counts entries of this table that map a table of its own level; negative, how many tables of its
     * own level map this one. Never both, so that there are no chains.
     */
    public int linearCount(int mfn) {
        return table[mfn] >> 16;
    }

    /** Sets {@link #linearCount}, -32768..32767. */
    public void setLinearCount(int mfn, int count) {
        table[mfn] = (table[mfn] & 0xffff) | count << 16;
    }
}
