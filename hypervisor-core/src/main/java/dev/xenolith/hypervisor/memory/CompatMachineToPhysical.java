package dev.xenolith.hypervisor.memory;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.ArchX86;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The M2P table as 32-bit guests see it: 4 bytes an entry, mapped for their kernels, read-only, at
 * {@link ArchX86#HYPERVISOR_COMPAT_VIRT_START} (xen/arch/x86/x86_64/mm.c, compat_machine_to_phys_mapping).
 */
final class CompatMachineToPhysical {
    /** Entry of a frame without a pseudo-physical number. */
    private static final int INVALID = -1;
    private static final int ENTRIES_PER_FRAME = PhysicalMemory.FRAME_SIZE / Integer.BYTES;
    private static final int TABLE = 512;
    private static final long READ_ONLY = 0x8000_0000_0000_0021L; // present, accessed, no execute
    private static final long DIRECTORY = 0x23; // present, writable, accessed
    private static final long MOST_ENTRIES = (ArchX86.MACH2PHYS_COMPAT_VIRT_END - ArchX86.HYPERVISOR_COMPAT_VIRT_START)
            / Integer.BYTES;

    private final PhysicalMemory ram;
    /** All frames that this holds. */
    private final int[] taken;
    private final int[] tableFrames;
    /** L1 tables that map it, 2 MiB each. */
    private final int[] directories;

    private CompatMachineToPhysical(PhysicalMemory ram, int[] taken, int frames) {
        this.ram = ram;
        this.taken = taken;
        tableFrames = Arrays.copyOf(taken, frames);
        directories = Arrays.copyOfRange(taken, frames, taken.length - 1);
    }

    void release(Memory memory) {
        Arrays.stream(taken).forEach(memory::releaseHypervisorFrame);
    }

    /** The table of what {@code m2p} says; null if there is not enough memory. */
    static @Nullable CompatMachineToPhysical create(Memory memory, MachineToPhysical m2p) {
        int size = (int) Math.min(m2p.size(), MOST_ENTRIES);
        int frames = (size + ENTRIES_PER_FRAME - 1) / ENTRIES_PER_FRAME;
        int directories = (frames + TABLE - 1) / TABLE;
        // One more frame, all invalid, stands for what follows the last entry.
        int[] taken = new int[frames + directories + 1];
        for (int i = 0; i < taken.length; i++) {
            taken[i] = memory.allocateHypervisorFrame();
            if (taken[i] < 0) {
                while (--i >= 0) {
                    memory.releaseHypervisorFrame(taken[i]);
                }
                return null;
            }
        }
        CompatMachineToPhysical table = new CompatMachineToPhysical(memory.ram(), taken, frames);
        table.fill(m2p, size, taken[taken.length - 1]);
        return table;
    }

    private void fill(MachineToPhysical m2p, int size, int beyond) {
        for (int frame : tableFrames) {
            ram.fill((long) frame << PhysicalMemory.FRAME_SHIFT, PhysicalMemory.FRAME_SIZE, 0xff);
        }
        ram.fill((long) beyond << PhysicalMemory.FRAME_SHIFT, PhysicalMemory.FRAME_SIZE, 0xff);
        for (int mfn = 0; mfn < size; mfn++) {
            set(mfn, m2p.get(mfn));
        }
        for (int i = 0; i < directories.length * TABLE; i++) {
            int frame = i < tableFrames.length ? tableFrames[i] : beyond;
            ram.write64(((long) directories[i / TABLE] << PhysicalMemory.FRAME_SHIFT) + i % TABLE * Long.BYTES,
                    (long) frame << PhysicalMemory.FRAME_SHIFT | READ_ONLY);
        }
    }

    /** Sets the pseudo-physical frame number of {@code mfn}; any value, of which those of more than 32 bits are invalid. */
    void set(int mfn, long pfn) {
        int frame = mfn / ENTRIES_PER_FRAME;
        if (frame < tableFrames.length) {
            ram.write32(
                    ((long) tableFrames[frame] << PhysicalMemory.FRAME_SHIFT) + mfn % ENTRIES_PER_FRAME * Integer.BYTES,
                    pfn >>> Integer.SIZE == 0 ? (int) pfn : INVALID);
        }
    }

    /** Level-2 entry that maps the 2 MiB with number {@code index} of the table; 0 beyond its end. */
    long l2Entry(int index) {
        return index < directories.length ? (long) directories[index] << PhysicalMemory.FRAME_SHIFT | DIRECTORY : 0;
    }

    /** Number of 2 MiB extents of the table. */
    int extents() {
        return directories.length;
    }

    /** The frame that {@code extent} starts with. */
    int extentFrame(int extent) {
        return tableFrames[extent * TABLE];
    }
}
