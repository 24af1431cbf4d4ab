package dev.xenolith.cpu.processor;

import static dev.xenolith.cpu.processor.LegacyMachine.fault;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.model.CpuModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** CR4.VME and CR4.PVI (SDM 3A 20.3, 20.4). */
class VirtualInterruptsTest {
    private static final int GP = fault(Vector.GP, 0);
    private static final int MAP = 0x88;

    private final LegacyMachine m = new LegacyMachine();
    private final Processor p = m.p;

    @AfterEach
    void close() {
        m.close();
    }

    /** At CS:IP 1000:0100, SS:SP 2000:0800, with {@code flags} and CR4.VME. */
    private void enter8086(int iopl, long flags) {
        assertThat(ControlRegisters.writeCr4(p, Bits.CR4_VME)).isTrue();
        for (int vector = 0; vector < 0x40; vector++) {
            m.handler(vector, LegacyMachine.gate(LegacyMachine.CODE_0, 0x5000 + vector, Segment.TYPE_INTERRUPT_GATE,
                    vector == 0x21 ? 3 : 0, 0));
        }
        long[] frame = {0x100, 0x1000, Bits.RFLAGS_VM | flags | (long) iopl << Bits.IOPL_SHIFT | 2, 0x800, 0x2000, 0, 0,
            0, 0};
        for (int i = frame.length - 1; i >= 0; i--) {
            Stack.push(p, frame[i], 32);
        }
        ControlTransfer.iret(p, 32);
        // The redirection map stands in the 32 bytes below the I/O map.
        p.segmentLimit[Processor.TR] = 0x100;
        m.memory.write(LegacyMachine.TASK + 102, 2, MAP);
        m.memory.write32(0x21 * 4, 0x3000_0040);
    }

    private void redirect(int vector, boolean toMonitor) {
        long at = LegacyMachine.TASK + MAP - 32 + vector / 8;
        int bit = 1 << vector % 8;
        int old = m.memory.read8(at);
        m.memory.write8(at, toMonitor ? old | bit : old & ~bit);
    }

    private long flag(long bit) {
        return p.rflags() & bit;
    }

    @Test
    void cliAndStiAreAboutVif() {
        enter8086(0, Bits.RFLAGS_IF);
        SystemInstructions.sti(p);
        assertThat(flag(Bits.RFLAGS_VIF)).isNotZero();
        SystemInstructions.cli(p);
        assertThat(flag(Bits.RFLAGS_VIF)).isZero();
        assertThat(flag(Bits.RFLAGS_IF)).as("the real flag").isNotZero();
    }

    @Test
    void stiFaultsWhileAnInterruptWaits() {
        enter8086(0, Bits.RFLAGS_VIP);
        assertThat(m.fault(() -> SystemInstructions.sti(p))).isEqualTo(GP);
        assertThat(flag(Bits.RFLAGS_VIF)).isZero();
        assertThat(m.fault(() -> SystemInstructions.cli(p))).isEqualTo(-1);
    }

    @Test
    void pushfShowsVifAsIf() {
        enter8086(0, Bits.RFLAGS_VIF);
        assertThat(SystemInstructions.pushf(p, 16) & 0xffff).isEqualTo(Bits.RFLAGS_IF | Bits.RFLAGS_IOPL | 2);
        SystemInstructions.cli(p);
        assertThat(SystemInstructions.pushf(p, 16) & 0xffff).isEqualTo(Bits.RFLAGS_IOPL | 2);
        assertThat(m.fault(() -> SystemInstructions.pushf(p, 32))).as("not in 32 bits").isEqualTo(GP);
    }

    @Test
    void popfSetsVif() {
        enter8086(0, 0);
        SystemInstructions.popf(p, Bits.RFLAGS_IF | Bits.RFLAGS_IOPL | Bits.RFLAGS_CF, 16);
        assertThat(flag(Bits.RFLAGS_VIF)).isNotZero();
        assertThat(flag(Bits.RFLAGS_IF | Bits.RFLAGS_IOPL)).isZero();
        assertThat(flag(Bits.RFLAGS_CF)).isNotZero();
        SystemInstructions.popf(p, 0, 16);
        assertThat(flag(Bits.RFLAGS_VIF)).isZero();
        assertThat(m.fault(() -> SystemInstructions.popf(p, Bits.RFLAGS_TF, 16))).isEqualTo(GP);
        assertThat(m.fault(() -> SystemInstructions.popf(p, 0, 32))).isEqualTo(GP);
        p.setSystemFlags(p.rflagsSystem | Bits.RFLAGS_VIP);
        assertThat(m.fault(() -> SystemInstructions.popf(p, Bits.RFLAGS_IF, 16))).isEqualTo(GP);
        assertThat(m.fault(() -> SystemInstructions.popf(p, 0, 16))).isEqualTo(-1);
    }

    @Test
    void iretSetsVif() {
        enter8086(0, 0);
        m.memory.write(0x2_0800, 8, 0x123L | 0x3000L << 16 | (Bits.RFLAGS_IF | Bits.RFLAGS_CF) << 32);
        ControlTransfer.iret(p, 16);
        assertThat(p.rip).isEqualTo(0x3_0123);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(0x806);
        assertThat(flag(Bits.RFLAGS_VIF)).isNotZero();
        assertThat(flag(Bits.RFLAGS_IF)).isZero();
        assertThat(p.isVirtual8086()).isTrue();
        p.gpr[Processor.RSP] = 0x800;
        p.setSystemFlags(p.rflagsSystem | Bits.RFLAGS_VIP);
        assertThat(m.fault(() -> ControlTransfer.iret(p, 16))).isEqualTo(GP);
        assertThat(p.gpr[Processor.RSP]).as("nothing has changed").isEqualTo(0x800);
        assertThat(m.fault(() -> ControlTransfer.iret(p, 32))).isEqualTo(GP);
    }

    @Test
    void intGoesToTheProgramIfItsBitIsClear() {
        enter8086(0, Bits.RFLAGS_VIF | Bits.RFLAGS_IF);
        p.rip = 0x1_0102;
        redirect(0x21, false);
        ControlTransfer.softwareInterrupt(p, 0x21, 2);
        assertThat(p.isVirtual8086()).isTrue();
        assertThat(p.rip).isEqualTo(0x3_0040);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(0x7fa);
        assertThat(m.memory.read16(0x2_07fa)).isEqualTo(0x102);
        assertThat(m.memory.read16(0x2_07fc)).isEqualTo(0x1000);
        assertThat(m.memory.read16(0x2_07fe)).isEqualTo((int) (Bits.RFLAGS_IF | Bits.RFLAGS_IOPL | 2));
        assertThat(flag(Bits.RFLAGS_VIF)).isZero();
        assertThat(flag(Bits.RFLAGS_IF)).isNotZero();
    }

    @Test
    void withIopl3IntClearsIfItself() {
        enter8086(3, Bits.RFLAGS_VIF | Bits.RFLAGS_IF);
        redirect(0x21, false);
        ControlTransfer.softwareInterrupt(p, 0x21, 2);
        assertThat(p.rip).isEqualTo(0x3_0040);
        assertThat(flag(Bits.RFLAGS_VIF)).isNotZero();
        assertThat(flag(Bits.RFLAGS_IF)).isZero();
        assertThat(m.memory.read16(0x2_07fe)).isEqualTo((int) (Bits.RFLAGS_IF | Bits.RFLAGS_IOPL | 2));
    }

    @Test
    void intIsTheMonitorsIfItsBitIsSet() {
        enter8086(0, 0);
        redirect(0x21, true);
        assertThat(m.fault(() -> ControlTransfer.softwareInterrupt(p, 0x21, 2))).isEqualTo(GP);
        p.rflagsSystem |= Bits.RFLAGS_IOPL;
        assertThat(m.fault(() -> ControlTransfer.softwareInterrupt(p, 0x21, 2))).isEqualTo(-1);
        assertThat(p.rip).isEqualTo(0x5021);
        assertThat(p.cpl).isZero();
    }

    @Test
    void protectedModeHasCliAndStiOnly() {
        assertThat(ControlRegisters.writeCr4(p, Bits.CR4_PVI)).isTrue();
        m.enterRing(3);
        SystemInstructions.sti(p);
        assertThat(flag(Bits.RFLAGS_VIF)).isNotZero();
        SystemInstructions.cli(p);
        assertThat(flag(Bits.RFLAGS_VIF)).isZero();
        p.setSystemFlags(p.rflagsSystem | Bits.RFLAGS_VIP);
        assertThat(m.fault(() -> SystemInstructions.sti(p))).isEqualTo(GP);
        assertThat(SystemInstructions.pushf(p, 32) & Bits.RFLAGS_IOPL).isZero();
        m.enterRing(0);
        SystemInstructions.sti(p);
        assertThat(flag(Bits.RFLAGS_IF)).as("at CPL 0").isNotZero();
        m.enterRing(3);
        ControlRegisters.set(p, p.cr0, 0, 0);
        assertThat(m.fault(() -> SystemInstructions.sti(p))).as("without").isEqualTo(GP);
    }

    @Test
    void bothModelsHaveIt() {
        int[] leaf = new int[4];
        for (CpuModel model : new CpuModel[]{CpuModel.intel(), CpuModel.amd()}) {
            model.cpuid(1, 0, leaf);
            assertThat(leaf[3] & 2).isNotZero();
        }
    }
}
