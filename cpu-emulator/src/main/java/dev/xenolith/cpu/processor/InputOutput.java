package dev.xenolith.cpu.processor;

/** IN and OUT: the permission check (SDM 1 19.5) and the way to the bus. */
public final class InputOutput {
    private static final int TSS_IO_MAP_BASE = 102;

    private InputOutput() {}

    /** The {@code size} (1, 2, 4) bytes at {@code port}, zero-extended. */
    public static long in(Processor p, long port, int size) {
        int number = (int) port & 0xffff;
        checkPermission(p, number, size);
        p.publishTime();
        Breakpoints.notePort(p, number, size);
        long value = p.ioBus.in(number, size);
        if (p.monitor != null) {
            p.monitor.portAccess(p, number, size, value, false);
        }
        return value;
    }

    /** Writes the low {@code size} (1, 2, 4) bytes of {@code value}. */
    public static void out(Processor p, long port, int size, long value) {
        int number = (int) port & 0xffff;
        checkPermission(p, number, size);
        p.publishTime();
        Breakpoints.notePort(p, number, size);
        long written = size == 4 ? value & 0xffff_ffffL : value & (1L << size * 8) - 1;
        if (p.monitor != null) {
            p.monitor.portAccess(p, number, size, written, true);
        }
        p.ioBus.out(number, size, written);
        // A device may have moved a deadline or raised an interrupt.
        p.post(Processor.POLL_EVENT);
    }

    /**
     * CPL within IOPL, or all bits of the ports clear in the map of a 32- or 64-bit TSS; in virtual-8086 mode only the map counts. A
     * hosted processor has no map.
     */
    static void checkPermission(Processor p, int port, int size) {
        if (p.cpl <= p.iopl() && !p.isVirtual8086()) {
            return;
        }
        if (p.hosted || (p.segmentAttributes[Processor.TR] & Segment.UNUSABLE) != 0
                || (p.segmentAttributes[Processor.TR] & Segment.TYPE_WIDE) == 0) {
            throw p.raise(Vector.GP, 0);
        }
        long limit = p.segmentLimit[Processor.TR];
        long base = p.segmentBase[Processor.TR];
        if (limit < TSS_IO_MAP_BASE + 1) {
            throw p.raise(Vector.GP, 0);
        }
        long at = p.loadSystem(base + TSS_IO_MAP_BASE, 2) + (port >>> 3);
        if (at + 1 > limit) {
            throw p.raise(Vector.GP, 0);
        }
        long bits = p.loadSystem(base + at, 2) >>> (port & 7);
        if ((bits & (1 << size) - 1) != 0) {
            throw p.raise(Vector.GP, 0);
        }
    }
}
