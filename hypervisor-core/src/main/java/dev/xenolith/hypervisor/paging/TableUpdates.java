package dev.xenolith.hypervisor.paging;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;

/**
 * Changes single entries of page tables that are in use: takes what the new entry stands for, writes it, gives back what the old one
 * stood for. The old target of an entry above L1 is left in the caller's {@link PagingContext}, to be taken apart preemptibly.
 */
public final class TableUpdates {
    private final Memory memory;
    private final FrameTable frames;
    private final PhysicalMemory ram;
    private final PageTypes types;
    private final boolean guardsSlots;
    private final boolean forgetsM2p;

    public TableUpdates(PageTypes types) {
        this.types = types;
        memory = types.memory();
        frames = memory.frames();
        ram = memory.ram();
        guardsSlots = memory.checks().on(Checks.Check.HYPERVISOR_SLOTS);
        forgetsM2p = memory.checks().on(Checks.Check.M2P_UPDATE);
    }

    /**
     * MMU_NORMAL_PT_UPDATE and MMU_PT_UPDATE_PRESERVE_AD: stores {@code value} at machine address {@code address}, which may be in
     * a page table or in any page that may be written.
     *
     * @param tableOwner whose page {@code address} must be in
     * @param pageOwner whose page an L1 entry must map; entries above L1 need it to be the same
     * @param address any value, its low three bits are ignored
     * @param preserve keep the accessed and dirty bits that the processor has set
     * @return 0, -ERESTART, or as {@link L1Entries#get}; -EINVAL for all else
     */
    public int update(PagingContext context, MemoryOwner tableOwner, MemoryOwner pageOwner, long address, long value,
            boolean preserve) {
        long mfn = address >>> PhysicalMemory.FRAME_SHIFT;
        if (!memory.get(mfn, tableOwner)) {
            return -EINVAL;
        }
        int table = (int) mfn;
        long at = address & ~7L;
        int rc = -EINVAL;
        if (frames.isValidated(table) && frames.uses(table) > 0) {
            int type = frames.type(table);
            if (type == FrameTable.L1) {
                rc = updateL1(table, at, value, pageOwner, tableOwner, preserve);
            } else if (PageTypes.isTable(type) && pageOwner == tableOwner) {
                rc = updateTable(context, table, type, at, value, tableOwner, preserve);
            } else if (type == FrameTable.WRITABLE) {
                ram.write64(at, value);
                rc = 0;
            }
        } else if (types.get(table, FrameTable.WRITABLE)) {
            ram.write64(at, value);
            types.put(table);
            rc = 0;
        }
        memory.put(table);
        return rc;
    }

    /** Changes the L1 entry at machine address {@code at}, in the valid L1 table {@code table}. */
    int updateL1(int table, long at, long value, MemoryOwner pageOwner, MemoryOwner tableOwner, boolean preserve) {
        long old = ram.read64(at);
        long entry = Pte.adjust(value, 1, tableOwner.isCompat());
        if (Pte.isPresent(value)) {
            if (Pte.isForbidden(value, 1, false)) {
                return -EINVAL;
            }
            if (((old ^ entry) & ~Pte.HARMLESS) == 0) {
                write(at, old, entry, preserve);
                return 0;
            }
            int rc = types.l1Entries().get(entry, pageOwner);
            if (rc != 0) {
                return rc;
            }
        } else {
            int rc = types.refuseUnsafe(value, 1, tableOwner);
            if (rc != 0) {
                return rc;
            }
        }
        write(at, old, entry, preserve);
        types.l1Entries().put(old);
        return 0;
    }

    private int updateTable(PagingContext context, int table, int level, long at, long value, MemoryOwner owner,
            boolean preserve) {
        int index = (int) (at >>> 3) & 511;
        boolean guarded = types.isHypervisorEntry(table, level, index)
                || index >= PageTypes.PAE_XEN_SLOT && PageTypes.entriesOf(level, owner) == PageTypes.PAE_ENTRIES;
        if (guarded && guardsSlots) {
            return -EINVAL;
        }
        long old = ram.read64(at);
        long entry = Pte.adjust(value, level, owner.isCompat());
        if (Pte.isPresent(value)) {
            if (Pte.isForbidden(value, level, owner.isCompat())) {
                return -EINVAL;
            }
            if (((old ^ entry) & ~Pte.HARMLESS) == 0) {
                write(at, old, entry, preserve);
                context.flushNeeded = true;
                return 0;
            }
        }
        int rc = types.getEntry(entry, table, level, level - 1, owner, false, false, context);
        if (rc != 0) {
            return rc;
        }
        write(at, old, entry, preserve);
        context.flushNeeded = true;
        types.deferEntry(old, table, context);
        return 0;
    }

    private void write(long at, long old, long entry, boolean preserve) {
        ram.write64(at, preserve ? entry | old & (Pte.ACCESSED | Pte.DIRTY) : entry);
    }

    /**
     * update_va_mapping: changes the L1 entry that maps {@code linear} in the address space with root {@code root}.
     *
     * @return as {@link #update}; -EINVAL also if no L1 table covers the address
     */
    public int updateMapping(int root, long linear, long value, MemoryOwner tableOwner, MemoryOwner pageOwner) {
        long at = findL1Entry(root, linear, tableOwner);
        if (at < 0) {
            return -EINVAL;
        }
        return updateL1((int) (at >>> PhysicalMemory.FRAME_SHIFT), at, value, pageOwner, tableOwner, false);
    }

    /**
     * Machine address of the L1 entry that maps guest linear address {@code linear} in the address space with root {@code root}, or
     * -1. The entry is in a valid L1 table of {@code owner}; it need not be present.
     */
    public long findL1Entry(int root, long linear, MemoryOwner owner) {
        if (root == 0 || !GuestLinear.isGuestAddress(linear)) {
            return -1;
        }
        long table = root;
        for (int level = 4; level > 1; level--) {
            long entry = ram.read64((table << PhysicalMemory.FRAME_SHIFT) + indexOf(linear, level) * 8);
            if (!Pte.isPresent(entry)) {
                return -1;
            }
            table = Pte.frame(entry);
        }
        if (!isL1Table(table, owner)) {
            return -1;
        }
        return (table << PhysicalMemory.FRAME_SHIFT) + indexOf(linear, 1) * 8;
    }

    /** Whether {@code mfn}, any value, is a valid L1 table of {@code owner} that is in use. */
    boolean isL1Table(long mfn, MemoryOwner owner) {
        return frames.isRam(mfn) && frames.owner((int) mfn) == owner.domid && frames.type((int) mfn) == FrameTable.L1
                && frames.isValidated((int) mfn) && frames.uses((int) mfn) > 0;
    }

    private static int indexOf(long linear, int level) {
        return (int) (linear >>> 12 + 9 * (level - 1)) & 511;
    }

    /**
     * What a plain store of {@code size} (1, 2, 4, 8) bytes at machine address {@code at}, naturally aligned, would do to the entry
     * there, if the guest's store may be made: the entry is in a valid L1 table of {@code owner}.
     */
    public boolean emulateStore(MemoryOwner owner, long at, int size, long value) {
        long entry = at & ~7L;
        int shift = (int) (at & 7) * 8;
        long mask = size == Long.BYTES ? -1 : (1L << size * 8) - 1;
        long merged = ram.read64(entry) & ~(mask << shift) | (value & mask) << shift;
        if (!isL1Table(at >>> PhysicalMemory.FRAME_SHIFT, owner)) {
            return false;
        }
        int table = (int) (at >>> PhysicalMemory.FRAME_SHIFT);
        if (updateL1(table, entry, merged, owner, owner, false) == 0) {
            return true;
        }
        // A PAE kernel may write the upper half of an entry first: it is not present until the lower half follows.
        boolean upperHalf = owner.isCompat() && size == Integer.BYTES && shift == Integer.SIZE && Pte.isPresent(merged);
        return upperHalf && updateL1(table, entry, merged & ~Pte.PRESENT, owner, owner, false) == 0;
    }

    /** Whether {@code mfn}, any value, is a page table that {@link #emulateStore} may change. */
    public boolean takesStores(long mfn, MemoryOwner owner) {
        return isL1Table(mfn, owner);
    }

    /** MMU_MACHPHYS_UPDATE: notes that the page {@code mfn}, any value, is {@code pfn} to its owner. 0 or -EINVAL. */
    public int setMachineToPhysical(MemoryOwner pageOwner, long mfn, long pfn) {
        if (!memory.get(mfn, pageOwner)) {
            return -EINVAL;
        }
        if (forgetsM2p) {
            memory.m2p().set((int) mfn, pfn);
        }
        memory.put((int) mfn);
        return 0;
    }

    /** Whether updates since the last call may show through linear mappings; the caller flushes the domain's processors. */
    public static boolean takeFlushNeeded(PagingContext context) {
        boolean needed = context.flushNeeded;
        context.flushNeeded = false;
        return needed;
    }
}
