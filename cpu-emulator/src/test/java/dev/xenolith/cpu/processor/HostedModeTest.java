package dev.xenolith.cpu.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.apic.ApicRegisters;
import dev.xenolith.cpu.apic.LocalApic;
import dev.xenolith.cpu.model.CpuModel;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** DESIGN: an event that would enter ring 0 stops the run before CS, SS, RSP or stack memory change. */
class HostedModeTest {
    private final TestMachine machine = new TestMachine();
    private final Processor p = machine.p;

    @BeforeEach
    void host() {
        p.hosted = true;
        machine.enterRing(3);
        p.vectorDpl[Vector.BP] = 3;
        p.vectorDpl[Vector.OF] = 3;
        p.vectorDpl[0x80] = 3;
        p.vectorDpl[0x82] = 1;
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private Stop execute(Consumer<Processor> instruction) {
        machine.script.add(instruction);
        return p.run(1);
    }

    /** All that must not change when ring 0 would have been entered. */
    private String untouched() {
        return p.segmentSelector[Processor.CS] + " " + p.segmentSelector[Processor.SS] + " " + p.cpl + " "
                + Arrays.toString(p.segmentAttributes) + p.gpr[Processor.RSP] + " " + p.rflags() + " "
                + machine.memory.digest(0x2f_0000, 0x1_0000);
    }

    @Test
    void everySoftwareInterruptStopsOrIsRefusedByItsDpl() {
        for (int vector = 0; vector < 256; vector++) {
            long rip = p.rip;
            long retired = p.retired;
            String before = untouched();
            int number = vector;
            Stop stop = execute(q -> ControlTransfer.softwareInterrupt(q, number, 2));
            assertThat(stop.kind).isEqualTo(Stop.Kind.EXCEPTION);
            if (vector == 3 || vector == 4 || vector == 0x80) {
                assertThat(stop.vector).isEqualTo(vector);
                assertThat(stop.software).isTrue();
                assertThat(stop.hasErrorCode).isFalse();
                assertThat(stop.instructionLength).isEqualTo(2);
                assertThat(p.rip).as("after the instruction").isEqualTo(rip + 1);
                assertThat(p.retired).isEqualTo(retired + 1);
            } else {
                assertThat(stop.vector).isEqualTo(Vector.GP);
                assertThat(stop.errorCode).as("IDT bit and index").isEqualTo(vector * 8 + 2);
                assertThat(stop.hasErrorCode).isTrue();
                assertThat(stop.software).isFalse();
                assertThat(p.rip).as("at the instruction").isEqualTo(rip);
                assertThat(p.retired).isEqualTo(retired);
            }
            assertThat(untouched()).isEqualTo(before);
        }
    }

    @Test
    void ring1MayUseGatesOfItsOwnLevel() {
        machine.enterRing(1);
        assertThat(execute(q -> ControlTransfer.softwareInterrupt(q, 0x82, 2)).vector).isEqualTo(0x82);
        assertThat(execute(q -> ControlTransfer.softwareInterrupt(q, 0x81, 2)).vector).isEqualTo(Vector.GP);
    }

    @Test
    void everyFaultStopsAtItsInstruction() {
        for (int vector = 0; vector < 32; vector++) {
            long rip = p.rip;
            String before = untouched();
            int number = vector;
            Stop stop = execute(q -> {
                throw q.raise(number, number * 16);
            });
            assertThat(stop.kind).isEqualTo(Stop.Kind.EXCEPTION);
            assertThat(stop.vector).isEqualTo(vector);
            assertThat(stop.hasErrorCode).isEqualTo(vector == 8 || vector >= 10 && vector <= 14 || vector == 17);
            assertThat(stop.errorCode).isEqualTo(vector * 16);
            assertThat(stop.instructionLength).isEqualTo(1);
            assertThat(p.rip).isEqualTo(rip);
            assertThat(untouched()).isEqualTo(before);
        }
    }

    @Test
    void breakpointTrapsAndSingleStepLeaveRipAfterTheInstruction() {
        long rip = p.rip;
        assertThat(execute(q -> ControlTransfer.breakpoint(q, 1)).vector).isEqualTo(Vector.BP);
        assertThat(p.rip).isEqualTo(rip + 1);
        Stop stop = execute(q -> ControlTransfer.icebp(q, 1));
        assertThat(stop.vector).as("INT1 asks for no DPL").isEqualTo(Vector.DB);
        assertThat(stop.software).isTrue();
        stop = execute(ControlTransfer::singleStepTrap);
        assertThat(stop.vector).isEqualTo(Vector.DB);
        assertThat(stop.software).isFalse();
        assertThat(p.dr[6] & Bits.DR6_BS).isEqualTo(Bits.DR6_BS);
        assertThat(p.rip).isEqualTo(rip + 3);
    }

    @Test
    void pageFaultsReportAddressAndErrorCode() {
        Stop stop = execute(q -> q.store64(TestMachine.KERNEL + 0x1234, 1));
        assertThat(stop.vector).isEqualTo(Vector.PF);
        assertThat(stop.address).isEqualTo(TestMachine.KERNEL + 0x1234);
        assertThat(p.cr2).isEqualTo(TestMachine.KERNEL + 0x1234);
        assertThat(stop.errorCode).isEqualTo(7);
        stop = execute(q -> q.load8(0x80_0000));
        assertThat(stop.errorCode).isEqualTo(4);
        p.rip = 0x80_0000;
        stop = execute(q -> q.translateFetch(q.rip - 1));
        assertThat(stop.errorCode).isEqualTo(0x14);
        stop = execute(q -> q.load8(1L << 60));
        assertThat(stop.vector).isEqualTo(Vector.GP);
        assertThat(p.faultNonCanonical).isTrue();
        assertThat(p.cr2).as("no page fault, no CR2").isEqualTo(0x80_0000);
    }

    @Test
    void aStoreAcrossPagesChangesNothingIfTheSecondFaults() {
        machine.memory.write64(machine.entryOf(0x41000), 0x41005);
        machine.memory.write64(0x40ff8, 0x1122_3344_5566_7788L);
        Stop stop = execute(q -> q.store64(0x40ffc, -1));
        assertThat(stop.address).isEqualTo(0x41000);
        assertThat(stop.errorCode).isEqualTo(7);
        assertThat(machine.memory.read64(0x40ff8)).isEqualTo(0x1122_3344_5566_7788L);
    }

    @Test
    void systemCallsStopWithRcxAndR11Written() {
        long rip = p.rip;
        p.setRflags(0x246);
        String before = untouched();
        Stop stop = execute(SystemCalls::syscall);
        assertThat(stop.kind).isEqualTo(Stop.Kind.ENTRY);
        assertThat(stop.sysenter).isFalse();
        assertThat(p.rip).isEqualTo(rip + 1);
        assertThat(p.gpr[Processor.RCX]).isEqualTo(rip + 1);
        assertThat(p.gpr[11]).isEqualTo(0x246);
        assertThat(untouched()).isEqualTo(before);

        stop = execute(SystemCalls::sysenter);
        assertThat(stop.vector).as("SYSENTER_CS is null").isEqualTo(Vector.GP);
        p.msr.sysenterCs = 8;
        stop = execute(SystemCalls::sysenter);
        assertThat(stop.kind).isEqualTo(Stop.Kind.ENTRY);
        assertThat(stop.sysenter).isTrue();
        p.efer &= ~Bits.EFER_SCE;
        assertThat(execute(SystemCalls::syscall).vector).isEqualTo(Vector.UD);
    }

    @Test
    void amdHasNoSysenterInLongMode() {
        try (TestMachine amd = new TestMachine(CpuModel.amd())) {
            amd.p.hosted = true;
            amd.enterRing(3);
            amd.p.msr.sysenterCs = 8;
            amd.script.add(SystemCalls::sysenter);
            assertThat(amd.p.run(1).vector).isEqualTo(Vector.UD);
        }
    }

    @Test
    void privilegedInstructionsAreGeneralProtectionFaults() {
        p.setCr3(p.cr3, 0);
        for (Consumer<Processor> instruction : privileged()) {
            String before = untouched();
            Stop stop = execute(instruction);
            assertThat(stop.kind).isEqualTo(Stop.Kind.EXCEPTION);
            assertThat(stop.vector).isEqualTo(Vector.GP);
            assertThat(stop.errorCode).isZero();
            assertThat(untouched()).isEqualTo(before);
        }
        assertThat(p.halted).isFalse();
    }

    private static List<Consumer<Processor>> privileged() {
        return List.of(SystemInstructions::hlt, SystemInstructions::cli, SystemInstructions::sti,
                SystemInstructions::rdmsr,
                SystemInstructions::wrmsr, SystemInstructions::clts, SystemInstructions::wbinvd,
                SystemInstructions::swapgs,
                q -> SystemInstructions.readControl(q, 0), q -> SystemInstructions.writeControl(q, 3, 0),
                q -> SystemInstructions.readDebug(q, 7), q -> SystemInstructions.writeDebug(q, 7, 0),
                q -> SystemInstructions.invlpg(q, 0), q -> SystemInstructions.lgdt(q, 0, 64),
                q -> SystemInstructions.lmsw(q, 1), q -> Segmentation.ltr(q, 0x28), q -> Segmentation.lldt(q, 0),
                q -> InputOutput.in(q, 0x80, 1), q -> InputOutput.out(q, 0x80, 4, 0),
                q -> SystemCalls.sysret(q, 64));
    }

    @Test
    void ioplLetsPortsAndInterruptFlagThrough() {
        p.setRflags(p.rflags() | 3 << Bits.IOPL_SHIFT);
        assertThat(execute(q -> q.gpr[0] = InputOutput.in(q, 0x80, 2)).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(p.gpr[0]).isEqualTo(0xffff);
        assertThat(execute(SystemInstructions::cli).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(p.rflags() & Bits.RFLAGS_IF).isZero();
    }

    @Test
    void cpuidFaultsAtCplAbove0WhenTheHypervisorWantsIt() {
        for (CpuModel model : new CpuModel[]{CpuModel.intel(), CpuModel.amd()}) {
            try (TestMachine m = new TestMachine(model)) {
                m.p.hosted = true;
                m.enterRing(3);
                m.script.add(SystemInstructions::cpuid);
                assertThat(m.p.run(1).kind).isEqualTo(Stop.Kind.BUDGET);
                Msrs.setCpuidFaulting(m.p, true);
                assertThat(Msrs.isCpuidFaulting(m.p)).isTrue();
                m.script.add(SystemInstructions::cpuid);
                Stop stop = m.p.run(1);
                assertThat(stop.vector).isEqualTo(Vector.GP);
                assertThat(stop.errorCode).isZero();
            }
        }
    }

    @Test
    void localInterruptsStopAcknowledged() {
        enableApic();
        p.apic.writeMsr(0x800 + (ApicRegisters.SELF_IPI >>> 4), 0x55);
        Stop stop = p.run(10);
        assertThat(stop.kind).isEqualTo(Stop.Kind.INTERRUPT);
        assertThat(stop.vector).isEqualTo(0x55);
        assertThat(p.retired).isZero();
        assertThat(p.apic.readMsr(0x812)).as("in service").isEqualTo(1 << 0x15);
        assertThat(p.run(10).kind).as("not again").isEqualTo(Stop.Kind.BUDGET);
        p.raiseNmi();
        assertThat(p.run(10).kind).isEqualTo(Stop.Kind.NMI);
        assertThat(p.run(10).kind).isEqualTo(Stop.Kind.BUDGET);
    }

    private void enableApic() {
        p.apic.setBaseMsr(p.apic.baseMsr() | LocalApic.BASE_X2APIC, 46);
        p.apic.writeMsr(0x80f, 0x1ff);
    }

    @Test
    void theTimerStopsTheRunAtItsNanosecond() {
        enableApic();
        p.apic.writeMsr(0x832, 2 << 17 | 0xe0);
        p.apic.setTscDeadline(p.apic.tsc() + 1234);
        Stop stop = p.run(10_000);
        assertThat(stop.kind).isEqualTo(Stop.Kind.INTERRUPT);
        assertThat(stop.vector).isEqualTo(0xe0);
        assertThat(p.retired).isEqualTo(1234);
        assertThat(machine.clock.now()).isEqualTo(1234);
        assertThat(p.run(10_000).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(p.retired).isEqualTo(11_234);
    }

    @Test
    void aDeadlineProgrammedWhileRunningCounts() {
        enableApic();
        machine.script.add(q -> q.apic.writeMsr(0x832, 2 << 17 | 0xe0));
        machine.script.add(q -> {
            q.publishTime();
            q.apic.setTscDeadline(q.apic.tsc() + 100);
        });
        assertThat(p.run(10_000).kind).isEqualTo(Stop.Kind.INTERRUPT);
        assertThat(p.retired).isEqualTo(102);
    }

    @Test
    void requestsEndTheRunOnce() {
        machine.script.add(Processor::request);
        assertThat(p.run(10).kind).isEqualTo(Stop.Kind.REQUEST);
        assertThat(p.retired).isEqualTo(1);
        assertThat(p.run(10).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(p.retired).isEqualTo(11);
        assertThat(p.run(0).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(p.retired).isEqualTo(11);
    }
}
