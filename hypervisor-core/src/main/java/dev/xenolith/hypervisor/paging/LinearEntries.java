package dev.xenolith.hypervisor.paging;

import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;

/**
 * Entries that map a table of their own level, so that a guest sees its page tables as data ("linear page tables"). They must be
 * read-only. An entry that maps its own table holds nothing; one that maps another holds a reference and a use of it, and a table
 * that maps others in this way cannot be mapped so itself: there are no chains and no cycles to take apart.
 */
final class LinearEntries {
    private static final int MOST = Short.MAX_VALUE;

    private final Memory memory;
    private final FrameTable frames;
    private final boolean readOnly;

    LinearEntries(Memory memory) {
        this.memory = memory;
        frames = memory.frames();
        readOnly = memory.checks().on(Checks.Check.LINEAR_READ_ONLY);
    }

    /** Takes what a present {@code entry} of the table {@code mfn} stands for, if it is a linear one. */
    boolean get(long entry, int mfn, int level, MemoryOwner owner) {
        if (Pte.isWritable(entry) && readOnly) {
            return false;
        }
        long target = Pte.frame(entry);
        if (target == mfn) {
            return true;
        }
        if (frames.owner(mfn) != owner.domid || !memory.get(target, owner)) {
            return false;
        }
        int other = (int) target;
        long word = frames.typeWord(other);
        int here = frames.linearCount(mfn);
        int there = frames.linearCount(other);
        if (FrameTable.typeOf(word) != level || (word & FrameTable.VALIDATED) == 0
                || (word & FrameTable.USES) >= FrameTable.USES - 16 || here < 0 || here == MOST || there > 0
                || there == -MOST) {
            memory.put(other);
            return false;
        }
        frames.setTypeWord(other, word + 1);
        frames.setLinearCount(mfn, here + 1);
        frames.setLinearCount(other, there - 1);
        return true;
    }

    /** Notes that an entry of {@code parent} no longer maps {@code mfn}. */
    void drop(int mfn, int parent) {
        frames.setLinearCount(mfn, frames.linearCount(mfn) + 1);
        frames.setLinearCount(parent, frames.linearCount(parent) - 1);
    }
}
