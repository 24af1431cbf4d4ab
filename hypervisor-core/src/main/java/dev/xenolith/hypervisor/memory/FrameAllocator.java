package dev.xenolith.hypervisor.memory;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMemory;
import java.util.List;

/**
 * Hands out single frames of RAM and takes them back. A frame that is handed out is zero, has no owner, type or reference, and no
 * processor holds a translation for it.
 *
 * <p>Frames that were used before come first, latest first: most cost the host nothing new. RAM below 1 MiB is left to firmware.
 */
final class FrameAllocator {
    private static final int FIRST_FRAME = 0x100;

    private final FrameTable frames;
    private final TlbFlush tlb;
    private final Scrubber scrubber;
    private final boolean scrubs;
    private final List<MemoryLayout.Region> regions;
    private final long total;

    /** Frames that have never been handed out start here, in this region. */
    private int freshRegion;
    private int fresh;
    private int freeHead = FrameTable.NO_FRAME;
    private long free;
    private long quarantined;

    FrameAllocator(PhysicalMemory ram, FrameTable frames, TlbFlush tlb, Checks checks) {
        scrubber = new Scrubber(ram, frames.size());
        this.frames = frames;
        this.tlb = tlb;
        scrubs = checks.on(Checks.Check.SCRUB);
        regions = ram.layout().regions().stream()
                .filter(r -> r.kind() == MemoryLayout.Kind.RAM && end(r) > FIRST_FRAME).toList();
        for (MemoryLayout.Region region : regions) {
            for (int mfn = start(region); mfn < end(region); mfn++) {
                frames.setOwner(mfn, FrameTable.NOBODY);
                scrubber.addFresh(mfn);
            }
            free += end(region) - start(region);
        }
        total = free;
        fresh = regions.isEmpty() ? 0 : start(regions.getFirst());
    }

    private static int start(MemoryLayout.Region region) {
        return Math.max(FIRST_FRAME, (int) (region.start() >>> PhysicalMemory.FRAME_SHIFT));
    }

    private static int end(MemoryLayout.Region region) {
        return (int) (region.end() >>> PhysicalMemory.FRAME_SHIFT);
    }

    /** A zeroed frame, or {@link FrameTable#NO_FRAME} when there is none. */
    int allocate() {
        int mfn = freeHead;
        if (mfn != FrameTable.NO_FRAME) {
            settle();
            freeHead = frames.next[mfn];
            tlb.settle(frames.stamp(mfn));
        } else {
            mfn = takeFresh();
            if (mfn == FrameTable.NO_FRAME) {
                return mfn;
            }
        }
        scrubber.take(mfn);
        free--;
        return mfn;
    }

    private int takeFresh() {
        while (freshRegion < regions.size()) {
            if (fresh < end(regions.get(freshRegion))) {
                return fresh++;
            }
            freshRegion++;
            fresh = freshRegion < regions.size() ? start(regions.get(freshRegion)) : 0;
        }
        return FrameTable.NO_FRAME;
    }

    /** Takes back a frame without references. */
    void free(int mfn) {
        assert frames.references(mfn) == 0 : "frame " + mfn + " freed while in use";
        boolean keep = frames.isQuarantined(mfn);
        frames.setOwner(mfn, FrameTable.NOBODY);
        frames.setTypeWord(mfn, 0);
        frames.setStamp(mfn, tlb.stamp());
        if (keep) {
            quarantined++;
            return;
        }
        frames.setReferenceWord(mfn, 0);
        frames.next[mfn] = freeHead;
        freeHead = mfn;
        free++;
        scrubber.add(mfn);
    }

    /** Frames under management, whoever has them. */
    long total() {
        return total;
    }

    /** Frames that can be handed out. */
    long free() {
        return free;
    }

    /** Frames that will never be handed out again. */
    long quarantined() {
        return quarantined;
    }

    /** First frame of the list of used and returned frames, for the audit. */
    int firstReturned() {
        return freeHead;
    }

    /** Zeroes everything outstanding: free memory can then be handed out, or compared. */
    void settle() {
        if (scrubs) {
            scrubber.clean();
        }
    }
}
