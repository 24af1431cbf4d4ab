package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.processor.DebugAccess;
import dev.xenolith.cpu.processor.Processor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The A20M# pin. */
class AddressLineTest {
    private final BareMachine machine = new BareMachine();

    @AfterEach
    void close() {
        machine.close();
    }

    @Test
    void addressesWrapAtOneMegabyteWhileTheGateIsClosed() {
        // mov al, [ds:1234h]; mov [ds:2345h], al; jmp to the first
        machine.code(BareMachine.CODE, "a0 34 12 a2 45 23 eb f8");
        machine.memory.write8(0x1224, 1);
        machine.memory.write8(0x10_1224, 2);
        Processor cpu = machine.cpu;
        cpu.segmentSelector[Processor.DS] = 0xffff;
        cpu.segmentBase[Processor.DS] = 0xf_fff0;
        cpu.updateContext();
        byte[] seen = new byte[1];
        for (int gate : new int[]{1, 0, 1, 0}) {
            cpu.setA20Gate(gate != 0);
            cpu.run(3);
            assertThat(cpu.gpr[Processor.RAX] & 0xff).isEqualTo(1 + gate);
            assertThat(machine.memory.read8(gate << 20 | 0x2335)).isEqualTo(1 + gate);
            assertThat(DebugAccess.read(cpu, 0x10_1224, seen, 1)).isEqualTo(1);
            assertThat(seen[0]).isEqualTo((byte) (1 + gate));
            machine.memory.write8(0x2335, 0);
            machine.memory.write8(0x10_2335, 0);
        }
    }

    @Test
    void codeIsFoundThereToo() {
        // inc ax and inc bx, each followed by a jump to itself
        machine.code(0x2000, "40 eb fd");
        machine.code(0x10_2000, "43 eb fd");
        Processor cpu = machine.cpu;
        cpu.segmentSelector[Processor.CS] = 0xffff;
        cpu.segmentBase[Processor.CS] = 0xf_fff0;
        cpu.rip = 0x10_2000;
        cpu.updateContext();
        cpu.run(10);
        cpu.setA20Gate(false);
        cpu.run(20);
        cpu.setA20Gate(true);
        cpu.run(10);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(10);
        assertThat(cpu.gpr[Processor.RBX]).isEqualTo(10);
    }
}
