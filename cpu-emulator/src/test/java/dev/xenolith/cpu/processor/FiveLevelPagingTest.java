package dev.xenolith.cpu.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.paging.Mmu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** CR4.LA57: five levels of tables, 57 bits of linear addresses (SDM 3A 4.5, SDM 1 3.3.7.1). */
class FiveLevelPagingTest {
    private static final long TOP = 13L << 20;
    private static final long WIDE = 0x0012_0000_0000_0000L;

    private final TestMachine machine = new TestMachine();
    private final Processor p = machine.p;

    @AfterEach
    void close() {
        machine.close();
    }

    /** A table above the machine's four levels: those are found at 0, at {@link #WIDE}, and in the upper half. */
    private void enable() {
        machine.memory.write64(TOP, TestMachine.ROOT | 7);
        machine.memory.write64(TOP + (WIDE >>> 48 & 511) * 8, TestMachine.ROOT | 7);
        machine.memory.write64(TOP + 511 * 8, TestMachine.ROOT | 7);
        ControlRegisters.set(p, p.cr0, p.cr4 | Bits.CR4_LA57, p.efer);
        p.setCr3(TOP, 0);
        p.flushAll();
    }

    private int fault(Runnable access) {
        try {
            access.run();
            return -1;
        } catch (GuestFault fault) {
            return p.faultVector;
        }
    }

    @Test
    void addressesHave57Bits() {
        machine.memory.write64(0x40_0008, 0x1234);
        assertThat(fault(() -> p.load64(WIDE + 0x40_0008))).as("with four levels").isEqualTo(Vector.GP);
        enable();
        assertThat(p.load64(0x40_0008)).isEqualTo(0x1234);
        assertThat(p.load64(WIDE + 0x40_0008)).isEqualTo(0x1234);
        assertThat(p.load64(TestMachine.KERNEL + 0x40_0008)).as("upper half").isEqualTo(0x1234);
        assertThat(p.mmu().inspect(WIDE + 0x40_0008)).isEqualTo(0x40_0008);
        assertThat(fault(() -> p.load64(WIDE + (1L << 48)))).as("no table").isEqualTo(Vector.PF);
        assertThat(fault(() -> p.load64(1L << 56))).as("57 bits").isEqualTo(Vector.GP);
        assertThat(fault(() -> p.store64(-1L << 57, 0))).isEqualTo(Vector.GP);
    }

    @Test
    void aTopEntryIsNoPage() {
        enable();
        machine.memory.write64(TOP, TestMachine.ROOT | 0x87);
        p.flushAll();
        assertThat(fault(() -> p.load64(0x40_0000))).isEqualTo(Vector.PF);
        assertThat(p.faultErrorCode & Mmu.PF_RESERVED).isNotZero();
    }

    /** Where software goes must be canonical for CR4.LA57; registers take what the processor could ever translate. */
    @Test
    void addressesAreCanonicalForTheirModeRegistersForTheProcessor() {
        assertThat(ControlRegisters.isCanonical(p, WIDE)).isFalse();
        p.gpr[Processor.RCX] = 0xc000_0082L;
        p.gpr[Processor.RAX] = WIDE & 0xffff_ffffL;
        p.gpr[Processor.RDX] = WIDE >>> 32;
        assertThat(fault(() -> SystemInstructions.wrmsr(p))).as("LSTAR").isEqualTo(-1);
        assertThat(p.msr.lstar).isEqualTo(WIDE);
        enable();
        assertThat(ControlRegisters.isCanonical(p, WIDE)).isTrue();
        p.gpr[Processor.RDX] = 1L << 31;
        assertThat(fault(() -> SystemInstructions.wrmsr(p))).isEqualTo(Vector.GP);
    }

    @Test
    void cannotBeChangedInLongMode() {
        assertThat(ControlRegisters.writeCr4(p, p.cr4 | Bits.CR4_LA57)).isFalse();
        enable();
        assertThat(ControlRegisters.writeCr4(p, p.cr4 & ~Bits.CR4_LA57)).isFalse();
    }

    @Test
    void bothModelsHaveIt() {
        int[] leaf = new int[4];
        for (CpuModel model : new CpuModel[]{CpuModel.intel(), CpuModel.amd()}) {
            model.cpuid(7, 0, leaf);
            assertThat(leaf[2] >>> 16 & 1).isEqualTo(1);
            model.cpuid(0x8000_0008, 0, leaf);
            assertThat(leaf[0] >>> 8 & 0xff).isEqualTo(57);
        }
    }
}
