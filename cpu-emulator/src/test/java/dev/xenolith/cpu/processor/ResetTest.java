package dev.xenolith.cpu.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.Processors;
import dev.xenolith.cpu.ProcessorBuilder;
import dev.xenolith.cpu.apic.ApicBus;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.time.MachineClock;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Reset, INIT, start-up IPIs and system-management mode of bare processors. */
final class ResetTest {
    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(4 << 20));
    private final Processors processors = new ProcessorBuilder(new MachineClock(), new PhysicalMap(memory)).count(2)
            .build();
    private final Processor first = processors.get(0);
    private final Processor second = processors.get(1);

    ResetTest() {
        first.reset();
        second.reset();
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private void code(long address, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        memory.copyIn(bytes, 0, address, bytes.length);
    }

    @Test
    void theBootstrapProcessorBeginsBelow4GiB() {
        assertThat(first.rip).isEqualTo(0xffff_fff0L);
        assertThat(first.segmentSelector[Processor.CS]).isEqualTo(0xf000);
        assertThat(first.segmentBase[Processor.CS]).isEqualTo(0xffff_0000L);
        assertThat(first.cr0).isEqualTo(0x6000_0010L);
        assertThat(first.gpr[Processor.RDX]).isEqualTo(first.model.signature());
        assertThat(first.rflags()).isEqualTo(2);
        assertThat(second.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(second.retired).isZero();
    }

    @Test
    void aStartUpIpiStartsAProcessorThatWaitsAndOnlyIt() {
        code(0x5000, "b8 34 12 f4");
        processors.apicBus().send(1, false, ApicBus.INIT, 0, false);
        processors.apicBus().send(1, false, ApicBus.STARTUP, 5, false);
        assertThat(second.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(second.gpr[0]).isEqualTo(0x1234);
        assertThat(second.segmentSelector[Processor.CS]).isEqualTo(0x500);
        processors.apicBus().send(1, false, ApicBus.STARTUP, 6, false);
        second.run(10);
        assertThat(second.rip).as("a second start-up IPI").isEqualTo(0x5004);
        second.gpr[3] = 7;
        second.msr.star = 9;
        processors.apicBus().send(1, false, ApicBus.INIT, 0, false);
        assertThat(second.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(second.waitsForStartup).isTrue();
        assertThat(second.gpr[3]).isZero();
        assertThat(second.msr.star).as("MSRs outlive INIT").isEqualTo(9);
    }

    @Test
    void anSmiRunsItsHandlerAndRsmReturnsWithANewSmbase() {
        code(0x1000, "43 43 43 43 f4");
        first.segmentSelector[Processor.CS] = 0x100;
        first.segmentBase[Processor.CS] = 0x1000;
        first.rip = 0x1000;
        first.gpr[Processor.RSI] = 0x5555;
        first.updateContext();
        // The handler: inc si; mov dword cs:[0xff00 - 0x8000 + 0x8000], 0x40000; rsm
        code(0x3_8000, "46 66 2e c7 06 00 ff 00 00 04 00 0f aa");
        code(0x4_8000, "47 0f aa");
        first.run(1);
        first.raiseSmi();
        first.run(1);
        assertThat(first.inSystemManagement).isTrue();
        assertThat(memory.read(0x3_fefc, 4)).isEqualTo(0x2_0064);
        assertThat(first.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(first.inSystemManagement).isFalse();
        assertThat(first.smbase).isEqualTo(0x4_0000);
        assertThat(first.gpr[Processor.RBX]).isEqualTo(4);
        assertThat(first.gpr[Processor.RSI]).as("the handler's registers are not the program's").isEqualTo(0x5555);
        processors.apicBus().send(0, false, ApicBus.SMI, 0, false);
        assertThat(first.run(10).kind).as("back in HLT").isEqualTo(Stop.Kind.HALTED);
        assertThat(first.smbase).isEqualTo(0x4_0000);
        assertThat(first.rip).isEqualTo(0x1005);
    }

    @Test
    void floatingPointRegistersArePowersUpsAndOutliveInit() {
        second.fpu.setControl(0x37f);
        second.fpu.valid = 0;
        second.fpu.significand[3] = 5;
        second.fpu.setStatusWord(1);
        second.setMxcsr(0x9fc0);
        second.vector[6] = 7;
        second.xcr0 = 3;
        second.cr0 |= Bits.CR0_TS;
        second.cr4 |= Bits.CR4_OSFXSR;
        second.updateContext();
        assertThat(second.floatGate & FloatGate.X87).isNotZero();
        processors.apicBus().send(1, false, ApicBus.INIT, 0, false);
        second.run(10);
        assertThat(second.fpu.control()).as("control word after INIT").isEqualTo(0x37f);
        assertThat(second.fpu.tagWord()).isEqualTo(0xffff);
        assertThat(second.fpu.significand[3]).isEqualTo(5);
        assertThat(second.mxcsr()).isEqualTo(0x9fc0);
        assertThat(second.vector[6]).isEqualTo(7);
        assertThat(second.xcr0).isEqualTo(3);
        assertThat(second.floatGate & FloatGate.X87).as("CR0.TS is clear").isZero();
        assertThat(second.floatGate & FloatGate.SSE).as("CR4.OSFXSR is clear").isNotZero();
        second.fpu.setControl(0);
        second.updateContext();
        second.reset();
        assertThat(second.fpu.control()).isEqualTo(0x40);
        assertThat(second.fpu.statusWord()).isZero();
        assertThat(second.fpu.tagWord()).isEqualTo(0x5555);
        assertThat(second.fpu.significand[3]).isZero();
        assertThat(second.mxcsr()).isEqualTo(0x1f80);
        assertThat(second.vector[6]).isZero();
        assertThat(second.xcr0).isEqualTo(1);
        assertThat(second.floatGate & (FloatGate.X87 | FloatGate.PENDING)).isZero();
    }

    @Test
    void anSmiOpensTheX87AndRsmClosesItAgain() {
        code(0x1000, "90 f4");
        first.segmentSelector[Processor.CS] = 0x100;
        first.segmentBase[Processor.CS] = 0x1000;
        first.rip = 0x1000;
        first.cr0 |= Bits.CR0_TS | Bits.CR0_EM;
        first.updateContext();
        // fld1; rsm: SMI clears CR0.TS and EM, and the registers are not part of the saved state.
        code(0x3_8000, "d9 e8 0f aa");
        first.fpu.initialize();
        first.raiseSmi();
        first.run(1);
        assertThat(first.inSystemManagement).isTrue();
        assertThat(first.floatGate & FloatGate.X87).isZero();
        assertThat(first.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(first.rip).isEqualTo(0x1002);
        assertThat(first.fpu.top).isEqualTo(7);
        assertThat(first.floatGate & FloatGate.X87).isNotZero();
    }

    @Test
    void rsmOutsideIsUndefined() {
        try {
            SystemManagement.resume(first);
            assertThat(false).as("raised").isTrue();
        } catch (GuestFault fault) {
            assertThat(first.faultVector).isEqualTo(Vector.UD);
        }
    }

    @Test
    void aSnapshotKeepsWhatOnlyBareProcessorsHave() throws IOException {
        first.smbase = 0x7_0000;
        first.raiseSmi();
        first.mmu().setPointer(2, 0x1001);
        first.msr.tscAdjust = 77;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        processors.save(new DataOutputStream(bytes));
        first.reset();
        second.waitsForStartup = false;
        first.mmu().setPointer(2, 0);
        processors.restore(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
        assertThat(first.smbase).isEqualTo(0x7_0000);
        assertThat(first.smiPending).isTrue();
        assertThat(first.mmu().pointer(2)).isEqualTo(0x1001);
        assertThat(first.msr.tscAdjust).isEqualTo(77);
        assertThat(second.waitsForStartup).isTrue();
        assertThat(first.isReal()).isTrue();
    }
}
