package dev.xenolith.device.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.ProcessorBuilder;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.IoBus;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.cpu.time.MachineClock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Executes the handlers: {@code INT n} in real mode, then HLT. */
class BiosInterruptsTest {
    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(2 << 20));
    private final Processor cpu = new ProcessorBuilder(new MachineClock(), new PhysicalMap(memory)).build().get(0);
    private final List<String> writes = new ArrayList<>();

    @BeforeEach
    void install() {
        BiosInterrupts.install(memory);
        cpu.ioBus = new IoBus() {
            @Override
            public long in(int port, int size) {
                throw new AssertionError("a read of port " + port);
            }

            @Override
            public void out(int port, int size, long value) {
                writes.add(Integer.toHexString(port) + "=" + Long.toHexString(value));
            }
        };
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private void interrupt(int vector) {
        cpu.reset();
        cpu.segmentSelector[Processor.CS] = 0;
        cpu.segmentBase[Processor.CS] = 0;
        cpu.rip = 0x1000;
        cpu.gpr[Processor.RSP] = 0x1000;
        cpu.gpr[Processor.RAX] = 0x1234_5678;
        cpu.segmentSelector[Processor.DS] = 0x40;
        cpu.segmentBase[Processor.DS] = 0x400;
        cpu.updateContext();
        memory.write32(0x1000, 0xf4_00cd | vector << 8);
        writes.clear();
        assertThat(cpu.run(100).kind).as("%02x", vector).isEqualTo(Stop.Kind.HALTED);
        assertThat(cpu.rip).isEqualTo(0x1003);
        assertThat(cpu.gpr[Processor.RSP]).isEqualTo(0x1000);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(0x1234_5678);
        assertThat(cpu.segmentSelector[Processor.DS]).isEqualTo(0x40);
    }

    @Test
    void everyVectorComesBackAndInterruptRequestsAreAcknowledged() {
        for (int vector = 0; vector < 256; vector++) {
            interrupt(vector);
            if (vector >= 0x08 && vector < 0x10) {
                assertThat(writes).containsExactly("20=20");
            } else if (vector >= 0x70 && vector < 0x78) {
                assertThat(writes).containsExactly("a0=20", "20=20");
            } else {
                assertThat(writes).as("%02x", vector).isEmpty();
            }
        }
    }

    @Test
    void theTimerCounts() {
        interrupt(8);
        interrupt(8);
        assertThat(memory.read32(BiosInterrupts.TICKS)).isEqualTo(2);
        memory.write32(BiosInterrupts.TICKS, -1);
        interrupt(8);
        assertThat(memory.read32(BiosInterrupts.TICKS)).isZero();
    }
}
