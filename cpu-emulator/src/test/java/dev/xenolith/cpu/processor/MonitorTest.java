package dev.xenolith.cpu.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.ProcessorBuilder;
import dev.xenolith.cpu.Processors;
import dev.xenolith.cpu.apic.ApicRegisters;
import dev.xenolith.cpu.memory.Attention;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.time.MachineClock;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** MONITOR and MWAIT on two processors in real-address mode. */
class MonitorTest {
    private static final int WAITER = 0x1000;
    private static final int WRITER = 0x2000;
    private static final int HANDLER = 0x3000;
    private static final int LINE = 0x8040;
    private static final int VECTOR = 0x40;

    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(1 << 20));
    private final Processors all = new ProcessorBuilder(new MachineClock(), new PhysicalMap(memory)).count(2).build();
    private final Processor waiter = all.get(0);
    private final Processor writer = all.get(1);

    @BeforeEach
    void start() {
        int at = WAITER;
        for (Processor p : all.all()) {
            p.reset();
            p.waitsForStartup = false;
            p.segmentSelector[Processor.CS] = 0;
            p.segmentBase[Processor.CS] = 0;
            p.gpr[Processor.RSP] = 0x7000;
            p.rip = at;
            p.updateContext();
            at = WRITER;
        }
        // monitor; mwait; inc si
        code(WAITER, "0f01c8 0f01c9 46 90");
        memory.write32(VECTOR * 4, HANDLER);
        memory.write32(Vector.NMI * 4, HANDLER);
        code(HANDLER, "47 f4");
        waiter.gpr[Processor.RAX] = LINE + 8;
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private void code(int address, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        memory.copyIn(bytes, 0, address, bytes.length);
    }

    private void assertWaits() {
        assertThat(waiter.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(waiter.rip).isEqualTo(WAITER + 6);
        assertThat(waiter.gpr[Processor.RSI]).isZero();
    }

    private void assertGoesOn() {
        waiter.run(1);
        assertThat(waiter.gpr[Processor.RSI]).isEqualTo(1);
    }

    @Test
    void waitsUntilAnotherProcessorWritesTheLine() {
        assertWaits();
        assertThat(memory.attention(LINE >>> 12) & Attention.WATCH).isNotZero();
        // mov [803ch], eax; mov [8080h], eax: beside it
        code(WRITER, "66a33c80 66a38080 66a37c80");
        writer.run(2);
        assertWaits();
        // mov [807ch], eax: its last bytes
        writer.run(1);
        assertThat(memory.attention(LINE >>> 12) & Attention.WATCH).as("nobody waits for more").isZero();
        assertGoesOn();
    }

    @Test
    void aWriteThatWasCachedBeforeIsSeen() {
        // mov [8040h], al, twice
        code(WRITER, "a24080 a24080");
        writer.run(1);
        assertWaits();
        writer.run(1);
        assertGoesOn();
    }

    @Test
    void aDeviceWritesToo() {
        assertWaits();
        memory.write8(LINE, 1);
        assertGoesOn();
    }

    @Test
    void doesNotWaitAfterTheWriteNorWithoutMonitor() {
        waiter.run(1);
        memory.write8(LINE, 1);
        waiter.run(2);
        assertThat(waiter.gpr[Processor.RSI]).isEqualTo(1);
        waiter.gpr[Processor.RSI] = 0;
        waiter.rip = WAITER + 3;
        waiter.run(2);
        assertThat(waiter.gpr[Processor.RSI]).isEqualTo(1);
    }

    @Test
    void anNmiEndsIt() {
        assertWaits();
        waiter.raiseNmi();
        waiter.run(1);
        assertThat(waiter.gpr[Processor.RDI]).isEqualTo(1);
        assertThat(memory.attention(LINE >>> 12) & Attention.WATCH).isZero();
        assertThat(waiter.run(5).kind).as("HLT of the handler").isEqualTo(Stop.Kind.HALTED);
        memory.write8(LINE, 1);
        assertThat(waiter.run(5).kind).as("which no write ends").isEqualTo(Stop.Kind.HALTED);
    }

    @Test
    void aMaskedInterruptEndsItOnlyIfAsked() {
        waiter.apic.writeMmio(ApicRegisters.SVR, 4, 0x1ff);
        assertWaits();
        waiter.apic.writeMmio(ApicRegisters.ICR, 4, 0x4_0000 | VECTOR);
        assertWaits();
        memory.write8(LINE, 1);
        assertGoesOn();
        waiter.gpr[Processor.RSI] = 0;
        waiter.rip = WAITER;
        waiter.run(1);
        waiter.gpr[Processor.RCX] = 1;
        waiter.run(2);
        assertThat(waiter.gpr[Processor.RSI]).isEqualTo(1);
        assertThat(waiter.gpr[Processor.RDI]).as("not delivered").isZero();
    }

    @Test
    void extensionsThatDoNotExistFault() {
        code(0x2800, "41 f4");
        memory.write32(Vector.GP * 4, 0x2800);
        waiter.gpr[Processor.RCX] = 2;
        waiter.rip = WAITER + 3;
        waiter.run(1);
        assertThat(waiter.rip).isEqualTo(0x2801);
    }

    @Test
    void aRestoredProcessorHasLeftIt() throws Exception {
        assertWaits();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        all.save(new DataOutputStream(bytes));
        all.restore(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
        assertThat(memory.attention(LINE >>> 12) & Attention.WATCH).isZero();
        assertGoesOn();
    }
}
