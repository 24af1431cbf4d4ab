package dev.xenolith.device.board;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.OperatingMode;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Segment;
import dev.xenolith.device.boot.BootEntry;
import java.util.Arrays;

/** Puts a processor into the states in which software first meets it: after reset, after INIT and SIPI, at a boot protocol's entry. */
final class ProcessorStart {
    private static final int REAL_DATA = Segment.WRITABLE | Segment.ACCESSED | Segment.NON_SYSTEM | Segment.PRESENT;
    private static final int REAL_CODE = REAL_DATA | Segment.CODE;
    private static final int CODE_32 = Segment.CODE | Segment.READABLE | Segment.ACCESSED | Segment.NON_SYSTEM
            | Segment.PRESENT | Segment.DEFAULT_32 | Segment.GRANULARITY;
    private static final int TYPE_LDT = 2;
    private static final int TYPE_BUSY_TSS = 11;
    private static final int RESET_SELECTOR = 0xf000;
    private static final long RESET_BASE = 0xffff_0000L;
    private static final long RESET_IP = 0xfff0;
    /** Family 6: what RDX holds after reset. */
    private static final long RESET_RDX = 0x600;

    private ProcessorStart() {}

    /** The state after power-up or RESET (SDM 3A, table 9-1). */
    static void reset(Processor p) {
        Arrays.fill(p.gpr, 0);
        p.gpr[Processor.RDX] = RESET_RDX;
        for (int segment = Processor.ES; segment <= Processor.TR; segment++) {
            set(p, segment, 0, 0, 0xffff, REAL_DATA);
        }
        set(p, Processor.CS, RESET_SELECTOR, RESET_BASE, 0xffff, REAL_CODE);
        p.segmentAttributes[Processor.LDTR] = TYPE_LDT | Segment.PRESENT;
        p.segmentAttributes[Processor.TR] = TYPE_BUSY_TSS | Segment.PRESENT;
        p.cpl = 0;
        p.rip = RESET_BASE + RESET_IP;
        p.setRflags(Bits.RFLAGS_FIXED);
        p.gdtBase = 0;
        p.gdtLimit = 0xffff;
        p.idtBase = 0;
        p.idtLimit = 0xffff;
        p.cr2 = 0;
        p.setCr3(0, 0);
        ControlRegisters.set(p, Bits.CR0_ET | Bits.CR0_NW | Bits.CR0_CD, 0, 0);
        p.flushAll();
        p.halted = false;
        p.nmiPending = false;
        p.nmiBlocked = false;
    }

    /** A start-up IPI with {@code vector}: real-address mode at vector * 4 KiB. The processor has been reset. */
    static void startUp(Processor p, int vector) {
        set(p, Processor.CS, vector << 8, (long) vector << 12, 0xffff, REAL_CODE);
        p.rip = (long) vector << 12;
        p.updateContext();
    }

    /** Enters what a boot protocol has loaded. */
    static void enter(Processor p, BootEntry entry) {
        reset(p);
        if (entry.mode() == OperatingMode.REAL) {
            return;
        }
        p.gdtBase = entry.gdt();
        p.gdtLimit = BootEntry.GDT_LIMIT;
        if (entry.mode() == OperatingMode.LONG) {
            p.enterLongMode(0);
            p.segmentSelector[Processor.CS] = BootEntry.CODE_SELECTOR;
            for (int segment : new int[]{Processor.ES, Processor.SS, Processor.DS}) {
                p.segmentSelector[segment] = BootEntry.DATA_SELECTOR;
            }
            p.setCr3(entry.pageTables(), 0);
        } else {
            set(p, Processor.CS, BootEntry.CODE_SELECTOR, 0, 0xffff_ffffL, CODE_32);
            for (int segment : new int[]{Processor.ES, Processor.SS, Processor.DS, Processor.FS, Processor.GS}) {
                set(p, segment, BootEntry.DATA_SELECTOR, 0, 0xffff_ffffL, Segment.DATA);
            }
            ControlRegisters.set(p, Bits.CR0_ET | Bits.CR0_PE, 0, 0);
        }
        p.gpr[Processor.RDX] = 0;
        entry.registers().forEach((register, value) -> p.gpr[register] = value);
        p.rip = entry.address();
        p.updateContext();
        p.flushAll();
    }

    private static void set(Processor p, int segment, int selector, long base, long limit, int attributes) {
        p.segmentSelector[segment] = selector;
        p.segmentBase[segment] = base;
        p.segmentLimit[segment] = limit;
        p.segmentAttributes[segment] = attributes;
    }
}
