package dev.xenolith.cpu.processor;

import java.util.Arrays;

/** Power-up, INIT and start-up of a processor (SDM 3A 9.1, 8.4; table 9-1). */
final class Reset {
    private static final int REAL_DATA = Segment.WRITABLE | Segment.ACCESSED | Segment.NON_SYSTEM | Segment.PRESENT;
    private static final int FIRST_SELECTOR = 0xf000;
    private static final long FIRST_BASE = 0xffff_0000L;
    private static final long FIRST_OFFSET = 0xfff0;

    private static final int FIRST_MXCSR = 0x1f80;

    private Reset() {}

    /** The state after power-up: the bootstrap processor is about to fetch from FFFFFFF0h, the others wait for a start-up IPI. */
    static void powerUp(Processor p) {
        p.apic.powerUp();
        p.msr.reset(p.model);
        p.smbase = SystemManagement.FIRST_SMBASE;
        p.xcr0 = 1;
        p.setPkru(0);
        p.fpu.powerUp();
        p.setMxcsr(FIRST_MXCSR);
        Arrays.fill(p.vector, 0);
        p.cr0 = Bits.CR0_CD | Bits.CR0_NW | Bits.CR0_ET;
        common(p);
    }

    /**
     * INIT: as power-up, but caches, TSC, model-specific registers, SMBASE, XCR0 and the x87, MMX, SSE and AVX registers stay (SDM
     * 3A table 9-1).
     */
    static void init(Processor p) {
        p.cr0 = p.cr0 & (Bits.CR0_CD | Bits.CR0_NW) | Bits.CR0_ET;
        common(p);
    }

    private static void common(Processor p) {
        Arrays.fill(p.gpr, 0, 16, 0);
        p.gpr[Processor.RDX] = p.model.signature() & 0xffff_ffffL;
        for (int segment = Processor.ES; segment <= Processor.TR; segment++) {
            p.segmentSelector[segment] = 0;
            p.segmentBase[segment] = 0;
            p.segmentLimit[segment] = 0xffff;
            p.segmentAttributes[segment] = REAL_DATA;
        }
        p.segmentSelector[Processor.CS] = FIRST_SELECTOR;
        p.segmentBase[Processor.CS] = FIRST_BASE;
        p.segmentAttributes[Processor.LDTR] = Segment.TYPE_LDT | Segment.PRESENT;
        p.segmentAttributes[Processor.TR] = Segment.TYPE_TSS_BUSY | Segment.PRESENT;
        p.rip = FIRST_BASE + FIRST_OFFSET;
        p.gdtBase = 0;
        p.gdtLimit = 0xffff;
        p.idtBase = 0;
        p.idtLimit = 0xffff;
        p.cpl = 0;
        p.cr2 = 0;
        p.cr4 = 0;
        p.efer = 0;
        Arrays.fill(p.dr, 0, 4, 0);
        p.dr[6] = Bits.DR6_FIXED;
        p.dr[7] = Bits.DR7_FIXED;
        p.pendingDebug = 0;
        p.shadowEnd = 0;
        p.nmiPending = false;
        p.nmiBlocked = false;
        p.inSystemManagement = false;
        p.wake();
        p.disarmMonitor();
        p.waitsForStartup = !p.apic.isBootstrap();
        p.setRflags(Bits.RFLAGS_FIXED);
        p.setCr3(0, 0);
        ControlRegisters.configureMmu(p);
        p.breakpointsChanged();
    }

    /** A start-up IPI: execution begins in real-address mode at {@code vector} pages. */
    static void startUp(Processor p, int vector) {
        p.waitsForStartup = false;
        p.segmentSelector[Processor.CS] = vector << 8;
        p.segmentBase[Processor.CS] = (long) vector << 12;
        p.rip = p.segmentBase[Processor.CS];
        p.updateContext();
    }
}
