package dev.xenolith.hypervisor.memory;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOMEM;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Xen;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The machine's memory as the hypervisor manages it: who owns each frame and how many references keep it there.
 *
 * <p>A frame that a domain owns has one reference for being allocated and one for each page table entry, page table, grant
 * mapping, CR3 or Java-side handle that points to it. When the last reference goes, the frame is zeroed and free. What is done
 * with a frame while it is referenced is the business of its type, see {@link FrameTable}. Belongs to the machine thread.
 */
public final class Memory {
    private static final int DOMIDS = 0x8000;
    /** Headroom so that internal references never overflow the counter. */
    private static final long MAX_REFERENCES = FrameTable.REFERENCES - 16;

    private static final MemoryOwner.Events NOBODY_TO_TELL = new MemoryOwner.Events() {
        @Override
        public void crash(String reason) {
            throw new IllegalStateException(reason);
        }

        @Override
        public void empty() {
            // What the hypervisor owns does not end.
        }
    };

    private final PhysicalMemory ram;
    private final Checks checks;
    private final FrameTable frames;
    private final TlbFlush tlb;
    private final FrameAllocator allocator;
    private final MachineToPhysical m2p;
    private final @Nullable MemoryOwner[] owners = new MemoryOwner[DOMIDS];
    private final MemoryOwner xen;
    private final MemoryOwner io;
    private long hypervisorFrames;
    /** Free frames that are claimed for owners. */
    private long claimed;

    /**
     * Takes over all of {@code ram} but the first MiB.
     *
     * @throws IllegalStateException if that is too little even for the hypervisor's own tables
     */
    public Memory(PhysicalMemory ram, TranslationCaches caches, Checks checks) {
        this.ram = ram;
        this.checks = checks;
        frames = new FrameTable(ram.frames());
        tlb = new TlbFlush(caches, checks);
        allocator = new FrameAllocator(ram, frames, tlb, checks);
        m2p = new MachineToPhysical(ram, allocator, frames);
        hypervisorFrames = allocator.total() - allocator.free();
        xen = createOwner(Xen.DOMID_XEN, NOBODY_TO_TELL);
        io = createOwner(Xen.DOMID_IO, NOBODY_TO_TELL);
    }

    public PhysicalMemory ram() {
        return ram;
    }

    public Checks checks() {
        return checks;
    }

    public FrameTable frames() {
        return frames;
    }

    public TlbFlush tlb() {
        return tlb;
    }

    public MachineToPhysical m2p() {
        return m2p;
    }

    FrameAllocator allocator() {
        return allocator;
    }

    /** Frames under management: what {@code xl info} calls total_memory. */
    public long totalFrames() {
        return allocator.total();
    }

    /** Frames that can be handed out: free_memory. */
    public long freeFrames() {
        return allocator.free();
    }

    /** Frames the hypervisor holds for itself and for what it shares with domains. */
    public long hypervisorFrames() {
        return hypervisorFrames;
    }

    /** Frames withdrawn after a bug. */
    public long quarantinedFrames() {
        return allocator.quarantined();
    }

    // ---- owners ------------------------------------------------------------------------------------------------------

    /** Creates the owner for {@code domid}, which must not exist; it may have no page until {@link MemoryOwner#setMaxPages}. */
    public MemoryOwner createOwner(int domid, MemoryOwner.Events events) {
        if (owners[domid] != null) {
            throw new IllegalArgumentException("d" + domid + " has memory already");
        }
        MemoryOwner owner = new MemoryOwner(domid, events);
        owners[domid] = owner;
        return owner;
    }

    /** Forgets an owner that has nothing left; what nobody else took up meanwhile goes back to the host. */
    public void removeOwner(MemoryOwner owner) {
        if (!owner.isEmpty()) {
            throw new IllegalArgumentException(owner + " still has memory");
        }
        owners[owner.domid] = null;
        allocator.settle();
    }

    /** The owner with this domain id, or null; any value. */
    public @Nullable MemoryOwner owner(int domid) {
        return domid >= 0 && domid < DOMIDS ? owners[domid] : null;
    }

    /** Owner of the frames that the hypervisor lets nobody have. */
    public MemoryOwner xen() {
        return xen;
    }

    /** Owner of what is not RAM: has no frame, so that nothing named as its own is found to be. */
    public MemoryOwner io() {
        return io;
    }

    /** Owner of {@code mfn}, a frame of RAM, or null. */
    public @Nullable MemoryOwner ownerOf(int mfn) {
        return owners[frames.owner(mfn)];
    }

    /** The page after {@code mfn} in its owner's list, or {@link FrameTable#NO_FRAME}. */
    public int nextPage(int mfn) {
        return frames.next[mfn];
    }

    // ---- references --------------------------------------------------------------------------------------------------

    /** Takes a reference to {@code mfn}, any value, if it is an allocated frame of {@code owner}. */
    public boolean get(long mfn, MemoryOwner owner) {
        return frames.isRam(mfn) && frames.owner((int) mfn) == owner.domid && reference((int) mfn);
    }

    /** Takes a reference to {@code mfn}, any value, if it is an allocated frame of anybody; returns the owner, else null. */
    public @Nullable MemoryOwner getAny(long mfn) {
        if (!frames.isRam(mfn)) {
            return null;
        }
        MemoryOwner owner = ownerOf((int) mfn);
        return owner != null && reference((int) mfn) ? owner : null;
    }

    private boolean reference(int mfn) {
        long word = frames.referenceWord(mfn);
        long count = word & FrameTable.REFERENCES;
        if (count == 0 || count >= MAX_REFERENCES) {
            return false;
        }
        frames.setReferenceWord(mfn, word + 1);
        return true;
    }

    /** Takes a further reference to a frame that is known to have one; cannot fail. */
    public void getMore(int mfn) {
        long word = frames.referenceWord(mfn);
        assert (word & FrameTable.REFERENCES) != 0;
        frames.setReferenceWord(mfn, word + 1);
    }

    /** Drops a reference; the last one frees the frame. */
    public void put(int mfn) {
        long word = frames.referenceWord(mfn);
        assert (word & FrameTable.REFERENCES) != 0 : "frame " + mfn + " has no reference to drop";
        frames.setReferenceWord(mfn, word - 1);
        if ((word & FrameTable.REFERENCES) == 1) {
            free(mfn);
        }
    }

    private void free(int mfn) {
        MemoryOwner owner = ownerOf(mfn);
        long word = frames.referenceWord(mfn);
        if (owner != null) {
            if ((word & FrameTable.HYPERVISOR) != 0) {
                unlink(owner.sharedPages, mfn);
                owner.adjustShared(-1);
                hypervisorFrames--;
            } else {
                unlinkPage(owner, mfn);
                owner.adjustTotal(-1);
            }
            if (owner.isQuarantined()) {
                frames.setReferenceWord(mfn, word | FrameTable.QUARANTINED);
            }
        } else if ((word & FrameTable.HYPERVISOR) != 0) {
            hypervisorFrames--;
        }
        returnToAllocator(mfn);
        if (owner != null && owner.isDying() && owner.isEmpty()) {
            owner.events.empty();
        }
    }

    private void returnToAllocator(int mfn) {
        if (checks.on(Checks.Check.M2P_UPDATE)) {
            m2p.set(mfn, MachineToPhysical.INVALID);
        }
        allocator.free(mfn);
    }

    // ---- pages of domains --------------------------------------------------------------------------------------------

    /**
     * Allocates a page to {@code owner}: zeroed, without type. Returns the frame, or -ENOMEM when there is none or the owner may
     * not have more.
     */
    public int allocatePage(MemoryOwner owner) {
        if (!mayGrow(owner) || owner.claimedPages() == 0 && !hasUnclaimed()) {
            return -ENOMEM;
        }
        int mfn = allocator.allocate();
        if (mfn == FrameTable.NO_FRAME) {
            return -ENOMEM;
        }
        link(owner, mfn);
        owner.adjustTotal(1);
        if (owner.claimedPages() > 0) {
            owner.adjustClaimed(-1);
            claimed--;
        }
        return mfn;
    }

    private boolean hasUnclaimed() {
        return claimed == 0 || allocator.free() > claimed;
    }

    /**
     * XENMEM_claim_pages: keeps free frames for {@code owner} until it has {@code pages} in all; 0 gives up what is claimed.
     *
     * @return 0; -EINVAL: there is a claim, or that is not more than it has or more than it may have; -ENOMEM
     */
    public int claim(MemoryOwner owner, long pages) {
        if (pages == 0) {
            claimed -= owner.claimedPages();
            owner.adjustClaimed(-owner.claimedPages());
            return 0;
        }
        if (owner.claimedPages() != 0 || pages <= owner.totalPages() || pages > owner.maxPages() || owner.isDying()) {
            return -EINVAL;
        }
        long wanted = pages - owner.totalPages();
        if (wanted > allocator.free() - claimed) {
            return -ENOMEM;
        }
        owner.adjustClaimed(wanted);
        claimed += wanted;
        return 0;
    }

    /** Free frames that are claimed: outstanding_claims. */
    public long claimedFrames() {
        return claimed;
    }

    private boolean mayGrow(MemoryOwner owner) {
        return !owner.isDying() && (owner.totalPages() < owner.maxPages() || !checks.on(Checks.Check.QUOTA));
    }

    /**
     * Gives up the owner's claim on {@code mfn}: the page is freed with its last other reference. The caller holds a reference.
     * Does nothing if the claim has been given up before.
     */
    public void releasePage(int mfn) {
        long word = frames.referenceWord(mfn);
        if ((word & FrameTable.ALLOCATED) != 0) {
            frames.setReferenceWord(mfn, word & ~FrameTable.ALLOCATED);
            if (!checks.on(Checks.Check.LAST_REFERENCE)) {
                // The mutant: as if nobody else could have a reference. The caller's own keeps the word valid until it drops it.
                frames.setReferenceWord(mfn, frames.referenceWord(mfn) & ~FrameTable.REFERENCES | 2);
            }
            put(mfn);
        }
    }

    /**
     * Takes {@code mfn}, any value, away from {@code owner}: afterwards nobody owns it. Only a page that nothing refers to.
     *
     * @param counted whether the owner's total goes down; if not, the caller puts another page in its place
     * @return 0, or -EINVAL
     */
    public int stealPage(long mfn, MemoryOwner owner, boolean counted) {
        if (!frames.isRam(mfn)
                || (frames.owner((int) mfn) != owner.domid && checks.on(Checks.Check.EXCHANGE_OWNER))) {
            return -EINVAL;
        }
        int frame = (int) mfn;
        long wanted = FrameTable.ALLOCATED | 1;
        MemoryOwner victim = ownerOf(frame);
        if (frames.referenceWord(frame) != wanted || victim == null) {
            return -EINVAL;
        }
        unlinkPage(victim, frame);
        frames.setReferenceWord(frame, 0);
        frames.setTypeWord(frame, 0);
        // Read-only mappings leave no stamp when they go.
        frames.setStamp(frame, tlb.stamp());
        frames.setOwner(frame, FrameTable.NOBODY);
        if (counted) {
            victim.adjustTotal(-1);
        }
        return 0;
    }

    /**
     * Gives {@code mfn}, which nobody owns, to {@code owner}, after flushing what may still translate to it.
     *
     * @param counted whether the owner's total goes up, within its limit
     * @return whether the owner could take it; if not, the frame still belongs to nobody
     */
    public boolean assignPage(int mfn, MemoryOwner owner, boolean counted) {
        if (counted ? !mayGrow(owner) : owner.isDying()) {
            return false;
        }
        tlb.settle(frames.stamp(mfn));
        link(owner, mfn);
        if (counted) {
            owner.adjustTotal(1);
        }
        return true;
    }

    /** A zeroed frame that nobody owns, to be given to somebody with {@link #assignPage}; -ENOMEM if there is none. */
    public int allocateUnowned() {
        int mfn = hasUnclaimed() ? allocator.allocate() : FrameTable.NO_FRAME;
        return mfn == FrameTable.NO_FRAME ? -ENOMEM : mfn;
    }

    /** Frees a frame that nobody owns. */
    public void freeUnowned(int mfn) {
        returnToAllocator(mfn);
    }

    /** Takes {@code pages} off the owner's total: stolen pages that it did not get replaced. */
    public void forgetStolen(MemoryOwner owner, int pages) {
        owner.adjustTotal(-pages);
        if (owner.isDying() && owner.isEmpty()) {
            owner.events.empty();
        }
    }

    // ---- the hypervisor's frames -------------------------------------------------------------------------------------

    /** A zeroed frame for the hypervisor's own use, which no guest can refer to; -ENOMEM if there is none. */
    public int allocateHypervisorFrame() {
        int mfn = hasUnclaimed() ? allocator.allocate() : FrameTable.NO_FRAME;
        if (mfn == FrameTable.NO_FRAME) {
            return -ENOMEM;
        }
        makeHypervisors(frames, mfn);
        hypervisorFrames++;
        return mfn;
    }

    static void makeHypervisors(FrameTable frames, int mfn) {
        frames.setOwner(mfn, Xen.DOMID_XEN);
        frames.setReferenceWord(mfn, FrameTable.HYPERVISOR);
    }

    /**
     * Lets {@code owner} map a frame of the hypervisor. Its type is fixed: writable, or neither writable nor a page table.
     *
     * @return false if the owner is dying: the frame stays private
     */
    public boolean share(int mfn, MemoryOwner owner, boolean writable) {
        assert frames.referenceWord(mfn) == FrameTable.HYPERVISOR;
        if (owner.isDying()) {
            return false;
        }
        m2p.set(mfn, MachineToPhysical.INVALID);
        frames.setTypeWord(mfn, FrameTable.typeWordOf(writable ? FrameTable.WRITABLE : FrameTable.NONE)
                | FrameTable.VALIDATED | 1);
        frames.setOwner(mfn, owner.domid);
        frames.setReferenceWord(mfn, FrameTable.HYPERVISOR | FrameTable.ALLOCATED | 1);
        append(owner.sharedPages, mfn);
        owner.adjustShared(1);
        return true;
    }

    /**
     * Gives up a frame of the hypervisor, which must not touch it again. If it was shared and somebody still maps it, it is freed
     * with the last mapping and keeps the domain it was shared with from ending.
     */
    public void releaseHypervisorFrame(int mfn) {
        long word = frames.referenceWord(mfn);
        if ((word & FrameTable.ALLOCATED) != 0) {
            frames.setReferenceWord(mfn, word & ~FrameTable.ALLOCATED);
            put(mfn);
        } else {
            frames.setReferenceWord(mfn, 0);
            hypervisorFrames--;
            allocator.free(mfn);
        }
    }

    /** The door to a frame that the caller holds. */
    public Frame frame(int mfn) {
        return new Frame(ram, mfn);
    }

    // ---- for the audit -----------------------------------------------------------------------------------------------

    /** Zeroes returned frames now rather than when they are handed out again, so that free memory can be looked at. */
    public void settleFreeFrames() {
        allocator.settle();
    }

    /** Calls {@code visitor} with each frame that was handed out and returned, latest first. */
    public void forEachReturned(IntConsumer visitor) {
        for (int mfn = allocator.firstReturned(); mfn != FrameTable.NO_FRAME; mfn = frames.next[mfn]) {
            visitor.accept(mfn);
        }
    }

    /** Calls {@code visitor} with each owner. */
    public void forEachOwner(Consumer<MemoryOwner> visitor) {
        for (MemoryOwner owner : owners) {
            if (owner != null) {
                visitor.accept(owner);
            }
        }
    }

    // ---- lists -------------------------------------------------------------------------------------------------------

    private void link(MemoryOwner owner, int mfn) {
        frames.setOwner(mfn, owner.domid);
        frames.setReferenceWord(mfn, FrameTable.ALLOCATED | 1);
        append(owner.pages, mfn);
    }

    private void append(MemoryOwner.FrameList list, int mfn) {
        frames.next[mfn] = FrameTable.NO_FRAME;
        frames.previous[mfn] = list.tail;
        if (list.tail == FrameTable.NO_FRAME) {
            list.head = mfn;
        } else {
            frames.next[list.tail] = mfn;
        }
        list.tail = mfn;
    }

    private void unlinkPage(MemoryOwner owner, int mfn) {
        boolean lingers = owner.lingeringPages.head == mfn || owner.lingeringPages.tail == mfn;
        unlink(lingers ? owner.lingeringPages : owner.pages, mfn);
    }

    /**
     * Gives up the claim of a dying owner on its page {@code mfn}, of which the caller holds a reference, and sets it aside: it is
     * no longer in the list that starts with {@link MemoryOwner#firstPage}.
     */
    public void abandonPage(MemoryOwner owner, int mfn) {
        unlinkPage(owner, mfn);
        append(owner.lingeringPages, mfn);
        releasePage(mfn);
    }

    private void unlink(MemoryOwner.FrameList list, int mfn) {
        int next = frames.next[mfn];
        int previous = frames.previous[mfn];
        if (previous == FrameTable.NO_FRAME) {
            list.head = next;
        } else {
            frames.next[previous] = next;
        }
        if (next == FrameTable.NO_FRAME) {
            list.tail = previous;
        } else {
            frames.previous[next] = previous;
        }
    }
}
