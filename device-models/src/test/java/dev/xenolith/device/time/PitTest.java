package dev.xenolith.device.time;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import org.junit.jupiter.api.Test;

class PitTest {
    private final TestTime time = new TestTime();
    private final TestLine irq = new TestLine();
    private final Pit pit = new Pit(time, irq);
    private final SystemControlPort port61 = new SystemControlPort(time, pit);
    private final Frequency frequency = new Frequency(Pit.FREQUENCY);
    private long tick;

    /** Moves on to {@code ticks} after the last call, in the middle of a tick. */
    private void ticks(long ticks) {
        tick += ticks;
        time.advanceTo(frequency.nanoseconds(tick) + 300);
    }

    private void program(int counter, int mode, int count) {
        pit.writeByte(3, counter << 6 | 3 << 4 | mode << 1);
        pit.writeByte(counter, count & 0xff);
        pit.writeByte(counter, count >>> 8);
    }

    private int count(int counter) {
        pit.writeByte(3, counter << 6);
        return pit.readByte(counter) | pit.readByte(counter) << 8;
    }

    private boolean out(int counter) {
        pit.writeByte(3, 0xe0 | 2 << counter);
        return (pit.readByte(counter) & 0x80) != 0;
    }

    private int status(int counter) {
        pit.writeByte(3, 0xe0 | 2 << counter);
        return pit.readByte(counter);
    }

    @Test
    void mode0InterruptsOnTerminalCount() {
        ticks(0);
        program(0, 0, 5);
        assertThat(irq.level()).isFalse();
        ticks(5);
        assertThat(count(0)).isEqualTo(1);
        assertThat(irq.level()).isFalse();
        ticks(1);
        assertThat(irq.level()).as("N + 1 ticks after the write").isTrue();
        ticks(1);
        assertThat(count(0)).as("it wraps").isEqualTo(0xffff);
        pit.writeByte(0, 10);
        assertThat(irq.level()).as("the first byte ends it").isFalse();
        ticks(20);
        assertThat(irq.level()).isFalse();
        pit.writeByte(0, 0);
        ticks(11);
        assertThat(irq.level()).isTrue();
    }

    @Test
    void mode1IsAOneShotOfTheGate() {
        ticks(0);
        port61.writeByte(0, 0);
        program(2, 1, 10);
        assertThat(pit.output2()).isTrue();
        ticks(30);
        assertThat(pit.output2()).as("waits for its trigger").isTrue();
        port61.writeByte(0, 1);
        ticks(1);
        assertThat(pit.output2()).isFalse();
        ticks(9);
        assertThat(pit.output2()).isFalse();
        ticks(1);
        assertThat(pit.output2()).isTrue();
        port61.writeByte(0, 0);
        port61.writeByte(0, 1);
        ticks(5);
        port61.writeByte(0, 0);
        port61.writeByte(0, 1);
        ticks(10);
        assertThat(pit.output2()).as("retriggered: still low").isFalse();
    }

    @Test
    void mode2DividesByN() {
        ticks(0);
        program(0, 2, 100);
        assertThat(irq.level()).isTrue();
        irq.takeRises();
        ticks(1 + 99);
        assertThat(out(0)).as("low for the last tick").isFalse();
        assertThat(count(0)).isEqualTo(1);
        ticks(1);
        assertThat(out(0)).isTrue();
        assertThat(count(0)).isEqualTo(100);
        assertThat(irq.takeRises()).isEqualTo(1);
        ticks(1000);
        assertThat(irq.takeRises()).isEqualTo(10);
    }

    @Test
    void mode2TakesANewCountAtTheEndOfTheCycle() {
        ticks(0);
        program(0, 2, 100);
        irq.takeRises();
        ticks(51);
        pit.writeByte(0, 20);
        pit.writeByte(0, 0);
        assertThat(status(0) & 0x40).as("null count").isNotZero();
        assertThat(count(0)).isEqualTo(50);
        ticks(50);
        assertThat(irq.takeRises()).isEqualTo(1);
        assertThat(count(0)).isEqualTo(20);
        assertThat(status(0) & 0x40).isZero();
        ticks(100);
        assertThat(irq.takeRises()).isEqualTo(5);
    }

    @Test
    void mode2StopsWithItsGate() {
        ticks(0);
        port61.writeByte(0, 1);
        program(2, 2, 100);
        ticks(100);
        assertThat(pit.output2()).isFalse();
        port61.writeByte(0, 0);
        assertThat(pit.output2()).as("gate low forces OUT high").isTrue();
        ticks(1000);
        port61.writeByte(0, 1);
        ticks(1);
        assertThat(count(2)).as("reloaded").isEqualTo(100);
    }

    @Test
    void mode3IsASquareWave() {
        ticks(0);
        port61.writeByte(0, 1);
        program(2, 3, 10);
        ticks(1);
        assertThat(count(2)).isEqualTo(10);
        ticks(1);
        assertThat(count(2)).as("counts by two").isEqualTo(8);
        ticks(3);
        assertThat(pit.output2()).isTrue();
        ticks(1);
        assertThat(pit.output2()).isFalse();
        assertThat(port61.readByte(0) & 0x20).isZero();
        ticks(5);
        assertThat(pit.output2()).isTrue();
    }

    @Test
    void mode3WithAnOddCountIsHighOneTickLonger() {
        ticks(0);
        port61.writeByte(0, 1);
        program(2, 3, 5);
        StringBuilder wave = new StringBuilder();
        StringBuilder counts = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            ticks(1);
            wave.append(pit.output2() ? '1' : '0');
            counts.append(count(2));
        }
        assertThat(wave).hasToString("1110011100");
        assertThat(counts).hasToString("4204242042");
    }

    @Test
    void mode3TakesANewCountAfterTheHalfCycle() {
        ticks(0);
        port61.writeByte(0, 1);
        program(2, 3, 10);
        ticks(2);
        pit.writeByte(2, 4);
        pit.writeByte(2, 0);
        StringBuilder wave = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            ticks(1);
            wave.append(pit.output2() ? '1' : '0');
        }
        assertThat(wave).hasToString("111001100110");
    }

    @Test
    void mode4StrobesOnce() {
        ticks(0);
        program(0, 4, 5);
        assertThat(irq.level()).isTrue();
        irq.takeRises();
        ticks(5);
        assertThat(out(0)).isTrue();
        ticks(1);
        assertThat(out(0)).isFalse();
        ticks(1);
        assertThat(out(0)).isTrue();
        assertThat(irq.takeRises()).isEqualTo(1);
        ticks(70_000);
        assertThat(irq.takeRises()).as("not again without a new count").isZero();
    }

    @Test
    void mode5StrobesAfterItsTrigger() {
        ticks(0);
        program(2, 5, 5);
        ticks(20);
        assertThat(pit.output2()).isTrue();
        port61.writeByte(0, 1);
        ticks(6);
        assertThat(pit.output2()).isFalse();
        ticks(1);
        assertThat(pit.output2()).isTrue();
    }

    @Test
    void bcdCounts() {
        ticks(0);
        pit.writeByte(3, 0x31);
        pit.writeByte(0, 0x00);
        pit.writeByte(0, 0x10);
        ticks(2);
        assertThat(count(0)).isEqualTo(0x0999);
        ticks(1000);
        assertThat(count(0)).isEqualTo(0x9999);
    }

    @Test
    void zeroIsTheLargestCount() {
        ticks(0);
        program(0, 2, 0);
        irq.takeRises();
        ticks(0x1_0000);
        assertThat(irq.takeRises()).isZero();
        ticks(1);
        assertThat(irq.takeRises()).isEqualTo(1);
    }

    @Test
    void latchesHoldUntilRead() {
        ticks(0);
        program(0, 2, 1000);
        ticks(11);
        pit.writeByte(3, 0xc2);
        ticks(50);
        pit.writeByte(3, 0);
        assertThat(pit.readByte(0)).as("status first").isEqualTo(0xb4);
        assertThat(pit.readByte(0) | pit.readByte(0) << 8).as("the first latch").isEqualTo(990);
        assertThat(count(0)).isEqualTo(940);
    }

    @Test
    void singleByteAccessModes() {
        ticks(0);
        pit.writeByte(3, 0x24);
        pit.writeByte(0, 2);
        ticks(2);
        assertThat(pit.readByte(0)).as("MSB").isEqualTo(1);
        pit.writeByte(3, 0x14);
        pit.writeByte(0, 50);
        ticks(2);
        assertThat(pit.readByte(0)).isEqualTo(49);
        assertThat(pit.readByte(0)).isEqualTo(49);
    }

    @Test
    void controlCannotBeRead() {
        assertThat(pit.read(3, 1)).isEqualTo(0xff);
    }

    @Test
    void refreshToggles() {
        int first = port61.readByte(0) & 0x10;
        time.advance(15_085);
        assertThat(port61.readByte(0) & 0x10).isNotEqualTo(first);
        port61.writeByte(0, 0xfe);
        assertThat(port61.readByte(0) & 0x8f).as("enables are kept, the rest is read-only").isEqualTo(0x0e);
    }

    @Test
    void theFrequencyIsExactForYears() {
        long year = 365L * 86_400 * 1_000_000_000;
        assertThat(frequency.ticks(year)).isEqualTo(365L * 86_400 * Pit.FREQUENCY);
        assertThat(frequency.ticks(frequency.nanoseconds(12_345_678_901L))).isEqualTo(12_345_678_901L);
        assertThat(frequency.ticks(frequency.nanoseconds(12_345_678_901L) - 1)).isEqualTo(12_345_678_900L);
    }

    @Test
    void stateComesBack() throws StateException {
        ticks(0);
        program(0, 2, 100);
        program(2, 3, 50);
        pit.writeByte(2, 7);
        ticks(40);
        TestLine line = new TestLine();
        TestTime copyTime = time.copy();
        Pit copy = RoundTrip.check(pit, new Pit(copyTime, line));
        line.set(true);
        line.takeRises();
        copyTime.advanceTo(frequency.nanoseconds(tick + 61) + 1);
        assertThat(line.takeRises()).isEqualTo(1);
        port61.writeByte(0, 2);
        RoundTrip.check(port61, new SystemControlPort(copyTime, copy));
    }
}
