package dev.xenolith.hypervisor.memory;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.paging.Mmu;

/**
 * The door to a PV guest's memory at linear addresses, as hypercalls name it: through the MMU of the processor that the guest's
 * vCPU is on, with the rights of a supervisor, so that read-only pages stay read-only. Refuses the hypervisor's own range. Nothing
 * here throws for what a guest does.
 *
 * <p>Structures are copied once, checked, then acted on: what has been read here is not read again. A copy that meets a page that is
 * not there stops before it and says how much is missing.
 */
public final class GuestLinear {
    private static final int PAGE_MASK = PhysicalMemory.FRAME_SIZE - 1;
    private static final long FAULT = -1;

    private final Mmu mmu;
    private final PhysicalMemory ram;

    public GuestLinear(Mmu mmu, PhysicalMemory ram) {
        this.mmu = mmu;
        this.ram = ram;
    }

    /** Whether a 64-bit PV guest may use {@code linear}: canonical, and not the hypervisor's. */
    public static boolean isGuestAddress(long linear) {
        return linear >= 0 ? linear < 1L << 47 : linear >= 0xffff_8800_0000_0000L;
    }

    /** Copies {@code length} bytes at {@code linear}, any value, to {@code target}. Returns how many are missing: 0 for success. */
    public int read(long linear, byte[] target, int offset, int length) {
        for (int done = 0; done < length;) {
            int chunk = Math.min(length - done, PhysicalMemory.FRAME_SIZE - (int) (linear + done & PAGE_MASK));
            long physical = translate(linear + done, Mmu.READ);
            if (physical == FAULT) {
                return length - done;
            }
            ram.copyOut(physical, target, offset + done, chunk);
            done += chunk;
        }
        return 0;
    }

    /** Copies {@code length} bytes of {@code source} to {@code linear}, any value. Returns how many are missing: 0 for success. */
    public int write(long linear, byte[] source, int offset, int length) {
        for (int done = 0; done < length;) {
            int chunk = Math.min(length - done, PhysicalMemory.FRAME_SIZE - (int) (linear + done & PAGE_MASK));
            long physical = translate(linear + done, Mmu.WRITE);
            if (physical == FAULT) {
                return length - done;
            }
            ram.copyIn(source, offset + done, physical, chunk);
            done += chunk;
        }
        return 0;
    }

    /** Physical address of {@code linear} for an access {@link Mmu#READ} or {@link Mmu#WRITE}, or -1 if the guest may not make it. */
    public long translate(long linear, int access) {
        if (!isGuestAddress(linear)) {
            return FAULT;
        }
        long physical = mmu.translate(linear, access, Mmu.SUPERVISOR);
        return physical >= 0 && ram.isMemory(physical >>> PhysicalMemory.FRAME_SHIFT) ? physical : FAULT;
    }
}
