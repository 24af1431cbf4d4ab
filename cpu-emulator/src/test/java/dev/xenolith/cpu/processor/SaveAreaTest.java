package dev.xenolith.cpu.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Floating-point state: images in memory, what guards it, snapshots. */
class SaveAreaTest {
    private static final long AREA = 0x8_0000;
    private static final int HEADER = 512;

    private final TestMachine machine = new TestMachine();
    private final Processor p = machine.p;
    private final Random random = new Random(1);

    @BeforeEach
    void enable() {
        p.cr4 |= Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT | Bits.CR4_OSXSAVE;
        p.xcr0 = 7;
        p.updateContext();
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private void randomize() {
        for (int i = 0; i < p.vector.length; i++) {
            p.vector[i] = random.nextLong();
        }
        p.setMxcsr(random.nextInt() & 0xffbf | 0x1f80);
        p.fpu.setControl(random.nextInt() | 0x3f);
        p.fpu.setStatusWord(random.nextInt() & 0x7f7f);
        p.fpu.valid = random.nextInt() & 0xff;
        p.fpu.opcode = random.nextInt() & 0x7ff;
        p.fpu.instructionPointer = random.nextInt() & 0xffff_ffffL;
        p.fpu.dataPointer = random.nextInt() & 0xffff_ffffL;
        for (int i = 0; i < 8; i++) {
            p.fpu.significand[i] = random.nextLong();
            p.fpu.signExponent[i] = random.nextInt() & 0xffff;
        }
    }

    private byte[] x87() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            p.fpu.write(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes.toByteArray();
    }

    private void request(long components) {
        p.gpr[Processor.RAX] = components;
        p.gpr[Processor.RDX] = 0;
    }

    private int vectorOf(Runnable instruction) {
        assertThatThrownBy(instruction::run).isInstanceOf(GuestFault.class);
        return p.faultVector;
    }

    private void survives(Consumer<Long> save, Consumer<Long> restore, boolean withSse, boolean withAvx) {
        for (int round = 0; round < 20; round++) {
            randomize();
            byte[] x87 = x87();
            long[] vector = p.vector.clone();
            int mxcsr = p.mxcsr();
            save.accept(AREA);
            randomize();
            restore.accept(AREA);
            assertThat(x87()).isEqualTo(x87);
            for (int i = 0; withSse && i < 64; i++) {
                if ((i & 2) == 0 || withAvx) {
                    assertThat(p.vector[i]).as("quadword %d", i).isEqualTo(vector[i]);
                }
            }
            if (withSse) {
                assertThat(p.mxcsr()).isEqualTo(mxcsr);
            }
        }
    }

    @Test
    void everyFormatKeepsWhatItHas() {
        survives(a -> SaveArea.fxsave(p, a, 64), a -> SaveArea.fxrstor(p, a, 64), true, false);
        survives(a -> SaveArea.fxsave(p, a, 32), a -> SaveArea.fxrstor(p, a, 32), true, false);
        survives(a -> SaveArea.fnsave(p, a + 3, 32), a -> SaveArea.frstor(p, a + 3, 32), false, false);
        request(7);
        survives(a -> SaveArea.xsave(p, a, 64, 0), a -> SaveArea.xrstor(p, a, 64, 0), true, true);
        survives(a -> SaveArea.xsave(p, a, 64, 1), a -> SaveArea.xrstor(p, a, 64, 0), true, true);
        p.store64(AREA + HEADER + 8, 0);
        survives(a -> SaveArea.xsavec(p, a, 64, 1), a -> SaveArea.xrstor(p, a, 64, 1), true, true);
    }

    @Test
    void saveInitialisesTheFpuAndStoringTheEnvironmentMasksIt() {
        randomize();
        p.fpu.setControl(0x340);
        SaveArea.fnstenv(p, AREA, 32);
        assertThat(p.fpu.control()).isEqualTo(0x37f);
        assertThat(p.load32(AREA)).isEqualTo(0xffff_0340L);
        SaveArea.fnsave(p, AREA, 32);
        assertThat(p.fpu.valid).isZero();
        assertThat(p.fpu.control()).isEqualTo(FpuState.INITIAL_CONTROL);
        SaveArea.fldenv(p, AREA, 32);
        assertThat(p.fpu.control()).isEqualTo(0x37f);
    }

    @Test
    void componentsInTheirInitialStateAreMarkedAndRestoredAsSuch() {
        p.fpu.clear();
        Arrays.fill(p.vector, 0);
        p.setMxcsr(0x1f80);
        request(7);
        p.store64(AREA + HEADER, -1);
        SaveArea.xsavec(p, AREA, 64, 0);
        assertThat(p.load64(AREA + HEADER)).isZero();
        assertThat(p.load64(AREA + HEADER + 8)).isEqualTo(1L << 63 | 7);
        randomize();
        SaveArea.xrstor(p, AREA, 64, 0);
        assertThat(SaveArea.inUse(p)).isZero();
        assertThat(p.mxcsr()).isEqualTo(0x1f80);
        p.vector[2] = 1;
        SaveArea.xsavec(p, AREA, 64, 0);
        assertThat(p.load64(AREA + HEADER)).isEqualTo(SaveArea.AVX);
    }

    @Test
    void aComponentThatIsNotAskedForStays() {
        randomize();
        request(7);
        for (int i = 0; i < 64; i += 8) {
            p.store64(AREA + HEADER + i, 0);
        }
        SaveArea.xsave(p, AREA, 64, 0);
        randomize();
        byte[] x87 = x87();
        long upper = p.vector[2];
        request(2);
        SaveArea.xrstor(p, AREA, 64, 0);
        assertThat(x87()).isEqualTo(x87);
        assertThat(p.vector[2]).isEqualTo(upper);
        assertThat(p.vector[0]).isEqualTo(p.load64(AREA + 160));
    }

    @Test
    void malformedAreasAreRefusedBeforeAnythingChanges() {
        request(7);
        randomize();
        SaveArea.xsavec(p, AREA, 64, 0);
        byte[] x87 = x87();
        assertThat(vectorOf(() -> SaveArea.xrstor(p, AREA + 16, 64, 0))).isEqualTo(Vector.GP);
        assertThat(vectorOf(() -> SaveArea.fxrstor(p, AREA + 8, 64))).isEqualTo(Vector.GP);
        p.store64(AREA + HEADER + 16, 1);
        assertThat(vectorOf(() -> SaveArea.xrstor(p, AREA, 64, 1))).isEqualTo(Vector.GP);
        p.store64(AREA + HEADER + 16, 0);
        p.store32(AREA + 24, 0x10000);
        p.store64(AREA + HEADER, 7);
        assertThat(vectorOf(() -> SaveArea.xrstor(p, AREA, 64, 1))).isEqualTo(Vector.GP);
        assertThat(vectorOf(() -> SaveArea.ldmxcsr(p, 0x10000))).isEqualTo(Vector.GP);
        assertThat(x87()).isEqualTo(x87);
    }

    @Test
    void anAreaThatEndsInAMissingPageIsNotWrittenAtAll() {
        long at = AREA + 0x1000 - 256;
        machine.memory.write64(machine.entryOf(AREA + 0x1000), 0);
        p.flushAll();
        randomize();
        p.store64(at, 0x1122);
        request(7);
        assertThat(vectorOf(() -> SaveArea.fxsave(p, at, 64))).isEqualTo(Vector.PF);
        assertThat(vectorOf(() -> SaveArea.xsave(p, at, 64, 0))).isEqualTo(Vector.PF);
        assertThat(p.load64(at)).isEqualTo(0x1122);
        byte[] x87 = x87();
        assertThat(vectorOf(() -> SaveArea.frstor(p, AREA + 0x1000 - 50, 32))).isEqualTo(Vector.PF);
        assertThat(x87()).isEqualTo(x87);
    }

    @Test
    void theGateHoldsBackWhatControlRegistersForbid() {
        p.fpu.initialize();
        p.updateContext();
        assertThat(p.floatGate).isZero();
        expectGate(() -> p.cr0 |= Bits.CR0_TS, Vector.NM, FloatGate.X87, FloatGate.MMX, FloatGate.SSE, FloatGate.AVX,
                FloatGate.XSAVE);
        p.cr0 &= ~Bits.CR0_TS;
        expectGate(() -> p.cr0 |= Bits.CR0_EM, Vector.UD, FloatGate.MMX, FloatGate.SSE);
        expectGate(() -> p.cr0 |= Bits.CR0_EM, Vector.NM, FloatGate.X87);
        p.cr0 &= ~Bits.CR0_EM;
        expectGate(() -> p.cr0 |= Bits.CR0_TS | Bits.CR0_MP, Vector.NM, FloatGate.WAIT);
        p.cr0 &= ~Bits.CR0_TS;
        expectGate(() -> p.cr4 &= ~Bits.CR4_OSFXSR, Vector.UD, FloatGate.SSE);
        p.cr4 |= Bits.CR4_OSFXSR;
        expectGate(() -> p.xcr0 = 3, Vector.UD, FloatGate.AVX);
        expectGate(() -> p.cr4 &= ~Bits.CR4_OSXSAVE, Vector.UD, FloatGate.XSAVE);
        p.fpu.setControl(0x340);
        p.fpu.setStatusWord(4);
        expectGate(() -> {}, Vector.MF, FloatGate.X87 | FloatGate.PENDING, FloatGate.MMX | FloatGate.PENDING);
    }

    private void expectGate(Runnable change, int vector, int... kinds) {
        change.run();
        p.updateContext();
        for (int kind : kinds) {
            assertThat(p.floatGate & kind).as("gate of %d", kind).isNotZero();
            p.closedGate(kind);
            assertThat(p.faultVector).as("exception of %d", kind).isEqualTo(vector);
        }
    }

    /** SDM 1 13.2: what software computes the area's layout from. */
    @Test
    void cpuidDescribesTheArea() {
        int[] r = new int[4];
        for (int components : new int[]{1, 3, 7}) {
            p.xcr0 = components;
            Cpuid.read(p, 0xd, 0, r);
            assertThat(r).as("XCR0 %d", components).containsExactly(0x207, components == 7 ? 832 : 576, 2696, 0);
            Cpuid.read(p, 0xd, 1, r);
            assertThat(r).as("XCR0 %d", components).containsExactly(0xf, components == 7 ? 832 : 576, 0, 0);
        }
        Cpuid.read(p, 0xd, 2, r);
        assertThat(r).containsExactly(256, 576, 0, 0);
        Cpuid.read(p, 0xd, 3, r);
        assertThat(r).containsOnly(0);
    }

    @Test
    void aSnapshotHasIt() throws IOException {
        randomize();
        byte[] x87 = x87();
        long[] vector = p.vector.clone();
        int mxcsr = p.mxcsr();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ProcessorSnapshot.save(p, new DataOutputStream(bytes));
        randomize();
        ProcessorSnapshot.restore(p, new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
        assertThat(x87()).isEqualTo(x87);
        assertThat(p.vector).isEqualTo(vector);
        assertThat(p.mxcsr()).isEqualTo(mxcsr);
    }
}
