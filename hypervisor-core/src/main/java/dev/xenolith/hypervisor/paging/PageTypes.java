package dev.xenolith.hypervisor.paging;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.MachineToPhysical;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import org.jspecify.annotations.Nullable;

/**
 * Gives frames their types and takes them back. A type can change only while nobody uses it; a frame that becomes a page table or
 * a page of descriptors is validated first, entry by entry, and taken apart again when its last use ends.
 *
 * <p>A use of a table's type stands for "something lets a processor walk it": an entry one level up, a CR3, a pin. Each present
 * entry of a valid table holds a reference to its target and a use of the type it needs. Whoever uses a type also holds a
 * reference to the frame.
 *
 * <p>Validating and taking apart a table of level 2 to 4 can be interrupted: the frame is then PARTIAL, it says how many entries
 * hold their references, and whoever next gets or drops the type goes on from there. Calls nest at most once a level and once for a
 * linear mapping at each, whatever a guest builds.
 */
public final class PageTypes {
    /** First and last L4 slot of the hypervisor: 0xffff800000000000 to 0xffff87ffffffffff. */
    public static final int FIRST_HYPERVISOR_SLOT = 256;
    public static final int LAST_HYPERVISOR_SLOT = 271;
    /** L4 slot with a domain's own area: descriptor tables of its vCPUs. */
    public static final int PER_DOMAIN_SLOT = 260;

    static final int ENTRIES = 512;
    /** Entries of a 32-bit guest's L3. */
    static final int PAE_ENTRIES = 4;
    /** Entry of such an L3 whose L2 has the hypervisor's part of the address space; it stays as it is while the L3 is in use. */
    static final int PAE_XEN_SLOT = 3;
    /** First entry of an L2 with {@link FrameTable#PAE_XEN} that is the hypervisor's. */
    static final int FIRST_PAE_XEN_ENTRY = (int) (ArchX86.HYPERVISOR_COMPAT_VIRT_START >>> 21) & ENTRIES - 1;
    private static final long MAX_USES = FrameTable.USES - 16;

    private final Memory memory;
    private final FrameTable frames;
    private final PhysicalMemory ram;
    private final Checks checks;
    private final L1Entries l1;
    private final LinearEntries linear;
    private final long unsafeAddressMask;

    /**
     * @param l1TerminalFault whether the processor model speculates through non-present entries (no RDCL_NO): a domain that
     *        writes an unsafe one is then crashed
     * @param physicalAddressBits width of physical addresses of the model
     */
    public PageTypes(Memory memory, boolean l1TerminalFault, int physicalAddressBits) {
        this.memory = memory;
        frames = memory.frames();
        ram = memory.ram();
        checks = memory.checks();
        l1 = new L1Entries(memory, this);
        linear = new LinearEntries(memory);
        unsafeAddressMask = l1TerminalFault ? Pte.ADDRESS & ((1L << physicalAddressBits) - 1) : 0;
    }

    public Memory memory() {
        return memory;
    }

    L1Entries l1Entries() {
        return l1;
    }

    static boolean isHypervisorSlot(int index) {
        return index >= FIRST_HYPERVISOR_SLOT && index <= LAST_HYPERVISOR_SLOT;
    }

    /** Entries of a table of {@code level} of {@code owner} that are looked at. */
    static int entriesOf(int level, MemoryOwner owner) {
        return level == FrameTable.L3 && owner.isCompat() ? PAE_ENTRIES : ENTRIES;
    }

    /** Whether entry {@code index} of the table {@code mfn}, of {@code level}, is the hypervisor's. */
    boolean isHypervisorEntry(int mfn, int level, int index) {
        return level == FrameTable.L4 && isHypervisorSlot(index)
                || level == FrameTable.L2 && index >= FIRST_PAE_XEN_ENTRY
                        && (frames.typeWord(mfn) & FrameTable.PAE_XEN) != 0;
    }

    static boolean isTable(int type) {
        return type >= FrameTable.L1 && type <= FrameTable.L4;
    }

    // ---- types without preemption ------------------------------------------------------------------------------------

    /** Uses {@code mfn}, which the caller holds a reference to, as WRITABLE or SEGMENT_DESCRIPTORS. */
    public boolean get(int mfn, int type) {
        assert type == FrameTable.WRITABLE || type == FrameTable.SEGMENT_DESCRIPTORS;
        return getType(mfn, type, null) == 0;
    }

    /** Ends a use as WRITABLE or SEGMENT_DESCRIPTORS, or a use of a table that is known not to be the last. */
    public void put(int mfn) {
        long word = frames.typeWord(mfn);
        assert (word & FrameTable.USES) != 0 : "frame " + mfn + " has no use to end";
        if ((word & FrameTable.USES) == 1) {
            assert !isTable(FrameTable.typeOf(word)) || !checks.on(Checks.Check.WRITABLE_TYPE);
            frames.setStamp(mfn, memory.tlb().stamp());
        }
        frames.setTypeWord(mfn, word - 1);
    }

    /** As if {@code mfn} had the right type: what happens without {@link Checks.Check#WRITABLE_TYPE}. */
    void forceUse(int mfn) {
        frames.setTypeWord(mfn, frames.typeWord(mfn) + 1);
    }

    // ---- types with preemption ---------------------------------------------------------------------------------------

    /**
     * Uses {@code mfn}, which the caller holds a reference to, as {@code need}: a type or L2_PAE_XEN.
     *
     * @param context may be null for WRITABLE, SEGMENT_DESCRIPTORS and L1, which are never interrupted
     * @return 0; -ERESTART: call again, the progress is in the frame; -EINVAL: the frame is used as something else or not valid.
     *         If it is then {@link PagingContext#deferred}, the context has taken over the caller's reference.
     */
    int getType(int mfn, int need, @Nullable PagingContext context) {
        int type = FrameTable.typeOfNeed(need);
        long word = frames.typeWord(mfn);
        long uses = word & FrameTable.USES;
        boolean resumed = false;
        if (uses >= MAX_USES) {
            return -EINVAL;
        }
        if (uses == 0) {
            if (FrameTable.needOf(word) != need) {
                // No processor may keep a translation from the old type's days.
                memory.tlb().settle(frames.stamp(mfn));
                word = FrameTable.typeWordOf(need);
            }
            word++;
        } else if (FrameTable.needOf(word) != need) {
            return -EINVAL;
        } else if ((word & FrameTable.VALIDATED) != 0) {
            word++;
        } else if ((word & FrameTable.PARTIAL) != 0) {
            word &= ~FrameTable.PARTIAL;
            resumed = true;
        } else {
            return -EINVAL;
        }
        if (type == FrameTable.WRITABLE || (word & FrameTable.VALIDATED) != 0) {
            frames.setTypeWord(mfn, word | FrameTable.VALIDATED);
            return 0;
        }
        frames.setTypeWord(mfn, word);
        if (!resumed && isTable(type)) {
            frames.resetTable(mfn);
        }
        int rc = validate(mfn, type, context);
        if (rc == 0) {
            frames.setTypeWord(mfn, frames.typeWord(mfn) | FrameTable.VALIDATED);
        } else if (rc == -ERESTART || (context != null && context.deferred() == mfn)) {
            memory.getMore(mfn);
            frames.setTypeWord(mfn, frames.typeWord(mfn) | FrameTable.PARTIAL);
        } else {
            frames.setTypeWord(mfn, 0);
        }
        if (resumed) {
            memory.put(mfn);
        }
        return rc;
    }

    private int validate(int mfn, int type, @Nullable PagingContext context) {
        MemoryOwner owner = memory.ownerOf(mfn);
        if (type == FrameTable.SEGMENT_DESCRIPTORS) {
            return auditDescriptors(mfn, owner != null && owner.isCompat());
        }
        if (owner == null) {
            return -EINVAL;
        }
        if (type == FrameTable.L1) {
            return l1.validate(mfn, owner);
        }
        return context == null ? -EINVAL : validateTable(mfn, type, owner, context);
    }

    /** Ends a use of a table's type. The caller keeps its reference. 0 or -ERESTART. */
    int putType(int mfn, PagingContext context) {
        return putType(mfn, FrameTable.NO_FRAME, false, context);
    }

    /**
     * Ends a use of a table's type, or goes on taking apart a table in progress.
     *
     * @param parent the table whose entry was the use, or NO_FRAME
     * @param inProgress the caller holds no use, only what the frame's own progress stands for; if that has ended meanwhile, there
     *        is nothing to do
     */
    int putType(int mfn, int parent, boolean inProgress, PagingContext context) {
        long word = frames.typeWord(mfn);
        if (inProgress && (word & FrameTable.PARTIAL) == 0) {
            return 0;
        }
        assert (word & FrameTable.USES) != 0 : "frame " + mfn + " has no use to end";
        int type = FrameTable.typeOf(word);
        boolean ofLinear = parent != FrameTable.NO_FRAME && type == frames.type(parent);
        if ((word & FrameTable.USES) == 1) {
            if (isTable(type) && (word & (FrameTable.VALIDATED | FrameTable.PARTIAL)) != 0) {
                return takeApart(mfn, word, ofLinear ? parent : FrameTable.NO_FRAME, context);
            }
            frames.setStamp(mfn, memory.tlb().stamp());
        }
        frames.setTypeWord(mfn, word - 1);
        if (ofLinear) {
            linear.drop(mfn, parent);
        }
        return 0;
    }

    private int takeApart(int mfn, long word, int linearParent, PagingContext context) {
        boolean resumed = (word & FrameTable.PARTIAL) != 0;
        frames.setTypeWord(mfn, word & ~(FrameTable.VALIDATED | FrameTable.PARTIAL));
        int rc = 0;
        if (FrameTable.typeOf(word) == FrameTable.L1) {
            l1.takeApart(mfn);
        } else {
            if (!resumed) {
                frames.setProgress(mfn, ENTRIES, false);
            }
            rc = takeApartTable(mfn, FrameTable.typeOf(word), context);
        }
        if (linearParent != FrameTable.NO_FRAME && !resumed) {
            linear.drop(mfn, linearParent);
        }
        if (rc == 0) {
            frames.setStamp(mfn, memory.tlb().stamp());
            frames.setTypeWord(mfn, frames.typeWord(mfn) - 1);
        } else {
            memory.getMore(mfn);
            frames.setTypeWord(mfn, frames.typeWord(mfn) | FrameTable.PARTIAL);
        }
        if (resumed) {
            memory.put(mfn);
        }
        return rc;
    }

    /** Finishes what an earlier operation left in {@code context}. 0 or -ERESTART. */
    public int finishDeferred(PagingContext context) {
        int mfn = context.deferred();
        if (mfn == FrameTable.NO_FRAME) {
            return 0;
        }
        int rc = putType(mfn, FrameTable.NO_FRAME, context.deferredInProgress(), context);
        if (rc != 0) {
            context.defer(mfn, true);
            return rc;
        }
        context.clearDeferred();
        memory.put(mfn);
        return 0;
    }

    /**
     * Ends a use of a table's type and drops the reference that goes with it, now or, if that is interrupted, by way of
     * {@code context}. 0 or -ERESTART.
     */
    int putTypeAndReference(int mfn, PagingContext context) {
        int rc = putType(mfn, context);
        if (rc != 0) {
            context.defer(mfn, true);
            return rc;
        }
        memory.put(mfn);
        return 0;
    }

    /** Takes a reference to {@code mfn}, any value, and uses it as a table of {@code level}. 0, -EINVAL or -ERESTART. */
    int getReferenceAndType(long mfn, int level, MemoryOwner owner, PagingContext context) {
        if (!memory.get(mfn, owner)) {
            return -EINVAL;
        }
        int rc = getType((int) mfn, level, context);
        if (rc != 0 && context.deferred() != mfn) {
            memory.put((int) mfn);
        }
        return rc;
    }

    // ---- tables of level 2 to 4 --------------------------------------------------------------------------------------

    private int validateTable(int mfn, int level, MemoryOwner owner, PagingContext context) {
        long base = (long) mfn << PhysicalMemory.FRAME_SHIFT;
        int start = frames.validatedEntries(mfn);
        boolean childHeld = frames.childInProgress(mfn);
        int count = entriesOf(level, owner);
        boolean paeRoot = count == PAE_ENTRIES;
        if (paeRoot && !Pte.isPresent(ram.read64(base + PAE_XEN_SLOT * 8))) {
            return -EINVAL;
        }
        for (int i = start; i < count; i++, childHeld = false) {
            if (isHypervisorEntry(mfn, level, i)) {
                continue;
            }
            if (i > start && context.preempt.check()) {
                frames.setProgress(mfn, i, false);
                return -ERESTART;
            }
            long entry = ram.read64(base + i * 8);
            if (!Pte.isPresent(entry) && isSafe(entry, level)) {
                continue;
            }
            int need = paeRoot && i == PAE_XEN_SLOT ? FrameTable.L2_PAE_XEN : level - 1;
            int rc = getEntry(entry, mfn, level, need, owner, childHeld, true, context);
            if (rc == -ERESTART) {
                frames.setProgress(mfn, i, true);
                return rc;
            }
            if (rc != 0) {
                abandon(mfn, i, childHeld, entry, context);
                return rc;
            }
            long adjusted = Pte.adjust(entry, level, owner.isCompat());
            if (adjusted != entry) {
                ram.write64(base + i * 8, adjusted);
            }
            if (need == FrameTable.L2_PAE_XEN && frames.uses((int) Pte.frame(entry)) > 1) {
                // It is the table of one address space alone.
                abandon(mfn, count, false, 0, context);
                return -EINVAL;
            }
        }
        if (level == FrameTable.L4) {
            writeHypervisorSlots(mfn, owner);
        } else if (paeRoot) {
            ram.fill(base + PAE_ENTRIES * 8, PhysicalMemory.FRAME_SIZE - PAE_ENTRIES * 8, 0);
        } else if (level == FrameTable.L2 && (frames.typeWord(mfn) & FrameTable.PAE_XEN) != 0) {
            for (int i = FIRST_PAE_XEN_ENTRY; i < ENTRIES; i++) {
                ram.write64(base + i * 8, paeXenEntry(i));
            }
        }
        return 0;
    }

    /** What entry {@code index} of an L2 with {@link FrameTable#PAE_XEN}, one of the hypervisor's, is. */
    long paeXenEntry(int index) {
        return memory.m2p().compatL2Entry(index - FIRST_PAE_XEN_ENTRY);
    }

    /** Validation of {@code mfn} has failed at entry {@code index}: leaves what the entries before it hold to be given back. */
    private void abandon(int mfn, int index, boolean childHeld, long entry, PagingContext context) {
        // The reference of a child that failed half way moves from the context to this table's progress.
        boolean childFailed = context.hasDeferred();
        if (index == 0 && !childFailed) {
            if (childHeld) {
                memory.put((int) Pte.frame(entry));
            }
            return;
        }
        frames.setProgress(mfn, index, childHeld || childFailed);
        context.defer(mfn, true);
    }

    private int takeApartTable(int mfn, int level, PagingContext context) {
        long base = (long) mfn << PhysicalMemory.FRAME_SHIFT;
        boolean childHeld = frames.childInProgress(mfn);
        int first = frames.validatedEntries(mfn) - (childHeld ? 0 : 1);
        for (int i = first; i >= 0; i--, childHeld = false) {
            if (isHypervisorEntry(mfn, level, i)) {
                continue;
            }
            if (i < first && context.preempt.check()) {
                frames.setProgress(mfn, i + 1, false);
                return -ERESTART;
            }
            int rc = putEntry(ram.read64(base + i * 8), mfn, childHeld, context);
            if (rc != 0) {
                frames.setProgress(mfn, i, true);
                return rc;
            }
        }
        return 0;
    }

    /**
     * Takes what {@code entry} of the table {@code mfn} stands for.
     *
     * @param need what the entry's target is to be used as
     * @param childHeld the reference has been taken by an earlier, interrupted attempt
     * @param keep whether the caller notes the reference to a child in progress when this is interrupted
     */
    int getEntry(long entry, int mfn, int level, int need, MemoryOwner owner, boolean childHeld, boolean keep,
            PagingContext context) {
        if (!Pte.isPresent(entry)) {
            return refuseUnsafe(entry, level, owner);
        }
        if (Pte.isForbidden(entry, level, owner.isCompat())) {
            return -EINVAL;
        }
        long child = Pte.frame(entry);
        if (!childHeld && !memory.get(child, owner)) {
            return -EINVAL;
        }
        int rc = getType((int) child, need, context);
        if (rc == 0) {
            return 0;
        }
        boolean taken = context.deferred() == child;
        if (rc == -EINVAL && !taken && mayBeLinear(level, owner) && linear.get(entry, mfn, level, owner)) {
            memory.put((int) child);
            return 0;
        }
        if (!childHeld && !taken && !(keep && rc == -ERESTART)) {
            memory.put((int) child);
        }
        return rc;
    }

    /** The roots of a 32-bit guest's address spaces map no roots. */
    private static boolean mayBeLinear(int level, MemoryOwner owner) {
        return level != FrameTable.L3 || !owner.isCompat();
    }

    /** Gives back what an entry stands for. 0, or -ERESTART: the child's reference is still held, its use is in progress. */
    private int putEntry(long entry, int mfn, boolean childHeld, PagingContext context) {
        if (!Pte.isPresent(entry) || Pte.frame(entry) == mfn) {
            return 0;
        }
        int child = (int) Pte.frame(entry);
        int rc = putType(child, mfn, childHeld, context);
        if (rc == 0) {
            memory.put(child);
        }
        return rc;
    }

    /** Leaves what {@code entry}, no longer in the table {@code mfn}, stood for to be given back by {@link #finishDeferred}. */
    void deferEntry(long entry, int mfn, PagingContext context) {
        if (Pte.isPresent(entry) && Pte.frame(entry) != mfn) {
            int child = (int) Pte.frame(entry);
            if (frames.type(child) == frames.type(mfn)) {
                linear.drop(child, mfn);
            }
            context.defer(child, false);
        }
    }

    // ---- writable pages that are held --------------------------------------------------------------------------------

    /** Takes a reference to {@code mfn}, any value, if it is a page of {@code owner}, and a use of it as writable memory. */
    public boolean hold(long mfn, MemoryOwner owner) {
        if (!memory.get(mfn, owner)) {
            return false;
        }
        if (!get((int) mfn, FrameTable.WRITABLE)) {
            memory.put((int) mfn);
            return false;
        }
        return true;
    }

    /** Gives back what {@link #hold} took. */
    public void letGo(int mfn) {
        put(mfn);
        memory.put(mfn);
    }

    // ---- contents ----------------------------------------------------------------------------------------------------

    /** Writes what every PV address space has in the hypervisor's slots to the L4 table {@code mfn}. */
    void writeHypervisorSlots(int mfn, MemoryOwner owner) {
        long base = (long) mfn << PhysicalMemory.FRAME_SHIFT;
        if (!checks.on(Checks.Check.HYPERVISOR_SLOTS)) {
            return;
        }
        for (int i = FIRST_HYPERVISOR_SLOT; i <= LAST_HYPERVISOR_SLOT; i++) {
            ram.write64(base + i * 8, 0);
        }
        ram.write64(base + slotOf(MachineToPhysical.BASE) * 8, memory.m2p().l4Entry());
        ram.write64(base + PER_DOMAIN_SLOT * 8, owner.perDomainL4Entry());
    }

    private static int slotOf(long address) {
        return (int) (address >>> 39) & 511;
    }

    private int auditDescriptors(int mfn, boolean compat) {
        if (!checks.on(Checks.Check.SEGMENT_AUDIT)) {
            return 0;
        }
        long base = (long) mfn << PhysicalMemory.FRAME_SHIFT;
        for (int i = 0; i < ENTRIES; i++) {
            long descriptor = ram.read64(base + i * 8);
            long audited = SegmentDescriptors.audit(descriptor, compat);
            if (audited == SegmentDescriptors.REFUSED) {
                return -EINVAL;
            }
            if (audited != descriptor) {
                ram.write64(base + i * 8, audited);
            }
        }
        return 0;
    }

    /** Whether a processor that speculates on non-present entries may see this one. */
    private boolean isSafe(long entry, int level) {
        if (unsafeAddressMask == 0) {
            return true;
        }
        long address = entry & unsafeAddressMask;
        boolean large = level > 1 && (entry & Pte.PAGE_SIZE) != 0;
        return !large && (address == 0 || address > unsafeAddressMask >>> 1);
    }

    /** 0 if the non-present {@code entry} may be written; else the domain dies for it. */
    int refuseUnsafe(long entry, int level, MemoryOwner owner) {
        if (isSafe(entry, level)) {
            return 0;
        }
        owner.crash("L1TF-vulnerable L" + level + "e " + Long.toHexString(entry));
        return -EINVAL;
    }
}
