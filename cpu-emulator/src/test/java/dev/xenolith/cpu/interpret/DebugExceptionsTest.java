package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import org.junit.jupiter.api.Test;

/** #DB from code in real mode (SDM 3B 18): which come, which are held back, and what DR6 says. The handler is at 0000:0900. */
final class DebugExceptionsTest {
    private static final int HANDLER = 0x900;

    private static BareMachine machine(CpuModel model, String code, String handler) {
        BareMachine machine = new BareMachine(model);
        machine.memory.write(4, 4, HANDLER);
        machine.code(HANDLER, handler);
        machine.code(BareMachine.CODE, code);
        return machine;
    }

    private static void halts(BareMachine machine, long rip, int count) {
        assertThat(machine.cpu.run(20).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(machine.cpu.rip).as(machine.cpu.model.name()).isEqualTo(rip);
        assertThat(machine.cpu.gpr[Processor.RBX]).as(machine.cpu.model.name()).isEqualTo(count);
    }

    /** SDM 3A 6.8.3; AMD's processors do not hold it back. */
    @Test
    void movSsHoldsBackABreakpointOnTheNextInstructionOnIntel() {
        for (CpuModel model : new CpuModel[]{CpuModel.intel(), CpuModel.amd()}) {
            // mov ss, ax; inc bx; inc bx; hlt
            try (BareMachine machine = machine(model, "8e d0 43 43 f4", "f4")) {
                machine.cpu.dr[0] = 0x1002;
                machine.cpu.dr[7] |= 1;
                halts(machine, model.isIntel() ? 0x1005 : 0x901, model.isIntel() ? 2 : 0);
            }
            // sti holds nothing back.
            try (BareMachine machine = machine(model, "fb 43 43 f4", "f4")) {
                machine.cpu.dr[0] = 0x1001;
                machine.cpu.dr[7] |= 1;
                halts(machine, 0x901, 0);
            }
        }
    }

    @Test
    void breakpointBitsAreOfThisExceptionTheOthersStay() {
        // inc bx; inc bx; hlt
        try (BareMachine machine = machine(CpuModel.intel(), "43 43 f4", "f4")) {
            machine.cpu.dr[6] |= Bits.DR6_BT | 2;
            machine.cpu.setRflags(Bits.RFLAGS_TF);
            halts(machine, 0x901, 1);
            assertThat(machine.cpu.dr[6]).isEqualTo(Bits.DR6_FIXED | Bits.DR6_BT | Bits.DR6_BS);
            machine.cpu.dr[6] |= 8;
            machine.cpu.dr[2] = 0x1001;
            machine.cpu.dr[7] |= 1 << 4;
            machine.cpu.halted = false;
            machine.cpu.rip = 0x1001;
            halts(machine, 0x901, 1);
            assertThat(machine.cpu.dr[6]).isEqualTo(Bits.DR6_FIXED | Bits.DR6_BT | Bits.DR6_BS | 4);
        }
    }

    /** A debug exception resumes execution (SDM 2 HLT). */
    @Test
    void theTrapOfHltEndsIt() {
        try (BareMachine machine = machine(CpuModel.intel(), "f4", "43 f4")) {
            machine.cpu.setRflags(Bits.RFLAGS_TF);
            halts(machine, 0x902, 1);
            assertThat(machine.memory.read(0xffa, 2)).as("return address").isEqualTo(0x1001);
        }
    }

    @Test
    void int1ReportsWhatMovSsHeldBack() {
        // mov ss, [0x2000]; int1; hlt. The handler: inc bx; iret.
        try (BareMachine machine = machine(CpuModel.intel(), "8e 16 00 20 f1 f4", "43 cf")) {
            machine.cpu.dr[1] = 0x2000;
            machine.cpu.dr[7] |= 1 << 2 | 3 << 20 | 1 << 22;
            halts(machine, 0x1006, 1);
            assertThat(machine.cpu.dr[6]).isEqualTo(Bits.DR6_FIXED | 2);
        }
        // The same with int 1: once for the instruction, once for the breakpoint, which the handler's first instruction follows.
        try (BareMachine machine = machine(CpuModel.intel(), "8e 16 00 20 cd 01 f4", "43 cf")) {
            machine.cpu.dr[1] = 0x2000;
            machine.cpu.dr[7] |= 1 << 2 | 3 << 20 | 1 << 22;
            halts(machine, 0x1007, 2);
        }
    }
}
