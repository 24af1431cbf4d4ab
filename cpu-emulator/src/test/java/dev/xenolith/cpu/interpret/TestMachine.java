package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.paging.FlushClock;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Segment;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.cpu.translate.Translation;
import java.util.HexFormat;

/** One hosted processor in 64-bit mode at CPL 3 with a little memory, all of it mapped where it is in 4 KiB pages. */
final class TestMachine implements AutoCloseable {
    static final long MEMORY = 4 << 20;
    /** Where tests put code. */
    static final long CODE = 0x10_0000;
    /** Where tests put data. */
    static final long DATA = 0x20_0000;
    /** Top of the stack. */
    static final long STACK = 0x30_0000;
    private static final long TABLES = 0x1000;
    private static final long PAGE_TABLES = TABLES + 3 * 0x1000;
    private static final int PRESENT = 1;
    private static final int WRITABLE = 2;
    private static final int USER = 4;

    final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(MEMORY));
    final MachineClock clock = new MachineClock();
    final Interpreter interpreter;
    final Processor cpu;

    TestMachine() {
        CpuModel model = CpuModel.amd();
        interpreter = new Interpreter(memory, model::has);
        Translation.byDefault().install(interpreter, model::has);
        cpu = new Processor(0, clock, interpreter, new PhysicalMap(memory), new FlushClock(), model);
        memory.write64(TABLES, TABLES + 0x1000 | PRESENT | WRITABLE | USER);
        memory.write64(TABLES + 0x1000, TABLES + 0x2000 | PRESENT | WRITABLE | USER);
        for (long page = 0; page < MEMORY >> 12; page++) {
            if ((page & 511) == 0) {
                memory.write64(TABLES + 0x2000 + (page >> 9) * 8,
                        PAGE_TABLES + (page >> 9) * 0x1000 | PRESENT | WRITABLE | USER);
            }
            map(page << 12, page << 12, WRITABLE);
        }
        cpu.hosted = true;
        ControlRegisters.writeCr4(cpu, Bits.CR4_PAE);
        ControlRegisters.writeEfer(cpu, Bits.EFER_LME | Bits.EFER_SCE);
        ControlRegisters.writeCr3(cpu, TABLES);
        ControlRegisters.writeCr0(cpu, Bits.CR0_PE | Bits.CR0_PG | Bits.CR0_WP | Bits.CR0_NE);
        cpu.cpl = 3;
        cpu.segmentAttributes[Processor.CS] = Segment.CODE_64 | 3 << Segment.DPL_SHIFT;
        cpu.segmentAttributes[Processor.SS] = Segment.DATA | 3 << Segment.DPL_SHIFT;
        cpu.updateContext();
        cpu.gpr[Processor.RSP] = STACK;
        cpu.rip = CODE;
    }

    /** Maps the page at {@code linear} to {@code physical}; {@code flags} WRITABLE or 0. Flushes it. */
    void map(long linear, long physical, int flags) {
        memory.write64(PAGE_TABLES + (linear >> 12) * 8, physical | PRESENT | USER | flags);
        cpu.flushPage(linear);
    }

    /** Makes the page at {@code linear} not present. */
    void unmap(long linear) {
        memory.write64(PAGE_TABLES + (linear >> 12) * 8, 0);
        cpu.flushPage(linear);
    }

    void protect(long linear) {
        map(linear, linear, 0);
    }

    /** Puts code, as hexadecimal bytes with spaces, at {@code address}. */
    TestMachine code(long address, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        memory.copyIn(bytes, 0, address, bytes.length);
        return this;
    }

    /** Runs until something other than the budget ends the run, at most {@code count} instructions. */
    Stop run(long count) {
        return cpu.run(count);
    }

    @Override
    public void close() {
        memory.close();
    }
}
