package dev.xenolith.device.serial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class Uart16550Test {
    /** 10 bits at 115,200 baud. */
    private static final long CHARACTER = 10 * 1_000_000_000L / 115_200;

    private final TestTime time = new TestTime();
    private final TestLine irq = new TestLine();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ConcurrentLinkedQueue<Runnable> inbox = new ConcurrentLinkedQueue<>();
    private final List<IOException> failures = new ArrayList<>();
    private final StreamBackend backend = new StreamBackend(out, inbox::add, failures::add);
    private final Uart16550 uart = new Uart16550("com1", time, backend, irq);

    @BeforeEach
    void set115200() {
        uart.writeByte(Uart16550.LCR, 0x83);
        uart.writeByte(0, 1);
        uart.writeByte(1, 0);
        uart.writeByte(Uart16550.LCR, 0x03);
        uart.writeByte(Uart16550.MCR, 0x0b);
    }

    private void fifos(int trigger) {
        uart.writeByte(Uart16550.IIR_FCR, trigger << 6 | 7);
        uart.readByte(Uart16550.IIR_FCR);
    }

    private int read(int register) {
        return uart.readByte(register);
    }

    private void write(int register, int value) {
        uart.writeByte(register, value);
    }

    private void type(String text) throws InterruptedException {
        for (byte b : text.getBytes(StandardCharsets.ISO_8859_1)) {
            backend.feed(b);
        }
        drain();
    }

    private void drain() {
        Runnable message;
        while ((message = inbox.poll()) != null) {
            message.run();
        }
    }

    @Test
    void whatIsWrittenIsSentAtAnyBaudRate() {
        write(Uart16550.LCR, 0x83);
        write(1, 0xff);
        write(Uart16550.LCR, 0x03);
        for (int i = 0; i < 40; i++) {
            assertThat(read(Uart16550.LSR)).isEqualTo(0x60);
            write(Uart16550.RBR_THR, 'a' + i % 26);
        }
        assertThat(out.toString(StandardCharsets.ISO_8859_1)).as("no byte waits for machine time")
                .isEqualTo("abcdefghijklmnopqrstuvwxyzabcdefghijklmn");
    }

    @Test
    void theTransmitterInterruptsWhenItIsEmpty() {
        write(Uart16550.IER, 2);
        assertThat(irq.level()).as("empty when enabled").isTrue();
        assertThat(read(Uart16550.IIR_FCR)).isEqualTo(0x02);
        assertThat(irq.level()).as("reading IIR is the answer").isFalse();
        assertThat(read(Uart16550.IIR_FCR)).isEqualTo(0x01);
        write(Uart16550.RBR_THR, 'a');
        assertThat(irq.level()).isTrue();
        irq.takeRises();
        write(Uart16550.RBR_THR, 'b');
        assertThat(irq.level()).isTrue();
        assertThat(irq.takeRises()).as("another edge").isEqualTo(1);
        write(Uart16550.IER, 0);
        assertThat(irq.level()).isFalse();
    }

    @Test
    void receivesWithoutFifos() throws InterruptedException {
        write(Uart16550.IER, 1);
        type("hi");
        assertThat(irq.level()).isTrue();
        assertThat(read(Uart16550.IIR_FCR)).isEqualTo(0x04);
        assertThat(read(Uart16550.LSR) & 1).isEqualTo(1);
        assertThat(read(Uart16550.RBR_THR)).isEqualTo('h');
        assertThat(irq.level()).as("flow control gives the next").isTrue();
        assertThat(read(Uart16550.RBR_THR)).isEqualTo('i');
        assertThat(irq.level()).isFalse();
        assertThat(read(Uart16550.RBR_THR)).isZero();
    }

    @Test
    void triggerLevelAndTimeout() throws InterruptedException {
        fifos(2);
        write(Uart16550.IER, 1);
        type("1234567");
        assertThat(irq.level()).isFalse();
        time.advance(4 * CHARACTER + 4);
        assertThat(read(Uart16550.IIR_FCR)).as("time-out").isEqualTo(0xcc);
        assertThat(read(Uart16550.RBR_THR)).isEqualTo('1');
        assertThat(irq.level()).isFalse();
        type("89");
        assertThat(read(Uart16550.IIR_FCR)).isEqualTo(0xc4);
        StringBuilder text = new StringBuilder();
        while ((read(Uart16550.LSR) & 1) != 0) {
            text.append((char) read(Uart16550.RBR_THR));
        }
        assertThat(text).hasToString("23456789");
        time.advance(10 * CHARACTER);
        assertThat(irq.level()).isFalse();
    }

    @Test
    void inputBeyondTheFifoWaits() throws InterruptedException {
        fifos(0);
        type("abcdefghijklmnopqrstuvwxyz");
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 26; i++) {
            text.append((char) read(Uart16550.RBR_THR));
        }
        assertThat(text).hasToString("abcdefghijklmnopqrstuvwxyz");
        assertThat(read(Uart16550.LSR) & 2).as("no overrun").isZero();
        assertThatThrownBy(() -> {
            for (int i = 0; i < 17; i++) {
                uart.receive((byte) 0);
            }
        }).hasMessageContaining("no room");
    }

    @Test
    void loopbackComesBack() throws InterruptedException {
        fifos(0);
        write(Uart16550.MCR, 0x1b);
        type("never");
        write(Uart16550.RBR_THR, 'L');
        assertThat(read(Uart16550.LSR) & 1).isEqualTo(1);
        assertThat(read(Uart16550.RBR_THR)).isEqualTo('L');
        assertThat(out.size()).isZero();
        write(Uart16550.IER, 1);
        write(Uart16550.RBR_THR, 'L');
        assertThat(read(Uart16550.IIR_FCR)).isEqualTo(0xc4);
        assertThat(irq.level()).as("OUT2 is disconnected").isFalse();
        read(Uart16550.RBR_THR);
        write(Uart16550.MCR, 0x0b);
        assertThat(read(Uart16550.RBR_THR)).as("input waited for the end of loopback").isEqualTo('n');
    }

    @Test
    void anOverrunIsALineStatusInterrupt() {
        write(Uart16550.MCR, 0x10);
        write(Uart16550.IER, 4);
        for (int i = 0; i < 2; i++) {
            write(Uart16550.RBR_THR, '0' + i);
        }
        assertThat(read(Uart16550.IIR_FCR)).isEqualTo(0x06);
        assertThat(read(Uart16550.LSR) & 0x1e).isEqualTo(0x02);
        assertThat(read(Uart16550.IIR_FCR)).isEqualTo(0x01);
        assertThat(read(Uart16550.RBR_THR)).as("the newer byte").isEqualTo('1');
    }

    @Test
    void breakInLoopback() {
        write(Uart16550.MCR, 0x10);
        write(Uart16550.LCR, 0x43);
        assertThat(read(Uart16550.LSR) & 0x11).isEqualTo(0x11);
        assertThat(read(Uart16550.RBR_THR)).isZero();
        assertThat(read(Uart16550.LSR) & 0x10).isZero();
    }

    @Test
    void modemStatus() {
        assertThat(read(Uart16550.MSR) & 0xf0).isEqualTo(0xb0);
        write(Uart16550.IER, 8);
        write(Uart16550.MCR, 0x1a);
        assertThat(read(Uart16550.MSR)).as("RTS is CTS, OUT2 is DCD; DSR fell").isEqualTo(0x92);
        assertThat(read(Uart16550.MSR)).isEqualTo(0x90);
        write(Uart16550.MCR, 0x14);
        assertThat(read(Uart16550.IIR_FCR)).isEqualTo(0x00);
        assertThat(read(Uart16550.MSR)).isEqualTo(0x49);
        write(Uart16550.MCR, 0x10);
        assertThat(read(Uart16550.MSR)).as("trailing edge of RI").isEqualTo(0x04);
    }

    @Test
    void out2DrivesTheInterrupt() {
        write(Uart16550.MCR, 0);
        write(Uart16550.IER, 2);
        assertThat(irq.level()).isFalse();
        write(Uart16550.MCR, 8);
        assertThat(irq.level()).isTrue();
    }

    @Test
    void registersReadBack() {
        write(Uart16550.SCR, 0xa5);
        write(Uart16550.IER, 0xff);
        write(Uart16550.MCR, 0xff);
        assertThat(read(Uart16550.SCR)).isEqualTo(0xa5);
        assertThat(read(Uart16550.IER)).isEqualTo(0x0f);
        assertThat(read(Uart16550.MCR)).isEqualTo(0x1f);
        write(Uart16550.LCR, 0x80);
        assertThat(uart.read(0, 2)).as("the divisor, in one access of 16 bits").isEqualTo(1);
        write(Uart16550.LSR, 0);
        write(Uart16550.MSR, 0);
        assertThat(read(Uart16550.LSR)).isEqualTo(0x60);
    }

    @Test
    void shortWordsAreCut() {
        write(Uart16550.LCR, 0x00);
        write(Uart16550.RBR_THR, 0xff);
        assertThat(out.toByteArray()).containsExactly(0x1f);
    }

    @Test
    @Timeout(10)
    void typingBlocksWhenTheGuestDoesNotRead() throws InterruptedException {
        Thread typist = new Thread(() -> {
            try {
                for (int i = 0; i < 5000; i++) {
                    backend.feed((byte) 'x');
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        typist.start();
        typist.join(200);
        assertThat(typist.isAlive()).isTrue();
        for (int i = 0; i < 5000; i++) {
            while ((read(Uart16550.LSR) & 1) == 0) {
                drain();
            }
            read(Uart16550.RBR_THR);
        }
        typist.join();
    }

    @Test
    void outputThatFailsIsToldOfOnce() {
        StreamBackend full = new StreamBackend(new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("full");
            }
        }, inbox::add, failures::add);
        full.write((byte) 'a');
        drain();
        full.write((byte) 'b');
        drain();
        assertThat(failures).extracting(IOException::getMessage).containsExactly("full");
    }

    @Test
    void stateComesBack() throws StateException, InterruptedException {
        fifos(2);
        write(Uart16550.IER, 3);
        type("abc");
        read(Uart16550.IIR_FCR);
        TestTime copyTime = time.copy();
        TestLine line = new TestLine();
        ByteArrayOutputStream copyOut = new ByteArrayOutputStream();
        Uart16550 copy = RoundTrip.check(uart,
                new Uart16550("com1", copyTime, new StreamBackend(copyOut, Runnable::run, failures::add), line));
        assertThat(line.level()).isFalse();
        copyTime.advance(5 * CHARACTER);
        assertThat(line.level()).as("time-out").isTrue();
        copy.writeByte(Uart16550.RBR_THR, 'x');
        assertThat(copyOut.toString(StandardCharsets.ISO_8859_1)).isEqualTo("x");
        assertThat(copy.readByte(Uart16550.RBR_THR)).isEqualTo('a');
    }
}
