package dev.xenolith.device.time;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class HpetTest {
    private static final int LEVEL = 1 << 1;
    private static final int ENABLE = 1 << 2;
    private static final int PERIODIC = 1 << 3;
    private static final int VAL_SET = 1 << 6;
    private static final int MODE_32 = 1 << 8;
    private static final int ROUTE_20 = 20 << 9;

    private final TestTime time = new TestTime();
    private final TestLine irq0 = new TestLine();
    private final TestLine irq8 = new TestLine();
    private final TestLine pin20 = new TestLine();
    private final Hpet hpet = new Hpet(time, routes(pin20), irq0, irq8);

    private static List<InterruptLine> routes(InterruptLine pin20) {
        List<InterruptLine> routes = new ArrayList<>(Collections.nCopies(24, InterruptLine.NONE));
        routes.set(20, pin20);
        return routes;
    }

    private static int configuration(int timer) {
        return Hpet.TIM_CONF + timer * Hpet.TIM_STRIDE;
    }

    private static int comparator(int timer) {
        return Hpet.TIM_COMP + timer * Hpet.TIM_STRIDE;
    }

    private void write(int register, long value) {
        hpet.write(register, 8, value);
    }

    private long read(int register) {
        return hpet.read(register, 8);
    }

    @Test
    void identifiesItself() {
        assertThat(read(Hpet.GCAP_ID)).isEqualTo(0x0098_9680_8086_a201L);
        assertThat(hpet.read(Hpet.GCAP_ID + 4, 4)).as("femtoseconds of a tick").isEqualTo(10_000_000);
        assertThat(hpet.read(Hpet.GCAP_ID, 2) & 0xffff).isEqualTo(0xa201);
        assertThat(read(configuration(0))).isEqualTo(0x00f0_0000_0000_0030L);
        assertThat(read(configuration(3))).isZero();
    }

    @Test
    void countsWhileEnabled() {
        time.advance(1000);
        assertThat(read(Hpet.MAIN_CNT)).isZero();
        write(Hpet.MAIN_CNT, 0x1_0000_0000L - 50);
        write(Hpet.GEN_CONF, 1);
        time.advance(1000);
        assertThat(read(Hpet.MAIN_CNT)).isEqualTo(0x1_0000_0032L);
        assertThat(hpet.read(Hpet.MAIN_CNT + 4, 4)).isEqualTo(1);
        hpet.write(Hpet.MAIN_CNT, 4, 0);
        assertThat(read(Hpet.MAIN_CNT)).as("cannot be written while it runs").isEqualTo(0x1_0000_0032L);
        write(Hpet.GEN_CONF, 0);
        time.advance(1000);
        hpet.write(Hpet.MAIN_CNT + 4, 4, 7);
        assertThat(read(Hpet.MAIN_CNT)).isEqualTo(0x7_0000_0032L);
    }

    @Test
    void oneShot() {
        write(configuration(2), ENABLE | ROUTE_20);
        write(comparator(2), 100);
        write(Hpet.GEN_CONF, 1);
        time.advance(999);
        assertThat(pin20.takeRises()).isZero();
        time.advance(1);
        assertThat(pin20.takeRises()).isEqualTo(1);
        time.advance(1_000_000_000);
        assertThat(pin20.takeRises()).isZero();
        write(comparator(2), read(Hpet.MAIN_CNT) + 5);
        time.advance(60);
        assertThat(pin20.takeRises()).isEqualTo(1);
    }

    @Test
    void periodic() {
        write(configuration(0), ENABLE | PERIODIC | VAL_SET | ROUTE_20);
        write(comparator(0), 100);
        write(comparator(0), 50);
        write(Hpet.GEN_CONF, 1);
        time.advance(1000);
        assertThat(pin20.takeRises()).isEqualTo(1);
        time.advance(5000);
        assertThat(pin20.takeRises()).isEqualTo(10);
        assertThat(read(comparator(0))).isEqualTo(650);
        write(configuration(0), PERIODIC | ROUTE_20);
        time.advance(5004);
        assertThat(read(comparator(0))).as("goes on unseen").isEqualTo(1150);
    }

    @Test
    void periodicIn32Bits() {
        write(Hpet.MAIN_CNT, 0xffff_ffe0L);
        write(configuration(1), ENABLE | PERIODIC | VAL_SET | MODE_32 | ROUTE_20);
        write(comparator(1), 0xffff_fff0L);
        write(comparator(1), 0x20);
        write(Hpet.GEN_CONF, 1);
        time.advance(0x10 * 10);
        assertThat(pin20.takeRises()).isEqualTo(1);
        assertThat(read(comparator(1))).isEqualTo(0x10);
        time.advance(0x40 * 10);
        assertThat(pin20.takeRises()).isEqualTo(2);
    }

    @Test
    void aOneShotIn32BitsComesRoundAgain() {
        write(configuration(1), ENABLE | MODE_32 | ROUTE_20);
        write(comparator(1), 0x10);
        write(Hpet.GEN_CONF, 1);
        time.advance(0x10 * 10);
        assertThat(pin20.takeRises()).isEqualTo(1);
        time.advance((1L << 32) * 10);
        assertThat(pin20.takeRises()).isEqualTo(1);
    }

    @Test
    void levelsStayUntilCleared() {
        write(configuration(2), ENABLE | LEVEL | ROUTE_20);
        write(comparator(2), 10);
        write(Hpet.GEN_CONF, 1);
        time.advance(100);
        assertThat(pin20.level()).isTrue();
        assertThat(read(Hpet.GINTR_STS)).isEqualTo(4);
        write(Hpet.GINTR_STS, 3);
        assertThat(pin20.level()).isTrue();
        write(Hpet.GINTR_STS, 4);
        assertThat(pin20.level()).isFalse();
        assertThat(read(Hpet.GINTR_STS)).isZero();
    }

    @Test
    void legacyReplacementTakesThePlacesOfPitAndRtc() {
        InterruptLine pit = hpet.pitInput();
        InterruptLine rtc = hpet.rtcInput();
        pit.set(true);
        assertThat(irq0.takeRises()).isEqualTo(1);
        write(Hpet.GEN_CONF, 3);
        assertThat(irq0.level()).isFalse();
        pit.set(false);
        pit.set(true);
        rtc.set(true);
        assertThat(irq0.takeRises()).isZero();
        assertThat(irq8.takeRises()).isZero();
        write(configuration(0), ENABLE);
        write(comparator(0), 10);
        write(configuration(1), ENABLE);
        write(comparator(1), 20);
        time.advance(100);
        assertThat(irq0.takeRises()).isEqualTo(1);
        assertThat(irq8.takeRises()).isZero();
        time.advance(100);
        assertThat(irq8.takeRises()).isEqualTo(1);
        write(Hpet.GEN_CONF, 1);
        assertThat(irq0.level()).as("the PIT's again").isTrue();
        assertThat(irq8.level()).isTrue();
    }

    @Test
    void impossibleRoutesAreNotTaken() {
        write(configuration(0), ENABLE | 5 << 9);
        assertThat(read(configuration(0)) >>> 9 & 0x1f).isZero();
        write(configuration(0), ENABLE | 31 << 9);
        assertThat(read(configuration(0)) >>> 9 & 0x1f).isZero();
    }

    @Test
    void narrowAndMisalignedWritesDoNothing() {
        hpet.write(Hpet.GEN_CONF, 1, 1);
        hpet.write(Hpet.GEN_CONF, 2, 1);
        hpet.write(Hpet.MAIN_CNT + 2, 4, -1);
        hpet.write(Hpet.MAIN_CNT + 4, 8, -1);
        assertThat(read(Hpet.GEN_CONF)).isZero();
        assertThat(read(Hpet.MAIN_CNT)).isZero();
        hpet.write(0x3fc, 4, -1);
        assertThat(read(0x3f8)).isZero();
    }

    @Test
    void stateComesBack() throws StateException {
        write(configuration(2), ENABLE | PERIODIC | VAL_SET | ROUTE_20);
        write(comparator(2), 100);
        write(Hpet.GEN_CONF, 1);
        time.advance(1500);
        TestTime copyTime = time.copy();
        TestLine line = new TestLine();
        Hpet copy = RoundTrip.check(hpet, new Hpet(copyTime, routes(line), InterruptLine.NONE, InterruptLine.NONE));
        copyTime.advance(2500);
        assertThat(line.takeRises()).isEqualTo(3);
        assertThat(copy.read(Hpet.MAIN_CNT, 8)).isEqualTo(400);
    }

    @Test
    void thePmTimerToggles() {
        PmTimer timer = new PmTimer(time);
        long toggle = timer.nextToggle();
        time.advanceTo(toggle - 1);
        assertThat(timer.value()).isEqualTo(0x7f_ffff);
        assertThat(timer.toggles()).isZero();
        time.advanceTo(toggle);
        assertThat(timer.value()).isEqualTo(0x80_0000);
        assertThat(timer.toggles()).isEqualTo(1);
        time.advanceTo(timer.nextToggle());
        assertThat(timer.value()).isZero();
    }
}
