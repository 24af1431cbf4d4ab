package dev.xenolith.hypervisor.memory;

import dev.xenolith.cpu.memory.PhysicalMemory;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The M2P table: for each machine frame the pseudo-physical frame number that its owner has given it, 8 bytes each, in emulated
 * RAM. Guests read it at {@link #BASE}, mapped read-only into every address space (xen/include/public/arch-x86/xen-x86_64.h,
 * MACH2PHYS_VIRT_START).
 */
public final class MachineToPhysical {
    /** Linear address of the table in every PV address space: L4 slot 256. */
    public static final long BASE = 0xffff_8000_0000_0000L;
    /** Entry of a frame without a pseudo-physical number. */
    public static final long INVALID = -1;

    private static final int ENTRIES_PER_FRAME = PhysicalMemory.FRAME_SIZE / 8;
    private static final long READ_ONLY = 0x8000_0000_0000_0005L; // present, user, no execute
    private static final long DIRECTORY = 0x7; // present, writable, user

    private final PhysicalMemory ram;
    private final int[] tableFrames;
    private final int size;
    private final int root;
    /** The same for 32-bit guests, while there are any. */
    private @Nullable CompatMachineToPhysical compat;
    private int compatUsers;

    /**
     * Builds the table and the page tables that map it.
     *
     * @throws IllegalStateException if the machine has too little memory
     */
    MachineToPhysical(PhysicalMemory ram, FrameAllocator allocator, FrameTable frames) {
        this.ram = ram;
        size = frames.size();
        tableFrames = new int[(size + ENTRIES_PER_FRAME - 1) / ENTRIES_PER_FRAME];
        for (int i = 0; i < tableFrames.length; i++) {
            tableFrames[i] = take(allocator, frames);
            ram.fill((long) tableFrames[i] << PhysicalMemory.FRAME_SHIFT, PhysicalMemory.FRAME_SIZE, 0xff);
        }
        // Xen maps 2 MiB at a time: what follows the last frame reads as invalid, up to there.
        int[] level = Arrays.copyOf(tableFrames, (tableFrames.length + 511) & -512);
        if (level.length > tableFrames.length) {
            int beyond = take(allocator, frames);
            ram.fill((long) beyond << PhysicalMemory.FRAME_SHIFT, PhysicalMemory.FRAME_SIZE, 0xff);
            Arrays.fill(level, tableFrames.length, level.length, beyond);
        }
        long flags = READ_ONLY;
        for (int depth = 1; depth < 4; depth++) {
            int[] above = new int[(level.length + 511) / 512];
            for (int i = 0; i < above.length; i++) {
                above[i] = take(allocator, frames);
            }
            for (int i = 0; i < level.length; i++) {
                ram.write64(((long) above[i / 512] << PhysicalMemory.FRAME_SHIFT) + i % 512 * 8,
                        (long) level[i] << PhysicalMemory.FRAME_SHIFT | flags);
            }
            level = above;
            flags = DIRECTORY;
        }
        if (level.length != 1) {
            throw new IllegalStateException("the machine-to-physical table does not fit into one level-4 slot");
        }
        root = level[0];
    }

    private static int take(FrameAllocator allocator, FrameTable frames) {
        int mfn = allocator.allocate();
        if (mfn == FrameTable.NO_FRAME) {
            throw new IllegalStateException("too little memory for the machine-to-physical table");
        }
        Memory.makeHypervisors(frames, mfn);
        return mfn;
    }

    /** Entry for L4 slot 256 of every PV address space. */
    public long l4Entry() {
        return (long) root << PhysicalMemory.FRAME_SHIFT | DIRECTORY | 0x20; // accessed
    }

    /** Pseudo-physical frame number of {@code mfn}, or {@link #INVALID}. */
    public long get(int mfn) {
        return ram.read64(address(mfn));
    }

    /** Sets the pseudo-physical frame number of {@code mfn}; any value. */
    public void set(int mfn, long pfn) {
        ram.write64(address(mfn), pfn);
        if (compat != null) {
            compat.set(mfn, pfn);
        }
    }

    /** There is one more 32-bit guest: the first has their table made. False if there is not enough memory. */
    public boolean takeCompat(Memory memory) {
        if (compat == null) {
            compat = CompatMachineToPhysical.create(memory, this);
        }
        if (compat != null) {
            compatUsers++;
        }
        return compat != null;
    }

    /** There is one 32-bit guest less, and none of its page tables is left. */
    public void giveCompat(Memory memory) {
        CompatMachineToPhysical table = Objects.requireNonNull(compat);
        if (--compatUsers == 0) {
            compat = null;
            table.release(memory);
        }
    }

    /** Level-2 entry that maps the 2 MiB with number {@code index} of the table of 32-bit guests; 0 beyond its end. */
    public long compatL2Entry(int index) {
        return compat == null ? 0 : compat.l2Entry(index);
    }

    /** As {@link #extents}, of the table of 32-bit guests; 0 while there is none. */
    public int compatExtents() {
        return compat == null ? 0 : compat.extents();
    }

    public int compatExtentFrame(int extent) {
        return Objects.requireNonNull(compat).extentFrame(extent);
    }

    private long address(int mfn) {
        return ((long) tableFrames[mfn / ENTRIES_PER_FRAME] << PhysicalMemory.FRAME_SHIFT)
                + mfn % ENTRIES_PER_FRAME * 8;
    }

    /** Number of 2 MiB extents of the table, and the frame that {@code extent} starts with. XENMEM_machphys_mfn_list. */
    public int extents() {
        return (tableFrames.length + 511) / 512;
    }

    public int extentFrame(int extent) {
        return tableFrames[extent * 512];
    }

    /** Number of entries: one for each frame up to the end of RAM. */
    public int size() {
        return size;
    }
}
