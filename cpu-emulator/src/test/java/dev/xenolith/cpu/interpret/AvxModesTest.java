package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Segment;
import dev.xenolith.cpu.processor.Stop;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What the oracle's user program cannot show of VEX-encoded instructions: modes and enables under which they are undefined, segments
 * other than flat ones, and a gather that goes on after its fault has been dealt with.
 */
final class AvxModesTest {
    private static final int GDT = 0x3000;
    private static final int DATA = 0x2_0000;
    private static final int HANDLER = 0x900;
    private static final int UNDEFINED = 6;
    private static final int NO_DEVICE = 7;
    private static final int PROTECTION = 13;
    private static final int RBX = 3;
    /** vaddps ymm0, ymm1, ymm2. */
    private static final String VADDPS = "c5 f4 58 c2";
    private final BareMachine machine = new BareMachine();
    private final Processor cpu = machine.cpu;

    @AfterEach
    void close() {
        machine.close();
    }

    /** 32-bit protected mode, DS of 100h bytes at {@link #DATA}, a handler that halts for each vector. */
    private void protect(int dataAttributes) {
        for (int vector : new int[]{UNDEFINED, NO_DEVICE, PROTECTION}) {
            machine.code(handler(vector), "f4");
            machine.memory.write64(8L * vector, 0x0000_8e00_0008_0000L | handler(vector));
        }
        machine.memory.write64(GDT + 8, 0x00cf_9a00_0000_ffffL);
        cpu.gdtBase = GDT;
        cpu.gdtLimit = 0xf;
        cpu.idtLimit = 0x7ff;
        ControlRegisters.writeCr0(cpu, cpu.cr0 | Bits.CR0_PE);
        ControlRegisters.writeCr4(cpu, Bits.CR4_OSFXSR | Bits.CR4_OSXSAVE);
        cpu.xcr0 = 7;
        int present = Segment.NON_SYSTEM | Segment.PRESENT | Segment.DEFAULT_32;
        segment(Processor.CS, 8, 0, 0xffff_ffffL, Segment.CODE | Segment.READABLE | present);
        segment(Processor.SS, 0x10, 0, 0xffff_ffffL, Segment.WRITABLE | present);
        segment(Processor.DS, 0x18, DATA, 0xff, dataAttributes | present);
        begin();
    }

    private static int handler(int vector) {
        return HANDLER + 16 * vector;
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
        machine.code(BareMachine.CODE, code + "f4");
        assertThat(cpu.run(20).kind).isEqualTo(Stop.Kind.HALTED);
    }

    private void completes(String code) {
        run(code);
        assertThat(cpu.rip).as(code).isEqualTo(BareMachine.CODE + code.replace(" ", "").length() / 2 + 1);
    }

    private void raises(int vector, String code) {
        run(code);
        assertThat(cpu.rip).as(code).isEqualTo(handler(vector) + 1);
    }

    private void lane(int register, int doubleword, int value) {
        int at = 4 * register + (doubleword >> 1);
        int shift = 32 * (doubleword & 1);
        cpu.vector[at] = cpu.vector[at] & ~(0xffff_ffffL << shift) | (value & 0xffff_ffffL) << shift;
    }

    @Test
    void realModeHasNoVex() {
        machine.code(handler(UNDEFINED), "f4");
        machine.memory.write(4 * UNDEFINED, 4, handler(UNDEFINED));
        ControlRegisters.writeCr4(cpu, Bits.CR4_OSFXSR | Bits.CR4_OSXSAVE);
        cpu.xcr0 = 7;
        begin();
        // LDS and LES with a register.
        raises(UNDEFINED, VADDPS);
        begin();
        raises(UNDEFINED, "c4 e2 75 b8 c2");
    }

    @Test
    void theSystemMustHaveEnabledTheState() {
        protect(Segment.WRITABLE);
        completes(VADDPS);

        protect(Segment.WRITABLE);
        ControlRegisters.writeCr4(cpu, Bits.CR4_OSFXSR);
        begin();
        raises(UNDEFINED, VADDPS);

        protect(Segment.WRITABLE);
        cpu.xcr0 = 3;
        begin();
        raises(UNDEFINED, VADDPS);
        begin();
        // addps xmm0, xmm1 needs neither; nor does andn eax, ebx, ecx, which has no vector.
        completes("0f 58 c1 c4 e2 60 f2 c1");
    }

    @Test
    void emulationIsOfLegacyInstructionsAlone() {
        protect(Segment.WRITABLE);
        ControlRegisters.writeCr0(cpu, cpu.cr0 | Bits.CR0_EM);
        begin();
        completes(VADDPS);
        begin();
        raises(UNDEFINED, "0f 58 c1");
    }

    @Test
    void taskSwitchedMeansNoDevice() {
        protect(Segment.WRITABLE);
        ControlRegisters.writeCr0(cpu, cpu.cr0 | Bits.CR0_TS);
        begin();
        raises(NO_DEVICE, VADDPS);
        begin();
        // vzeroupper and vldmxcsr have no vector operand.
        raises(NO_DEVICE, "c5 f8 77");
        begin();
        raises(NO_DEVICE, "c5 f8 ae 13");
    }

    @Test
    void maskedElementsBeyondTheLimitAreNotAccessed() {
        protect(Segment.WRITABLE);
        machine.memory.write64(DATA + 0xf8, 0x2222_2222_1111_1111L);
        cpu.gpr[RBX] = 0xf8;
        for (int i = 0; i < 8; i++) {
            lane(1, i, i < 2 ? -1 : 0);
            lane(2, i, i);
        }
        // vmaskmovps ymm0, ymm1, [ebx]; vmaskmovps [ebx], ymm1, ymm2
        completes("c4 e2 75 2c 03 c4 e2 75 2e 13");
        assertThat(cpu.vector[0]).isEqualTo(0x2222_2222_1111_1111L);
        assertThat(cpu.vector[1] | cpu.vector[2] | cpu.vector[3]).isZero();
        assertThat(machine.memory.read64(DATA + 0xf8)).isEqualTo(0x0000_0001_0000_0000L);

        lane(1, 2, -1);
        begin();
        raises(PROTECTION, "c4 e2 75 2c 03");
        begin();
        raises(PROTECTION, "c4 e2 75 2e 13");
        protect(0);
        lane(1, 2, 0);
        begin();
        completes("c4 e2 75 2c 03");
        begin();
        raises(PROTECTION, "c4 e2 75 2e 13");
    }

    @Test
    void aGatherGoesOnWhereItFaulted() {
        protect(Segment.WRITABLE);
        for (int i = 0; i < 8; i++) {
            machine.memory.write(DATA + 0x40 + 8 * i, 4, 0x100 + i);
            lane(0, i, 0x55);
            lane(1, i, i == 3 ? 0x400 : i);
            lane(2, i, i == 1 ? 0 : Integer.MIN_VALUE);
        }
        machine.memory.write(DATA + 0x40 + 8 * 0x400, 4, 0x103);
        cpu.gpr[RBX] = 0x40;
        String gather = "c4 e2 6d 90 04 cb"; // vpgatherdd ymm0, [ebx + ymm1 * 8], ymm2
        raises(PROTECTION, gather);
        assertThat(cpu.vector[0]).isEqualTo(0x0000_0055_0000_0100L);
        assertThat(cpu.vector[1]).isEqualTo(0x0000_0055_0000_0102L);
        assertThat(cpu.vector[2]).isEqualTo(0x0000_0055_0000_0055L);
        assertThat(cpu.vector[8]).isZero();
        assertThat(cpu.vector[9]).isEqualTo(0x8000_0000_0000_0000L);
        assertThat(cpu.vector[10]).isEqualTo(0x8000_0000_8000_0000L);

        segment(Processor.DS, 0x18, DATA, 0xffff, cpu.segmentAttributes[Processor.DS]);
        // What is done is not done again.
        machine.memory.write(DATA + 0x40, 4, 0xbad);
        begin();
        completes(gather);
        assertThat(cpu.vector[0]).isEqualTo(0x0000_0055_0000_0100L);
        assertThat(cpu.vector[1]).isEqualTo(0x0000_0103_0000_0102L);
        assertThat(cpu.vector[3]).isEqualTo(0x0000_0107_0000_0106L);
        assertThat(cpu.vector[8] | cpu.vector[9] | cpu.vector[10] | cpu.vector[11]).isZero();
    }

    @Test
    void theSegmentMustHaveAllOfTheSaveArea() {
        // xsave [ebx]; xsaveopt [ebx]; xsavec [ebx]; xrstor [ebx]
        for (String code : new String[]{"0f ae 23", "0f ae 33", "0f c7 23", "0f ae 2b"}) {
            for (int limit : new int[]{831, 830, 575, 574}) {
                for (int components : new int[]{3, 7}) {
                    protect(Segment.WRITABLE);
                    segment(Processor.DS, 0x18, DATA, limit, cpu.segmentAttributes[Processor.DS]);
                    // What XRSTOR finds: all components, in the standard format.
                    machine.memory.write64(DATA + 512, components);
                    for (int i = 8; i < 64; i += 8) {
                        machine.memory.write64(DATA + 512 + i, 0);
                    }
                    machine.memory.write(DATA + 24, 4, 0x1f80);
                    cpu.vector[2] = 1;
                    cpu.gpr[RBX] = 0;
                    cpu.gpr[Processor.RAX] = components;
                    cpu.gpr[Processor.RDX] = 0;
                    begin();
                    if (limit >= (components == 7 ? 831 : 575)) {
                        completes(code);
                    } else {
                        raises(PROTECTION, code);
                        assertThat(cpu.vector[2]).isEqualTo(1);
                    }
                }
            }
        }
    }

    @Test
    void outsideLongModeEightRegistersAreCleared() {
        protect(Segment.WRITABLE);
        Arrays.fill(cpu.vector, -1);
        completes("c5 f8 77");
        assertThat(cpu.vector[1]).isEqualTo(-1);
        assertThat(cpu.vector[2]).isZero();
        assertThat(cpu.vector[4 * 7 + 3]).isZero();
        assertThat(cpu.vector[4 * 8 + 3]).isEqualTo(-1);
        begin();
        completes("c5 fc 77");
        assertThat(cpu.vector[4 * 7]).isZero();
        assertThat(cpu.vector[4 * 8]).isEqualTo(-1);
    }
}
