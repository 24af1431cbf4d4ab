package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.memory.PhysicalMemory;

/**
 * A debugger's view of memory through a processor's present paging: no rights are checked, no accessed or dirty flag is set, no TLB
 * entry is made, and nothing faults. Devices are not reached, for reading some of them changes them. Between runs only.
 */
public final class DebugAccess {
    private DebugAccess() {}

    /**
     * Copies what is at linear address {@code linear} to the first {@code length} bytes of {@code into}. Returns how many bytes
     * there were before the first that is not mapped to memory.
     */
    public static int read(Processor p, long linear, byte[] into, int length) {
        return walk(p, linear, into, length, false);
    }

    /** The other way round; ROM is written too. Code that changes is decoded anew. */
    public static int write(Processor p, long linear, byte[] from, int length) {
        return walk(p, linear, from, length, true);
    }

    private static int walk(Processor p, long linear, byte[] bytes, int length, boolean write) {
        PhysicalMemory memory = p.mmu().memory();
        int done = 0;
        while (done < length) {
            long at = linear + done;
            int part = (int) Math.min(length - done, PhysicalMemory.FRAME_SIZE - (at & PhysicalMemory.FRAME_SIZE - 1));
            long physical = physical(p, at);
            if (physical < 0 || !memory.isMemory(physical >>> PhysicalMemory.FRAME_SHIFT)) {
                return done;
            }
            if (write) {
                memory.copyIn(bytes, done, physical, part);
            } else {
                memory.copyOut(physical, bytes, done, part);
            }
            done += part;
        }
        return done;
    }

    /** Physical address of {@code linear}, or -1. */
    private static long physical(Processor p, long linear) {
        return !p.isLongMode() && linear >>> 32 != 0 ? -1 : p.mmu().inspect(linear);
    }
}
