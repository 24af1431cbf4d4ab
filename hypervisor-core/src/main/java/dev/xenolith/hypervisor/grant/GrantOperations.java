package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.abi.Grant.GNTMAP_CONTAINS_PTE;
import static dev.xenolith.hypervisor.abi.Grant.GNTMAP_DEVICE_MAP;
import static dev.xenolith.hypervisor.abi.Grant.GNTMAP_HOST_MAP;
import static dev.xenolith.hypervisor.abi.Grant.GNTMAP_READONLY;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_BAD_DEV_ADDR;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_BAD_DOMAIN;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_BAD_GNTREF;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_BAD_HANDLE;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_BAD_PAGE;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_EAGAIN;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_GENERAL_ERROR;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_NO_SPACE;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_OKAY;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Grant;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.paging.Audit;
import dev.xenolith.hypervisor.paging.GrantEntries;
import dev.xenolith.hypervisor.paging.PageTypes;
import dev.xenolith.hypervisor.paging.Pte;
import dev.xenolith.hypervisor.paging.VcpuTables;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Maps, unmaps and transfers grants; {@link GrantCopy} copies. Any domain may ask for any grant: the entry says who may have it.
 * Results are GNTST_* statuses, as in batches of grant_table_op.
 *
 * <p>A mapping in a PV guest's page table hands its reference to the page, and its use if writable, to the page table entry; what a
 * mapping in Java or for a device holds is its own.
 */
public final class GrantOperations {
    /** After this many unmaps the flush for all of them is made. */
    private static final int BATCH = 32;

    private final Memory memory;
    private final FrameTable frames;
    private final PageTypes types;
    private final GrantEntries entries;
    /** By domain id. */
    private @Nullable GrantTable[] tables = {};

    // Unmaps whose flush has not been made yet.
    private int pending;
    private long pendingProcessors;
    private final GrantTable[] pendingTable = new GrantTable[BATCH];
    private final int[] pendingRef = new int[BATCH];
    private final int[] pendingMfn = new int[BATCH];
    private final int[] pendingDone = new int[BATCH];

    // What the latest successful map returned beside its status.
    private int mappedHandle;
    private int mappedFrame;

    public GrantOperations(PageTypes types, GrantEntries entries) {
        this.types = types;
        this.entries = entries;
        memory = types.memory();
        frames = memory.frames();
    }

    PageTypes types() {
        return types;
    }

    // ---- tables ------------------------------------------------------------------------------------------------------

    /** Makes the table of a domain known. */
    public void add(GrantTable table) {
        int domid = table.owner().domid;
        if (table(domid) != null) {
            throw new IllegalArgumentException(table.owner() + " has a grant table");
        }
        if (domid >= tables.length) {
            tables = Arrays.copyOf(tables, Math.max(domid + 1, 2 * tables.length));
        }
        tables[domid] = table;
    }

    /** Forgets the table of a domain that is gone. */
    public void remove(GrantTable table) {
        if (table(table.owner().domid) == table) {
            tables[table.owner().domid] = null;
        }
    }

    /** The table of {@code domid}, any value, or null. */
    public @Nullable GrantTable table(int domid) {
        return domid >= 0 && domid < tables.length ? tables[domid] : null;
    }

    // ---- mapping -----------------------------------------------------------------------------------------------------

    /** Handle of the mapping that the latest {@link #map} made. */
    public int mappedHandle() {
        return mappedHandle;
    }

    /** Frame that the latest {@link #mapJava} mapped. */
    public int mappedFrame() {
        return mappedFrame;
    }

    /** Machine address of the page that the latest {@link #map} mapped. */
    public long mappedAddress() {
        return (long) mappedFrame << PhysicalMemory.FRAME_SHIFT;
    }

    /**
     * GNTTABOP_map_grant_ref: maps entry {@code ref} of {@code domid} into the address space of {@code vcpu}. All arguments may have
     * any value. {@link #mappedHandle} and {@link #mappedAddress} say the rest.
     */
    public int map(GrantTable caller, VcpuTables vcpu, long hostAddress, int flags, int ref, int domid) {
        int rc = begin(caller, flags & ~MapTrack.JAVA, ref, domid);
        if (rc != GNTST_OKAY || (flags & GNTMAP_HOST_MAP) == 0) {
            return rc;
        }
        if (!entries.create(vcpu, hostAddress, (flags & GNTMAP_CONTAINS_PTE) != 0, mappedFrame, entryFlags(flags))) {
            undo(caller, mappedHandle, flags);
            return GNTST_GENERAL_ERROR;
        }
        return GNTST_OKAY;
    }

    private static long entryFlags(int flags) {
        long entry = Pte.PRESENT | Pte.ACCESSED | Pte.DIRTY | Pte.NO_EXECUTE;
        if ((flags & Grant.GNTMAP_APPLICATION_MAP) != 0) {
            entry |= Pte.USER;
        }
        if ((flags & GNTMAP_READONLY) == 0) {
            entry |= Pte.WRITABLE;
        }
        return entry | (long) (flags >>> Grant.GNTMAP_GUEST_AVAIL_SHIFT & 7) << 9;
    }

    /**
     * Maps entry {@code ref} of {@code domid} for a Java domain, which has no page table: the mapping itself holds the page.
     * {@link #mappedHandle} is for {@link #unmapJava}, {@link #mappedFrame} says what was mapped.
     */
    public int mapJava(GrantTable caller, int domid, int ref, boolean readOnly) {
        return begin(caller, GNTMAP_HOST_MAP | MapTrack.JAVA | (readOnly ? GNTMAP_READONLY : 0), ref, domid);
    }

    /** Ends a mapping that {@link #mapJava} made; does nothing if it has ended with the domain. */
    public void unmapJava(GrantTable caller, int handle) {
        int flags = caller.mapTrack().flags(handle);
        if ((flags & MapTrack.JAVA) != 0) {
            undo(caller, handle, flags);
        }
    }

    /** Takes everything that a mapping holds: a handle, the entry's marks and pins, references and uses of the page. */
    private int begin(GrantTable caller, int flags, int ref, int domid) {
        if ((flags & (GNTMAP_DEVICE_MAP | GNTMAP_HOST_MAP)) == 0) {
            return GNTST_BAD_GNTREF;
        }
        GrantTable granter = table(domid);
        if (granter == null) {
            return GNTST_BAD_DOMAIN;
        }
        int handle = caller.mapTrack().allocate();
        if (handle == MapTrack.NONE) {
            return GNTST_NO_SPACE;
        }
        int rc = pin(granter, caller.owner().domid, ref, flags);
        if (rc != GNTST_OKAY) {
            caller.mapTrack().free(handle);
            return rc;
        }
        caller.mapTrack().set(handle, granter, ref, flags);
        mappedHandle = handle;
        mappedFrame = granter.mfn(ref);
        return GNTST_OKAY;
    }

    static int pinIncrement(int flags) {
        boolean readOnly = (flags & GNTMAP_READONLY) != 0;
        int increment = 0;
        if ((flags & GNTMAP_DEVICE_MAP) != 0) {
            increment += readOnly ? Pins.DEVICE_READ : Pins.DEVICE_WRITE;
        }
        if ((flags & GNTMAP_HOST_MAP) != 0) {
            increment += readOnly ? Pins.HOST_READ : Pins.HOST_WRITE;
        }
        return increment;
    }

    private int pin(GrantTable granter, int domid, int ref, int flags) {
        if (!granter.has(ref)) {
            return GNTST_BAD_GNTREF;
        }
        boolean readOnly = (flags & GNTMAP_READONLY) != 0;
        int rc = activate(granter, domid, ref, readOnly, true, pinIncrement(flags));
        if (rc != GNTST_OKAY) {
            return rc;
        }
        int wanted = Integer.bitCount(flags & (GNTMAP_DEVICE_MAP | GNTMAP_HOST_MAP));
        int taken = 0;
        while (taken < wanted && take(granter.mfn(ref), granter.owner(), !readOnly)) {
            taken++;
        }
        if (taken < wanted) {
            while (taken-- > 0) {
                give(granter.mfn(ref), !readOnly);
            }
            granter.addPins(ref, -pinIncrement(flags));
            granter.markUnused(ref, readOnly);
            return GNTST_GENERAL_ERROR;
        }
        return GNTST_OKAY;
    }

    /**
     * Begins a use of entry {@code ref}, which exists: checks that {@code domid} may have it, marks it, finds its page if nobody uses
     * it yet, and adds {@code pinIncrement}. Takes no reference to the page.
     */
    int activate(GrantTable granter, int domid, int ref, boolean readOnly, boolean mapping, int pinIncrement) {
        int pins = granter.pins(ref);
        if (pins != 0 && (granter.grantee(ref) != domid || Pins.wouldOverflow(pins, pinIncrement))) {
            return GNTST_GENERAL_ERROR;
        }
        if (pins == 0 || (!readOnly && !Pins.forWriting(pins))) {
            int rc = granter.markUsed(ref, domid, readOnly, mapping);
            if (rc != GNTST_OKAY) {
                return rc;
            }
            if (pins == 0) {
                long mfn = granter.frameNumber(ref);
                if (!memory.get(mfn, granter.owner())) {
                    granter.markUnused(ref, readOnly);
                    return GNTST_BAD_PAGE;
                }
                memory.put((int) mfn);
                granter.activate(ref, domid, (int) mfn);
            }
        }
        granter.addPins(ref, pinIncrement);
        return GNTST_OKAY;
    }

    /** Takes a reference to a page of {@code owner} and, if {@code writable}, a use of it. */
    boolean take(int mfn, MemoryOwner owner, boolean writable) {
        return writable ? types.hold(mfn, owner) : memory.get(mfn, owner);
    }

    void give(int mfn, boolean writable) {
        if (writable) {
            types.put(mfn);
        }
        memory.put(mfn);
    }

    private void undo(GrantTable caller, int handle, int flags) {
        MapTrack track = caller.mapTrack();
        GrantTable granter = track.granter(handle);
        int ref = track.ref(handle);
        boolean readOnly = (flags & GNTMAP_READONLY) != 0;
        for (int i = Integer.bitCount(flags & (GNTMAP_DEVICE_MAP | GNTMAP_HOST_MAP)); i > 0; i--) {
            give(granter.mfn(ref), !readOnly);
        }
        granter.addPins(ref, -pinIncrement(flags));
        granter.markUnused(ref, readOnly);
        track.free(handle);
    }

    // ---- unmapping ---------------------------------------------------------------------------------------------------

    /**
     * GNTTABOP_unmap_grant_ref and, with a {@code replacement}, GNTTABOP_unmap_and_replace. All arguments may have any value.
     * What was mapped is given back by {@link #finishUnmaps}, which must be called before the guest runs again.
     *
     * @param hostAddress where the host mapping is; 0 leaves it
     * @param deviceAddress machine address of the page, to end its device mapping; 0 leaves it
     * @param replacement linear address whose page table entry takes the mapping's place, or 0
     * @param processors those that may hold translations of the caller
     */
    public int unmap(GrantTable caller, VcpuTables vcpu, int handle, long hostAddress, long deviceAddress,
            long replacement, long processors) {
        MapTrack track = caller.mapTrack();
        int flags = track.flags(handle);
        if (flags == 0 || (flags & MapTrack.JAVA) != 0) {
            return GNTST_BAD_HANDLE;
        }
        GrantTable granter = track.granter(handle);
        int ref = track.ref(handle);
        int mfn = granter.mfn(ref);
        int done = 0;
        if (deviceAddress != 0 && (flags & GNTMAP_DEVICE_MAP) != 0
                && deviceAddress != (long) mfn << PhysicalMemory.FRAME_SHIFT) {
            return GNTST_BAD_DEV_ADDR;
        }
        if (hostAddress != 0 && (flags & GNTMAP_HOST_MAP) != 0) {
            if (!entries.remove(vcpu, hostAddress, (flags & GNTMAP_CONTAINS_PTE) != 0, mfn,
                    (flags & GNTMAP_READONLY) == 0, replacement)) {
                return GNTST_GENERAL_ERROR;
            }
            done |= GNTMAP_HOST_MAP;
        }
        if (deviceAddress != 0 && (flags & GNTMAP_DEVICE_MAP) != 0) {
            done |= GNTMAP_DEVICE_MAP;
        }
        if (done != 0) {
            track.clearFlags(handle, done);
            if (!track.isMapped(handle)) {
                track.free(handle);
            }
            later(granter, ref, mfn, done | flags & GNTMAP_READONLY, processors);
        }
        return GNTST_OKAY;
    }

    private void later(GrantTable granter, int ref, int mfn, int done, long processors) {
        pendingTable[pending] = granter;
        pendingRef[pending] = ref;
        pendingMfn[pending] = mfn;
        pendingDone[pending] = done;
        pendingProcessors |= processors;
        if (++pending == BATCH) {
            finishUnmaps();
        }
    }

    /** Flushes, then gives back what the latest unmaps have let go of. */
    public void finishUnmaps() {
        if (pending == 0) {
            return;
        }
        memory.tlb().revoke(pendingProcessors);
        for (int i = 0; i < pending; i++) {
            int done = pendingDone[i];
            boolean readOnly = (done & GNTMAP_READONLY) != 0;
            for (int n = Integer.bitCount(done & (GNTMAP_DEVICE_MAP | GNTMAP_HOST_MAP)); n > 0; n--) {
                give(pendingMfn[i], !readOnly);
            }
            pendingTable[i].addPins(pendingRef[i], -pinIncrement(done));
            pendingTable[i].markUnused(pendingRef[i], readOnly);
        }
        pending = 0;
        pendingProcessors = 0;
    }

    /**
     * Ends all mappings of a dying domain. What its page tables hold of them goes with those.
     *
     * @return 0, or -ERESTART: call again
     */
    public int releaseMappings(GrantTable dying, Preempt preempt) {
        MapTrack track = dying.mapTrack();
        for (int handle = track.size() - 1; handle >= 0 && track.used() > 0; handle--) {
            int flags = track.flags(handle);
            if (flags == 0) {
                continue;
            }
            GrantTable granter = track.granter(handle);
            int ref = track.ref(handle);
            if ((flags & (GNTMAP_DEVICE_MAP | MapTrack.JAVA)) != 0) {
                give(granter.mfn(ref), (flags & GNTMAP_READONLY) == 0);
            }
            granter.addPins(ref, -pinIncrement(flags));
            granter.markUnused(ref, (flags & GNTMAP_READONLY) != 0);
            track.free(handle);
            if (preempt.check()) {
                return -Errno.ERESTART;
            }
        }
        return 0;
    }

    // ---- transfers ---------------------------------------------------------------------------------------------------

    /**
     * GNTTABOP_transfer: gives the caller's page {@code mfn} to {@code domid}, which awaits it in entry {@code ref}. As in Xen the
     * page is lost to the caller also when the other side does not take it.
     */
    public int transfer(GrantTable caller, long mfn, int domid, int ref, long processors) {
        if (memory.stealPage(mfn, caller.owner(), true) != 0) {
            return GNTST_BAD_PAGE;
        }
        memory.tlb().revoke(processors);
        int frame = (int) mfn;
        GrantTable target = table(domid);
        if (target == null) {
            memory.freeUnowned(frame);
            return GNTST_BAD_DOMAIN;
        }
        MemoryOwner owner = target.owner();
        boolean room = !owner.isDying() && owner.totalPages() < owner.maxPages();
        if (!room || !target.beginTransfer(ref, caller.owner().domid)) {
            memory.freeUnowned(frame);
            return GNTST_GENERAL_ERROR;
        }
        memory.assignPage(frame, owner, true);
        memory.m2p().set(frame, target.frameNumber(ref));
        target.view().completeTransfer(ref, frame);
        return GNTST_OKAY;
    }

    /** Whether the frame {@code mfn}, any value, is a page of the table's domain, or one that it has mapped. */
    public boolean maps(GrantTable table, long mfn) {
        if (memory.get(mfn, table.owner())) {
            memory.put((int) mfn);
            return true;
        }
        MapTrack track = table.mapTrack();
        for (int handle = 0; handle < track.size(); handle++) {
            if (track.isMapped(handle) && track.granter(handle).mfn(track.ref(handle)) == mfn) {
                return true;
            }
        }
        return false;
    }

    // ---- for the audit -----------------------------------------------------------------------------------------------

    /** What mappings hold, which foreign pages page tables may map because of grants, and whether uses are counted right. */
    public Audit.Holder holder() {
        return visitor -> new GrantAudit(visitor).visit(tables, pending == 0);
    }
}
