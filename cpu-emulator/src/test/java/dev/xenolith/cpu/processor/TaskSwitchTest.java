package dev.xenolith.cpu.processor;

import static dev.xenolith.cpu.processor.LegacyMachine.fault;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Task switches (SDM 3A chapter 7): what is saved and loaded, and where each fault belongs. */
final class TaskSwitchTest {
    private static final long NEXT = LegacyMachine.NEXT;
    private static final long TASK = LegacyMachine.TASK;
    private static final int NEXT_TSS = LegacyMachine.NEXT_TSS;

    private static void write(LegacyMachine m, int offset, long value) {
        m.memory.write(NEXT + offset, 4, value);
    }

    /** A 32-bit task at ring 0: EIP 1234h, ESP 8000h, registers 100h to 107h. */
    private static LegacyMachine machine() {
        LegacyMachine m = new LegacyMachine();
        write(m, 32, 0x1234);
        write(m, 36, 0x2 | Bits.RFLAGS_CF);
        for (int i = 0; i < 8; i++) {
            write(m, 40 + 4 * i, i == 4 ? 0x8000 : 0x100 + i);
        }
        for (int i = 0; i < 6; i++) {
            write(m, 72 + 4 * i, i == 1 ? LegacyMachine.CODE_0 : LegacyMachine.DATA_0);
        }
        write(m, 96, LegacyMachine.LDT);
        // The fault handler of either task.
        for (int vector : new int[]{Vector.TS, Vector.NP, Vector.SS, Vector.GP}) {
            m.handler(vector,
                    LegacyMachine.gate(LegacyMachine.CODE_0, 0x5000 + vector, Segment.TYPE_INTERRUPT_GATE, 0, 0));
        }
        return m;
    }

    @Test
    void aJumpSavesOneTaskAndLoadsTheOther() {
        try (LegacyMachine m = machine()) {
            Processor p = m.p;
            p.gpr[Processor.RBX] = 0xb0b;
            ControlTransfer.jumpFar(p, NEXT_TSS, 0, 32);
            assertThat(p.rip).isEqualTo(0x1234);
            assertThat(p.gpr[Processor.RBX]).isEqualTo(0x103);
            assertThat(p.gpr[Processor.RSP]).isEqualTo(0x8000);
            assertThat(p.rflags()).isEqualTo(3);
            assertThat(p.segmentSelector[Processor.LDTR]).isEqualTo(LegacyMachine.LDT);
            assertThat(p.segmentSelector[Processor.TR]).isEqualTo(NEXT_TSS);
            assertThat(p.cr0 & Bits.CR0_TS).isNotZero();
            assertThat(p.floatGate & FloatGate.X87).isNotZero();
            assertThat(m.busy(LegacyMachine.TSS)).isZero();
            assertThat(m.busy(NEXT_TSS)).isNotZero();
            assertThat(m.memory.read(TASK + 52, 4)).isEqualTo(0xb0b);
            assertThat(m.memory.read(TASK + 32, 4)).isEqualTo(0x9_0000);
            assertThat(m.memory.read(TASK + 76, 2)).isEqualTo(LegacyMachine.CODE_0);
        }
    }

    @Test
    void aCallNestsAndIretGoesBack() {
        try (LegacyMachine m = machine()) {
            Processor p = m.p;
            p.gpr[Processor.RBX] = 0xb0b;
            ControlTransfer.callFar(p, NEXT_TSS, 0, 32);
            assertThat(p.rflags() & Bits.RFLAGS_NT).isNotZero();
            assertThat(m.memory.read(NEXT, 2)).isEqualTo(LegacyMachine.TSS);
            assertThat(m.busy(LegacyMachine.TSS)).isNotZero();
            ControlTransfer.iret(p, 32);
            assertThat(p.segmentSelector[Processor.TR]).isEqualTo(LegacyMachine.TSS);
            assertThat(p.gpr[Processor.RBX]).isEqualTo(0xb0b);
            assertThat(p.rip).isEqualTo(0x9_0000);
            assertThat(m.busy(NEXT_TSS)).isZero();
            assertThat(m.memory.read(NEXT + 36, 4) & Bits.RFLAGS_NT).isZero();
        }
    }

    @Test
    void aTaskGateOfAnExceptionPushesTheErrorCodeInTheNewTask() {
        try (LegacyMachine m = machine()) {
            Processor p = m.p;
            m.handler(Vector.PF, LegacyMachine.gate(NEXT_TSS, 0, Segment.TYPE_TASK_GATE, 0, 0));
            p.faultAddress = 0x4567;
            assertThat(Delivery.exception(p, Vector.PF, 6, false)).isTrue();
            assertThat(p.rip).isEqualTo(0x1234);
            assertThat(p.gpr[Processor.RSP]).isEqualTo(0x8000 - 4);
            assertThat(m.stack(0x8000 - 4)).isEqualTo(6);
            assertThat(m.memory.read(TASK + 36, 4) & Bits.RFLAGS_RF).isNotZero();
            assertThat(p.cr2).isEqualTo(0x4567);
        }
    }

    @Test
    void aTaskOf16BitsKeepsTheUpperHalves() {
        try (LegacyMachine m = machine()) {
            Processor p = m.p;
            long base = LegacyMachine.NEXT_16;
            m.memory.write(base + 14, 2, 0x1234);
            m.memory.write(base + 16, 2, 2);
            m.memory.write(base + 24, 2, 0x3333);
            m.memory.write(base + 26, 2, 0x8000);
            for (int i = 0; i < 4; i++) {
                m.memory.write(base + 34 + 2 * i, 2, i == 1 ? LegacyMachine.CODE_0_16 : LegacyMachine.DATA_0_16);
            }
            p.gpr[Processor.RBX] = 0x7777_8888L;
            ControlTransfer.callFar(p, LegacyMachine.NEXT_TSS_16, 0, 16);
            assertThat(p.rip).isEqualTo(0x1234);
            assertThat(p.gpr[Processor.RBX]).isEqualTo(0x7777_3333L);
            assertThat(p.segmentAttributes[Processor.FS] & Segment.UNUSABLE).isNotZero();
            ControlTransfer.iret(p, 16);
            assertThat(p.rip).isEqualTo(0x9_0000);
            assertThat(p.gpr[Processor.RBX]).isEqualTo(0x7777_8888L);
        }
    }

    @Test
    void theTrapFlagOfATaskIsADebugTrapAfterTheSwitch() {
        try (LegacyMachine m = machine()) {
            write(m, 100, 1);
            ControlTransfer.jumpFar(m.p, NEXT_TSS, 0, 32);
            assertThat(m.p.pendingDebug).isEqualTo((int) Bits.DR6_BT);
        }
    }

    // ---- faults ----------------------------------------------------------------------------------------------------------

    private final List<DynamicTest> tests = new ArrayList<>();

    private void before(String name, int expected, Consumer<LegacyMachine> prepare, Consumer<Processor> instruction) {
        tests.add(DynamicTest.dynamicTest(name, () -> {
            try (LegacyMachine m = machine()) {
                prepare.accept(m);
                assertThat(m.fault(() -> instruction.accept(m.p))).isEqualTo(expected);
                assertThat(m.p.segmentSelector[Processor.TR]).isEqualTo(LegacyMachine.TSS);
                assertThat(m.busy(NEXT_TSS)).isZero();
                assertThat(m.p.rip).isEqualTo(0x9_0000);
            }
        }));
    }

    @TestFactory
    List<DynamicTest> faultsOfTheOldTask() {
        Consumer<Processor> jump = p -> ControlTransfer.jumpFar(p, NEXT_TSS, 0, 32);
        before("DPL below CPL", fault(Vector.GP, NEXT_TSS), m -> m.enterRing(3),
                p -> ControlTransfer.jumpFar(p, NEXT_TSS | 3, 0, 32));
        before("RPL above DPL", fault(Vector.GP, NEXT_TSS), m -> {},
                p -> ControlTransfer.jumpFar(p, NEXT_TSS | 3, 0, 32));
        before("busy", fault(Vector.GP, LegacyMachine.TSS), m -> {},
                p -> ControlTransfer.jumpFar(p, LegacyMachine.TSS, 0, 32));
        before("not present", fault(Vector.NP, NEXT_TSS),
                m -> m.define(NEXT_TSS, NEXT, 0x67, Segment.TYPE_TSS_AVAILABLE),
                jump);
        before("too short", fault(Vector.TS, NEXT_TSS),
                m -> m.define(NEXT_TSS, NEXT, 0x66, Segment.TYPE_TSS_AVAILABLE | Segment.PRESENT), jump);
        before("gate to a task that is not available", fault(Vector.GP, LegacyMachine.TSS),
                m -> m.defineGate(LegacyMachine.SPARE,
                        LegacyMachine.gate(LegacyMachine.TSS, 0, Segment.TYPE_TASK_GATE, 0, 0)),
                p -> ControlTransfer.callFar(p, LegacyMachine.SPARE, 0, 32));
        before("return to a task that is not busy", fault(Vector.TS, NEXT_TSS), m -> {
            m.memory.write(TASK, 2, NEXT_TSS);
            m.p.setRflags(Bits.RFLAGS_NT);
        }, p -> ControlTransfer.iret(p, 32));
        before("return to an LDT's task", fault(Vector.TS, 4 | NEXT_TSS), m -> {
            m.memory.write(TASK, 2, NEXT_TSS | 4);
            m.p.setRflags(Bits.RFLAGS_NT);
        }, p -> ControlTransfer.iret(p, 32));
        return tests;
    }

    private void after(String name, int vector, int errorCode, Consumer<LegacyMachine> prepare) {
        tests.add(DynamicTest.dynamicTest(name, () -> {
            try (LegacyMachine m = machine()) {
                // A stack that the handler can use whatever the new SS is: it comes through a task of its own.
                m.handler(vector, LegacyMachine.gate(LegacyMachine.SPARE_2, 0, Segment.TYPE_TASK_GATE, 0, 0));
                m.define(LegacyMachine.SPARE_2, 0x9000, 0x67, Segment.TYPE_TSS_AVAILABLE | Segment.PRESENT);
                for (int offset = 32; offset < 104; offset += 4) {
                    m.memory.write(0x9000 + offset, 4, m.memory.read(NEXT + offset, 4));
                }
                prepare.accept(m);
                assertThat(m.fault(() -> ControlTransfer.jumpFar(m.p, NEXT_TSS, 0, 32))).isEqualTo(-1);
                assertThat(m.p.segmentSelector[Processor.TR]).isEqualTo(LegacyMachine.SPARE_2);
                assertThat(m.memory.read(0x9000, 2)).as("the fault is the new task's").isEqualTo(NEXT_TSS);
                assertThat(m.stack(m.p.gpr[Processor.RSP])).isEqualTo(errorCode);
                assertThat(m.memory.read(NEXT + 32, 4)).as("EIP").isEqualTo(0x1234);
            }
        }));
    }

    @TestFactory
    List<DynamicTest> faultsOfTheNewTask() {
        int spare = LegacyMachine.SPARE;
        after("LDT is none", Vector.TS, LegacyMachine.DATA_0, m -> write(m, 96, LegacyMachine.DATA_0));
        after("null CS", Vector.TS, 0, m -> write(m, 76, 0));
        after("CS is data", Vector.TS, LegacyMachine.DATA_0, m -> write(m, 76, LegacyMachine.DATA_0));
        after("CS of another level", Vector.TS, LegacyMachine.CODE_3 & ~3,
                m -> write(m, 76, LegacyMachine.CODE_3 & ~3));
        after("CS not present", Vector.NP, spare, m -> {
            m.define(spare, 0, 0xffff, LegacyMachine.CODE & ~Segment.PRESENT);
            write(m, 76, spare);
        });
        after("null SS", Vector.TS, 0, m -> write(m, 80, 0));
        after("SS is code", Vector.TS, LegacyMachine.CODE_0, m -> write(m, 80, LegacyMachine.CODE_0));
        after("SS of another level", Vector.TS, LegacyMachine.DATA_3 & ~3, m -> write(m, 80, LegacyMachine.DATA_3));
        after("SS not present", Vector.SS, spare, m -> {
            m.define(spare, 0, 0xffff, LegacyMachine.DATA & ~Segment.PRESENT);
            write(m, 80, spare);
        });
        after("DS is a system segment", Vector.TS, LegacyMachine.LDT, m -> write(m, 84, LegacyMachine.LDT));
        after("DS not present", Vector.NP, spare, m -> {
            m.define(spare, 0, 0xffff, LegacyMachine.DATA & ~Segment.PRESENT);
            write(m, 84, spare);
        });
        after("EIP beyond the limit", Vector.GP, 0, m -> {
            m.define(spare, 0, 0x1233, LegacyMachine.CODE);
            write(m, 76, spare);
        });
        return tests;
    }
}
