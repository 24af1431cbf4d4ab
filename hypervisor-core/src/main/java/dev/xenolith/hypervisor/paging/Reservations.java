package dev.xenolith.hypervisor.paging;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOMEM;
import static dev.xenolith.hypervisor.abi.Errno.ENXIO;

import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;

/** How PV domains get and give back memory, a page at a time: the substance of memory_op's reservation commands. */
public final class Reservations {
    private final Memory memory;
    private final boolean notesM2p;

    public Reservations(Memory memory) {
        this.memory = memory;
        notesM2p = memory.checks().on(Checks.Check.M2P_UPDATE);
    }

    /** XENMEM_increase_reservation: one more page. Returns its frame or -ENOMEM. */
    public int increase(MemoryOwner owner) {
        return memory.allocatePage(owner);
    }

    /** XENMEM_populate_physmap: one more page, known to the domain as {@code pfn}. Returns its frame or -ENOMEM. */
    public int populate(MemoryOwner owner, long pfn) {
        int mfn = memory.allocatePage(owner);
        if (mfn >= 0 && notesM2p) {
            memory.m2p().set(mfn, pfn);
        }
        return mfn;
    }

    /**
     * XENMEM_decrease_reservation: gives up the page {@code mfn}, any value. If something still refers to it, it is freed later.
     *
     * @return 0; -EINVAL: not RAM; -ENXIO: not a page of the owner
     */
    public int decrease(MemoryOwner owner, long mfn) {
        if (!memory.frames().isRam(mfn)) {
            return -EINVAL;
        }
        if (!memory.get(mfn, owner)) {
            return -ENXIO;
        }
        int rc = -ENXIO;
        if (!memory.frames().isHypervisors((int) mfn)) {
            memory.releasePage((int) mfn);
            rc = 0;
        }
        memory.put((int) mfn);
        return rc;
    }

    /**
     * XENMEM_exchange, one chunk: gives up {@code taken} and gets as many others. Either all is done or nothing.
     *
     * @param taken frames to give up, any values; on return the frames got instead
     * @param count how many of {@code taken} count
     * @return 0; -EINVAL: one is not a page of the owner that nothing refers to; -ENOMEM
     */
    public int exchange(MemoryOwner owner, long[] taken, int count) {
        if (owner.isDying()) {
            return -EINVAL;
        }
        int[] got = new int[count];
        for (int i = 0; i < count; i++) {
            int rc = memory.stealPage(taken[i], owner, false);
            if (rc != 0) {
                giveBack(owner, taken, i);
                return rc;
            }
        }
        for (int i = 0; i < count; i++) {
            got[i] = memory.allocateUnowned();
            if (got[i] == -ENOMEM) {
                while (--i >= 0) {
                    memory.freeUnowned(got[i]);
                }
                giveBack(owner, taken, count);
                return -ENOMEM;
            }
        }
        for (int i = 0; i < count; i++) {
            memory.freeUnowned((int) taken[i]);
            memory.assignPage(got[i], owner, false);
            taken[i] = got[i];
        }
        return 0;
    }

    private void giveBack(MemoryOwner owner, long[] taken, int count) {
        for (int i = 0; i < count; i++) {
            memory.assignPage((int) taken[i], owner, false);
        }
    }

    /** Notes that the owner knows its frame {@code mfn} as {@code pfn}. */
    public void note(int mfn, long pfn) {
        if (notesM2p) {
            memory.m2p().set(mfn, pfn);
        }
    }
}
