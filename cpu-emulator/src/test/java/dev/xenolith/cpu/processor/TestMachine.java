package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.paging.FlushClock;
import dev.xenolith.cpu.time.MachineClock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/**
 * A processor with 16 MiB of memory in long mode, whose instructions are Java lambdas: each retires one, and when the script is
 * empty the rest are NOPs. Linear 0 to 8 MiB are user pages onto the same physical addresses, the same again at {@link #KERNEL}
 * for the supervisor; the tables lie at 12 MiB.
 */
final class TestMachine implements AutoCloseable {
    static final long KERNEL = 0xffff_8000_0000_0000L;
    static final long ROOT = 12 << 20;
    static final long GDT = 0x10_0000;
    static final long IDT = 0x11_0000;
    static final long TSS = 0x12_0000;
    static final int KERNEL_CODE = 0x08;
    static final int KERNEL_DATA = 0x10;
    static final int USER_DATA = 0x1b;
    static final int USER_CODE = 0x23;

    private static final long P_W_U = 7;
    private static final long P_W = 3;

    final MachineClock clock = new MachineClock();
    final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(16 << 20));
    final PhysicalMap map = new PhysicalMap(memory);
    final Deque<Consumer<Processor>> script = new ArrayDeque<>();
    final Processor p;

    TestMachine() {
        this(CpuModel.intel());
    }

    TestMachine(CpuModel model) {
        p = new Processor(0, clock, new ScriptEngine(), map, new FlushClock(), model);
        buildTables();
        memory.write64(GDT + KERNEL_CODE, descriptor(Segment.CODE_64));
        memory.write64(GDT + KERNEL_DATA, descriptor(Segment.DATA));
        memory.write64(GDT + (USER_DATA & ~7), descriptor(Segment.DATA | 3 << Segment.DPL_SHIFT));
        memory.write64(GDT + (USER_CODE & ~7), descriptor(Segment.CODE_64 | 3 << Segment.DPL_SHIFT));
        enterRing(0);
        p.gdtBase = KERNEL + GDT;
        p.gdtLimit = 0xffff;
        p.idtBase = KERNEL + IDT;
        p.idtLimit = 0xfff;
        p.setCr3(ROOT, 0);
    }

    /** A descriptor with these attributes, base 0 and all of the limit. */
    static long descriptor(int attributes) {
        return (long) (attributes & 0xf0ff) << 40 | 0xfL << 48 | 0xffff;
    }

    /** Puts the processor into 64-bit mode at {@code ring}, with a stack at 0x30_0000. */
    void enterRing(int ring) {
        long root = p.cr3;
        p.enterLongMode(ring);
        p.segmentSelector[Processor.CS] = ring == 3 ? USER_CODE : KERNEL_CODE | ring;
        p.segmentSelector[Processor.SS] = ring == 3 ? USER_DATA : KERNEL_DATA | ring;
        p.gdtBase = KERNEL + GDT;
        p.setCr3(root, 0);
        p.rip = (ring == 3 ? 0 : KERNEL) + 0x20_0000;
        p.gpr[Processor.RSP] = (ring == 3 ? 0 : KERNEL) + 0x30_0000;
        p.setRflags(Bits.RFLAGS_IF | Bits.RFLAGS_FIXED);
    }

    private void buildTables() {
        long next = ROOT + 0x1000;
        for (int half = 0; half < 2; half++) {
            long flags = half == 0 ? P_W_U : P_W;
            long directoryPointers = next;
            long directory = next + 0x1000;
            memory.write64(ROOT + half * 256 * 8, directoryPointers | flags);
            memory.write64(directoryPointers, directory | flags);
            for (int i = 0; i < 4; i++) {
                long table = next + 0x2000 + i * 0x1000;
                memory.write64(directory + i * 8, table | flags);
                for (int j = 0; j < 512; j++) {
                    memory.write64(table + j * 8, (long) i << 21 | (long) j << 12 | flags);
                }
            }
            next += 0x6000;
        }
    }

    /** Physical address of the last-level entry for linear address {@code linear}. */
    long entryOf(long linear) {
        long table = ROOT + 0x1000 + (linear < 0 ? 0x6000 : 0) + 0x2000 + ((linear & 0x7f_ffff) >>> 21) * 0x1000;
        return table + (linear >>> 12 & 511) * 8;
    }

    @Override
    public void close() {
        memory.close();
    }

    /** One instruction of one byte each; a fault is delivered as the engine does. */
    private final class ScriptEngine implements Engine {
        @Override
        public void execute(Processor processor, long budget) {
            long end = processor.retired + budget;
            while (processor.poll == 0 && processor.retired < end) {
                Consumer<Processor> instruction = script.poll();
                long start = processor.rip++;
                processor.retired++;
                processor.precise = true;
                try {
                    if (instruction != null) {
                        instruction.accept(processor);
                    }
                } catch (GuestFault fault) {
                    processor.rip = start;
                    processor.retired--;
                    processor.fault(1);
                } finally {
                    processor.precise = false;
                }
            }
        }

        @Override
        public void invalidateFrame(long frame) {}

        @Override
        public void addressSpaceChanged(Processor processor) {}
    }
}
