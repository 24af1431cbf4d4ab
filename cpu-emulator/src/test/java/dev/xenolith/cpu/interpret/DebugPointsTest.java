package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.processor.DebugAccess;
import dev.xenolith.cpu.processor.DebugPoints;
import dev.xenolith.cpu.processor.DebugPoints.Access;
import dev.xenolith.cpu.processor.DebugPoints.Watchpoint;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A debugger's breakpoints, watchpoints and steps on a processor in real-address mode. */
class DebugPointsTest {
    private static final int CODE = BareMachine.CODE;
    private static final int DATA = 0x8000;

    private final BareMachine machine = new BareMachine();
    private final Processor cpu = machine.cpu;

    @AfterEach
    void close() {
        machine.close();
    }

    private void breakAt(long... addresses) {
        cpu.debugger.setPoints(new DebugPoints(addresses, List.of()));
    }

    private void watch(Access access, long address, long length) {
        cpu.debugger.setPoints(new DebugPoints(new long[0], List.of(new Watchpoint(access, address, length))));
    }

    private void assertStops(Stop.DebugEvent event, long rip) {
        Stop stop = cpu.run(1000);
        assertThat(stop.kind).isEqualTo(Stop.Kind.DEBUG);
        assertThat(stop.debugEvent).isEqualTo(event);
        assertThat(cpu.rip).isEqualTo(rip);
    }

    @Test
    void stopsBeforeTheInstructionEachTime() {
        // inc ax; inc bx; jmp to the first
        machine.code(CODE, "40 43 eb fc");
        cpu.run(3);
        breakAt(CODE + 1);
        for (int i = 2; i < 5; i++) {
            assertStops(Stop.DebugEvent.BREAKPOINT, CODE + 1);
            assertThat(cpu.gpr[Processor.RAX]).isEqualTo(i);
            assertThat(cpu.gpr[Processor.RBX]).isEqualTo(i - 1);
            assertThat(cpu.run(1000).kind).as("without a word it stays").isEqualTo(Stop.Kind.DEBUG);
            assertThat(cpu.gpr[Processor.RBX]).isEqualTo(i - 1);
            cpu.debugger.passBreakpoint();
        }
        breakAt();
        assertThat(cpu.run(1000).kind).isEqualTo(Stop.Kind.BUDGET);
    }

    @Test
    void passingCountsForOneExecutionOnly() {
        // jmp to itself
        machine.code(CODE, "eb fe");
        breakAt(CODE);
        cpu.debugger.passBreakpoint();
        assertStops(Stop.DebugEvent.BREAKPOINT, CODE);
        assertThat(cpu.retired).isEqualTo(1);
    }

    @Test
    void aRepeatedInstructionIsOne() {
        // rep stosb; nop
        machine.code(CODE, "f3 aa 90");
        cpu.gpr[Processor.RCX] = 20;
        cpu.gpr[Processor.RDI] = DATA;
        breakAt(CODE, CODE + 2);
        cpu.debugger.passBreakpoint();
        assertStops(Stop.DebugEvent.BREAKPOINT, CODE + 2);
        assertThat(cpu.gpr[Processor.RCX]).isZero();
        assertThat(cpu.retired).isEqualTo(20);
    }

    @Test
    void softwareSeesNothingOfThem() {
        // mov ax, [cs:1000h]; nop
        machine.code(CODE, "2e a1 00 10 90");
        breakAt(CODE, CODE + 4);
        cpu.debugger.passBreakpoint();
        assertStops(Stop.DebugEvent.BREAKPOINT, CODE + 4);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(0xa12e);
        assertThat(cpu.dr[7]).isEqualTo(0x400);
    }

    @Test
    void otherPagesRunInBlocks() {
        machine.code(CODE, "40 eb fd");
        cpu.run(100);
        breakAt(CODE + 0x1000);
        long misses = machine.engine.statistics().lookupMisses();
        cpu.run(1000);
        assertThat(machine.engine.statistics().lookupMisses() - misses).isLessThan(5);
    }

    @Test
    void watchesWritesToTheirBytes() {
        // mov [8000h], ax; mov [8002h], ax; mov [8001h], al; mov al, [8002h]; nop
        machine.code(CODE, "a3 00 80 a3 02 80 a2 01 80 a0 02 80 90");
        cpu.gpr[Processor.RAX] = 0x1234;
        watch(Access.WRITE, DATA + 2, 1);
        assertStops(Stop.DebugEvent.WATCHPOINT, CODE + 6);
        assertThat(cpu.stop.address).isEqualTo(DATA + 2);
        assertThat(machine.memory.read16(DATA + 2)).as("written when it stops").isEqualTo(0x1234);
        watch(Access.READ, DATA + 2, 1);
        assertStops(Stop.DebugEvent.WATCHPOINT, CODE + 12);
        watch(Access.ANY, DATA + 2, 1);
        cpu.rip = CODE;
        assertStops(Stop.DebugEvent.WATCHPOINT, CODE + 6);
        assertStops(Stop.DebugEvent.WATCHPOINT, CODE + 12);
    }

    @Test
    void watchesAccessesThatCrossIntoTheirPage() {
        // mov [8fffh], ax
        machine.code(CODE, "a3 ff 8f 90");
        watch(Access.WRITE, DATA + 0x1000, 2);
        assertStops(Stop.DebugEvent.WATCHPOINT, CODE + 3);
    }

    @Test
    void watchesReadModifyWrite() {
        // inc word [8000h]
        machine.code(CODE, "ff 06 00 80 90");
        watch(Access.WRITE, DATA, 2);
        assertStops(Stop.DebugEvent.WATCHPOINT, CODE + 4);
        assertThat(machine.memory.read16(DATA)).isEqualTo(1);
    }

    @Test
    void watchesFramesOfInterrupts() {
        // int 10h, whose handler is at 0:2000h
        machine.code(CODE, "cd 10");
        machine.memory.write32(0x40, 0x2000);
        watch(Access.WRITE, CODE - 6, 2);
        assertStops(Stop.DebugEvent.WATCHPOINT, 0x2000);
    }

    @Test
    void stepsAreExactAndHoldInterruptsOff() {
        // sti; nop; nop; mov ss, ax; nop
        machine.code(CODE, "fb 90 90 8e d0 90");
        cpu.raiseNmi();
        machine.memory.write32(8, 0x2000);
        machine.code(0x2000, "90");
        for (long rip : new long[]{CODE + 1, CODE + 2, CODE + 3, CODE + 5, CODE + 6}) {
            long before = cpu.retired;
            assertThat(cpu.debugger.step().kind).isEqualTo(Stop.Kind.BUDGET);
            assertThat(cpu.rip).isEqualTo(rip);
            assertThat(cpu.retired).isEqualTo(before + 1);
        }
        cpu.run(1);
        assertThat(cpu.rip).as("then they come").isEqualTo(0x2001);
    }

    @Test
    void aStepIntoAFaultEndsAtItsHandler() {
        // ud2
        machine.code(CODE, "0f 0b");
        machine.memory.write32(6 * 4, 0x2000);
        machine.code(0x2000, "40 40");
        assertThat(cpu.debugger.step().kind).isEqualTo(Stop.Kind.DEBUG);
        assertThat(cpu.stop.debugEvent).isEqualTo(Stop.DebugEvent.FAULT);
        assertThat(cpu.rip).isEqualTo(0x2000);
        assertThat(cpu.gpr[Processor.RAX]).isZero();
    }

    @Test
    void memoryIsReadAsFarAsItGoes() {
        machine.memory.write8((4 << 20) - 1, 0x5a);
        byte[] bytes = new byte[8];
        assertThat(DebugAccess.read(cpu, (4 << 20) - 1, bytes, 8)).isEqualTo(1);
        assertThat(bytes[0]).isEqualTo((byte) 0x5a);
        assertThat(DebugAccess.read(cpu, 4 << 20, bytes, 8)).isZero();
        assertThat(DebugAccess.read(cpu, 1L << 32, bytes, 8)).as("beyond the mode's addresses").isZero();
    }

    @Test
    void writtenCodeIsDecodedAnew() {
        // inc ax; jmp back
        machine.code(CODE, "40 eb fd");
        cpu.run(100);
        cpu.rip = CODE;
        // inc bx in its place
        assertThat(DebugAccess.write(cpu, CODE, new byte[]{0x43}, 1)).isEqualTo(1);
        long before = cpu.gpr[Processor.RAX];
        cpu.run(100);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(before);
        assertThat(cpu.gpr[Processor.RBX]).isEqualTo(50);
    }

    @Test
    void pointsFindTheirPages() {
        DebugPoints points = new DebugPoints(new long[]{0x1fff, -1}, List.of(new Watchpoint(Access.ANY, 0x2ffe, 4)));
        assertThat(points).isNotEqualTo(DebugPoints.NONE).isEqualTo(
                new DebugPoints(new long[]{-1, 0x1fff}, List.of(new Watchpoint(Access.ANY, 0x2ffe, 4))));
        cpu.debugger.setPoints(points);
        assertThat(cpu.debugger.hasBreakpoints(0x1000)).isTrue();
        assertThat(cpu.debugger.hasBreakpoints(0x2000)).isFalse();
        assertThat(cpu.debugger.hasBreakpoints(0xfff)).isFalse();
        assertThat(cpu.debugger.hasBreakpoints(-4096)).isTrue();
    }

    /** MOV DRn, EAX and MOV EAX, DRn: what the debugger watches is not in them; DR4 and DR5 are DR6 and DR7. */
    @Test
    void theGuestsDebugRegistersAreItsOwn() {
        watch(Access.WRITE, DATA, 4);
        cpu.gpr[Processor.RAX] = 0x1234_5678L;
        // mov dr0, eax; mov dr3, eax; mov ebx, dr0; mov ecx, dr3; mov edx, dr7; mov esi, dr5; mov edi, dr6
        machine.code(CODE, "0f23c0 0f23d8 0f21c3 0f21d9 0f21fa 0f21ee 0f21f7");
        assertThat(cpu.run(7).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(cpu.gpr[Processor.RBX]).isEqualTo(0x1234_5678L);
        assertThat(cpu.gpr[Processor.RCX]).isEqualTo(0x1234_5678L);
        assertThat(cpu.gpr[Processor.RDX]).isEqualTo(0x400);
        assertThat(cpu.gpr[Processor.RSI]).isEqualTo(0x400);
        assertThat(cpu.gpr[Processor.RDI]).isEqualTo(0xffff_0ff0L);
    }
}
