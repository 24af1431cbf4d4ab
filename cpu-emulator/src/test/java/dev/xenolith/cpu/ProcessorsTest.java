package dev.xenolith.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.apic.LocalApic;
import dev.xenolith.cpu.interpret.Interpreter;
import dev.xenolith.cpu.interpret.Stepper;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.processor.MemoryPort;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.cpu.time.MachineClock;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whole processors on the interpreter. */
class ProcessorsTest {
    private static final long CODE = 0x10_0000;

    private final MachineClock clock = new MachineClock();
    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(4 << 20));
    private final PhysicalMap map = new PhysicalMap(memory);

    @AfterEach
    void close() {
        memory.close();
    }

    /** Processors in ring 3 under a Java hypervisor, memory mapped one to one in two large pages. */
    private Processors hosted(int count) {
        return hosted(new ProcessorBuilder(clock, map).count(count));
    }

    private Processors hosted(ProcessorBuilder builder) {
        Processors processors = builder.build();
        memory.write64(0x1000, 0x2007);
        memory.write64(0x2000, 0x3007);
        memory.write64(0x3000, 0x87);
        memory.write64(0x3008, 0x20_0087);
        for (Processor p : processors.all()) {
            p.hosted = true;
            p.enterLongMode(3);
            p.setCr3(0x1000, 0);
            p.rip = CODE;
            p.gpr[Processor.RSP] = 0x20_0000;
        }
        return processors;
    }

    private void code(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        memory.copyIn(bytes, 0, CODE, bytes.length);
    }

    @Test
    void aProgramRunsToItsSystemCall() {
        Processors processors = hosted(1);
        Processor p = processors.get(0);
        // xor eax,eax; mov ecx,1000; add rax,rcx; dec ecx; jnz; mov [rsp-8],rax; syscall
        code("31C0 B9E8030000 4801C8 FFC9 75F9 48894424F8 0F05");
        Stop stop = p.run(1_000_000);
        assertThat(stop.kind).isEqualTo(Stop.Kind.ENTRY);
        assertThat(p.gpr[Processor.RAX]).isEqualTo(500_500);
        assertThat(memory.read64(0x20_0000 - 8)).isEqualTo(500_500);
        assertThat(p.retired).isEqualTo(2 + 3000 + 2);
        assertThat(clock.now()).isEqualTo(p.retired);
        assertThat(p.gpr[Processor.RCX]).isEqualTo(p.rip).isEqualTo(CODE + 2 + 5 + 3 + 2 + 2 + 5 + 2);
    }

    @Test
    void budgetsAreExactWhereverTheyEnd() {
        Processors processors = hosted(1);
        Processor p = processors.get(0);
        code("48FFC0 48FFC3 EBF8");
        long retired = 0;
        for (int n = 0; n < 60; n++) {
            assertThat(p.run(n).kind).isEqualTo(Stop.Kind.BUDGET);
            retired += n;
            assertThat(p.retired).isEqualTo(retired);
        }
        assertThat(p.gpr[Processor.RAX]).isEqualTo((retired + 2) / 3);
        assertThat(p.gpr[Processor.RBX]).isEqualTo((retired + 1) / 3);
    }

    @Test
    void selfModifyingCodeIsSeenByTheNextInstruction() {
        Processors processors = hosted(1);
        Processor p = processors.get(0);
        // mov byte [rip+0], 0xC3 over the immediate of the next: mov al, 1 becomes mov al, 0x55; then syscall
        code("C6050100000055 B001 0F05");
        p.run(2);
        assertThat(p.gpr[Processor.RAX] & 0xff).isEqualTo(0x55);
        p.rip = CODE;
        code("C6050100000066 B001 0F05");
        p.run(2);
        assertThat(p.gpr[Processor.RAX] & 0xff).isEqualTo(0x66);
    }

    @Test
    void timeStopsARunAtTheDeadlineToTheInstruction() {
        Processors processors = hosted(2);
        code("EBFE");
        Processor p = processors.get(1);
        p.setRflags(0x202);
        p.apic.setBaseMsr(p.apic.baseMsr() | LocalApic.BASE_X2APIC, 46);
        p.apic.writeMsr(0x80f, 0x1ff);
        p.apic.writeMsr(0x832, 2 << 17 | 0xe0);
        p.apic.setTscDeadline(777);
        assertThat(processors.nextDeadline()).isEqualTo(777);
        assertThat(processors.get(0).run(100).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(p.run(10_000).kind).isEqualTo(Stop.Kind.INTERRUPT);
        assertThat(p.retired).isEqualTo(677);
        assertThat(processors.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    /** Contexts of the TLB run out after 511 new tags; code found by an old context must not be executed in a new space. */
    @Test
    void addressSpacesKeepTheirOwnCodeWhenContextsRunOut() {
        Processor p = hosted(1).get(0);
        // Two spaces, each with its own page of code at 0x40_0000: mov eax, space; syscall.
        for (int space = 0; space < 2; space++) {
            long table = 0x8000 + space * 0x4000L;
            memory.write64(table, table + 0x1000 | 7);
            memory.write64(table + 0x1000, table + 0x2000 | 7);
            memory.write64(table + 0x2000 + 16, table + 0x3000 | 7);
            memory.write64(table + 0x3000, 0x30_0000 + space * 0x1000L | 7);
            byte[] bytes = {(byte) 0xb8, (byte) (space + 1), 0, 0, 0, 0x0f, 0x05};
            memory.copyIn(bytes, 0, 0x30_0000 + space * 0x1000L, bytes.length);
        }
        int tag = 0;
        for (int unused = 500; unused < 520; unused++) {
            for (int space = 0; space < 2; space++) {
                for (int i = 0; i < unused; i++) {
                    p.setCr3(0x1000, tag++ % 4096);
                }
                p.setCr3(0x8000 + space * 0x4000L, tag++ % 4096);
                p.rip = 0x40_0000;
                assertThat(p.run(2).kind).isEqualTo(Stop.Kind.ENTRY);
                assertThat(p.gpr[Processor.RAX]).as("after %d tags", unused).isEqualTo(space + 1);
            }
        }
    }

    /** A kernel that patches itself goes through an address space of its own thousands of times. */
    @Test
    void aFlushedAddressSpaceFindsItsCodeAnewAndOthersKeepTheirs() {
        Interpreter interpreter = new Interpreter(memory, CpuModel.intel()::has);
        Processor p = hosted(new ProcessorBuilder(clock, map, interpreter)).get(0);
        // mov eax, 7; syscall
        code("B807000000 0F05");
        // Another space, whose page of code at 0x40_0000 is each time another: mov eax, number; syscall.
        memory.write64(0x8000, 0x9007);
        memory.write64(0x9000, 0xa007);
        memory.write64(0xa010, 0xb007);
        for (int page = 0; page < 2; page++) {
            byte[] bytes = {(byte) 0xb8, (byte) page, 0, 0, 0, 0x0f, 0x05};
            memory.copyIn(bytes, 0, 0x30_0000 + page * 0x1000L, bytes.length);
        }
        long misses = 0;
        for (int i = 0; i < 1200; i++) {
            memory.write64(0xb000, 0x30_0000 + (i & 1) * 0x1000L | 7);
            p.setCr3(0x8000, 1);
            p.flushAddressSpace(1);
            p.rip = 0x40_0000;
            assertThat(p.run(2).kind).isEqualTo(Stop.Kind.ENTRY);
            assertThat(p.gpr[Processor.RAX]).as("after flush %d", i).isEqualTo(i & 1);
            p.setCr3(0x1000, 0);
            p.rip = CODE;
            long before = interpreter.statistics().lookupMisses();
            assertThat(p.run(2).kind).isEqualTo(Stop.Kind.ENTRY);
            assertThat(p.gpr[Processor.RAX]).isEqualTo(7);
            misses += interpreter.statistics().lookupMisses() - before;
        }
        assertThat(misses).as("at first, and each time that contexts run out").isLessThan(10);
    }

    @Test
    void breakpointsOnDataTrapAfterTheAccess() {
        Processor p = hosted(1).get(0);
        // mov [0x1ffff8 + rbx], rax; inc rcx; jmp back
        code("488983F8FF1F00 48FFC1 EBF4");
        p.dr[0] = 0x1f_fff9;
        p.dr[7] |= 1 | 1 << 16;
        Stop stop = p.run(100);
        assertThat(stop.kind).isEqualTo(Stop.Kind.EXCEPTION);
        assertThat(stop.vector).isEqualTo(1);
        assertThat(p.rip).as("after the store").isEqualTo(CODE + 7);
        assertThat(p.dr[6] & 0xf).isEqualTo(1);
        assertThat(p.retired).isEqualTo(1);
        stop = p.run(2);
        assertThat(stop.kind).isEqualTo(Stop.Kind.BUDGET);
        p.dr[0] = 0x1f_fff0;
        assertThat(p.run(100).kind).as("elsewhere").isEqualTo(Stop.Kind.BUDGET);
        p.dr[7] |= 2 << 18;
        p.gpr[Processor.RBX] = -4;
        assertThat(p.run(100).kind).as("eight bytes long").isEqualTo(Stop.Kind.EXCEPTION);
        p.dr[7] = 1 << 10;
        assertThat(p.run(100).kind).isEqualTo(Stop.Kind.BUDGET);
    }

    @Test
    void breakpointsOnCodeFaultBeforeTheInstruction() {
        Processor p = hosted(1).get(0);
        code("48FFC0 48FFC3 EBF8");
        p.dr[3] = CODE + 3;
        p.dr[7] |= 1 << 6;
        Stop stop = p.run(100);
        assertThat(stop.vector).isEqualTo(1);
        assertThat(p.rip).isEqualTo(CODE + 3);
        assertThat(p.dr[6] & 0xf).isEqualTo(8);
        assertThat(p.retired).isEqualTo(1);
        assertThat(p.run(100).vector).as("again").isEqualTo(1);
        p.setRflags(p.rflags() | 1 << 16);
        stop = p.run(100);
        assertThat(stop.vector).isEqualTo(1);
        assertThat(p.retired).as("RF let it through once").isEqualTo(4);
    }

    @Test
    void pauseEndsATurnWhereThereAreOthers() {
        code("F390 EBFC");
        assertThat(hosted(2).get(0).run(100).kind).isEqualTo(Stop.Kind.REQUEST);
        assertThat(hosted(1).get(0).run(100).kind).isEqualTo(Stop.Kind.BUDGET);
    }

    @Test
    void actionsReachExactlyTheirTargets() {
        Processors processors = hosted(4);
        List<Integer> done = new ArrayList<>();
        processors.on(0b1010, p -> done.add(p.index));
        assertThat(done).containsExactly(1, 3);
        done.clear();
        processors.on(Processors.ALL, p -> done.add(p.index));
        assertThat(done).containsExactly(0, 1, 2, 3);
        assertThatThrownBy(() -> new ProcessorBuilder(clock, map).count(9))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void everyProcessorThatFlushedIsKnownToHave() {
        Processors processors = hosted(2);
        long stamp = processors.flushClock().now();
        assertThat(processors.get(0).mmu().tlb.flushStamp()).isLessThanOrEqualTo(stamp);
        processors.on(Processors.ALL, Processor::flushAll);
        for (Processor p : processors.all()) {
            assertThat(p.mmu().tlb.flushStamp()).isGreaterThan(stamp);
        }
    }

    /** The rest of a run is the same on the machine that was saved and on the one restored from it. */
    @Test
    void savedProcessorsContinueWhereTheyWere() throws IOException {
        Processors processors = hosted(2);
        code("480FAFC0 4805EFBEAD5E 4889C3 48C1EB07 4831D8 50 58 EBE8");
        assertThat(processors.get(0).run(1001).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(processors.get(1).run(77).kind).isEqualTo(Stop.Kind.BUDGET);
        processors.get(1).apic.setTsc(123_456_789);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        processors.save(new DataOutputStream(bytes));
        memory.save(new DataOutputStream(bytes));
        long now = clock.now();

        MachineClock otherClock = new MachineClock();
        otherClock.advance(now);
        try (PhysicalMemory otherMemory = new PhysicalMemory(memory.layout())) {
            Processors others = new ProcessorBuilder(otherClock, new PhysicalMap(otherMemory)).count(2).build();
            DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
            others.restore(in);
            otherMemory.restore(in);
            for (int i = 0; i < 2; i++) {
                processors.get(i).run(5000);
                others.get(i).run(5000);
            }
            ByteArrayOutputStream first = new ByteArrayOutputStream();
            ByteArrayOutputStream second = new ByteArrayOutputStream();
            processors.save(new DataOutputStream(first));
            others.save(new DataOutputStream(second));
            assertThat(second.toByteArray()).isEqualTo(first.toByteArray());
            assertThat(otherMemory.digest(0, 4 << 20)).isEqualTo(memory.digest(0, 4 << 20));
            assertThat(others.get(1).apic.tsc()).isEqualTo(processors.get(1).apic.tsc());
        }
    }

    /** What a hypervisor does to emulate one instruction: its own port, faults as values. */
    @Test
    void aScratchProcessorExecutesOneInstructionThroughItsPort() {
        byte[] bytes = HexFormat.of().parseHex("48010B0F0B");
        long[] word = {40};
        MemoryPort port = new MemoryPort() {
            @Override
            public long load(Processor processor, long address, int size) {
                if (address != 0x5000) {
                    throw processor.raisePageFault(address, 4);
                }
                return word[0];
            }

            @Override
            public void store(Processor processor, long address, int size, long value) {
                word[0] = value;
            }

            @Override
            public void probeStore(Processor processor, long address, int size) {
                if (address != 0x5000) {
                    throw processor.raisePageFault(address, 6);
                }
            }

            @Override
            public long compareExchange(Processor processor, long address, int size, long expected, long value) {
                throw new AssertionError();
            }

            @Override
            public long fetch(Processor processor, long address, int size) {
                long value = 0;
                for (int i = size - 1; i >= 0; i--) {
                    int at = (int) (address - CODE) + i;
                    value = value << 8 | (at < bytes.length ? bytes[at] & 0xff : 0x90);
                }
                return value;
            }
        };
        Processor p = Processor.scratch(clock, port, CpuModel.intel(), new Stepper(CpuModel.intel()::has));
        p.enterLongMode(3);
        p.rip = CODE;
        p.gpr[Processor.RBX] = 0x5000;
        p.gpr[Processor.RCX] = 2;
        for (int i = 0; i < 3; i++) {
            p.rip = CODE;
            Stop stop = p.step();
            assertThat(stop.kind).isEqualTo(Stop.Kind.BUDGET);
            assertThat(word[0]).isEqualTo(42 + 2 * i);
            assertThat(p.rip).isEqualTo(CODE + 3);
        }
        assertThat(p.step().vector).as("UD2").isEqualTo(6);
        p.rip = CODE;
        p.gpr[Processor.RBX] = 0x6000;
        Stop stop = p.step();
        assertThat(stop.kind).isEqualTo(Stop.Kind.EXCEPTION);
        assertThat(stop.vector).isEqualTo(14);
        assertThat(stop.address).isEqualTo(0x6000);
        assertThat(stop.errorCode).isEqualTo(6);
        assertThat(p.rip).isEqualTo(CODE);
    }
}
