package dev.xenolith.cpu.processor;

/**
 * Breakpoints in debug registers (SDM 3B 18.2). While one is enabled in DR7 the processor executes instruction by instruction and
 * every access takes the slow path, so that nothing else pays for them.
 */
final class Breakpoints {
    private static final int EXECUTE = 0;
    private static final int WRITE = 1;
    private static final int PORT = 2;
    private static final int READ_WRITE = 3;
    /** Bytes of a breakpoint by its LEN field. */
    private static final int[] LENGTH = {1, 2, 8, 4};

    private Breakpoints() {}

    static boolean enabled(Processor p) {
        return (p.dr[7] & Bits.DR7_ENABLED) != 0;
    }

    /**
     * Raises #DB before an instruction at a breakpoint, unless RF says that it has been. Whether it did. After MOV SS and POP SS
     * Intel's processors do not look (SDM 3A 6.8.3), AMD's do.
     */
    static boolean stopBefore(Processor p) {
        if ((p.rflagsSystem & Bits.RFLAGS_RF) != 0) {
            p.rflagsSystem &= ~Bits.RFLAGS_RF;
            return false;
        }
        boolean held = p.model.isIntel() && p.holdsTrap();
        int hits = held ? 0 : matchInstruction(p, p.rip);
        if (hits == 0) {
            return false;
        }
        report(p, hits);
        p.raise(Vector.DB, 0);
        p.fault(0);
        return true;
    }

    /** Sets DR6 for a #DB: B0 to B3 are those of its own breakpoints, the other bits stay until software clears them. */
    static void report(Processor p, long reasons) {
        p.dr[6] = p.dr[6] & ~Bits.DR6_B | reasons;
    }

    /** Sets DR6 for what has been held back of #DB, if anything has. */
    static void reportPending(Processor p) {
        if (p.pendingDebug != 0) {
            report(p, p.pendingDebug);
            p.pendingDebug = 0;
        }
    }

    /** A data access has been made. */
    static void noteData(Processor p, long address, int size, boolean write) {
        if (p.breakpoints) {
            hit(p, matchData(p, address, size, write));
        }
    }

    /** A port is being accessed. */
    static void notePort(Processor p, int port, int size) {
        if (p.breakpoints) {
            hit(p, matchPort(p, port, size));
        }
    }

    private static void hit(Processor p, int hits) {
        if (hits != 0) {
            p.pendingDebug |= hits;
            p.post(Processor.POLL_EVENT);
        }
    }

    /** DR6 bits of the breakpoints on execution at {@code rip}. */
    private static int matchInstruction(Processor p, long rip) {
        int hits = 0;
        for (int i = 0; i < 4; i++) {
            if (isEnabled(p, i) && type(p, i) == EXECUTE && p.dr[i] == rip) {
                hits |= 1 << i;
            }
        }
        return hits;
    }

    /** DR6 bits of the breakpoints on data that the access touches. */
    private static int matchData(Processor p, long address, int size, boolean write) {
        int hits = 0;
        for (int i = 0; i < 4; i++) {
            int type = type(p, i);
            if (isEnabled(p, i) && (type == READ_WRITE || write && type == WRITE) && overlaps(p, i, address, size)) {
                hits |= 1 << i;
            }
        }
        return hits;
    }

    /** DR6 bits of the breakpoints on ports, which exist with CR4.DE. */
    private static int matchPort(Processor p, int port, int size) {
        int hits = 0;
        for (int i = 0; i < 4 && (p.cr4 & Bits.CR4_DE) != 0; i++) {
            if (isEnabled(p, i) && type(p, i) == PORT && overlaps(p, i, port, size)) {
                hits |= 1 << i;
            }
        }
        return hits;
    }

    private static boolean overlaps(Processor p, int i, long address, int size) {
        int length = LENGTH[(int) (p.dr[7] >>> 18 + 4 * i) & 3];
        long start = p.dr[i] & -length;
        return Long.compareUnsigned(address - start, length) < 0 || Long.compareUnsigned(start - address, size) < 0;
    }

    private static boolean isEnabled(Processor p, int i) {
        return (p.dr[7] >>> 2 * i & 3) != 0;
    }

    private static int type(Processor p, int i) {
        return (int) (p.dr[7] >>> 16 + 4 * i) & 3;
    }
}
