package dev.xenolith.device.time;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.Clock;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class RtcTest {
    private static final long SECOND = 1_000_000_000;
    private static final long START = LocalDateTime.of(2023, 12, 31, 23, 59, 58).toEpochSecond(ZoneOffset.UTC);

    private final TestTime time = new TestTime();
    private final TestLine irq = new TestLine();
    private final Rtc rtc = new Rtc(time, START, irq);

    private int get(int register) {
        rtc.writeByte(0, register);
        return rtc.readByte(1);
    }

    private void set(int register, int value) {
        rtc.writeByte(0, register);
        rtc.writeByte(1, value);
    }

    private String clock() {
        return String.format("%02x%02x-%02x-%02x(%d) %02x:%02x:%02x", get(0x32), get(9), get(8), get(7), get(6), get(4),
                get(2), get(0));
    }

    @Test
    void tellsTheTime() {
        assertThat(clock()).isEqualTo("2023-12-31(1) 23:59:58");
        time.advance(2 * SECOND - 1);
        assertThat(clock()).isEqualTo("2023-12-31(1) 23:59:59");
        time.advance(1);
        assertThat(clock()).isEqualTo("2024-01-01(2) 00:00:00");
        assertThat(get(Rtc.REGISTER_D)).isEqualTo(0x80);
        assertThat(rtc.readByte(0)).isEqualTo(0xff);
    }

    @Test
    void formatsFollowRegisterB() {
        set(Rtc.REGISTER_B, 0x06);
        assertThat(get(4)).isEqualTo(23);
        set(Rtc.REGISTER_B, 0x00);
        assertThat(get(4)).isEqualTo(0x91);
        set(Rtc.REGISTER_B, 0x04);
        assertThat(get(4)).isEqualTo(0x8b);
        time.advance(2 * SECOND);
        assertThat(get(4)).as("midnight is 12 AM").isEqualTo(12);
    }

    @Test
    void setsTheTime() {
        set(Rtc.REGISTER_B, 0x82);
        time.advance(SECOND / 4);
        set(0, 0x30);
        set(2, 0x15);
        set(4, 0x08);
        set(7, 0x29);
        set(8, 0x02);
        set(9, 0x24);
        time.advance(5 * SECOND);
        assertThat(get(0)).as("SET holds it").isEqualTo(0x30);
        set(0, 0x7f);
        assertThat(get(0)).as("whatever is written").isEqualTo(0x7f);
        set(0, 0x30);
        set(Rtc.REGISTER_B, 0x02);
        assertThat(clock()).isEqualTo("2024-02-29(5) 08:15:30");
        time.advance(SECOND * 3 / 4);
        assertThat(get(0)).as("the divider went on").isEqualTo(0x31);
    }

    @Test
    void onePartMayBeWrittenWhileItRuns() {
        time.advance(SECOND / 2);
        set(4, 0x05);
        assertThat(clock()).isEqualTo("2023-12-31(1) 05:59:58");
        time.advance(SECOND / 2);
        assertThat(get(0)).isEqualTo(0x59);
    }

    @Test
    void updateInProgressIsSeenBeforeTheUpdate() {
        time.advance(SECOND - 2_228_001);
        assertThat(get(Rtc.REGISTER_A) & 0x80).isZero();
        time.advance(1);
        assertThat(get(Rtc.REGISTER_A) & 0x80).isNotZero();
        time.advance(2_227_999);
        assertThat(get(Rtc.REGISTER_A) & 0x80).isNotZero();
        assertThat(get(0)).isEqualTo(0x58);
        time.advance(1);
        assertThat(get(Rtc.REGISTER_A) & 0x80).isZero();
        assertThat(get(0)).isEqualTo(0x59);
    }

    @Test
    void theFirstUpdateComesHalfASecondAfterTheDividersReset() {
        set(Rtc.REGISTER_A, 0x60);
        time.advance(3 * SECOND);
        assertThat(get(0)).isEqualTo(0x58);
        set(Rtc.REGISTER_A, 0x26);
        time.advance(SECOND / 2 - 1);
        assertThat(get(0)).isEqualTo(0x58);
        time.advance(1);
        assertThat(get(0)).isEqualTo(0x59);
    }

    @Test
    void flagsAreSetWithoutInterrupts() {
        assertThat(time.nextDeadline()).isEqualTo(Clock.NEVER);
        time.advance(SECOND);
        assertThat(get(Rtc.REGISTER_C)).isEqualTo(0x50);
        assertThat(get(Rtc.REGISTER_C)).isZero();
        assertThat(irq.takeRises()).isZero();
    }

    @Test
    void updateInterrupts() {
        set(Rtc.REGISTER_B, 0x12);
        time.advance(SECOND - 1);
        assertThat(irq.level()).isFalse();
        time.advance(1);
        assertThat(irq.level()).isTrue();
        time.advance(5 * SECOND);
        assertThat(get(Rtc.REGISTER_C) & 0x90).isEqualTo(0x90);
        assertThat(irq.level()).isFalse();
        time.advance(SECOND);
        assertThat(irq.level()).isTrue();
        set(Rtc.REGISTER_B, 0x92);
        assertThat(get(Rtc.REGISTER_B)).as("SET clears UIE").isEqualTo(0x82);
        assertThat(irq.level()).isFalse();
    }

    @Test
    void periodicInterrupts() {
        set(Rtc.REGISTER_B, 0x42);
        for (int i = 0; i < 1024; i++) {
            time.advanceTo(SECOND * (i + 1) / 1024 + 1);
            assertThat(irq.level()).isTrue();
            assertThat(get(Rtc.REGISTER_C) & 0xc0).isEqualTo(0xc0);
        }
        assertThat(irq.takeRises()).isEqualTo(1024);
        set(Rtc.REGISTER_A, 0x2f);
        time.advance(SECOND / 2);
        get(Rtc.REGISTER_C);
        time.advance(SECOND / 2);
        assertThat(irq.takeRises()).as("2 Hz").isEqualTo(2);
        set(Rtc.REGISTER_A, 0x20);
        get(Rtc.REGISTER_C);
        time.advance(SECOND);
        assertThat(irq.level()).as("rate 0: none").isFalse();
    }

    @Test
    void rateOneAndTwoAreThoseOfEightAndNine() {
        set(Rtc.REGISTER_B, 0x42);
        set(Rtc.REGISTER_A, 0x21);
        get(Rtc.REGISTER_C);
        time.advance(SECOND / 256 - 1);
        assertThat(irq.level()).isFalse();
        time.advance(1);
        assertThat(irq.level()).isTrue();
    }

    @Test
    void alarms() {
        set(1, 0x01);
        set(3, 0x00);
        set(5, 0xc0);
        set(Rtc.REGISTER_B, 0x22);
        time.advance(3 * SECOND - 1);
        assertThat(irq.level()).isFalse();
        time.advance(1);
        assertThat(irq.level()).isTrue();
        assertThat(get(Rtc.REGISTER_C) & 0x20).isNotZero();
        time.advance(3600 * SECOND - 1);
        assertThat(irq.level()).isFalse();
        time.advance(1);
        assertThat(irq.level()).as("any hour").isTrue();
        get(Rtc.REGISTER_C);
        set(1, 0x75);
        time.advance(48 * 3600 * SECOND);
        assertThat(irq.level()).as("a second that never comes").isFalse();
        set(1, 0xff);
        set(3, 0xff);
        time.advance(SECOND);
        assertThat(irq.level()).as("every second").isTrue();
    }

    @Test
    void ramIsKept() {
        set(0x20, 0xa5);
        rtc.setRam(0x21, 0x5a);
        rtc.writeByte(0, 0x80 | 0x20);
        assertThat(rtc.readByte(1)).isEqualTo(0xa5);
        assertThat(get(0x21)).isEqualTo(0x5a);
        set(Rtc.REGISTER_C, 0xff);
        set(Rtc.REGISTER_D, 0);
        assertThat(get(Rtc.REGISTER_D)).isEqualTo(0x80);
    }

    @Test
    void stateComesBack() throws StateException {
        set(Rtc.REGISTER_B, 0x12);
        time.advance(SECOND / 2);
        TestTime copyTime = time.copy();
        TestLine line = new TestLine();
        Rtc copy = RoundTrip.check(rtc, new Rtc(copyTime, 0, line));
        copyTime.advance(SECOND / 2);
        assertThat(line.level()).isTrue();
        copy.writeByte(0, 0);
        assertThat(copy.readByte(1)).isEqualTo(0x59);
    }
}
