package dev.xenolith.cpu.oracle;

import java.util.Arrays;
import java.util.List;

import dev.xenolith.cpu.interpret.Interpreter;
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

/**
 * Runs snippets on an emulated processor in hosted mode, whose hypervisor we are: page tables as {@link AddressMap} says, a GDT
 * and gates as Linux has them, ring 3. What would enter ring 0 ends the snippet.
 */
final class EmulatedRunner implements SnippetRunner {
    /** A snippet that is not through by then is taken for endless, as the other runner's timer does. */
    private static final long BUDGET = 200_000;

    private static final long MEMORY_BYTES = 4 << 20;
    private static final int PAGE = AddressMap.PAGE;

    /** Where in physical memory things are. */
    private static final long GDT = 0x1_0000;
    private static final long CODE = 0x2_0000;
    private static final long READ_ONLY_LOW = 0x3_0000;
    private static final long WRITABLE = 0x3_1000;
    private static final long READ_ONLY_HIGH = 0x3_3000;
    private static final long WRITABLE_TOP = 0x3_4000;
    private static final long TABLES = 0x10_0000;

    /** Out of the snippets' reach. */
    private static final long GDT_LINEAR = 0xffff_8000_0000_0000L;

    /** As linux/arch/x86/kernel/cpu/common.c, cpu_gdt_page, from selector 8 on; the LDT and TLS entries are empty. */
    private static final long[] DESCRIPTORS = {0x00cf_9b00_0000_ffffL, 0x00af_9b00_0000_ffffL, 0x00cf_9300_0000_ffffL,
        0x00cf_fb00_0000_ffffL, 0x00cf_f300_0000_ffffL, 0x00af_fb00_0000_ffffL, 0, 0x0000_8b00_0000_206fL, 0, 0, 0, 0,
        0, 0, 0x0040_f500_0000_0000L};
    private static final int GDT_LIMIT = 0x7f;

    private static final long PRESENT = 1;
    private static final long WRITE = 1 << 1;
    private static final long USER = 1 << 2;
    private static final long NO_EXECUTE = 1L << 63;

    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(MEMORY_BYTES));
    private final byte[] filler = new byte[Snippet.MAXIMUM_CODE_BYTES];
    private Processor processor;
    private long nextTable = TABLES + PAGE;

    EmulatedRunner() {
        Arrays.fill(filler, AddressMap.INT3);
        memory.fill(CODE, AddressMap.CODE_BYTES, AddressMap.INT3);
        memory.copyIn(AddressMap.readOnlyContents(AddressMap.READ_ONLY_LOW), 0, READ_ONLY_LOW, PAGE);
        memory.copyIn(AddressMap.readOnlyContents(AddressMap.READ_ONLY_HIGH), 0, READ_ONLY_HIGH, PAGE);
        for (int i = 0; i < DESCRIPTORS.length; i++) {
            memory.write64(GDT + 8 * (i + 1), DESCRIPTORS[i]);
        }
        if (!HostCode.has32Bit()) {
            memory.write64(GDT + (AddressMap.CODE_SELECTOR_32 & -8), 0);
        }
        map(AddressMap.CODE, CODE, 2, USER);
        map(AddressMap.READ_ONLY_LOW, READ_ONLY_LOW, 1, USER | NO_EXECUTE);
        map(AddressMap.WRITABLE, WRITABLE, 2, USER | WRITE | NO_EXECUTE);
        map(AddressMap.READ_ONLY_HIGH, READ_ONLY_HIGH, 1, USER | NO_EXECUTE);
        map(AddressMap.WRITABLE_TOP, WRITABLE_TOP, 1, USER | WRITE | NO_EXECUTE);
        map(GDT_LINEAR, GDT, 1, WRITE | NO_EXECUTE);
        processor = newProcessor();
    }

    private void map(long linear, long physical, int pages, long rights) {
        for (int i = 0; i < pages; i++) {
            long table = TABLES;
            for (int level = 3; level > 0; level--) {
                long entry = table + (linear >>> 12 + 9 * level & 511) * 8;
                if (memory.read64(entry) == 0) {
                    memory.write64(entry, nextTable | PRESENT | WRITE | USER);
                    nextTable += PAGE;
                }
                table = memory.read64(entry) & -PAGE;
            }
            memory.write64(table + (linear >>> 12 & 511) * 8, physical | PRESENT | rights);
            linear += PAGE;
            physical += PAGE;
        }
    }

    /** Of the host's vendor, in 64-bit mode, with alignment checks. */
    private Processor newProcessor() {
        CpuModel model = HostCode.isIntel() ? CpuModel.intel() : CpuModel.amd();
        Interpreter interpreter = new Interpreter(memory, feature -> true);
        Translation.byDefault().install(interpreter, feature -> true);
        Processor p = new Processor(0, new MachineClock(), interpreter, new PhysicalMap(memory), new FlushClock(),
                model);
        p.hosted = true;
        p.vectorDpl[3] = 3;
        p.vectorDpl[4] = 3;
        p.vectorDpl[0x80] = (byte) (HostCode.has32Bit() ? 3 : 0);
        p.gdtBase = GDT_LINEAR;
        p.gdtLimit = GDT_LIMIT;
        boolean accepted = ControlRegisters.writeEfer(p, Bits.EFER_SCE | Bits.EFER_LME | Bits.EFER_NXE)
                && ControlRegisters.writeCr4(p, Bits.CR4_PAE | Bits.CR4_FSGSBASE)
                && ControlRegisters.writeCr3(p, TABLES)
                && ControlRegisters.writeCr0(p, Bits.CR0_PE | Bits.CR0_MP | Bits.CR0_ET | Bits.CR0_NE | Bits.CR0_WP
                        | Bits.CR0_AM | Bits.CR0_PG);
        if (!accepted) {
            throw new IllegalStateException("the processor does not enter 64-bit mode");
        }
        // Whatever the model has of it: the rows under test need not be complete.
        p.cr4 |= Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT | Bits.CR4_OSXSAVE;
        p.xcr0 = 7;
        p.updateContext();
        return p;
    }

    @Override
    public void run(List<Snippet> snippets, List<Outcome> outcomes) {
        for (int i = 0; i < snippets.size(); i++) {
            run(snippets.get(i), outcomes.get(i));
        }
    }

    private void run(Snippet snippet, Outcome outcome) {
        memory.copyIn(snippet.pages, 0, WRITABLE, 2 * PAGE);
        memory.copyIn(snippet.pages, AddressMap.TOP_OFFSET, WRITABLE_TOP, PAGE);
        memory.copyIn(snippet.code, 0, CODE + snippet.entry, snippet.code.length);
        load(snippet);
        try {
            store(processor.run(BUDGET), outcome);
        } catch (RuntimeException | StackOverflowError e) {
            outcome.ending = Outcome.Ending.CRASH;
            outcome.note = e + " at " + Arrays.stream(e.getStackTrace()).limit(3).toList();
            processor = newProcessor();
        }
        memory.copyIn(filler, 0, CODE + snippet.entry, snippet.code.length);
        memory.copyOut(WRITABLE, outcome.pages, 0, 2 * PAGE);
        memory.copyOut(WRITABLE_TOP, outcome.pages, AddressMap.TOP_OFFSET, PAGE);
    }

    private void load(Snippet snippet) {
        Registers registers = snippet.registers;
        Processor p = processor;
        System.arraycopy(registers.gpr, 0, p.gpr, 0, 16);
        p.rip = snippet.start();
        p.cpl = 3;
        for (int i = 0; i < 6; i++) {
            loadSegment(i, registers.selector[i]);
        }
        if (snippet.is64Bit()) {
            p.segmentBase[Processor.FS] = registers.fsBase;
            p.segmentBase[Processor.GS] = registers.gsBase;
        }
        p.setRflags(registers.rflags);
        FxImage.load(p, snippet.fx, snippet.ymmHigh);
        p.updateContext();
    }

    private void loadSegment(int segment, int selector) {
        Processor p = processor;
        p.segmentSelector[segment] = selector;
        p.segmentBase[segment] = 0;
        if ((selector & ~3) == 0) {
            p.segmentLimit[segment] = 0;
            p.segmentAttributes[segment] = Segment.UNUSABLE;
        } else {
            p.segmentLimit[segment] = 0xffff_ffffL;
            p.segmentAttributes[segment] = (int) (DESCRIPTORS[(selector >> 3) - 1] >>> 40) & 0xf0ff;
        }
    }

    private void store(Stop stop, Outcome outcome) {
        Processor p = processor;
        System.arraycopy(p.gpr, 0, outcome.registers.gpr, 0, 16);
        System.arraycopy(p.segmentSelector, 0, outcome.registers.selector, 0, 6);
        outcome.registers.rflags = p.rflags();
        outcome.registers.fsBase = p.segmentBase[Processor.FS];
        outcome.registers.gsBase = p.segmentBase[Processor.GS];
        FxImage.store(p, outcome.fx, outcome.ymmHigh);
        outcome.rip = p.rip;
        outcome.vector = 0;
        outcome.errorCode = 0;
        outcome.cr2 = 0;
        switch (stop.kind) {
            case BUDGET -> outcome.ending = Outcome.Ending.TIMEOUT;
            case ENTRY -> {
                outcome.ending = Outcome.Ending.SYSTEM_CALL;
                outcome.vector = 0x100;
            }
            case EXCEPTION -> {
                outcome.vector = stop.vector;
                outcome.ending = stop.software && stop.vector == 0x80
                        ? Outcome.Ending.SYSTEM_CALL
                        : Outcome.Ending.EXCEPTION;
                outcome.errorCode = stop.hasErrorCode ? stop.errorCode : 0;
                outcome.cr2 = stop.vector == Outcome.PAGE_FAULT ? p.cr2 : 0;
            }
            default -> {
                outcome.ending = Outcome.Ending.CRASH;
                outcome.note = "stopped with " + stop.kind;
            }
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
