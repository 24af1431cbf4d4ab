package dev.xenolith.hypervisor.pv;

import java.util.ArrayDeque;

/** Gives each vCPU two address-space tags of its own while there are enough; the last pair is shared by all others. */
final class AddressSpaceTags {
    /** The tag that no guest uses. */
    static final int HYPERVISOR = 0;

    private final ArrayDeque<Integer> returned = new ArrayDeque<>();
    private final int shared;
    private int fresh = 2;

    /** @param count how many tags there are */
    AddressSpaceTags(int count) {
        shared = count - 2;
    }

    /** An even tag whose successor belongs to it. */
    int take() {
        if (!returned.isEmpty()) {
            return returned.remove();
        }
        if (fresh >= shared) {
            return shared;
        }
        int tag = fresh;
        fresh += 2;
        return tag;
    }

    void give(int tag) {
        if (tag != shared) {
            returned.add(tag);
        }
    }

    /** Whether others use the tag too, so that each must flush it when it comes. */
    boolean areShared(int tag) {
        return tag == shared;
    }
}
