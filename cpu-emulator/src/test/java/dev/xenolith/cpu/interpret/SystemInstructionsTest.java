package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.cpu.processor.Vector;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** System instructions whose result is the machine's own, so that no other processor can be asked for it (SDM volume 2, APM volume 3). */
class SystemInstructionsTest {
    private static final String RDTSC = "0f 31";
    private static final String RDTSCP = "0f 01 f9";
    private static final String RDPID_RBX = "f3 0f c7 fb";
    private static final String RDPMC = "0f 33";
    private static final String XGETBV = "0f 01 d0";
    private static final String XSETBV = "0f 01 d1";
    private static final String VMCALL = "0f 01 c1";
    private static final String VMMCALL = "0f 01 d9";
    private static final String INVD = "0f 08";
    private static final String WBINVD = "0f 09";
    private static final String SYSEXIT = "0f 35";

    private final TestMachine machine = new TestMachine();
    private final Processor cpu = machine.cpu;

    @AfterEach
    void close() {
        machine.close();
    }

    private Stop execute(int ring, String code) {
        cpu.cpl = ring;
        cpu.updateContext();
        cpu.rip = TestMachine.CODE;
        machine.code(TestMachine.CODE, code);
        return machine.run(1);
    }

    private void assertExecutes(int ring, String code) {
        assertThat(execute(ring, code).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(cpu.rip).isEqualTo(TestMachine.CODE + (code.length() + 1) / 3);
    }

    private void assertRaises(int vector, int ring, String code) {
        long[] before = Arrays.copyOf(cpu.gpr, 16);
        Stop stop = execute(ring, code);
        assertThat(stop.kind).isEqualTo(Stop.Kind.EXCEPTION);
        assertThat(stop.vector).isEqualTo(vector);
        assertThat(stop.hasErrorCode).isEqualTo(vector == Vector.GP);
        assertThat(stop.errorCode).isZero();
        assertThat(cpu.rip).isEqualTo(TestMachine.CODE);
        assertThat(Arrays.copyOf(cpu.gpr, 16)).isEqualTo(before);
    }

    private void fillPair() {
        cpu.gpr[Processor.RAX] = -1;
        cpu.gpr[Processor.RDX] = -1;
    }

    private long pair() {
        assertThat(cpu.gpr[Processor.RAX] >>> 32).as("upper half of RAX").isZero();
        assertThat(cpu.gpr[Processor.RDX] >>> 32).as("upper half of RDX").isZero();
        return cpu.gpr[Processor.RDX] << 32 | cpu.gpr[Processor.RAX];
    }

    @ParameterizedTest
    @ValueSource(strings = {RDTSC, RDTSCP})
    void timeStampIsTheClocksInBothRings(String code) {
        long before = cpu.apic.tsc();
        for (int ring : new int[]{0, 3}) {
            fillPair();
            assertExecutes(ring, code);
            assertThat(pair()).isBetween(before, cpu.apic.tsc());
            before = pair();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {RDTSC, RDTSCP})
    void timeStampIsRefusedInRing3IfDisabled(String code) {
        cpu.cr4 |= Bits.CR4_TSD;
        assertRaises(Vector.GP, 3, code);
        assertExecutes(0, code);
    }

    @Test
    void processorsNumberComesWithTheTimeAndAlone() {
        cpu.msr.tscAux = 0x8765_4321L;
        cpu.gpr[Processor.RCX] = -1;
        assertExecutes(3, RDTSCP);
        assertThat(cpu.gpr[Processor.RCX]).isEqualTo(0x8765_4321L);
        assertExecutes(3, RDPID_RBX);
        assertThat(cpu.gpr[Processor.RBX]).isEqualTo(0x8765_4321L);
    }

    @Test
    void thereAreNoPerformanceCountersToRead() {
        assertRaises(Vector.GP, 0, RDPMC);
        assertRaises(Vector.GP, 3, RDPMC);
    }

    @Test
    void extendedControlRegisterNeedsItsBitInCr4() {
        assertRaises(Vector.UD, 0, XGETBV);
        assertRaises(Vector.UD, 0, XSETBV);
    }

    @Test
    void extendedControlRegisterIsReadAnywhereAndWrittenInRing0() {
        cpu.cr4 |= Bits.CR4_OSXSAVE;
        cpu.gpr[Processor.RCX] = 0;
        cpu.gpr[Processor.RDX] = 0;
        cpu.gpr[Processor.RAX] = 7;
        assertRaises(Vector.GP, 3, XSETBV);
        assertExecutes(0, XSETBV);
        fillPair();
        assertExecutes(3, XGETBV);
        assertThat(pair()).isEqualTo(7);
    }

    /** Without x87; AVX without SSE; a component that does not exist (SDM 1 13.3). */
    @ParameterizedTest
    @ValueSource(longs = {0, 2, 4, 5, 6, 1L << 62 | 7})
    void extendedControlRegisterTakesOnlyWhatCanBeEnabled(long value) {
        cpu.cr4 |= Bits.CR4_OSXSAVE;
        long before = cpu.xcr0;
        cpu.gpr[Processor.RCX] = 0;
        cpu.gpr[Processor.RAX] = value & 0xffff_ffffL;
        cpu.gpr[Processor.RDX] = value >>> 32;
        assertRaises(Vector.GP, 0, XSETBV);
        assertThat(cpu.xcr0).isEqualTo(before);
        cpu.gpr[Processor.RCX] = 2;
        assertRaises(Vector.GP, 0, XSETBV);
        assertRaises(Vector.GP, 0, XGETBV);
    }

    @ParameterizedTest
    @ValueSource(strings = {VMCALL, VMMCALL})
    void thereIsNoHypervisorBelow(String code) {
        assertRaises(Vector.UD, 0, code);
        assertRaises(Vector.UD, 3, code);
    }

    @ParameterizedTest
    @ValueSource(strings = {INVD, WBINVD})
    void cachesAreInvalidatedInRing0(String code) {
        assertRaises(Vector.GP, 3, code);
        assertExecutes(0, code);
    }

    @Test
    void clts() {
        cpu.cr0 |= Bits.CR0_TS;
        assertRaises(Vector.GP, 3, "0f 06");
        assertThat(cpu.cr0 & Bits.CR0_TS).isNotZero();
        assertExecutes(0, "0f 06");
        assertThat(cpu.cr0 & Bits.CR0_TS).isZero();
    }

    /** LMSW writes the low four bits of CR0, but leaves PE set (SDM 2A, LMSW); SI and memory at RSI. */
    @ParameterizedTest
    @ValueSource(strings = {"0f 01 f6", "0f 01 36"})
    void lmsw(String code) {
        long before = cpu.cr0 & ~0xfL;
        cpu.gpr[Processor.RSI] = code.endsWith("f6") ? 0xffff_fffa : TestMachine.DATA;
        machine.memory.write64(TestMachine.DATA, 0xffff_fffa);
        assertRaises(Vector.GP, 3, code);
        assertExecutes(0, code);
        assertThat(cpu.cr0).isEqualTo(before | Bits.CR0_PE | Bits.CR0_MP | Bits.CR0_TS);
    }

    @Test
    void swapgs() {
        cpu.segmentBase[Processor.GS] = 0x1111;
        cpu.msr.kernelGsBase = 0x2222;
        assertRaises(Vector.GP, 3, "0f 01 f8");
        assertExecutes(0, "0f 01 f8");
        assertThat(cpu.segmentBase[Processor.GS]).isEqualTo(0x2222);
        assertThat(cpu.msr.kernelGsBase).isEqualTo(0x1111);
    }

    /** LGDT [RSI], LIDT [RSI]. */
    @Test
    void descriptorTables() {
        cpu.gpr[Processor.RSI] = TestMachine.DATA;
        machine.memory.write64(TestMachine.DATA, 0x2222_3333_4444_1111L);
        machine.memory.write64(TestMachine.DATA + 8, 0x0fff); // in 57 bits neither
        assertRaises(Vector.GP, 3, "0f 01 16");
        assertRaises(Vector.GP, 3, "0f 01 1e");
        assertRaises(Vector.GP, 0, "0f 01 16"); // not canonical
        machine.memory.write64(TestMachine.DATA, 0x0022_3333_4444_1111L);
        machine.memory.write64(TestMachine.DATA + 8, 0);
        assertExecutes(0, "0f 01 16");
        assertThat(cpu.gdtLimit).isEqualTo(0x1111);
        assertThat(cpu.gdtBase).isEqualTo(0x0022_3333_4444L);
        assertExecutes(0, "0f 01 1e");
        assertThat(cpu.idtLimit).isEqualTo(0x1111);
        assertThat(cpu.idtBase).isEqualTo(0x0022_3333_4444L);
    }

    @Test
    void interruptFlagAndHalt() {
        cpu.setRflags(Bits.RFLAGS_FIXED);
        assertRaises(Vector.GP, 3, "fb"); // STI
        assertExecutes(0, "fb");
        assertThat(cpu.rflags() & Bits.RFLAGS_IF).isNotZero();
        assertRaises(Vector.GP, 3, "fa"); // CLI
        assertExecutes(0, "fa");
        assertThat(cpu.rflags() & Bits.RFLAGS_IF).isZero();
        assertRaises(Vector.GP, 3, "f4"); // HLT
        execute(0, "f4");
        assertThat(cpu.halted).isTrue();
    }

    /** Nothing answers at the port: reads are all ones. IN AL, 80h; IN EAX, DX; INSB; OUT 80h, AL; OUT DX, EAX; OUTSB. */
    @Test
    void portsAreThereWithIoplOnly() {
        for (String code : new String[]{"e4 80", "ed", "6c", "e6 80", "ef", "6e"}) {
            cpu.setRflags(Bits.RFLAGS_FIXED);
            cpu.gpr[Processor.RSI] = TestMachine.DATA;
            cpu.gpr[Processor.RDI] = TestMachine.DATA;
            assertRaises(Vector.GP, 3, code);
            cpu.setRflags(Bits.RFLAGS_FIXED | 3 << Bits.IOPL_SHIFT);
            assertExecutes(3, code);
            cpu.gpr[Processor.RDX] = 0x80;
        }
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(0xffff_ffffL);
        assertThat(machine.memory.read8(TestMachine.DATA) & 0xff).isEqualTo(0xff);
        assertThat(cpu.gpr[Processor.RSI]).isEqualTo(TestMachine.DATA + 1);
    }

    /** The model is AMD's, which has SYSEXIT in legacy mode only (APM 3, SYSEXIT). */
    @Test
    void sysexitIsUndefinedInLongMode() {
        assertRaises(Vector.UD, 0, SYSEXIT);
        assertRaises(Vector.GP, 3, SYSEXIT);
    }
}
