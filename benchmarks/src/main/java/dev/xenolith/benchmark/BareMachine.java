package dev.xenolith.benchmark;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.translate.Translation;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;

/**
 * A processor in 64-bit mode that owns ring 0, with 1 GiB identity-mapped by 2 MiB pages, about to execute a few bytes of code: what
 * the processor's benchmarks run on.
 */
final class BareMachine implements AutoCloseable {
    private static final long MEMORY = 64 << 20;
    private static final long L4 = 0x1000;
    private static final long L3 = 0x2000;
    private static final long L2 = 0x3000;
    private static final long GDT = 0x4000;
    private static final long IDT = 0x5000;
    private static final long HANDLER = 0x6000;
    private static final int CODE_SELECTOR = 8;
    private static final int GDT_LIMIT = 2 * 8 - 1;
    private static final int IDT_LIMIT = 32 * 16 - 1;
    private static final long INTERRUPT_GATE = 0x8e00_0000_0000L;
    private static final long TABLE = 0x3;
    private static final long PAGE_2M = 0x83;
    static final long CODE = 0x20_0000;
    static final long DATA = 0x40_0000;
    /** Where there is room for {@link #MEMORY} less this of code. */
    static final long LARGE_CODE = 0x100_0000;
    private static final long STACK = 0x60_0000;

    private static final int CODE_64 = 0xa09b;
    private static final int DATA_RW = 0xc093;

    private final Machine machine;
    final Processor processor;

    BareMachine(int... code) {
        this(Translation.byDefault(), code);
    }

    /** One that translates hot code as {@code translation} says. */
    BareMachine(Translation translation, int... code) {
        machine = Machine.of(new Machine.Configuration(ClockMode.VIRTUAL, 1, translation),
                new Machine.Hardware(MEMORY, 1, CpuModel.intel()));
        var memory = machine.memory();
        memory.write64(L4, L3 | TABLE);
        memory.write64(L3, L2 | TABLE);
        for (int i = 0; i < 512; i++) {
            memory.write64(L2 + i * 8L, (long) i << 21 | PAGE_2M);
        }
        for (int i = 0; i < code.length; i++) {
            memory.write8(CODE + i, code[i]);
        }
        processor = machine.processors().getFirst();
        ControlRegisters.writeCr4(processor, Bits.CR4_PAE);
        ControlRegisters.writeEfer(processor, Bits.EFER_LME);
        ControlRegisters.writeCr3(processor, L4);
        ControlRegisters.writeCr0(processor, Bits.CR0_PE | Bits.CR0_WP | Bits.CR0_PG);
        for (int segment = Processor.ES; segment <= Processor.GS; segment++) {
            processor.segmentAttributes[segment] = segment == Processor.CS ? CODE_64 : DATA_RW;
            processor.segmentLimit[segment] = 0xffff_ffffL;
        }
        memory.write64(GDT + CODE_SELECTOR, 0x00af_9b00_0000_ffffL);
        processor.gdtBase = GDT;
        processor.gdtLimit = GDT_LIMIT;
        processor.segmentSelector[Processor.CS] = CODE_SELECTOR;
        processor.updateContext();
        processor.rip = CODE;
        processor.gpr[Processor.RSP] = STACK;
        processor.gpr[Processor.RSI] = DATA;
        processor.gpr[Processor.RDI] = DATA + 0x1000;
    }

    /** Writes {@code code} at {@code address}. */
    void load(long address, byte[] code) {
        machine.memory().copyIn(code, 0, address, code.length);
    }

    /** Has {@code code} run at exceptions of {@code vector}, below 32. */
    void handle(int vector, int... code) {
        for (int i = 0; i < code.length; i++) {
            machine.memory().write8(HANDLER + i, code[i]);
        }
        machine.memory().write64(IDT + 16L * vector, INTERRUPT_GATE | CODE_SELECTOR << 16 | HANDLER);
        processor.idtBase = IDT;
        processor.idtLimit = IDT_LIMIT;
    }

    /** How many blocks the interpreter has built so far. */
    long blocksBuilt() {
        return machine.interpreter().statistics().blocksBuilt();
    }

    /** How many instructions units have executed so far. */
    long executedInUnits() {
        return machine.interpreter().unitStatistics().instructions();
    }

    @Override
    public void close() {
        machine.close();
    }
}
