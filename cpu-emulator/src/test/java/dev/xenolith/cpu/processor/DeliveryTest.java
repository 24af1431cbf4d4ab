package dev.xenolith.cpu.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.apic.LocalApic;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bare mode: events go through the guest's IDT. */
class DeliveryTest {
    private static final int TSS_SELECTOR = 0x40;
    private static final long RSP0 = TestMachine.KERNEL + 0x40_0008;
    private static final long IST2 = TestMachine.KERNEL + 0x41_0000;
    private static final long HANDLER = TestMachine.KERNEL + 0x50_0000;

    private final TestMachine machine = new TestMachine();
    private final Processor p = machine.p;

    @BeforeEach
    void setUp() {
        machine.memory.write64(TestMachine.GDT + TSS_SELECTOR, 0x0000_8912_0000_0067L);
        machine.memory.write64(TestMachine.GDT + TSS_SELECTOR + 8, TestMachine.KERNEL >>> 32);
        machine.memory.write64(TestMachine.TSS + 4, RSP0);
        machine.memory.write64(TestMachine.TSS + 36 + 8, IST2);
        for (int vector = 0; vector < 256; vector++) {
            gate(vector, 14, 0, 0);
        }
        loadTask();
    }

    private void loadTask() {
        machine.memory.write8(TestMachine.GDT + TSS_SELECTOR + 5, 0x89);
        Segmentation.ltr(p, TSS_SELECTOR);
    }

    private void gate(int vector, int type, int dpl, int ist) {
        long target = HANDLER + vector * 16;
        long low = target & 0xffff | TestMachine.KERNEL_CODE << 16 | (long) ist << 32
                | (0x80L | dpl << 5 | type) << 40 | (target & 0xffff_0000L) << 32;
        machine.memory.write64(TestMachine.IDT + vector * 16L, low);
        machine.memory.write64(TestMachine.IDT + vector * 16L + 8, target >>> 32);
    }

    private void user() {
        machine.enterRing(3);
        loadTaskAgain();
    }

    private void loadTaskAgain() {
        int cpl = p.cpl;
        p.cpl = 0;
        loadTask();
        p.cpl = cpl;
    }

    private long word(long linear) {
        return machine.memory.read64(linear - TestMachine.KERNEL);
    }

    private void assertFrame(long top, long ss, long rsp, long flags, long cs, long rip) {
        assertThat(word(top - 8)).as("SS").isEqualTo(ss);
        assertThat(word(top - 16)).as("RSP").isEqualTo(rsp);
        assertThat(word(top - 24)).as("RFLAGS").isEqualTo(flags);
        assertThat(word(top - 32)).as("CS").isEqualTo(cs);
        assertThat(word(top - 40)).as("RIP").isEqualTo(rip);
    }

    @Test
    void aFaultInRing3SwitchesToRsp0AlignedAndPushesTheErrorCode() {
        user();
        long rip = p.rip;
        long rsp = p.gpr[Processor.RSP];
        machine.script.add(q -> q.load8(0x90_0000));
        assertThat(p.run(1).kind).isEqualTo(Stop.Kind.BUDGET);
        long top = RSP0 & ~15L;
        assertFrame(top, TestMachine.USER_DATA, rsp, 0x10202, TestMachine.USER_CODE, rip);
        assertThat(word(top - 48)).as("error code").isEqualTo(4);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(top - 48);
        assertThat(p.cr2).isEqualTo(0x90_0000);
        // The fault retired nothing: the instruction of the budget is the handler's first.
        assertThat(p.rip).isEqualTo(HANDLER + 14 * 16 + 1);
        assertThat(p.cpl).isZero();
        assertThat(p.segmentSelector[Processor.CS]).isEqualTo(TestMachine.KERNEL_CODE);
        assertThat(p.segmentSelector[Processor.SS]).as("null").isZero();
        assertThat(p.rflags() & Bits.RFLAGS_IF).as("interrupt gate").isZero();
    }

    @Test
    void iretComesBack() {
        user();
        p.setRflags(0xa97 | Bits.RFLAGS_AC | Bits.RFLAGS_ID);
        String before = state();
        machine.script.add(q -> {
            throw q.raise(Vector.UD, 0);
        });
        p.run(1);
        p.rip = HANDLER;
        machine.script.add(q -> ControlTransfer.iret(q, 64));
        p.run(1);
        assertThat(p.rflags() & Bits.RFLAGS_RF).as("RF comes from the frame").isEqualTo(Bits.RFLAGS_RF);
        p.setRflags(p.rflags() & ~Bits.RFLAGS_RF);
        assertThat(state()).isEqualTo(before);
    }

    /** A segment that the outer level may not use becomes null; its base stays, which that of GS can show (SDM 2 IRET). */
    @Test
    void iretOutwardLeavesTheBasesOfSegmentsItNullifies() {
        user();
        machine.script.add(q -> {
            throw q.raise(Vector.UD, 0);
        });
        p.run(1);
        p.segmentSelector[Processor.GS] = TestMachine.KERNEL_DATA;
        p.segmentAttributes[Processor.GS] = Segment.DATA;
        p.segmentBase[Processor.GS] = 0x12_3456;
        machine.script.add(q -> ControlTransfer.iret(q, 64));
        p.run(1);
        assertThat(p.cpl).isEqualTo(3);
        assertThat(p.segmentSelector[Processor.GS]).isZero();
        assertThat(p.segmentAttributes[Processor.GS] & Segment.UNUSABLE).isNotZero();
        assertThat(p.segmentBase[Processor.GS]).isEqualTo(0x12_3456);
    }

    private String state() {
        return p.rip + " " + p.gpr[Processor.RSP] + " " + p.rflags() + " " + p.cpl + " "
                + p.segmentSelector[Processor.CS] + " "
                + p.segmentSelector[Processor.SS] + " " + p.segmentAttributes[Processor.CS] + " " + p.codeContext;
    }

    @Test
    void sameRingAlignsTheStackAndTrapGatesKeepInterrupts() {
        gate(Vector.BP, 15, 3, 0);
        p.gpr[Processor.RSP] -= 4;
        long rsp = p.gpr[Processor.RSP];
        machine.script.add(q -> ControlTransfer.breakpoint(q, 1));
        long rip = p.rip;
        p.run(1);
        assertFrame(rsp & ~15L, TestMachine.KERNEL_DATA, rsp, 0x202, TestMachine.KERNEL_CODE, rip + 1);
        assertThat(p.rflags() & Bits.RFLAGS_IF).isEqualTo(Bits.RFLAGS_IF);
        assertThat(p.segmentSelector[Processor.SS]).as("no change of ring").isEqualTo(TestMachine.KERNEL_DATA);
    }

    @Test
    void interruptStackTable() {
        gate(Vector.NMI, 14, 0, 2);
        p.raiseNmi();
        p.run(1);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(IST2 - 40);
        assertThat(p.rip).isEqualTo(HANDLER + 2 * 16 + 1);
        p.raiseNmi();
        p.run(1);
        assertThat(p.rip).as("blocked until IRET").isEqualTo(HANDLER + 2 * 16 + 2);
        machine.script.add(q -> ControlTransfer.iret(q, 64));
        p.run(2);
        assertThat(p.rip).as("taken right after").isEqualTo(HANDLER + 2 * 16 + 1);
    }

    @Test
    void softwareInterruptsObeyTheGatesDpl() {
        gate(0x80, 15, 3, 0);
        user();
        long rip = p.rip;
        machine.script.add(q -> ControlTransfer.softwareInterrupt(q, 0x80, 2));
        p.run(1);
        assertThat(p.rip).isEqualTo(HANDLER + 0x80 * 16);
        assertThat(word((RSP0 & ~15L) - 40)).isEqualTo(rip + 1);
        user();
        machine.script.add(q -> ControlTransfer.softwareInterrupt(q, 0x81, 2));
        p.run(1);
        assertThat(p.rip).isEqualTo(HANDLER + Vector.GP * 16 + 1);
        assertThat(word((RSP0 & ~15L) - 48)).isEqualTo(0x81 * 8 + 2);
        assertThat(word((RSP0 & ~15L) - 40)).as("at the instruction").isEqualTo(rip);
    }

    @Test
    void brokenGatesBecomeGeneralProtectionWithTheExternalBit() {
        machine.memory.write64(TestMachine.IDT + Vector.UD * 16, 0);
        machine.script.add(q -> {
            throw q.raise(Vector.UD, 0);
        });
        p.run(1);
        assertThat(p.rip).isEqualTo(HANDLER + Vector.GP * 16 + 1);
        assertThat(word(p.gpr[Processor.RSP])).isEqualTo(Vector.UD * 8 + 2 + 1);
        machine.memory.write8(TestMachine.IDT + Vector.UD * 16 + 5, 0x0e);
        machine.script.add(q -> {
            throw q.raise(Vector.UD, 0);
        });
        p.run(1);
        assertThat(p.rip).as("not present").isEqualTo(HANDLER + Vector.NP * 16 + 1);
    }

    @Test
    void contributoryFaultsDoubleAndTheThirdShutsDown() {
        gate(Vector.DF, 14, 0, 2);
        machine.memory.write64(TestMachine.IDT + Vector.GP * 16, 0);
        machine.script.add(q -> {
            throw q.raise(Vector.GP, 0);
        });
        p.run(1);
        assertThat(p.rip).isEqualTo(HANDLER + Vector.DF * 16 + 1);
        assertThat(word(p.gpr[Processor.RSP])).as("error code 0").isZero();
        machine.memory.write64(TestMachine.IDT + Vector.DF * 16, 0);
        machine.script.add(q -> {
            throw q.raise(Vector.GP, 0);
        });
        assertThat(p.run(1).kind).isEqualTo(Stop.Kind.SHUTDOWN);
    }

    @Test
    void aPageFaultOnTheStackDoublesOnlyAfterAPageFault() {
        gate(Vector.DF, 14, 0, 2);
        user();
        machine.memory.write64(TestMachine.TSS + 4, TestMachine.KERNEL + 0x90_0000);
        machine.script.add(q -> {
            throw q.raise(Vector.UD, 0);
        });
        p.run(1);
        // #UD is benign: the #PF is delivered, on the same bad stack, and doubles.
        assertThat(p.rip).isEqualTo(HANDLER + Vector.DF * 16 + 1);
        assertThat(p.cr2).isEqualTo(TestMachine.KERNEL + 0x90_0000 - 8);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(IST2 - 48);
    }

    @Test
    void interruptsWaitForIfAndTheShadowOfSti() {
        p.apic.setBaseMsr(p.apic.baseMsr() | LocalApic.BASE_X2APIC, 46);
        p.apic.writeMsr(0x80f, 0x1ff);
        p.setRflags(2);
        p.apic.writeMsr(0x83f, 0x44);
        assertThat(p.run(5).kind).isEqualTo(Stop.Kind.BUDGET);
        long rip = p.rip;
        machine.script.add(SystemInstructions::sti);
        p.run(10);
        assertThat(word((TestMachine.KERNEL + 0x30_0000) - 40)).as("after STI and one more").isEqualTo(rip + 2);
        assertThat(p.rip).isEqualTo(HANDLER + 0x44 * 16 + 8);
        assertThat(p.retired).isEqualTo(15);
    }

    @Test
    void haltWaitsForAnInterrupt() {
        p.apic.setBaseMsr(p.apic.baseMsr() | LocalApic.BASE_X2APIC, 46);
        p.apic.writeMsr(0x80f, 0x1ff);
        p.apic.writeMsr(0x832, 2 << 17 | 0x45);
        p.apic.setTscDeadline(1000);
        machine.script.add(SystemInstructions::hlt);
        long rip = p.rip;
        assertThat(p.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(p.rip).isEqualTo(rip + 1);
        assertThat(p.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(p.retired).isEqualTo(1);
        machine.clock.advanceTo(1000);
        assertThat(p.run(10).kind).isEqualTo(Stop.Kind.BUDGET);
        assertThat(p.rip).isEqualTo(HANDLER + 0x45 * 16 + 10);
    }

    @Test
    void syscallAndSysretChangeRings() {
        p.msr.star = 0x0010L << 48 | 0x0008L << 32;
        p.msr.lstar = HANDLER;
        p.msr.fmask = Bits.RFLAGS_IF | Bits.RFLAGS_DF;
        user();
        p.setRflags(0x602);
        long rip = p.rip;
        machine.script.add(SystemCalls::syscall);
        p.run(1);
        assertThat(p.rip).isEqualTo(HANDLER);
        assertThat(p.cpl).isZero();
        assertThat(p.segmentSelector[Processor.CS]).isEqualTo(8);
        assertThat(p.segmentSelector[Processor.SS]).isEqualTo(0x10);
        assertThat(p.rflags()).isEqualTo(2);
        assertThat(p.gpr[11]).isEqualTo(0x602);
        p.load8(TestMachine.KERNEL);
        machine.script.add(q -> SystemCalls.sysret(q, 64));
        p.run(1);
        assertThat(p.rip).isEqualTo(rip + 1);
        assertThat(p.cpl).isEqualTo(3);
        assertThat(p.segmentSelector[Processor.CS]).isEqualTo(0x23);
        assertThat(p.segmentSelector[Processor.SS]).isEqualTo(0x1b);
        assertThat(p.rflags()).isEqualTo(0x602);
    }

    /** On Intel's processors; AMD's have them outside long mode only. */
    @Test
    void sysenterAndSysexitChangeRings() {
        p.msr.sysenterCs = TestMachine.KERNEL_CODE;
        p.msr.sysenterEip = HANDLER;
        p.msr.sysenterEsp = RSP0;
        user();
        p.setRflags(0x602);
        machine.script.add(SystemCalls::sysenter);
        p.run(1);
        assertThat(p.rip).isEqualTo(HANDLER);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(RSP0);
        assertThat(p.cpl).isZero();
        assertThat(p.segmentSelector[Processor.CS]).isEqualTo(8);
        assertThat(p.segmentSelector[Processor.SS]).isEqualTo(0x10);
        assertThat(p.rflags()).as("without IF").isEqualTo(0x402);
        p.load8(TestMachine.KERNEL);
        p.gpr[Processor.RDX] = 0x1234;
        p.gpr[Processor.RCX] = 0x5678;
        machine.script.add(q -> SystemCalls.sysexit(q, 64));
        p.run(1);
        assertThat(p.rip).isEqualTo(0x1234);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(0x5678);
        assertThat(p.cpl).isEqualTo(3);
        assertThat(p.segmentSelector[Processor.CS]).isEqualTo(8 + 32 | 3);
        assertThat(p.segmentSelector[Processor.SS]).isEqualTo(8 + 40 | 3);
        assertThat(p.rflags()).isEqualTo(0x402);
    }

    @Test
    void farCallsAndReturns() {
        long rip = p.rip;
        long rsp = p.gpr[Processor.RSP];
        machine.script.add(q -> ControlTransfer.callFar(q, TestMachine.KERNEL_CODE, HANDLER, 64));
        p.run(1);
        assertThat(p.rip).isEqualTo(HANDLER);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(rsp - 16);
        assertThat(word(rsp - 16)).isEqualTo(rip + 1);
        assertThat(word(rsp - 8)).isEqualTo(TestMachine.KERNEL_CODE);
        machine.script.add(q -> ControlTransfer.returnFar(q, 32, 64));
        p.run(1);
        assertThat(p.rip).isEqualTo(rip + 1);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(rsp + 32);
        machine.script.add(q -> ControlTransfer.jumpFar(q, TestMachine.USER_CODE, 0, 64));
        p.run(1);
        assertThat(p.rip).as("#GP: cannot jump outward").isEqualTo(HANDLER + Vector.GP * 16 + 1);
        assertThat(word(p.gpr[Processor.RSP])).isEqualTo(TestMachine.USER_CODE & ~3);
    }

    @Test
    void callGatesSwitchTheStackInward() {
        long target = HANDLER + 0x7000;
        machine.memory.write64(TestMachine.GDT + 0x60,
                target & 0xffff | TestMachine.KERNEL_CODE << 16 | 0xecL << 40 | (target & 0xffff_0000L) << 32);
        machine.memory.write64(TestMachine.GDT + 0x68, target >>> 32);
        user();
        long rip = p.rip;
        long rsp = p.gpr[Processor.RSP];
        machine.script.add(q -> ControlTransfer.callFar(q, 0x63, 0, 32));
        p.run(1);
        assertThat(p.rip).isEqualTo(target);
        assertThat(p.cpl).isZero();
        assertThat(p.gpr[Processor.RSP]).isEqualTo(RSP0 - 32);
        assertThat(word(RSP0 - 32)).isEqualTo(rip + 1);
        assertThat(word(RSP0 - 24)).isEqualTo(TestMachine.USER_CODE);
        assertThat(word(RSP0 - 16)).isEqualTo(rsp);
        machine.script.add(q -> ControlTransfer.returnFar(q, 0, 64));
        p.run(1);
        assertThat(p.rip).isEqualTo(rip + 1);
        assertThat(p.cpl).isEqualTo(3);
        assertThat(p.gpr[Processor.RSP]).isEqualTo(rsp);
    }

    @Test
    void userCannotRaiseItsFlagsByIretOrPopf() {
        user();
        p.store64(0x30_0000, p.rip);
        p.store64(0x30_0008, TestMachine.USER_CODE);
        p.store64(0x30_0010, 0x3fffff & ~Bits.RFLAGS_VM & ~Bits.RFLAGS_NT & ~Bits.RFLAGS_TF);
        p.store64(0x30_0018, 0x20_0000);
        p.store64(0x30_0020, TestMachine.USER_DATA);
        p.setRflags(2);
        machine.script.add(q -> ControlTransfer.iret(q, 64));
        p.run(1);
        assertThat(p.rflags() & (Bits.RFLAGS_IOPL | Bits.RFLAGS_IF | Bits.RFLAGS_VIF | Bits.RFLAGS_VIP)).isZero();
        assertThat(p.rflags() & Bits.RFLAGS_STATUS).isEqualTo(Bits.RFLAGS_STATUS);
        p.setRflags(2);
        SystemInstructions.popf(p, 0x3ffeff, 64);
        assertThat(p.rflags()).isEqualTo(2 | Bits.RFLAGS_STATUS | Bits.RFLAGS_DF | Bits.RFLAGS_NT | Bits.RFLAGS_AC
                | Bits.RFLAGS_ID);
    }
}
