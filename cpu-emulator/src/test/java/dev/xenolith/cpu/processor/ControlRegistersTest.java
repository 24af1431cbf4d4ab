package dev.xenolith.cpu.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.model.CpuModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ControlRegistersTest {
    private final TestMachine machine = new TestMachine();
    private final Processor p = machine.p;

    @AfterEach
    void close() {
        machine.close();
    }

    @Test
    void modesThatAreNotImplementedCannotBeEntered() {
        long cr0 = p.cr0;
        long cr4 = p.cr4;
        long efer = p.efer;
        assertThat(ControlRegisters.writeCr0(p, cr0 & ~Bits.CR0_PG)).isFalse();
        assertThat(ControlRegisters.writeCr0(p, cr0 & ~(Bits.CR0_PG | Bits.CR0_PE))).isFalse();
        assertThat(ControlRegisters.writeCr4(p, cr4 & ~Bits.CR4_PAE)).isFalse();
        assertThat(ControlRegisters.writeEfer(p, efer & ~Bits.EFER_LME)).isFalse();
        assertThat(p.cr0).isEqualTo(cr0);
        assertThat(p.cr4).isEqualTo(cr4);
        assertThat(p.efer).isEqualTo(efer);
    }

    @Test
    void reservedBitsAreRefused() {
        assertThat(ControlRegisters.writeCr0(p, p.cr0 | 1L << 32)).isFalse();
        assertThat(ControlRegisters.writeCr0(p, p.cr0 | Bits.CR0_NW)).isFalse();
        assertThat(ControlRegisters.writeCr0(p, p.cr0 | Bits.CR0_NW | Bits.CR0_CD)).isTrue();
        assertThat(ControlRegisters.writeCr3(p, 1L << 46)).isFalse();
        assertThat(ControlRegisters.writeCr4(p, p.cr4 | 1 << 14)).as("SMX").isFalse();
        assertThat(ControlRegisters.writeCr4(p, p.cr4 | 1 << 23)).as("no control-flow enforcement").isFalse();
        assertThat(ControlRegisters.writeCr4(p, p.cr4 | Bits.CR4_SMEP | Bits.CR4_FSGSBASE)).isTrue();
        assertThat(ControlRegisters.writeEfer(p, p.efer | 1 << 12)).as("SVME").isFalse();
    }

    @Test
    void writeProtectAndNoExecuteTakeEffectAtOnce() {
        machine.memory.write64(machine.entryOf(0x7_0000), 0x7_0000 | 1L << 63 | 5);
        p.flushAll();
        assertThat(ControlRegisters.writeCr0(p, p.cr0 & ~Bits.CR0_WP)).isTrue();
        p.store64(0x7_0000, 1);
        assertThat(ControlRegisters.writeCr0(p, p.cr0 | Bits.CR0_WP)).isTrue();
        assertThat(faults(() -> p.store64(0x7_0000, 1))).isTrue();
        p.load8(0x7_0000);
        assertThat(ControlRegisters.writeEfer(p, p.efer & ~Bits.EFER_NXE)).isTrue();
        assertThat(faults(() -> p.load8(0x7_0000))).as("bit 63 is reserved now").isTrue();
        assertThat(p.faultErrorCode).isEqualTo(9);
    }

    private static boolean faults(Runnable action) {
        try {
            action.run();
            return false;
        } catch (GuestFault fault) {
            return true;
        }
    }

    /** Canonical for registers is what five levels can translate, whether they are on or not (SDM 1 3.3.7.1). */
    @Test
    void registersTakeAddressesOfAsManyBitsAsTheProcessorHas() {
        assertThat(p.cr4 & Bits.CR4_LA57).isZero();
        long wide = 0xff55_5555_5555_5555L;
        for (int address : new int[]{Msrs.FS_BASE, Msrs.GS_BASE, Msrs.KERNEL_GS_BASE, Msrs.LSTAR, Msrs.CSTAR,
            Msrs.SYSENTER_EIP, Msrs.SYSENTER_ESP}) {
            assertThat(Msrs.write(p, address, wide)).as("%x", address).isTrue();
            assertThat(Msrs.read(p, address)).isEqualTo(wide);
            assertThat(Msrs.write(p, address, 0xfe55_5555_5555_5555L)).as("%x", address).isFalse();
        }
        SystemInstructions.writeDebug(p, 3, 0x8000_0000_0000_0000L);
        assertThat(p.dr[3]).as("breakpoints may be anywhere").isEqualTo(Long.MIN_VALUE);
    }

    @Test
    void miscEnableTakesFeaturesAway() {
        int[] r = new int[4];
        long usual = Msrs.read(p, Msrs.MISC_ENABLE);
        assertThat(usual).as("fast strings, no BTS, no PEBS, MONITOR").isEqualTo(0x4_1801);
        Cpuid.read(p, 1, 0, r);
        assertThat(r[2] >>> 3 & 1).isEqualTo(1);
        assertThat(Msrs.write(p, Msrs.MISC_ENABLE, usual & ~(1L << 18))).isTrue();
        Cpuid.read(p, 1, 0, r);
        assertThat(r[2] >>> 3 & 1).isZero();

        assertThat(Msrs.write(p, Msrs.MISC_ENABLE, usual | 1L << 22)).isTrue();
        Cpuid.read(p, 0, 0, r);
        assertThat(r[0]).isEqualTo(2);
        Cpuid.read(p, 2, 0, r);
        int[] seven = new int[4];
        Cpuid.read(p, 7, 0, seven);
        assertThat(seven).as("beyond the highest leaf").isEqualTo(r);
        Cpuid.read(p, 0x8000_0000, 0, r);
        assertThat(r[0]).as("extended leaves stay").isEqualTo(0x8000_0008);

        assertThat(ControlRegisters.writeEfer(p, p.efer & ~Bits.EFER_NXE)).isTrue();
        assertThat(Msrs.write(p, Msrs.MISC_ENABLE, usual | 1L << 34)).isTrue();
        Cpuid.read(p, 0x8000_0001, 0, r);
        assertThat(r[3] >>> 20 & 1).as("NX").isZero();
        assertThat(ControlRegisters.writeEfer(p, p.efer | Bits.EFER_NXE)).isFalse();
        assertThat(Msrs.write(p, Msrs.MISC_ENABLE, usual)).isTrue();
        assertThat(ControlRegisters.writeEfer(p, p.efer | Bits.EFER_NXE)).isTrue();
        assertThat(Msrs.write(p, Msrs.MISC_ENABLE, usual | 2)).as("reserved").isFalse();
    }

    @Test
    void powerControlCanBeReadAndCleared() {
        int powerControl = 0x1fc;
        assertThat(Msrs.canRead(p, powerControl)).isTrue();
        assertThat(Msrs.write(p, powerControl, 2)).isTrue();
        assertThat(Msrs.read(p, powerControl)).isEqualTo(2);
        assertThat(Msrs.write(p, powerControl, 0)).isTrue();
        assertThat(Msrs.write(p, powerControl, 1)).as("reserved").isFalse();
    }

    @Test
    void predCmdCanOnlyBeWritten() {
        assertThat(Msrs.canRead(p, 0x49)).isFalse();
        assertThat(Msrs.write(p, 0x49, 1)).isTrue();
        assertThat(Msrs.write(p, 0x49, 2)).isFalse();
    }

    /** TF counts as SYSRET leaves it; the trap is SYSCALL's, so to speak. */
    @Test
    void sysretThatSetsTheTrapFlagTraps() {
        p.efer |= Bits.EFER_SCE;
        p.msr.star = (long) (TestMachine.USER_DATA - 8) << 48 | (long) TestMachine.KERNEL_CODE << 32;
        p.gpr[Processor.RCX] = 0x20_0000;
        p.gpr[11] = Bits.RFLAGS_IF | Bits.RFLAGS_FIXED;
        SystemCalls.sysret(p, 64);
        assertThat(p.pendingDebug).isZero();
        machine.enterRing(0);
        p.gpr[11] |= Bits.RFLAGS_TF;
        SystemCalls.sysret(p, 64);
        assertThat(p.pendingDebug).isEqualTo((int) Bits.DR6_BS);
    }

    @Test
    void msrsFollowTheModel() {
        assertThat(Msrs.canRead(p, 0x10a)).isTrue();
        assertThat(Msrs.canRead(p, 0xdead)).isFalse();
        assertThat(Msrs.write(p, 0xdead, 0)).isFalse();
        assertThat(Msrs.write(p, 0x10a, 0)).as("read-only").isFalse();
        assertThat(Msrs.write(p, Msrs.PAT, 0x0007_0406_0007_0406L)).isTrue();
        assertThat(Msrs.write(p, Msrs.PAT, 2)).as("reserved memory type").isFalse();
        assertThat(Msrs.write(p, Msrs.LSTAR, 1L << 62)).as("not canonical").isFalse();
        assertThat(Msrs.write(p, Msrs.TSC_AUX, 1L << 32)).isFalse();
        assertThat(Msrs.write(p, Msrs.MISC_FEATURES_ENABLES, 1)).isTrue();
        assertThat(Msrs.write(p, Msrs.MISC_FEATURES_ENABLES, 2)).isFalse();
        assertThat(Msrs.isCpuidFaulting(p)).isTrue();
        machine.clock.advance(5000);
        assertThat(Msrs.read(p, Msrs.TSC)).isEqualTo(5000);
        assertThat(Msrs.write(p, Msrs.TSC, 7)).isTrue();
        machine.clock.advance(1);
        assertThat(Msrs.read(p, Msrs.TSC)).isEqualTo(8);
        try (TestMachine amd = new TestMachine(CpuModel.amd())) {
            assertThat(Msrs.canRead(amd.p, 0x10a)).isFalse();
            assertThat(Msrs.canRead(amd.p, Msrs.HWCR)).isTrue();
            for (int address = 0xc001_0000; address < 0xc001_0008; address++) {
                assertThat(Msrs.canRead(amd.p, address)).as("legacy performance counters are always there").isTrue();
                assertThat(Msrs.write(amd.p, address, 0)).isTrue();
                assertThat(Msrs.write(amd.p, address, 1)).as("but there is nothing to count with").isFalse();
                assertThat(Msrs.read(amd.p, address)).isZero();
            }
            assertThat(Msrs.canRead(p, 0xc001_0000)).isFalse();
        }
    }

    @Test
    void everyReadableMsrWritesBackItsOwnValueOrIsReadOnly() {
        for (int address : new int[]{Msrs.APIC_BASE, Msrs.SYSENTER_CS, Msrs.SYSENTER_ESP, Msrs.SYSENTER_EIP, Msrs.PAT,
            Msrs.EFER, Msrs.STAR, Msrs.LSTAR, Msrs.CSTAR, Msrs.FMASK, Msrs.FS_BASE, Msrs.GS_BASE, Msrs.KERNEL_GS_BASE,
            Msrs.TSC_AUX}) {
            assertThat(Msrs.canRead(p, address)).isTrue();
            long value = Msrs.read(p, address);
            assertThat(Msrs.write(p, address, value)).as("%x", address).isTrue();
            assertThat(Msrs.read(p, address)).isEqualTo(value);
        }
    }

    @Test
    void virtualCpusComeAndGoWithoutLosingARegister() throws IOException {
        Random random = new Random(11);
        ProcessorState empty = new ProcessorState();
        empty.save(p);
        for (int i = 0; i < 16; i++) {
            p.gpr[i] = random.nextLong();
        }
        machine.enterRing(3);
        p.rip = 0x1234_5678;
        p.setRflags(0x4d6 | Bits.RFLAGS_AC);
        p.segmentBase[Processor.FS] = 0x1000;
        p.segmentBase[Processor.GS] = random.nextLong();
        p.msr.kernelGsBase = random.nextLong();
        p.msr.star = random.nextLong();
        p.cr2 = random.nextLong();
        p.dr[0] = 5;
        p.gdtBase = 77;
        p.shadowEnd = p.retired + 1;
        int context = p.codeContext;
        ProcessorState full = new ProcessorState();
        full.save(p);
        byte[] fullBytes = bytes(full);
        long stamp = p.mmu().tlb.flushStamp();

        empty.load(p);
        ProcessorState copy = new ProcessorState();
        copy.save(p);
        assertThat(bytes(copy)).isEqualTo(bytes(empty));
        copy.read(new DataInputStream(new ByteArrayInputStream(fullBytes)));
        assertThat(bytes(copy)).isEqualTo(fullBytes);
        copy.load(p);
        copy = new ProcessorState();
        copy.save(p);
        assertThat(bytes(copy)).isEqualTo(fullBytes);
        assertThat(p.codeContext).isEqualTo(context);
        assertThat(p.mmu().tlb.flushStamp()).as("nothing that translations depend on").isEqualTo(stamp);
    }

    private static byte[] bytes(ProcessorState state) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        state.write(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    @Test
    void portsAreCheckedAgainstTheBitmapOfTheTss() {
        machine.memory.write64(TestMachine.GDT + 0x40, 0x0000_8912_0000_00ffL);
        machine.memory.write64(TestMachine.GDT + 0x48, TestMachine.KERNEL >>> 32);
        Segmentation.ltr(p, 0x40);
        long base = p.segmentBase[Processor.TR];
        int attributes = p.segmentAttributes[Processor.TR];
        machine.enterRing(3);
        p.segmentBase[Processor.TR] = base;
        p.segmentLimit[Processor.TR] = 0xff;
        p.segmentAttributes[Processor.TR] = attributes;
        machine.memory.write16(TestMachine.TSS + 102, 0x68);
        machine.memory.write8(TestMachine.TSS + 0x68 + 0x10, 0b1000_0000);
        assertThat(InputOutput.in(p, 0x80, 1)).isEqualTo(0xff);
        assertThat(InputOutput.in(p, 0x86, 1)).isEqualTo(0xff);
        assertThat(faults(() -> InputOutput.in(p, 0x86, 2))).isTrue();
        assertThat(faults(() -> InputOutput.in(p, 0x84, 4))).isTrue();
        assertThat(faults(() -> InputOutput.out(p, 0x87, 1, 0))).isTrue();
        assertThat(faults(() -> InputOutput.in(p, 0x500, 1))).as("beyond the limit").isTrue();
        p.setRflags(p.rflags() | Bits.RFLAGS_IOPL);
        assertThat(InputOutput.in(p, 0x87, 4)).isEqualTo(0xffff_ffffL);
    }

    /** MOV to and from CR0, CR2, CR3, CR4 and CR8; the others do not exist (SDM 2B, MOV, move to/from control registers). */
    @Test
    void movesReachTheRegistersThatExist() {
        SystemInstructions.writeControl(p, 2, 0x1234_5678_9abcL);
        assertThat(SystemInstructions.readControl(p, 2)).isEqualTo(0x1234_5678_9abcL);
        SystemInstructions.writeControl(p, 8, 9);
        assertThat(SystemInstructions.readControl(p, 8)).isEqualTo(9);
        for (int number : new int[]{0, 3, 4}) {
            SystemInstructions.writeControl(p, number, SystemInstructions.readControl(p, number));
        }
        assertThat(SystemInstructions.readControl(p, 0)).isEqualTo(p.cr0);
        assertThat(SystemInstructions.readControl(p, 3)).isEqualTo(TestMachine.ROOT);
        assertThat(SystemInstructions.readControl(p, 4)).isEqualTo(p.cr4);
        for (int number : new int[]{1, 5, 6, 7, 9, 15}) {
            assertRaises(Vector.UD, () -> SystemInstructions.readControl(p, number));
            assertRaises(Vector.UD, () -> SystemInstructions.writeControl(p, number, 0));
        }
        assertRaises(Vector.GP, () -> SystemInstructions.writeControl(p, 8, 16));
        assertRaises(Vector.GP, () -> SystemInstructions.writeControl(p, 4, -1));
    }

    /** RDMSR and WRMSR: number in ECX, value in EDX:EAX. */
    @Test
    void modelSpecificRegistersGoThroughEdxAndEax() {
        p.gpr[Processor.RCX] = 0xffff_ffff_c000_0082L; // IA32_LSTAR
        p.gpr[Processor.RDX] = 0x1234;
        p.gpr[Processor.RAX] = 0x9abc_def0L;
        SystemInstructions.wrmsr(p);
        assertThat(p.msr.lstar).isEqualTo(0x1234_9abc_def0L);
        p.gpr[Processor.RDX] = -1;
        p.gpr[Processor.RAX] = -1;
        SystemInstructions.rdmsr(p);
        assertThat(p.gpr[Processor.RDX]).isEqualTo(0x1234);
        assertThat(p.gpr[Processor.RAX]).isEqualTo(0x9abc_def0L);
        p.gpr[Processor.RCX] = 0x1234_5678;
        assertRaises(Vector.GP, () -> SystemInstructions.rdmsr(p));
        assertRaises(Vector.GP, () -> SystemInstructions.wrmsr(p));
    }

    private void assertRaises(int vector, ThrowingCallable instruction) {
        assertThatThrownBy(instruction).isInstanceOf(GuestFault.class);
        assertThat(p.faultVector).isEqualTo(vector);
    }
}
