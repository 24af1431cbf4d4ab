package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.paging.FlushClock;
import dev.xenolith.cpu.time.MachineClock;

/**
 * A bare processor in 32-bit protected mode without paging and without an engine: tests call what instructions call. A GDT with
 * code, data and stacks of every kind, an IDT, and TSSs of both widths; physical addresses are linear ones.
 */
final class LegacyMachine implements AutoCloseable {
    static final long GDT = 0x1000;
    static final long IDT = 0x2000;
    static final long TASK = 0x4000;
    static final long TASK_16 = 0x5000;
    static final long NEXT = 0x6000;
    static final long NEXT_16 = 0x7000;
    /** Tops of the stacks of rings 0 and 3, and of that in the TSS for ring 0. */
    static final long STACK_0 = 0x1_0000;
    static final long STACK_3 = 0x2_0000;
    static final long INNER = 0x3_0000;

    static final int CODE_0 = 0x08;
    static final int DATA_0 = 0x10;
    static final int CODE_3 = 0x1b;
    static final int DATA_3 = 0x23;
    static final int CONFORMING = 0x28;
    static final int CODE_0_16 = 0x30;
    static final int DATA_0_16 = 0x38;
    static final int TSS = 0x40;
    static final int TSS_16 = 0x48;
    static final int NEXT_TSS = 0x50;
    static final int NEXT_TSS_16 = 0x58;
    static final int LDT = 0x60;
    /** For what a test needs. */
    static final int SPARE = 0x68;
    static final int SPARE_2 = 0x70;
    static final int GDT_LIMIT = 0x7f;

    static final int CODE = Segment.CODE | Segment.READABLE | Segment.NON_SYSTEM | Segment.PRESENT | Segment.DEFAULT_32;
    static final int DATA = Segment.WRITABLE | Segment.NON_SYSTEM | Segment.PRESENT | Segment.DEFAULT_32;
    static final int DPL_3 = 3 << Segment.DPL_SHIFT;

    final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(4 << 20));
    final Processor p;

    LegacyMachine() {
        this(CpuModel.intel());
    }

    LegacyMachine(CpuModel model) {
        p = new Processor(0, new MachineClock(), Engine.NONE, new PhysicalMap(memory), new FlushClock(), model);
        p.reset();
        define(CODE_0, 0, 0xfffff, CODE);
        define(DATA_0, 0, 0xfffff, DATA);
        define(CODE_3, 0, 0xfffff, CODE | DPL_3);
        define(DATA_3, 0, 0xfffff, DATA | DPL_3);
        define(CONFORMING, 0, 0xfffff, CODE | Segment.CONFORMING);
        define(CODE_0_16, 0, 0xffff, CODE & ~Segment.DEFAULT_32);
        define(DATA_0_16, 0, 0xffff, DATA & ~Segment.DEFAULT_32);
        define(TSS, TASK, 0x67, Segment.TYPE_TSS_AVAILABLE | Segment.PRESENT);
        define(TSS_16, TASK_16, 0x2b, Segment.TYPE_TSS_16_AVAILABLE | Segment.PRESENT);
        define(NEXT_TSS, NEXT, 0x67, Segment.TYPE_TSS_AVAILABLE | Segment.PRESENT);
        define(NEXT_TSS_16, NEXT_16, 0x2b, Segment.TYPE_TSS_16_AVAILABLE | Segment.PRESENT);
        define(LDT, 0x3000, 0xff, Segment.TYPE_LDT | Segment.PRESENT);
        p.gdtBase = GDT;
        p.gdtLimit = GDT_LIMIT;
        p.idtBase = IDT;
        p.idtLimit = 0x7ff;
        ControlRegisters.writeCr0(p, Bits.CR0_PE | Bits.CR0_ET | Bits.CR0_NE);
        enterRing(0);
        Segmentation.ltr(p, TSS);
        memory.write(TASK + 4, 4, INNER);
        memory.write(TASK + 8, 4, DATA_0);
        memory.write(TASK_16 + 2, 2, 0x8000);
        memory.write(TASK_16 + 4, 2, DATA_0_16);
    }

    /** Writes a descriptor; {@code limit} in bytes, or with G in pages less one. */
    void define(int selector, long base, long limit, int attributes) {
        memory.write64(GDT + (selector & ~7), limit & 0xffff | (base & 0xff_ffff) << 16
                | (long) (attributes & 0xf0ff) << 40 | (limit >>> 16 & 0xf) << 48 | (base >>> 24 & 0xff) << 56);
    }

    static long gate(int selector, long offset, int type, int dpl, int parameters) {
        return offset & 0xffff | (long) selector << 16 | (long) parameters << 32
                | (long) (type | Segment.PRESENT | dpl << Segment.DPL_SHIFT) << 40 | (offset >>> 16 & 0xffff) << 48;
    }

    void defineGate(int selector, long gate) {
        memory.write64(GDT + (selector & ~7), gate);
    }

    void handler(int vector, long gate) {
        memory.write64(IDT + 8L * vector, gate);
    }

    /** Puts flat code and data of ring 0 or 3 into the segment registers. */
    void enterRing(int ring) {
        p.cpl = 0;
        set(Processor.CS, ring == 0 ? CODE_0 : CODE_3);
        set(Processor.SS, ring == 0 ? DATA_0 : DATA_3);
        set(Processor.DS, ring == 0 ? DATA_0 : DATA_3);
        set(Processor.ES, ring == 0 ? DATA_0 : DATA_3);
        p.cpl = ring;
        p.gpr[Processor.RSP] = ring == 0 ? STACK_0 : STACK_3;
        p.rip = 0x9_0000;
        p.updateContext();
    }

    void set(int segment, int selector) {
        Segmentation.set(p, segment, selector, memory.read64(GDT + (selector & ~7)));
    }

    /** What {@code instruction} raises, as vector &lt;&lt; 16 | error code; -1 if nothing. */
    int fault(Runnable instruction) {
        try {
            instruction.run();
            return -1;
        } catch (GuestFault fault) {
            return p.faultVector << 16 | p.faultErrorCode;
        }
    }

    static int fault(int vector, int errorCode) {
        return vector << 16 | errorCode;
    }

    int busy(int selector) {
        return (int) memory.read(GDT + selector + 5, 1) & Segment.TYPE_BUSY;
    }

    long stack(long address) {
        return memory.read(address, 4) & 0xffff_ffffL;
    }

    @Override
    public void close() {
        memory.close();
    }
}
