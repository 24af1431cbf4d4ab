package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class InterpreterTest {
    private static final int UD = 6;
    private static final int SS = 12;
    private static final int GP = 13;
    private static final int PF = 14;
    private static final String UD2 = "0f 0b";

    private final TestMachine machine = new TestMachine();
    private final Processor cpu = machine.cpu;

    @AfterEach
    void close() {
        machine.close();
    }

    private void exception(Stop stop, int vector, long rip) {
        assertThat(stop.kind).isEqualTo(Stop.Kind.EXCEPTION);
        assertThat(stop.vector).isEqualTo(vector);
        assertThat(cpu.rip).isEqualTo(rip);
    }

    @Test
    void runsALoopToItsEnd() {
        // xor eax, eax; mov ecx, 1000; 1: add eax, ecx; dec ecx; jnz 1b; ud2
        machine.code(TestMachine.CODE, "31 c0  b9 e8 03 00 00  01 c8  ff c9  75 fa" + UD2);
        exception(machine.run(1_000_000), UD, TestMachine.CODE + 13);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(500_500);
        assertThat(cpu.retired).isEqualTo(3002);
        assertThat(machine.clock.now()).isEqualTo(3002);
    }

    @Test
    void stopsExactlyAtTheEndOfEveryBudget() {
        machine.code(TestMachine.CODE, "31 c0  b9 e8 03 00 00  01 c8  ff c9  75 fa" + UD2);
        for (int i = 1; i <= 3002; i++) {
            assertThat(machine.run(1).kind).isEqualTo(Stop.Kind.BUDGET);
            assertThat(cpu.retired).isEqualTo(i);
        }
        exception(machine.run(1), UD, TestMachine.CODE + 13);
        assertThat(cpu.retired).isEqualTo(3002);
    }

    @Test
    void aFaultInTheMiddleOfABlockIsExact() {
        // inc eax; mov [rdi], eax; inc eax
        machine.code(TestMachine.CODE, "ff c0  89 07  ff c0" + UD2);
        machine.protect(TestMachine.DATA);
        cpu.gpr[Processor.RDI] = TestMachine.DATA + 8;
        Stop stop = machine.run(100);
        exception(stop, PF, TestMachine.CODE + 2);
        assertThat(stop.errorCode).isEqualTo(7);
        assertThat(stop.address).isEqualTo(TestMachine.DATA + 8);
        assertThat(cpu.retired).isEqualTo(1);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(1);
        machine.map(TestMachine.DATA, TestMachine.DATA, 2);
        exception(machine.run(100), UD, TestMachine.CODE + 6);
        assertThat(cpu.retired).isEqualTo(3);
        assertThat(machine.memory.read32(TestMachine.DATA + 8)).isEqualTo(1);
    }

    @Test
    void randomNumbersComeFromTheMachine() {
        long[] numbers = {0x1122_3344_5566_7788L, -2, 0};
        int[] drawn = {0};
        cpu.entropy = () -> numbers[drawn[0]++];
        cpu.gpr[Processor.RAX] = -1;
        cpu.gpr[Processor.RCX] = -1;
        cpu.gpr[Processor.RDX] = -1;
        // rdrand ax; rdseed ecx; rdrand rdx; pushfq; pop rbx
        machine.code(TestMachine.CODE, "66 0f c7 f0  0f c7 f9  48 0f c7 f2  9c 5b" + UD2);
        exception(machine.run(100), UD, TestMachine.CODE + 13);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(0xffff_ffff_ffff_7788L);
        assertThat(cpu.gpr[Processor.RCX]).isEqualTo(0xffff_fffeL);
        assertThat(cpu.gpr[Processor.RDX]).isZero();
        // CF says that there was a number; OF, SF, ZF, AF and PF are clear.
        assertThat(cpu.gpr[Processor.RBX] & 0x8d5).isEqualTo(1);
        assertThat(drawn[0]).isEqualTo(3);
    }

    @Test
    void aBlockThatOverwritesItselfSeesTheNewBytes() {
        // mov byte [rip+1], 0x42; add eax, 1 -> add eax, 0x42 (the immediate is overwritten)
        machine.code(TestMachine.CODE, "c6 05 02 00 00 00 42  83 c0 01" + UD2);
        exception(machine.run(100), UD, TestMachine.CODE + 10);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(0x42);
        assertThat(cpu.retired).isEqualTo(2);
    }

    @Test
    void writesBesideCodeInItsFrameDoNotDisturbIt() {
        // mov [rip+0x200], ecx; dec ecx; jnz -
        machine.code(TestMachine.CODE, "89 0d 00 02 00 00  ff c9  75 f6" + UD2);
        cpu.gpr[Processor.RCX] = 500;
        exception(machine.run(10_000), UD, TestMachine.CODE + 10);
        assertThat(machine.interpreter.statistics().blocksInvalidated()).isZero();
        assertThat(machine.interpreter.statistics().blocksBuilt()).isEqualTo(2);
    }

    @Test
    void writesByDevicesAreSeen() {
        machine.code(TestMachine.CODE, "b8 01 00 00 00" + UD2);
        exception(machine.run(10), UD, TestMachine.CODE + 5);
        machine.memory.write32(TestMachine.CODE + 1, 7);
        cpu.rip = TestMachine.CODE;
        exception(machine.run(10), UD, TestMachine.CODE + 5);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(7);
    }

    @Test
    void theSameCodeRunsAtEveryAddressItIsMappedAt() {
        // lea rax, [rip+0]; call +0; pop rcx
        machine.code(TestMachine.CODE, "48 8d 05 00 00 00 00  e8 00 00 00 00  59" + UD2);
        machine.map(0x18_0000, TestMachine.CODE, 0);
        long built = 0;
        for (long address : new long[]{TestMachine.CODE, 0x18_0000}) {
            cpu.rip = address;
            exception(machine.run(10), UD, address + 13);
            assertThat(cpu.gpr[Processor.RAX]).isEqualTo(address + 7);
            assertThat(cpu.gpr[Processor.RCX]).isEqualTo(address + 12);
            if (address == TestMachine.CODE) {
                built = machine.interpreter.statistics().blocksBuilt();
            }
        }
        assertThat(built).isPositive();
        assertThat(machine.interpreter.statistics().blocksBuilt()).isEqualTo(built);
    }

    @Test
    void anInstructionAcrossPagesFollowsBothMappings() {
        long start = TestMachine.CODE + 0x1000 - 3;
        // mov eax, imm32 with two bytes in the next page
        machine.code(start, "b8 11 22 33 44" + UD2);
        cpu.rip = start;
        exception(machine.run(10), UD, start + 5);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(0x44332211);
        machine.code(0x18_0000, "77 88" + UD2);
        machine.map(TestMachine.CODE + 0x1000, 0x18_0000, 0);
        cpu.rip = start;
        exception(machine.run(10), UD, start + 5);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(0x88772211L);
        machine.memory.write8(0x18_0000, 0x99);
        cpu.rip = start;
        machine.run(10);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(0x88992211L);
        machine.unmap(TestMachine.CODE + 0x1000);
        cpu.rip = start;
        Stop stop = machine.run(10);
        exception(stop, PF, start);
        assertThat(stop.address).isEqualTo(TestMachine.CODE + 0x1000);
        assertThat(stop.errorCode).isEqualTo(4);
    }

    @Test
    void aChangedMappingIsFollowedAfterItsFlush() {
        machine.code(TestMachine.CODE, "b0 01" + UD2);
        machine.code(0x18_0000, "b0 02" + UD2);
        machine.run(10);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(1);
        machine.map(TestMachine.CODE, 0x18_0000, 0);
        cpu.rip = TestMachine.CODE;
        machine.run(10);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(2);
    }

    @Test
    void iterationsOfRepCountOneEachAndStopWithTheBudget() {
        machine.code(TestMachine.CODE, "f3 aa" + UD2);
        cpu.gpr[Processor.RDI] = TestMachine.DATA;
        cpu.gpr[Processor.RCX] = 100;
        cpu.gpr[Processor.RAX] = 0x5a;
        assertThat(machine.run(30).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(cpu.rip).isEqualTo(TestMachine.CODE);
        assertThat(cpu.gpr[Processor.RCX]).isEqualTo(70);
        assertThat(cpu.retired).isEqualTo(30);
        exception(machine.run(1000), UD, TestMachine.CODE + 2);
        assertThat(cpu.retired).isEqualTo(100);
        assertThat(machine.memory.read8(TestMachine.DATA + 99)).isEqualTo(0x5a);
        assertThat(machine.memory.read8(TestMachine.DATA + 100)).isZero();
        cpu.rip = TestMachine.CODE;
        exception(machine.run(1000), UD, TestMachine.CODE + 2);
        assertThat(cpu.retired).as("REP with count 0 is one instruction").isEqualTo(101);
    }

    @Test
    void aFaultInRepKeepsWhatIsDone() {
        machine.code(TestMachine.CODE, "90 f3 a5" + UD2);
        machine.unmap(TestMachine.DATA + 0x1000);
        cpu.gpr[Processor.RSI] = TestMachine.CODE;
        cpu.gpr[Processor.RDI] = TestMachine.DATA + 0x1000 - 10;
        cpu.gpr[Processor.RCX] = 10;
        Stop stop = machine.run(1000);
        exception(stop, PF, TestMachine.CODE + 1);
        assertThat(stop.address).isEqualTo(TestMachine.DATA + 0x1000);
        assertThat(cpu.gpr[Processor.RCX]).isEqualTo(8);
        assertThat(cpu.gpr[Processor.RDI]).isEqualTo(TestMachine.DATA + 0x1000 - 2);
        assertThat(cpu.retired).isEqualTo(3);
        assertThat(machine.memory.read16(TestMachine.DATA + 0x1000 - 2)).as("nothing of the faulting store").isZero();
    }

    @Test
    void nonCanonicalAddressesRaiseTheFaultOfTheirSegment() {
        cpu.gpr[Processor.RBX] = 0x8000_0000_0000L;
        machine.code(TestMachine.CODE, "8b 03");
        exception(machine.run(10), GP, TestMachine.CODE);
        cpu.gpr[Processor.RBP] = 0x8000_0000_0000L;
        machine.code(TestMachine.CODE, "8b 45 00");
        exception(machine.run(10), SS, TestMachine.CODE);
        cpu.gpr[Processor.RSP] = 0x8000_0000_0008L;
        machine.code(TestMachine.CODE, "50");
        exception(machine.run(10), SS, TestMachine.CODE);
        machine.code(TestMachine.CODE, "ff e3");
        exception(machine.run(10), GP, TestMachine.CODE);
        machine.code(TestMachine.CODE, "ff 33");
        exception(machine.run(10), GP, TestMachine.CODE);
        machine.code(TestMachine.CODE, "8f 03");
        exception(machine.run(10), SS, TestMachine.CODE);
        cpu.gpr[Processor.RSP] = 0x8000_0000_0000L;
        exception(machine.run(10), SS, TestMachine.CODE);
        cpu.gpr[Processor.RSP] = TestMachine.STACK;
        exception(machine.run(10), GP, TestMachine.CODE);
        assertThat(cpu.retired).isZero();
    }

    @Test
    void divisionByZeroAndOverflowRaiseDivideError() {
        for (String division : List.of("f7 f1", "f7 f9", "48 f7 f1", "48 f7 f9", "f6 f1", "66 f7 f9")) {
            machine.code(TestMachine.CODE, division);
            cpu.rip = TestMachine.CODE;
            cpu.gpr[Processor.RAX] = 77;
            cpu.gpr[Processor.RDX] = 1;
            cpu.gpr[Processor.RCX] = 0;
            exception(machine.run(10), 0, TestMachine.CODE);
            assertThat(cpu.gpr[Processor.RAX]).isEqualTo(77);
        }
        machine.code(TestMachine.CODE, "48 f7 f9");
        cpu.gpr[Processor.RAX] = 0;
        cpu.gpr[Processor.RDX] = Long.MIN_VALUE;
        cpu.gpr[Processor.RCX] = -1;
        exception(machine.run(10), 0, TestMachine.CODE);
    }

    @Test
    void theTrapFlagTrapsAfterEachInstruction() {
        machine.code(TestMachine.CODE, "ff c0 ff c0 f3 aa" + UD2);
        cpu.gpr[Processor.RDI] = TestMachine.DATA;
        cpu.gpr[Processor.RCX] = 2;
        cpu.setRflags(cpu.rflags() | 0x100);
        List<Long> rips = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Stop stop = machine.run(100);
            assertThat(stop.kind).isEqualTo(Stop.Kind.EXCEPTION);
            assertThat(stop.vector).isEqualTo(1);
            rips.add(cpu.rip - TestMachine.CODE);
        }
        assertThat(rips).containsExactly(2L, 4L, 4L, 6L);
        assertThat(cpu.retired).isEqualTo(4);
    }

    @Test
    void theTraceShowsEachInstructionAndChangesNothing() {
        machine.code(TestMachine.CODE, "b9 03 00 00 00  ff c9  75 fc" + UD2);
        List<String> lines = new ArrayList<>();
        machine.interpreter.trace((p, rip, bytes, text, before) -> lines
                .add(Long.toHexString(rip) + " " + bytes.length + " " + text + " "
                        + (p.gpr[Processor.RCX] - before[Processor.RCX])));
        exception(machine.run(100), UD, TestMachine.CODE + 9);
        assertThat(cpu.retired).isEqualTo(7);
        assertThat(lines).hasSize(7).startsWith("100000 5 mov ecx, 0x3 3", "100005 2 dec ecx -1",
                "100007 2 jne 0x100005 0");
        machine.interpreter.trace(null);
        cpu.rip = TestMachine.CODE;
        exception(machine.run(100), UD, TestMachine.CODE + 9);
        assertThat(lines).hasSize(7);
    }

    @Test
    void codeOutsideMemoryIsRefused() {
        cpu.rip = TestMachine.MEMORY + 0x1000;
        exception(machine.run(10), PF, TestMachine.MEMORY + 0x1000);
        cpu.rip = 0x8000_0000_0000L;
        exception(machine.run(10), GP, 0x8000_0000_0000L);
    }

    @Test
    void aRequestFromElsewhereEndsTheRunAtABlock() {
        machine.code(TestMachine.CODE, "eb fe");
        cpu.request();
        assertThat(machine.run(1_000_000).kind).isEqualTo(Stop.Kind.REQUEST);
        assertThat(cpu.retired).isZero();
        assertThat(machine.run(1_000_000).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(cpu.retired).isEqualTo(1_000_000);
    }

    @Test
    void blocksAtEveryByteDoNotFillTheHeap() {
        machine.memory.fill(TestMachine.CODE, 0x2_0000, 0x90);
        int starts = 2 * BlockCache.MAX_OPS / Block.MAX_OPS;
        assertThat(starts).isLessThan(0x2_0000);
        for (int i = 0; i < starts; i++) {
            cpu.rip = TestMachine.CODE + i;
            assertThat(machine.run(Block.MAX_OPS).kind).isEqualTo(Stop.Kind.BUDGET);
        }
        Interpreter.Statistics statistics = machine.interpreter.statistics();
        assertThat(statistics.blocksBuilt()).isGreaterThan(BlockCache.MAX_OPS / Block.MAX_OPS);
        assertThat(statistics.blocksBuilt() - statistics.blocksInvalidated())
                .isLessThanOrEqualTo(BlockCache.MAX_OPS / Block.MAX_OPS);
    }
}
