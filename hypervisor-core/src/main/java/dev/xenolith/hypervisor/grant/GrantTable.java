package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.abi.Grant.GNTST_GENERAL_ERROR;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_OKAY;
import static dev.xenolith.hypervisor.abi.Grant.GTF_ACCEPT_TRANSFER;
import static dev.xenolith.hypervisor.abi.Grant.GTF_PERMIT_ACCESS;
import static dev.xenolith.hypervisor.abi.Grant.GTF_READING;
import static dev.xenolith.hypervisor.abi.Grant.GTF_READONLY;
import static dev.xenolith.hypervisor.abi.Grant.GTF_SUB_PAGE;
import static dev.xenolith.hypervisor.abi.Grant.GTF_TRANSFER_COMMITTED;
import static dev.xenolith.hypervisor.abi.Grant.GTF_TRANSFER_COMPLETED;
import static dev.xenolith.hypervisor.abi.Grant.GTF_TYPE_MASK;
import static dev.xenolith.hypervisor.abi.Grant.GTF_WRITING;

import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Grant;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Frame;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The grant table of one domain: the entries that it shares with the hypervisor, which of them are in use, and what it has mapped of
 * others. Entries are in the domain's reach: each is read once and believed only as far as it was checked.
 */
public final class GrantTable {
    /** Default limits, in frames (gnttab_max_frames, gnttab_max_maptrack_frames). */
    public static final int DEFAULT_MAX_FRAMES = 64;
    public static final int DEFAULT_MAX_MAPTRACK_FRAMES = 1024;

    private static final int ENTRIES_PER_FRAME = Frame.SIZE / Grant.EntryV1.SIZE;
    /** The guest may change an entry between our read and our exchange, but not for ever. */
    private static final int MAX_RETRIES = 5;

    private final Memory memory;
    private final MemoryOwner owner;
    private final int maxFrames;
    private final boolean checksReadOnly;
    private final boolean checksPeer;
    private final Frame[] shared;
    private int frameCount;
    /** Uses of each entry, see {@link Pins}; while not zero, the two below say who uses what. */
    private int[] pins = {};
    private char[] grantee = {};
    private int[] mfn = {};
    private final MapTrack mapTrack;

    private GrantTable(Memory memory, MemoryOwner owner, int maxFrames, int maxMapTrackFrames) {
        this.memory = memory;
        this.owner = owner;
        this.maxFrames = maxFrames;
        checksReadOnly = memory.checks().on(Checks.Check.GRANT_READ_ONLY);
        checksPeer = memory.checks().on(Checks.Check.GRANT_PEER);
        shared = new Frame[maxFrames];
        mapTrack = new MapTrack(maxMapTrackFrames);
    }

    /**
     * Makes a table with one frame.
     *
     * @param maxFrames most frames that it may grow to, at least 1
     * @param maxMapTrackFrames limits how many mappings of others' grants the domain may have: 256 for each
     * @return null if there is no memory
     */
    public static @Nullable GrantTable create(Memory memory, MemoryOwner owner, int maxFrames,
            int maxMapTrackFrames) {
        GrantTable table = new GrantTable(memory, owner, maxFrames, maxMapTrackFrames);
        return table.grow(1) == 0 ? table : null;
    }

    public MemoryOwner owner() {
        return owner;
    }

    MapTrack mapTrack() {
        return mapTrack;
    }

    /** Frames that the table has. */
    public int frames() {
        return frameCount;
    }

    /** Frames that it may have. */
    public int maxFrames() {
        return maxFrames;
    }

    /** Machine frame of the table's frame {@code index}. */
    public int sharedFrame(int index) {
        return shared[index].mfn();
    }

    /** Number of entries. */
    public int entries() {
        return frameCount * ENTRIES_PER_FRAME;
    }

    /** Grows the table to {@code count} frames; 0, -EINVAL above the limit, or -ENOMEM with the frames it got kept. */
    int grow(int count) {
        if (count > maxFrames) {
            return -Errno.EINVAL;
        }
        int wanted = Math.max(count, frameCount) * ENTRIES_PER_FRAME;
        if (pins.length < wanted) {
            pins = Arrays.copyOf(pins, wanted);
            grantee = Arrays.copyOf(grantee, wanted);
            mfn = Arrays.copyOf(mfn, wanted);
        }
        while (frameCount < count) {
            int frame = memory.allocateHypervisorFrame();
            if (frame < 0) {
                return -Errno.ENOMEM;
            }
            if (!memory.share(frame, owner, true)) {
                memory.releaseHypervisorFrame(frame);
                return -Errno.ENOMEM;
            }
            shared[frameCount++] = memory.frame(frame);
        }
        return 0;
    }

    /** Lets go of the shared frames: the domain has ended. Uses by others go on; entries can no longer be seen or used. */
    public void release() {
        for (int i = 0; i < frameCount; i++) {
            memory.releaseHypervisorFrame(shared[i].mfn());
        }
        frameCount = 0;
    }

    // ---- entries -----------------------------------------------------------------------------------------------------

    private Frame frameOf(int ref) {
        return shared[ref / ENTRIES_PER_FRAME];
    }

    private static int offsetOf(int ref) {
        return ref % ENTRIES_PER_FRAME * Grant.EntryV1.SIZE;
    }

    /** Whether {@code ref}, any value, is an entry. */
    boolean has(int ref) {
        return Integer.compareUnsigned(ref, entries()) < 0;
    }

    /** Writes entry {@code ref}, as the domain itself could; for builders. */
    void write(int ref, int flags, int domid, int frame) {
        Frame page = frameOf(ref);
        page.put32(offsetOf(ref) + Grant.EntryV1.FRAME, frame);
        page.put16(offsetOf(ref) + Grant.EntryV1.DOMID, domid);
        page.put16(offsetOf(ref) + Grant.EntryV1.FLAGS, flags);
    }

    /** Exchanges two entries, as 64-bit values. */
    void swap(int a, int b) {
        long first = frameOf(a).get64(offsetOf(a));
        frameOf(a).put64(offsetOf(a), frameOf(b).get64(offsetOf(b)));
        frameOf(b).put64(offsetOf(b), first);
    }

    int pins(int ref) {
        return pins[ref];
    }

    int grantee(int ref) {
        return grantee[ref];
    }

    int mfn(int ref) {
        return mfn[ref];
    }

    void addPins(int ref, int increment) {
        pins[ref] += increment;
    }

    /** Notes whose use of which frame begins. */
    void activate(int ref, int domid, int frame) {
        grantee[ref] = (char) domid;
        mfn[ref] = frame;
    }

    /** Frame number in entry {@code ref}, as the domain wrote it: unsigned 32 bits. */
    long frameNumber(int ref) {
        return frameOf(ref).get32(offsetOf(ref) + Grant.EntryV1.FRAME) & 0xffff_ffffL;
    }

    /**
     * Notes in entry {@code ref} that {@code domid} is about to read, and write unless {@code readOnly}, after checking that it may.
     *
     * @param mapping whether it wants to map the page, which a sub-page grant does not allow
     * @return GNTST_okay or GNTST_general_error
     */
    int markUsed(int ref, int domid, boolean readOnly, boolean mapping) {
        Frame page = frameOf(ref);
        int offset = offsetOf(ref);
        int mask = mapping ? GTF_TYPE_MASK | GTF_SUB_PAGE : GTF_TYPE_MASK;
        int word = page.get32(offset);
        for (int i = 0; i < MAX_RETRIES; i++) {
            int flags = word & 0xffff;
            if (pins[ref] == 0
                    && ((flags & mask) != GTF_PERMIT_ACCESS || (word >>> 16 != domid && checksPeer))) {
                return GNTST_GENERAL_ERROR;
            }
            if (!readOnly && (flags & GTF_READONLY) != 0 && checksReadOnly) {
                return GNTST_GENERAL_ERROR;
            }
            int wanted = word | GTF_READING | (readOnly ? 0 : GTF_WRITING);
            int found = (int) page.compareExchange(offset, 4, word & 0xffff_ffffL, wanted & 0xffff_ffffL);
            if (found == word) {
                return GNTST_OKAY;
            }
            word = found;
        }
        return GNTST_GENERAL_ERROR;
    }

    /** Notes in entry {@code ref} what is no longer done: a use that began with {@code readOnly} has ended. */
    void markUnused(int ref, boolean readOnly) {
        if (!has(ref)) {
            return;
        }
        int clear = 0;
        if (!readOnly && !Pins.forWriting(pins[ref])) {
            clear |= GTF_WRITING;
        }
        if (pins[ref] == 0) {
            clear |= GTF_READING;
        }
        Frame page = frameOf(ref);
        int offset = offsetOf(ref);
        int flags = page.get16(offset);
        while (clear != 0) {
            int found = (int) page.compareExchange(offset, 2, flags, flags & ~clear);
            if (found == flags) {
                return;
            }
            flags = found;
        }
    }

    /** Notes that {@code domid} is about to give the domain a page through entry {@code ref}; false if it may not. */
    boolean beginTransfer(int ref, int domid) {
        if (!has(ref)) {
            return false;
        }
        int expected = domid << 16 | GTF_ACCEPT_TRANSFER;
        return frameOf(ref).compareExchange(offsetOf(ref), 4, expected & 0xffff_ffffL,
                (expected | GTF_TRANSFER_COMMITTED) & 0xffff_ffffL) == (expected & 0xffff_ffffL);
    }

    /** Notes that {@code frame} has come through entry {@code ref}. */
    void completeTransfer(int ref, int frame) {
        Frame page = frameOf(ref);
        page.put32(offsetOf(ref) + Grant.EntryV1.FRAME, frame);
        page.put16(offsetOf(ref), page.get16(offsetOf(ref)) | GTF_TRANSFER_COMPLETED);
    }
}
