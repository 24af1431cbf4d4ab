package dev.xenolith.cpu.processor;

import static dev.xenolith.cpu.processor.LegacyMachine.fault;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The checks of SDM 2 (MOV to Sreg, JMP, CALL, RET, INT n, IRET) outside IA-32e mode, each a case, and what succeeds. */
final class ProtectedModeTest {
    private static final int NONE = -1;
    private static final int CODE = LegacyMachine.CODE;
    private static final int DATA = LegacyMachine.DATA;
    private static final int DPL_3 = LegacyMachine.DPL_3;
    private static final int SPARE = LegacyMachine.SPARE;
    private static final int TARGET = 0x1234;

    private final List<DynamicTest> tests = new ArrayList<>();

    private void check(String name, int expected, Consumer<LegacyMachine> prepare, Consumer<Processor> instruction) {
        tests.add(DynamicTest.dynamicTest(name, () -> {
            try (LegacyMachine m = new LegacyMachine()) {
                prepare.accept(m);
                long rsp = m.p.gpr[Processor.RSP];
                int cs = m.p.segmentSelector[Processor.CS];
                assertThat(m.fault(() -> instruction.accept(m.p))).isEqualTo(expected);
                if (expected != NONE) {
                    assertThat(m.p.gpr[Processor.RSP]).isEqualTo(rsp);
                    assertThat(m.p.segmentSelector[Processor.CS]).isEqualTo(cs);
                }
            }
        }));
    }

    // ---- data segments -------------------------------------------------------------------------------------------------

    private void load(String name, int expected, int ring, int segment, int selector, int attributes) {
        check(name, expected, m -> {
            m.define(SPARE, 0, 0xfff, attributes);
            m.enterRing(ring);
        }, p -> Segmentation.loadSegment(p, segment, selector));
    }

    @TestFactory
    List<DynamicTest> segmentRegisters() {
        int gp = fault(Vector.GP, SPARE);
        load("null DS", NONE, 0, Processor.DS, 3, DATA);
        load("null SS", fault(Vector.GP, 0), 0, Processor.SS, 0, DATA);
        load("beyond the GDT", fault(Vector.GP, 0x80), 0, Processor.DS, 0x80, DATA);
        load("in no LDT", fault(Vector.GP, 0x6c), 0, Processor.DS, 0x6c, DATA);
        load("DS of a system segment", gp, 0, Processor.DS, SPARE, Segment.TYPE_LDT | Segment.PRESENT);
        load("DS of readable code", NONE, 0, Processor.DS, SPARE, CODE);
        load("DS of execute-only code", gp, 0, Processor.DS, SPARE, CODE & ~Segment.READABLE);
        load("DS above CPL", gp, 3, Processor.DS, SPARE | 3, DATA);
        load("DS with RPL above DPL", gp, 0, Processor.DS, SPARE | 3, DATA);
        load("DS of conforming code above CPL", NONE, 3, Processor.DS, SPARE | 3, CODE | Segment.CONFORMING);
        load("DS not present", fault(Vector.NP, SPARE), 0, Processor.DS, SPARE, DATA & ~Segment.PRESENT);
        load("SS read-only", gp, 0, Processor.SS, SPARE, DATA & ~Segment.WRITABLE);
        load("SS of code", gp, 0, Processor.SS, SPARE, CODE);
        load("SS with RPL not CPL", gp, 0, Processor.SS, SPARE | 3, DATA);
        load("SS with DPL not CPL", gp, 0, Processor.SS, SPARE, DATA | DPL_3);
        load("SS not present", fault(Vector.SS, SPARE), 0, Processor.SS, SPARE, DATA & ~Segment.PRESENT);
        load("SS", NONE, 0, Processor.SS, SPARE, DATA);
        return tests;
    }

    // ---- far jump and call ---------------------------------------------------------------------------------------------

    private void jump(String name, int expected, int ring, int selector, int attributes) {
        check("jump: " + name, expected, m -> {
            m.define(SPARE, 0, 0x1fff, attributes);
            m.enterRing(ring);
        }, p -> ControlTransfer.jumpFar(p, selector, TARGET, 32));
        check("call: " + name, expected, m -> {
            m.define(SPARE, 0, 0x1fff, attributes);
            m.enterRing(ring);
        }, p -> ControlTransfer.callFar(p, selector, TARGET, 32));
    }

    @TestFactory
    List<DynamicTest> farTransfersToCode() {
        int gp = fault(Vector.GP, SPARE);
        jump("null", fault(Vector.GP, 0), 0, 0, CODE);
        jump("beyond the GDT", fault(Vector.GP, 0x88), 0, 0x88, CODE);
        jump("data", gp, 0, SPARE, DATA);
        jump("code", NONE, 0, SPARE, CODE);
        jump("RPL above CPL", gp, 0, SPARE | 3, CODE);
        jump("DPL above CPL", gp, 0, SPARE, CODE | DPL_3);
        jump("DPL below CPL", gp, 3, SPARE | 3, CODE);
        jump("conforming from outside", NONE, 3, SPARE | 3, CODE | Segment.CONFORMING);
        jump("conforming from inside", gp, 0, SPARE, CODE | Segment.CONFORMING | DPL_3);
        jump("not present", fault(Vector.NP, SPARE), 0, SPARE, CODE & ~Segment.PRESENT);
        check("offset beyond the limit", fault(Vector.GP, 0), m -> m.define(SPARE, 0, TARGET - 1, CODE),
                p -> ControlTransfer.jumpFar(p, SPARE, TARGET, 32));
        check("16 bits of the offset", NONE, m -> m.define(SPARE, 0, TARGET, CODE),
                p -> ControlTransfer.jumpFar(p, SPARE, 0x5_0000 | TARGET, 16));
        return tests;
    }

    private void callGate(String name, int expected, Consumer<LegacyMachine> prepare, int gateType, int gateDpl,
            int target) {
        check(name, expected, m -> {
            m.defineGate(SPARE, LegacyMachine.gate(target, TARGET, gateType, gateDpl, 2));
            m.enterRing(3);
            prepare.accept(m);
        }, p -> ControlTransfer.callFar(p, SPARE | 3, 0, 32));
    }

    @TestFactory
    List<DynamicTest> callGates() {
        int inner = LegacyMachine.DATA_0;
        Consumer<LegacyMachine> nothing = m -> {};
        callGate("gate", NONE, nothing, Segment.TYPE_CALL_GATE, 3, LegacyMachine.CODE_0);
        callGate("gate of 16 bits", NONE, nothing, Segment.TYPE_CALL_GATE_16, 3, LegacyMachine.CODE_0);
        callGate("DPL below CPL", fault(Vector.GP, SPARE), nothing, Segment.TYPE_CALL_GATE, 0, LegacyMachine.CODE_0);
        callGate("not a gate for calls", fault(Vector.GP, SPARE), nothing, Segment.TYPE_INTERRUPT_GATE, 3,
                LegacyMachine.CODE_0);
        callGate("not present", fault(Vector.NP, SPARE),
                m -> m.memory.write(LegacyMachine.GDT + SPARE + 5, 1, Segment.TYPE_CALL_GATE | DPL_3),
                Segment.TYPE_CALL_GATE, 3, LegacyMachine.CODE_0);
        callGate("null target", fault(Vector.GP, 0), nothing, Segment.TYPE_CALL_GATE, 3, 0);
        callGate("target is data", fault(Vector.GP, inner), nothing, Segment.TYPE_CALL_GATE, 3, inner);
        callGate("offset beyond the limit", fault(Vector.GP, 0), m -> m.define(LegacyMachine.CODE_0, 0, 0x100, CODE),
                Segment.TYPE_CALL_GATE, 3, LegacyMachine.CODE_0);
        callGate("TSS too short", fault(Vector.TS, LegacyMachine.TSS), m -> m.p.segmentLimit[Processor.TR] = 8,
                Segment.TYPE_CALL_GATE, 3, LegacyMachine.CODE_0);
        callGate("null inner stack", fault(Vector.TS, 0), m -> m.memory.write(LegacyMachine.TASK + 8, 4, 0),
                Segment.TYPE_CALL_GATE, 3, LegacyMachine.CODE_0);
        callGate("inner stack of ring 3", fault(Vector.TS, LegacyMachine.DATA_3 & ~3),
                m -> m.memory.write(LegacyMachine.TASK + 8, 4, LegacyMachine.DATA_3), Segment.TYPE_CALL_GATE, 3,
                LegacyMachine.CODE_0);
        callGate("inner stack read-only", fault(Vector.TS, inner), m -> m.define(inner, 0, 0xfffff,
                DATA & ~Segment.WRITABLE), Segment.TYPE_CALL_GATE, 3, LegacyMachine.CODE_0);
        callGate("inner stack not present", fault(Vector.SS, inner), m -> m.define(inner, 0, 0xfffff,
                DATA & ~Segment.PRESENT), Segment.TYPE_CALL_GATE, 3, LegacyMachine.CODE_0);
        callGate("inner stack full", fault(Vector.SS, inner), m -> m.memory.write(LegacyMachine.TASK + 4, 4, 8),
                Segment.TYPE_CALL_GATE, 3, LegacyMachine.CODE_0);
        return tests;
    }

    @Test
    void aCallGateCopiesParametersAndTheReturnDropsThemTwice() {
        try (LegacyMachine m = new LegacyMachine()) {
            Processor p = m.p;
            m.defineGate(SPARE, LegacyMachine.gate(LegacyMachine.CODE_0, TARGET, Segment.TYPE_CALL_GATE, 3, 2));
            m.enterRing(3);
            Stack.push(p, 0x1111, 32);
            Stack.push(p, 0x2222, 32);
            ControlTransfer.callFar(p, SPARE | 3, 0xdead, 32);
            assertThat(p.cpl).isZero();
            assertThat(p.rip).isEqualTo(TARGET);
            long esp = p.gpr[Processor.RSP];
            assertThat(esp).isEqualTo(LegacyMachine.INNER - 24);
            assertThat(m.stack(esp)).isEqualTo(0x9_0000);
            assertThat(m.stack(esp + 4)).isEqualTo(LegacyMachine.CODE_3);
            assertThat(m.stack(esp + 8)).isEqualTo(0x2222);
            assertThat(m.stack(esp + 12)).isEqualTo(0x1111);
            assertThat(m.stack(esp + 16)).isEqualTo(LegacyMachine.STACK_3 - 8);
            assertThat(m.stack(esp + 20)).isEqualTo(LegacyMachine.DATA_3);
            m.set(Processor.DS, LegacyMachine.DATA_0);
            ControlTransfer.returnFar(p, 8, 32);
            assertThat(p.cpl).isEqualTo(3);
            assertThat(p.rip).isEqualTo(0x9_0000);
            assertThat(p.gpr[Processor.RSP]).isEqualTo(LegacyMachine.STACK_3);
            assertThat(p.segmentAttributes[Processor.DS] & Segment.UNUSABLE).as("DS of ring 0").isNotZero();
            assertThat(p.segmentSelector[Processor.ES]).isEqualTo(LegacyMachine.DATA_3);
        }
    }

    // ---- returns -------------------------------------------------------------------------------------------------------

    private void ret(String name, int expected, int selector, int stackSelector, int attributes) {
        check(name, expected, m -> {
            m.define(SPARE, 0, 0x1fff, attributes);
            Processor p = m.p;
            Stack.push(p, stackSelector, 32);
            Stack.push(p, LegacyMachine.STACK_3, 32);
            Stack.push(p, selector, 32);
            Stack.push(p, TARGET, 32);
        }, p -> ControlTransfer.returnFar(p, 0, 32));
    }

    @TestFactory
    List<DynamicTest> farReturns() {
        int gp = fault(Vector.GP, SPARE);
        int stack = LegacyMachine.DATA_3;
        ret("same level", NONE, SPARE, 0, CODE);
        ret("outward", NONE, SPARE | 3, stack, CODE | DPL_3);
        ret("null CS", fault(Vector.GP, 0), 0, stack, CODE);
        ret("data", gp, SPARE, stack, DATA);
        ret("DPL not RPL", gp, SPARE | 3, stack, CODE);
        ret("conforming with DPL above RPL", gp, SPARE, stack, CODE | Segment.CONFORMING | DPL_3);
        ret("not present", fault(Vector.NP, SPARE), SPARE | 3, stack, CODE & ~Segment.PRESENT | DPL_3);
        ret("null SS", fault(Vector.GP, 0), SPARE | 3, 0, CODE | DPL_3);
        ret("SS of another level", fault(Vector.GP, LegacyMachine.DATA_0), SPARE | 3, LegacyMachine.DATA_0,
                CODE | DPL_3);
        return tests;
    }

    // ---- events --------------------------------------------------------------------------------------------------------

    private void event(String name, int expected, int type, int dpl, int selector, Consumer<LegacyMachine> prepare) {
        check(name, expected, m -> {
            m.handler(0x30, LegacyMachine.gate(selector, TARGET, type, dpl, 0));
            m.enterRing(3);
            prepare.accept(m);
        }, p -> ControlTransfer.softwareInterrupt(p, 0x30, 2));
    }

    @TestFactory
    List<DynamicTest> softwareInterrupts() {
        int index = 0x30 << 3 | 2;
        Consumer<LegacyMachine> nothing = m -> {};
        int interrupt = Segment.TYPE_INTERRUPT_GATE;
        event("inward", NONE, interrupt, 3, LegacyMachine.CODE_0, nothing);
        event("16 bits", NONE, Segment.TYPE_TRAP_GATE_16, 3, LegacyMachine.CODE_0_16, nothing);
        event("conforming", NONE, interrupt, 3, LegacyMachine.CONFORMING, nothing);
        event("DPL below CPL", fault(Vector.GP, index), interrupt, 0, LegacyMachine.CODE_0, nothing);
        event("beyond the IDT", fault(Vector.GP, index), interrupt, 3, LegacyMachine.CODE_0,
                m -> m.p.idtLimit = 0x30 * 8 + 6);
        event("not a gate for events", fault(Vector.GP, index), Segment.TYPE_CALL_GATE, 3, LegacyMachine.CODE_0,
                nothing);
        event("not present", fault(Vector.NP, index), interrupt, 3, LegacyMachine.CODE_0,
                m -> m.memory.write(LegacyMachine.IDT + 0x30 * 8 + 5, 1, interrupt | DPL_3));
        event("null target", fault(Vector.GP, 0), interrupt, 3, 0, nothing);
        event("data", fault(Vector.GP, LegacyMachine.DATA_0), interrupt, 3, LegacyMachine.DATA_0, nothing);
        event("handler beyond its limit", fault(Vector.GP, 0), interrupt, 3, LegacyMachine.CODE_0,
                m -> m.define(LegacyMachine.CODE_0, 0, 0x100, CODE));
        event("stack full", fault(Vector.SS, LegacyMachine.DATA_0), interrupt, 3, LegacyMachine.CODE_0,
                m -> m.memory.write(LegacyMachine.TASK + 4, 4, 8));
        event("no TSS for the stack", fault(Vector.TS, LegacyMachine.TSS), interrupt, 3, LegacyMachine.CODE_0,
                m -> m.p.segmentLimit[Processor.TR] = 6);
        return tests;
    }

    @Test
    void anExceptionPushesItsErrorCodeAndIretReturns() {
        try (LegacyMachine m = new LegacyMachine()) {
            Processor p = m.p;
            m.handler(Vector.GP, LegacyMachine.gate(LegacyMachine.CODE_0, TARGET, Segment.TYPE_INTERRUPT_GATE, 0, 0));
            m.enterRing(3);
            p.setRflags(Bits.RFLAGS_IF | Bits.RFLAGS_CF);
            assertThat(Delivery.exception(p, Vector.GP, 0x18, false)).isTrue();
            long esp = p.gpr[Processor.RSP];
            assertThat(esp).isEqualTo(LegacyMachine.INNER - 24);
            assertThat(m.stack(esp)).isEqualTo(0x18);
            assertThat(m.stack(esp + 4)).isEqualTo(0x9_0000);
            assertThat(m.stack(esp + 12)).isEqualTo(Bits.RFLAGS_IF | Bits.RFLAGS_CF | Bits.RFLAGS_RF | 2);
            assertThat(p.rflags() & Bits.RFLAGS_IF).isZero();
            p.gpr[Processor.RSP] += 4;
            ControlTransfer.iret(p, 32);
            assertThat(p.cpl).isEqualTo(3);
            assertThat(p.rip).isEqualTo(0x9_0000);
            assertThat(p.gpr[Processor.RSP]).isEqualTo(LegacyMachine.STACK_3);
            assertThat(p.rflags() & Bits.RFLAGS_IF).isNotZero();
        }
    }

    @Test
    void faultsOfDeliveryDoubleAndThenShutDown() {
        try (LegacyMachine m = new LegacyMachine()) {
            Processor p = m.p;
            m.handler(Vector.DF, LegacyMachine.gate(LegacyMachine.CODE_0, TARGET, Segment.TYPE_INTERRUPT_GATE, 0, 0));
            assertThat(Delivery.exception(p, Vector.GP, 0, false)).isTrue();
            assertThat(p.rip).isEqualTo(TARGET);
            assertThat(m.stack(p.gpr[Processor.RSP])).as("error code of #DF").isZero();
            p.idtLimit = 0;
            assertThat(Delivery.exception(p, Vector.GP, 0, false)).isFalse();
            assertThat(p.stop.kind).isEqualTo(Stop.Kind.SHUTDOWN);
        }
    }

    @Test
    void aBenignFaultThatFaultsIsReplacedWithTheExternalBitSet() {
        try (LegacyMachine m = new LegacyMachine()) {
            Processor p = m.p;
            m.handler(Vector.GP, LegacyMachine.gate(LegacyMachine.CODE_0, TARGET, Segment.TYPE_TRAP_GATE, 0, 0));
            p.setRflags(Bits.RFLAGS_IF);
            assertThat(Delivery.exception(p, Vector.UD, 0, false)).isTrue();
            assertThat(m.stack(p.gpr[Processor.RSP])).isEqualTo(Vector.UD << 3 | 2 | 1);
            assertThat(p.rflags() & Bits.RFLAGS_IF).as("a trap gate keeps IF").isNotZero();
        }
    }

    // ---- limits and rights of accesses ---------------------------------------------------------------------------------

    @TestFactory
    List<DynamicTest> accesses() {
        access("last byte", NONE, DATA, 0xfff, 1, true);
        access("beyond the limit", fault(Vector.GP, 0), DATA, 0xffd, 4, false);
        access("write to read-only", fault(Vector.GP, 0), DATA & ~Segment.WRITABLE, 0, 4, true);
        access("read of read-only", NONE, DATA & ~Segment.WRITABLE, 0, 4, false);
        access("write to code", fault(Vector.GP, 0), CODE, 0, 1, true);
        access("read of execute-only code", fault(Vector.GP, 0), CODE & ~Segment.READABLE, 0, 1, false);
        access("expand-down, in the limit", fault(Vector.GP, 0), DATA | Segment.EXPAND_DOWN, 0xfff, 1, true);
        access("expand-down, above it", NONE, DATA | Segment.EXPAND_DOWN, 0x1000, 4, true);
        access("expand-down, last bytes", NONE, DATA | Segment.EXPAND_DOWN, 0xffff_fffcL, 4, true);
        access("expand-down of 16 bits, beyond 64 KiB", fault(Vector.GP, 0),
                DATA & ~Segment.DEFAULT_32 | Segment.EXPAND_DOWN, 0xfffe, 4, true);
        check("null segment", fault(Vector.GP, 0), m -> Segmentation.loadSegment(m.p, Processor.DS, 0),
                p -> p.segments.readable(Processor.DS, 0, 1));
        check("stack segment", fault(Vector.SS, 0), m -> {}, p -> p.segments.readable(Processor.SS, 0x10_0000, 1));
        return tests;
    }

    private void access(String name, int expected, int attributes, long offset, int size, boolean write) {
        check(name, expected, m -> {
            m.define(SPARE, 0x1000, 0xfff, attributes);
            m.set(Processor.DS, SPARE);
            m.p.updateContext();
        }, p -> {
            long linear = write
                    ? p.segments.writable(Processor.DS, offset, size)
                    : p.segments.readable(Processor.DS, offset, size);
            assertThat(linear).isEqualTo(0x1000 + offset & 0xffff_ffffL);
        });
    }
}
