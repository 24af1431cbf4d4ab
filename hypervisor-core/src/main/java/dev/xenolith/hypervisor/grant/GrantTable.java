package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.abi.Grant.GNTST_BAD_GNTREF;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_EAGAIN;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_GENERAL_ERROR;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_OKAY;
import static dev.xenolith.hypervisor.abi.Grant.GNTTAB_NR_RESERVED_ENTRIES;
import static dev.xenolith.hypervisor.abi.Grant.GTF_PERMIT_ACCESS;
import static dev.xenolith.hypervisor.abi.Grant.GTF_READING;
import static dev.xenolith.hypervisor.abi.Grant.GTF_TRANSITIVE;
import static dev.xenolith.hypervisor.abi.Grant.GTF_TYPE_MASK;
import static dev.xenolith.hypervisor.abi.Grant.GTF_WRITING;

import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Grant;
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

    public static final int DEFAULT_MAX_VERSION = 2;

    /** Version 1 has the most entries. */
    private static final int MOST_PER_FRAME = Frame.SIZE / Grant.EntryV1.SIZE;

    /** How large it may become, in frames of entries and in frames of mappings of others' grants, and its latest version. */
    public record Limits(int frames, int mapTrackFrames, int version) {
        public static final Limits DEFAULT = new Limits(DEFAULT_MAX_FRAMES, DEFAULT_MAX_MAPTRACK_FRAMES,
                DEFAULT_MAX_VERSION);
    }

    private final Memory memory;
    private final MemoryOwner owner;
    private final Limits limits;
    private final Frame[] shared;
    private int frameCount;
    /** Version 2's frames of marks. */
    private final Frame[] status;
    private int statusCount;
    private final EntriesV1 entriesV1;
    private final EntriesV2 entriesV2;
    private Entries entries;
    /** Uses of each entry, see {@link Pins}; while not zero, the two below say who uses what. */
    private int[] pins = {};
    private char[] grantee = {};
    private int[] mfn = {};
    private final MapTrack mapTrack;

    private GrantTable(Memory memory, MemoryOwner owner, Limits limits) {
        this.memory = memory;
        this.owner = owner;
        this.limits = limits;
        shared = new Frame[limits.frames];
        status = new Frame[EntriesV2.statusFrames(limits.frames)];
        entriesV1 = new EntriesV1(shared, memory.checks());
        entriesV2 = new EntriesV2(shared, status, memory.checks());
        entries = entriesV1;
        mapTrack = new MapTrack(limits.mapTrackFrames);
    }

    /**
     * Makes a table with one frame, of version 1.
     *
     * @param limits at least one frame; 256 mappings of others' grants for each frame of those
     * @return null if there is no memory
     */
    public static @Nullable GrantTable create(Memory memory, MemoryOwner owner, Limits limits) {
        GrantTable table = new GrantTable(memory, owner, limits);
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
        return limits.frames;
    }

    /** Pages of others that the domain has mapped, each mapping of a page counted. */
    public int mapped() {
        return mapTrack.used();
    }

    /** Machine frame of the table's frame {@code index}. */
    public int sharedFrame(int index) {
        return shared[index].mfn();
    }

    /** Frames of marks; version 1 has none. */
    public int statusFrames() {
        return statusCount;
    }

    /** Machine frame of the status frame {@code index}. */
    public int statusFrame(int index) {
        return status[index].mfn();
    }

    /** 1 or 2. */
    public int version() {
        return entries.version();
    }

    /** Number of entries. */
    public int entries() {
        return frameCount * entries.perFrame();
    }

    /** Grows the table to {@code count} frames; 0, -EINVAL above the limit, or -ENOMEM with the frames it got kept. */
    int grow(int count) {
        if (count > limits.frames) {
            return -Errno.EINVAL;
        }
        int wanted = Math.max(count, frameCount) * MOST_PER_FRAME;
        if (pins.length < wanted) {
            pins = Arrays.copyOf(pins, wanted);
            grantee = Arrays.copyOf(grantee, wanted);
            mfn = Arrays.copyOf(mfn, wanted);
        }
        int rc = entries == entriesV2 ? growStatus(count) : 0;
        while (rc == 0 && frameCount < count) {
            Frame frame = allocate();
            if (frame == null) {
                rc = -Errno.ENOMEM;
            } else {
                shared[frameCount++] = frame;
            }
        }
        return rc;
    }

    /** Adds the frames of marks that {@code count} frames of entries need. 0 or -ENOMEM. */
    private int growStatus(int count) {
        while (statusCount < EntriesV2.statusFrames(count)) {
            Frame frame = allocate();
            if (frame == null) {
                return -Errno.ENOMEM;
            }
            status[statusCount++] = frame;
        }
        return 0;
    }

    private @Nullable Frame allocate() {
        int frame = memory.allocateHypervisorFrame();
        if (frame < 0) {
            return null;
        }
        if (!memory.share(frame, owner, true)) {
            memory.releaseHypervisorFrame(frame);
            return null;
        }
        return memory.frame(frame);
    }

    /** Lets go of the shared frames: the domain has ended. Uses by others go on; entries can no longer be seen or used. */
    public void release() {
        for (int i = 0; i < frameCount; i++) {
            memory.releaseHypervisorFrame(shared[i].mfn());
        }
        frameCount = 0;
        releaseStatus();
    }

    private void releaseStatus() {
        while (statusCount > 0) {
            memory.releaseHypervisorFrame(status[--statusCount].mfn());
        }
    }

    /** Most frames of marks that the table may have. */
    public int maxStatusFrames() {
        return EntriesV2.statusFrames(limits.frames);
    }

    /**
     * Machine frames of the table from {@code first} on, of entries or of marks, for a toolstack that maps them: grows it as far as that
     * needs. 0 or -EINVAL.
     */
    public int acquire(boolean marks, long first, long[] mfns) {
        long end = first + mfns.length;
        if (mfns.length == 0 || first < 0 || marks && version() != 2
                || end > (marks ? maxStatusFrames() : limits.frames)) {
            return -Errno.EINVAL;
        }
        if (end > (marks ? statusCount : frameCount)) {
            grow(marks ? EntriesV2.framesFor((int) end) : (int) end);
        }
        if (end > (marks ? statusCount : frameCount)) {
            return -Errno.EINVAL;
        }
        for (int i = 0; i < mfns.length; i++) {
            mfns[i] = (marks ? status : shared)[(int) first + i].mfn();
        }
        return 0;
    }

    // ---- what the domain asks for ------------------------------------------------------------------------------------

    /** GNTTABOP_setup_table: grows to {@code wantedFrames}, any value. GNTST_*. */
    public int setup(int wantedFrames) {
        if (Integer.compareUnsigned(wantedFrames, limits.frames) > 0 || owner.isDying()) {
            return GNTST_GENERAL_ERROR;
        }
        return grow(wantedFrames) == 0 ? GNTST_OKAY : GNTST_GENERAL_ERROR;
    }

    /**
     * GNTTABOP_set_version, any value. The entries that the toolstack has filled in survive, also in use; all others are cleared.
     *
     * @return 0; -EINVAL for what is no version; -ENOSYS for one that the domain may not have; -EBUSY while entries are in use, or
     *         frames of marks are mapped; -ERANGE for entries that version 1 has no form for; -ENOMEM
     */
    public int setVersion(int wanted) {
        if (wanted != 1 && wanted != 2) {
            return -Errno.EINVAL;
        }
        if (wanted > limits.version) {
            return -Errno.ENOSYS;
        }
        if (wanted == version()) {
            return 0;
        }
        for (int ref = GNTTAB_NR_RESERVED_ENTRIES; ref < entries(); ref++) {
            if (pins[ref] != 0) {
                return -Errno.EBUSY;
            }
        }
        int rc = wanted == 2 ? growStatus(frameCount) : mayLeaveV2();
        if (rc != 0) {
            return rc;
        }
        change(wanted == 2 ? entriesV2 : entriesV1);
        if (wanted == 1) {
            releaseStatus();
        }
        return 0;
    }

    private int mayLeaveV2() {
        for (int ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
            int type = entries.header(ref) & GTF_TYPE_MASK;
            if (type == GTF_TRANSITIVE || type == GTF_PERMIT_ACCESS && entries.frameNumber(ref) >>> Integer.SIZE != 0) {
                return -Errno.ERANGE;
            }
        }
        for (int i = 0; i < statusCount; i++) {
            if (memory.frames().references(status[i].mfn()) > 1) {
                return -Errno.EBUSY;
            }
        }
        return 0;
    }

    private void change(Entries next) {
        int[] headers = new int[GNTTAB_NR_RESERVED_ENTRIES];
        int[] marks = new int[headers.length];
        long[] frames = new long[headers.length];
        for (int ref = 0; ref < headers.length; ref++) {
            int header = entries.header(ref);
            // From version 2, whose other types have no meaning for the toolstack, only grants of pages come along.
            if (next == entriesV2 || (header & GTF_TYPE_MASK) == GTF_PERMIT_ACCESS) {
                headers[ref] = header;
                marks[ref] = entries.marks(ref) & (GTF_READING | GTF_WRITING);
                frames[ref] = entries.frameNumber(ref);
            }
        }
        for (int i = 0; i < frameCount; i++) {
            shared[i].clear();
        }
        entries = next;
        for (int ref = 0; ref < headers.length; ref++) {
            int flags = headers[ref] & 0xffff & ~(GTF_READING | GTF_WRITING);
            entries.write(ref, flags, headers[ref] >>> 16, frames[ref]);
            entries.setMarks(ref, marks[ref]);
        }
    }

    /** GNTTABOP_swap_grant_ref, any values. GNTST_*. */
    public int swap(int a, int b) {
        if (!has(a) || !has(b)) {
            return GNTST_BAD_GNTREF;
        }
        if (a != b) {
            if (pins[a] != 0 || pins[b] != 0) {
                return GNTST_EAGAIN;
            }
            entries.swap(a, b);
        }
        return GNTST_OKAY;
    }

    /** Sets up entry {@code ref} for {@code peer}; for builders. 0, or -EINVAL if there is no such entry or frame. */
    public int seed(int ref, int peer, long frame) {
        if (!has(ref) || frame < 0 || frame > 0xffff_ffffL) {
            return -Errno.EINVAL;
        }
        write(ref, GTF_PERMIT_ACCESS, peer, frame);
        return 0;
    }

    // ---- entries -----------------------------------------------------------------------------------------------------

    /** Whether {@code ref}, any value, is an entry. */
    boolean has(int ref) {
        return Integer.compareUnsigned(ref, entries()) < 0;
    }

    /** The entries, in the present version. */
    Entries view() {
        return entries;
    }

    /** Writes entry {@code ref}, as the domain itself could; for builders. */
    void write(int ref, int flags, int domid, long frame) {
        entries.write(ref, flags, domid, frame);
    }

    int pins(int ref) {
        return pins[ref];
    }

    /** References below this may be in use, also if the table has become smaller by its version or with the domain's end. */
    int pinned() {
        return pins.length;
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

    /** Frame number in entry {@code ref}, as the domain wrote it. */
    long frameNumber(int ref) {
        return entries.frameNumber(ref);
    }

    /**
     * Notes in entry {@code ref} that {@code domid} is about to read, and write unless {@code readOnly}, after checking that it may.
     *
     * @param mapping whether it wants to map the page, which entries for parts of pages and transitive ones do not allow
     * @return GNTST_okay or GNTST_general_error
     */
    int markUsed(int ref, int domid, boolean readOnly, boolean mapping) {
        return entries.mark(ref, domid, readOnly, mapping, pins[ref] != 0);
    }

    /** Notes in entry {@code ref} what is no longer done: a use that began with {@code readOnly} has ended. */
    void markUnused(int ref, boolean readOnly) {
        if (!has(ref)) {
            return;
        }
        int gone = 0;
        if (!readOnly && !Pins.forWriting(pins[ref])) {
            gone |= GTF_WRITING;
        }
        if (pins[ref] == 0) {
            gone |= GTF_READING;
        }
        entries.unmark(ref, gone);
    }

    /** Notes that {@code domid} is about to give the domain a page through entry {@code ref}, any value; false if it may not. */
    boolean beginTransfer(int ref, int domid) {
        return has(ref) && entries.beginTransfer(ref, domid);
    }
}
