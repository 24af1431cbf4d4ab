package dev.xenolith.device.board;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.OperatingMode;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Segment;
import dev.xenolith.device.boot.BootEntry;

/** Puts a processor that has been reset into the state in which a boot protocol enters software. */
final class ProcessorStart {
    private static final int CODE_32 = Segment.CODE | Segment.READABLE | Segment.ACCESSED | Segment.NON_SYSTEM
            | Segment.PRESENT | Segment.DEFAULT_32 | Segment.GRANULARITY;

    private ProcessorStart() {}

    /** Enters what a boot protocol has loaded. */
    static void enter(Processor p, BootEntry entry) {
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
