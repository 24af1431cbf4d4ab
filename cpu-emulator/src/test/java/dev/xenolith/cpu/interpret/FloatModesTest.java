package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Segment;
import dev.xenolith.cpu.processor.Stop;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** x87, MMX and SSE in real-address and 32-bit protected mode: operands go through segments, whose limits and rights are checked. */
final class FloatModesTest {
    private static final int GDT = 0x3000;
    private static final int DATA = 0x2_0000;
    private static final int HANDLER = 0x900;
    private static final int NO_DEVICE = 7;
    private static final int PROTECTION = 13;
    private static final int RBX = 3;
    private static final int RDI = 7;
    private static final long PI = 0x400921fb_54442d18L;
    private final BareMachine machine = new BareMachine();
    private final Processor cpu = machine.cpu;

    @AfterEach
    void close() {
        machine.close();
    }

    /** Real-address mode, DS at {@link #DATA}, handlers that halt. */
    private void real() {
        machine.code(HANDLER, "f4");
        machine.memory.write(4 * NO_DEVICE, 4, HANDLER);
        machine.memory.write(4 * PROTECTION, 4, HANDLER);
        cpu.segmentSelector[Processor.DS] = DATA >> 4;
        cpu.segmentBase[Processor.DS] = DATA;
        ControlRegisters.writeCr4(cpu, Bits.CR4_OSFXSR);
        begin();
    }

    /** 32-bit protected mode without paging, DS of 100h bytes at {@link #DATA}, handlers that halt. */
    private void protect(int dataAttributes) {
        machine.code(HANDLER, "f4");
        machine.memory.write64(GDT + 8, 0x00cf_9a00_0000_ffffL);
        for (int vector : new int[]{NO_DEVICE, PROTECTION}) {
            machine.memory.write64(8L * vector, 0x0000_8e00_0008_0000L | HANDLER);
        }
        cpu.gdtBase = GDT;
        cpu.gdtLimit = 0xf;
        cpu.idtLimit = 0x7ff;
        ControlRegisters.writeCr0(cpu, cpu.cr0 | Bits.CR0_PE);
        ControlRegisters.writeCr4(cpu, Bits.CR4_OSFXSR);
        int present = Segment.NON_SYSTEM | Segment.PRESENT | Segment.DEFAULT_32;
        segment(Processor.CS, 8, 0, 0xffff_ffffL, Segment.CODE | Segment.READABLE | present);
        segment(Processor.SS, 0x10, 0, 0xffff_ffffL, Segment.WRITABLE | present);
        segment(Processor.DS, 0x18, DATA, 0xff, dataAttributes | present);
        begin();
    }

    private void segment(int number, int selector, long base, long limit, int attributes) {
        cpu.segmentSelector[number] = selector;
        cpu.segmentBase[number] = base;
        cpu.segmentLimit[number] = limit;
        cpu.segmentAttributes[number] = attributes;
    }

    private void begin() {
        cpu.rip = BareMachine.CODE;
        cpu.gpr[Processor.RSP] = BareMachine.CODE;
        cpu.halted = false;
        cpu.updateContext();
    }

    private void run(String code) {
        machine.code(BareMachine.CODE, code);
        assertThat(cpu.run(20).kind).isEqualTo(Stop.Kind.HALTED);
    }

    /** Runs {@code code}, whose instruction at {@code offset} faults. */
    private void runToFault(String code, int offset) {
        run(code);
        assertThat(cpu.rip).as("where it halts").isEqualTo(HANDLER + 1);
        boolean isReal = (cpu.cr0 & Bits.CR0_PE) == 0;
        // Real mode pushes IP last; protected mode an error code after EIP.
        long top = cpu.gpr[Processor.RSP] + (isReal ? 0 : 4);
        assertThat(machine.memory.read(top, isReal ? 2 : 4)).as("the instruction that faults")
                .isEqualTo(BareMachine.CODE + offset);
    }

    @Test
    void realModeLoadsAndStoresThroughDs() {
        real();
        machine.memory.write64(DATA + 0x10, PI);
        cpu.gpr[RBX] = 0x10;
        // fninit; fld qword [bx]; fst qword [bx + 8]; fstp tbyte [bx + 16]; hlt
        run("db e3 dd 07 dd 57 08 db 7f 10 f4");
        assertThat(machine.memory.read64(DATA + 0x18)).isEqualTo(PI);
        assertThat(machine.memory.read64(DATA + 0x20)).isEqualTo(0xc90f_daa2_2168_c000L);
        assertThat(machine.memory.read(DATA + 0x28, 2)).isEqualTo(0x4000);
    }

    @Test
    void realModeOperandsThatCross64KiBFault() {
        for (String code : new String[]{
            // fld qword [bx]; fstp tbyte [bx]; movups xmm0, [bx]; movups [bx], xmm0; movq mm0, [bx]; fnsave [bx]; fxsave [bx]
            "dd 07", "db 3f", "0f 10 07", "0f 11 07", "0f 6f 07", "dd 37", "0f ae 07"}) {
            real();
            cpu.gpr[RBX] = 0xfffc;
            runToFault("db e3 d9 ee " + code, 4);
            assertThat(cpu.fpu.top).as(code).isEqualTo(7);
        }
    }

    @Test
    void realModeHasAnEnvironmentOf14Bytes() {
        real();
        cpu.gpr[RBX] = 0x10000 - 94;
        machine.memory.write64(DATA + 0x10000, -1);
        // fninit; fld1; fnsave [bx]; hlt: its last byte is the segment's.
        run("db e3 d9 e8 dd 37 f4");
        assertThat(cpu.rip).isEqualTo(BareMachine.CODE + 7);
        long area = DATA + cpu.gpr[RBX];
        assertThat(machine.memory.read(area, 2)).isEqualTo(0x37f);
        assertThat(machine.memory.read(area + 4, 2)).isEqualTo(0x3fff);
        assertThat(machine.memory.read64(area + 14)).isEqualTo(1L << 63);
        assertThat(machine.memory.read64(DATA + 0x10000)).isEqualTo(-1);
    }

    @Test
    void anSseLoadBeyondTheLimitFaultsAndUpToItDoesNot() {
        protect(Segment.WRITABLE);
        machine.memory.write64(DATA + 0xf0, 0x1111);
        machine.memory.write64(DATA + 0xf8, 0x2222);
        cpu.vector[4] = 99;
        cpu.gpr[RBX] = 0xf0;
        // movups xmm0, [ebx]; movups xmm1, [ebx + 1]
        runToFault("0f 10 03 0f 10 4b 01", 3);
        assertThat(cpu.vector[0]).isEqualTo(0x1111);
        assertThat(cpu.vector[1]).isEqualTo(0x2222);
        assertThat(cpu.vector[4]).isEqualTo(99);
    }

    @Test
    void storesCheckTheLimitAndTheRightToWrite() {
        for (String code : new String[]{
            // fstp qword [ebx]; fistp word [ebx]; fstp tbyte [ebx]; movaps [ebx], xmm0; movq [ebx], mm0; fnstcw [ebx];
            // fnstenv [ebx]; stmxcsr [ebx]; fxsave [ebx]
            "dd 1b", "df 1b", "db 3b", "0f 29 03", "0f 7f 03", "d9 3b", "d9 33", "0f ae 1b", "0f ae 03"}) {
            protect(Segment.WRITABLE);
            cpu.gpr[RBX] = 0x100;
            runToFault("db e3 d9 ee " + code, 4);
            protect(0);
            cpu.gpr[RBX] = 0;
            runToFault("db e3 d9 ee " + code, 4);
            assertThat(cpu.fpu.top).as(code).isEqualTo(7);
        }
    }

    @Test
    void aReadOnlySegmentCanBeLoadedFrom() {
        protect(0);
        machine.memory.write64(DATA, PI);
        cpu.gpr[RBX] = 0;
        // fninit; fld qword [ebx]; movss xmm0, [ebx]; hlt
        run("db e3 dd 03 f3 0f 10 03 f4");
        assertThat(cpu.rip).isEqualTo(BareMachine.CODE + 9);
        assertThat(cpu.fpu.significand[7]).isEqualTo(0xc90f_daa2_2168_c000L);
        assertThat(cpu.vector[0]).isEqualTo(0x5444_2d18L);
    }

    @Test
    void maskedMovesGoThroughDsToo() {
        protect(Segment.WRITABLE);
        cpu.vector[0] = 0x4242;
        cpu.vector[4] = 0x80;
        cpu.gpr[RDI] = 0xf0;
        // maskmovdqu xmm0, xmm1; inc edi; maskmovdqu xmm0, xmm1
        runToFault("66 0f f7 c1 47 66 0f f7 c1", 5);
        assertThat(machine.memory.read(DATA + 0xf0, 2)).isEqualTo(0x42);
    }

    @Test
    void taskSwitchedMeansNoDeviceBeforeTheSegmentIsLookedAt() {
        real();
        cpu.gpr[RBX] = 0xffff;
        ControlRegisters.writeCr0(cpu, cpu.cr0 | Bits.CR0_TS);
        machine.memory.write(4 * NO_DEVICE, 4, HANDLER + 0x10);
        machine.code(HANDLER + 0x10, "f4");
        run("dd 07");
        assertThat(cpu.rip).isEqualTo(HANDLER + 0x11);
    }
}
