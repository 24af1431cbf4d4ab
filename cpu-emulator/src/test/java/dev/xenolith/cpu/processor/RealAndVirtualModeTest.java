package dev.xenolith.cpu.processor;

import static dev.xenolith.cpu.processor.LegacyMachine.fault;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Real-address mode and virtual-8086 mode (SDM 3A chapter 20). */
final class RealAndVirtualModeTest {
    private final LegacyMachine m = new LegacyMachine();
    private final Processor p = m.p;

    @AfterEach
    void close() {
        m.close();
    }

    private void enterReal() {
        ControlRegisters.writeCr0(p, p.cr0 & ~Bits.CR0_PE);
        p.reset();
        p.segmentSelector[Processor.CS] = 0x100;
        p.segmentBase[Processor.CS] = 0x1000;
        p.rip = 0x1234;
        p.gpr[Processor.RSP] = 0x800;
        Segmentation.loadSegment(p, Processor.SS, 0x200);
    }

    @Test
    void anEventInRealModeGoesThroughTheVectorTableAndIretComesBack() {
        enterReal();
        m.memory.write(4L * Vector.GP, 4, 0x3000_0456L);
        p.setRflags(Bits.RFLAGS_IF | Bits.RFLAGS_TF | Bits.RFLAGS_CF);
        assertThat(Delivery.exception(p, Vector.GP, 0x55, false)).isTrue();
        assertThat(p.segmentSelector[Processor.CS]).isEqualTo(0x3000);
        assertThat(p.rip).isEqualTo(0x3_0456);
        assertThat(p.gpr[Processor.RSP]).as("no error code").isEqualTo(0x800 - 6);
        assertThat(m.memory.read(0x2000 + 0x800 - 6, 2)).isEqualTo(0x234);
        assertThat(m.memory.read(0x2000 + 0x800 - 4, 2)).isEqualTo(0x100);
        assertThat(m.memory.read(0x2000 + 0x800 - 2, 2)).isEqualTo(Bits.RFLAGS_IF | Bits.RFLAGS_TF | 3);
        assertThat(p.rflags() & (Bits.RFLAGS_IF | Bits.RFLAGS_TF)).isZero();
        ControlTransfer.iret(p, 16);
        assertThat(p.rip).isEqualTo(0x1234);
        assertThat(p.rflags() & Bits.RFLAGS_TF).isNotZero();
    }

    @Test
    void aVectorBeyondTheTableShutsDown() {
        enterReal();
        p.idtLimit = 3;
        assertThat(Delivery.exception(p, Vector.UD, 0, false)).isFalse();
        assertThat(p.stop.kind).isEqualTo(Stop.Kind.SHUTDOWN);
    }

    @Test
    void limitsOfProtectedModeOutliveIt() {
        m.define(LegacyMachine.SPARE, 0, 0xfffff, LegacyMachine.DATA | Segment.GRANULARITY);
        Segmentation.loadSegment(p, Processor.FS, LegacyMachine.SPARE);
        ControlRegisters.writeCr0(p, p.cr0 & ~Bits.CR0_PE);
        Segmentation.loadSegment(p, Processor.FS, 0x1000);
        assertThat(p.segments.writable(Processor.FS, 0x12_3456, 4)).isEqualTo(0x13_3456);
        assertThat(m.fault(() -> p.segments.writable(Processor.DS, 0x10_0000, 1))).isEqualTo(fault(Vector.GP, 0));
    }

    /** At CS:IP 1000:0100, SS:SP 2000:0800, with a handler for every vector in ring 0. */
    private void enter8086(int iopl) {
        for (int vector = 0; vector < 0x40; vector++) {
            m.handler(vector, LegacyMachine.gate(LegacyMachine.CODE_0, 0x5000 + vector, Segment.TYPE_INTERRUPT_GATE,
                    vector == 3 || vector == 4 || vector == 0x21 ? 3 : 0, 0));
        }
        long[] frame = {0x100, 0x1000, Bits.RFLAGS_VM | Bits.RFLAGS_IF | (long) iopl << Bits.IOPL_SHIFT | 2, 0x800,
            0x2000,
            0x3000, 0x4000, 0x5000, 0x6000};
        for (int i = frame.length - 1; i >= 0; i--) {
            Stack.push(p, frame[i], 32);
        }
        ControlTransfer.iret(p, 32);
    }

    @Test
    void iretEntersVirtual8086ModeAndAnEventLeavesIt() {
        enter8086(0);
        assertThat(p.isVirtual8086()).isTrue();
        assertThat(p.cpl).isEqualTo(3);
        assertThat(p.rip).isEqualTo(0x1_0100);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(0x800);
        assertThat(p.segmentBase).startsWith(0x3_0000, 0x1_0000, 0x2_0000, 0x4_0000, 0x5_0000, 0x6_0000);
        assertThat(p.segmentLimit[Processor.DS]).isEqualTo(0xffff);
        assertThat(Delivery.exception(p, Vector.GP, 0, false)).isTrue();
        assertThat(p.isVirtual8086()).isFalse();
        assertThat(p.cpl).isZero();
        long esp = p.gpr[Processor.RSP];
        assertThat(esp).isEqualTo(LegacyMachine.INNER - 40);
        long[] words = {0, 0x100, 0x1000, Bits.RFLAGS_VM | Bits.RFLAGS_IF | Bits.RFLAGS_RF | 2, 0x800, 0x2000, 0x3000,
            0x4000,
            0x5000, 0x6000};
        for (int i = 0; i < words.length; i++) {
            assertThat(m.stack(esp + 4L * i)).as("word %d", i).isEqualTo(words[i]);
        }
        assertThat(p.segmentAttributes[Processor.DS] & Segment.UNUSABLE).isNotZero();
        p.gpr[Processor.RSP] += 4;
        ControlTransfer.iret(p, 32);
        assertThat(p.isVirtual8086()).isTrue();
        assertThat(p.rip).isEqualTo(0x1_0100);
    }

    @Test
    void sensitiveInstructionsNeedIopl3() {
        enter8086(0);
        int gp = fault(Vector.GP, 0);
        assertThat(m.fault(() -> SystemInstructions.cli(p))).isEqualTo(gp);
        assertThat(m.fault(() -> SystemInstructions.sti(p))).isEqualTo(gp);
        assertThat(m.fault(() -> SystemInstructions.pushf(p, 16))).isEqualTo(gp);
        assertThat(m.fault(() -> SystemInstructions.popf(p, 0, 16))).isEqualTo(gp);
        assertThat(m.fault(() -> ControlTransfer.softwareInterrupt(p, 0x21, 2))).isEqualTo(gp);
        assertThat(m.fault(() -> ControlTransfer.iret(p, 16))).isEqualTo(gp);
        assertThat(m.fault(() -> SystemInstructions.hlt(p))).isEqualTo(gp);
        assertThat(m.fault(() -> ControlTransfer.breakpoint(p, 1))).as("INT3").isEqualTo(-1);
        assertThat(p.rip).isEqualTo(0x5003);
    }

    @Test
    void withIopl3TheyExecute() {
        enter8086(3);
        assertThat(m.fault(() -> SystemInstructions.cli(p))).isEqualTo(-1);
        assertThat(p.rflags() & Bits.RFLAGS_IF).isZero();
        assertThat(m.fault(() -> SystemInstructions.popf(p, Bits.RFLAGS_IF, 16))).isEqualTo(-1);
        assertThat(p.iopl()).as("IOPL stays").isEqualTo(3);
        assertThat(m.fault(() -> ControlTransfer.softwareInterrupt(p, 0x22, 2)))
                .isEqualTo(fault(Vector.GP, 0x22 << 3 | 2));
        assertThat(m.fault(() -> ControlTransfer.softwareInterrupt(p, 0x21, 2))).isEqualTo(-1);
        assertThat(p.rip).isEqualTo(0x5021);
    }

    @Test
    void portsAreTheMapsWhateverTheIopl() {
        enter8086(3);
        m.memory.write(LegacyMachine.TASK + 102, 2, 0x68);
        assertThat(m.fault(() -> InputOutput.in(p, 0x60, 1))).as("no map").isEqualTo(fault(Vector.GP, 0));
        p.segmentLimit[Processor.TR] = 0x100;
        m.memory.write(LegacyMachine.TASK + 102, 2, 0x70);
        assertThat(m.fault(() -> InputOutput.in(p, 0x60, 1))).isEqualTo(-1);
        m.memory.write(LegacyMachine.TASK + 0x70 + (0x60 >> 3), 1, 2);
        assertThat(m.fault(() -> InputOutput.in(p, 0x60, 1))).isEqualTo(-1);
        assertThat(m.fault(() -> InputOutput.in(p, 0x60, 2))).isEqualTo(fault(Vector.GP, 0));
    }

    @Test
    void farTransfersOfRealModeKeepTheLimitOfCs() {
        enterReal();
        ControlTransfer.callFar(p, 0x4000, 0x10, 16);
        assertThat(p.rip).isEqualTo(0x4_0010);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(0x800 - 4);
        ControlTransfer.returnFar(p, 2, 16);
        assertThat(p.rip).isEqualTo(0x1234);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(0x802);
        assertThat(m.fault(() -> ControlTransfer.jumpFar(p, 0x4000, 0x1_0000, 32))).isEqualTo(fault(Vector.GP, 0));
        assertThat(m.fault(() -> NearBranch.jump(p, 0x1_0000, 32))).isEqualTo(fault(Vector.GP, 0));
    }
}
