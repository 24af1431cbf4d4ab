package dev.xenolith.hypervisor.paging;

import static dev.xenolith.hypervisor.abi.Errno.EBUSY;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;

/**
 * What an L1 entry stands for: a reference to the page it maps and, if it maps it writable, a use of the page as WRITABLE. Tables of
 * 512 such entries are validated and taken apart in one go.
 */
final class L1Entries {
    private final Memory memory;
    private final FrameTable frames;
    private final PhysicalMemory ram;
    private final PageTypes types;
    private final boolean checksOwner;
    private final boolean checksType;

    L1Entries(Memory memory, PageTypes types) {
        this.memory = memory;
        this.types = types;
        frames = memory.frames();
        ram = memory.ram();
        checksOwner = memory.checks().on(Checks.Check.L1_OWNER);
        checksType = memory.checks().on(Checks.Check.WRITABLE_TYPE);
    }

    /**
     * Takes what a present {@code entry} stands for.
     *
     * @param pageOwner whose page it must map; the table's owner unless the caller named another domain
     * @return 0; -EINVAL for forbidden bits; -EPERM for what is not RAM; -EBUSY for a page of somebody else, or one that is used
     *         as something that must not be written
     */
    int get(long entry, MemoryOwner pageOwner) {
        if (Pte.isForbidden(entry, 1, false)) {
            return -EINVAL;
        }
        long mfn = Pte.frame(entry);
        if (!frames.isRam(mfn)) {
            return mfn == Pte.frame(Pte.ADDRESS) ? -EINVAL : -EPERM;
        }
        MemoryOwner owner = memory.getAny(mfn);
        if (owner == null) {
            return -EBUSY;
        }
        boolean mine = owner == pageOwner || !checksOwner;
        if (!mine || (Pte.isWritable(entry) && !getWritable((int) mfn))) {
            memory.put((int) mfn);
            return -EBUSY;
        }
        return 0;
    }

    private boolean getWritable(int mfn) {
        if (types.get(mfn, FrameTable.WRITABLE)) {
            return true;
        }
        if (!checksType) {
            types.forceUse(mfn);
            return true;
        }
        return false;
    }

    /** Gives back what an entry stood for. */
    void put(long entry) {
        long mfn = Pte.frame(entry);
        if (!Pte.isPresent(entry) || !frames.isRam(mfn)) {
            return;
        }
        if (Pte.isWritable(entry)) {
            types.put((int) mfn);
        }
        memory.put((int) mfn);
    }

    int validate(int mfn, MemoryOwner owner) {
        long base = (long) mfn << PhysicalMemory.FRAME_SHIFT;
        for (int i = 0; i < PageTypes.ENTRIES; i++) {
            long entry = ram.read64(base + i * 8);
            int rc;
            if (Pte.isPresent(entry)) {
                rc = get(entry, owner);
                long adjusted = Pte.adjust(entry, 1, owner.isCompat());
                if (rc == 0 && adjusted != entry) {
                    ram.write64(base + i * 8, adjusted);
                }
            } else {
                rc = types.refuseUnsafe(entry, 1, owner);
            }
            if (rc != 0) {
                while (--i >= 0) {
                    put(ram.read64(base + i * 8));
                }
                return rc;
            }
        }
        return 0;
    }

    void takeApart(int mfn) {
        long base = (long) mfn << PhysicalMemory.FRAME_SHIFT;
        for (int i = 0; i < PageTypes.ENTRIES; i++) {
            put(ram.read64(base + i * 8));
        }
    }
}
