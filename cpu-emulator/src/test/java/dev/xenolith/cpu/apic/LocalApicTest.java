package dev.xenolith.cpu.apic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.cpu.time.TimeScale;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LocalApicTest {
    private static final int MSR = 0x800;
    private static final TimeScale TSC = new TimeScale(2_500_000);

    private final MachineClock clock = new MachineClock();
    private final List<String> events = new ArrayList<>();

    private LocalApic apic(int id) {
        return new LocalApic(id, clock, TSC, () -> events.add("event " + id));
    }

    private static LocalApic x2(LocalApic apic) {
        assertThat(apic.setBaseMsr(apic.baseMsr() | LocalApic.BASE_X2APIC, 46)).isTrue();
        write(apic, ApicRegisters.SVR, 0x1ff);
        return apic;
    }

    private static void write(LocalApic apic, int register, long value) {
        assertThat(apic.canWriteMsr(MSR + (register >> 4), value)).as("register %x value %x", register, value).isTrue();
        apic.writeMsr(MSR + (register >> 4), value);
    }

    private static long read(LocalApic apic, int register) {
        assertThat(apic.canReadMsr(MSR + (register >> 4))).as("register %x", register).isTrue();
        return apic.readMsr(MSR + (register >> 4));
    }

    private static void self(LocalApic apic, int vector) {
        write(apic, ApicRegisters.SELF_IPI, vector);
    }

    @Test
    void interruptsComeByPriorityAndNest() {
        LocalApic apic = x2(apic(0));
        assertThat(apic.hasInterrupt()).isFalse();
        self(apic, 0x41);
        self(apic, 0x43);
        self(apic, 0x91);
        assertThat(events).hasSize(3);
        assertThat(apic.acknowledge()).isEqualTo(0x91);
        assertThat(apic.hasInterrupt()).as("lower classes wait").isFalse();
        assertThat(read(apic, ApicRegisters.PPR)).isEqualTo(0x90);
        self(apic, 0xa2);
        assertThat(apic.acknowledge()).isEqualTo(0xa2);
        self(apic, 0xaf);
        assertThat(apic.hasInterrupt()).as("same class does not nest").isFalse();
        write(apic, ApicRegisters.EOI, 0);
        assertThat(apic.acknowledge()).isEqualTo(0xaf);
        write(apic, ApicRegisters.EOI, 0);
        write(apic, ApicRegisters.EOI, 0);
        assertThat(apic.acknowledge()).isEqualTo(0x43);
        write(apic, ApicRegisters.EOI, 0);
        assertThat(apic.acknowledge()).isEqualTo(0x41);
        write(apic, ApicRegisters.EOI, 0);
        write(apic, ApicRegisters.EOI, 0);
        assertThat(apic.acknowledge()).as("spurious").isEqualTo(0xff);
        assertThat(read(apic, ApicRegisters.PPR)).isZero();
    }

    @Test
    void taskPriorityHoldsInterruptsBackUntilLowered() {
        LocalApic apic = x2(apic(0));
        apic.setTaskPriorityClass(5);
        assertThat(read(apic, ApicRegisters.TPR)).isEqualTo(0x50);
        self(apic, 0x5f);
        assertThat(apic.hasInterrupt()).isFalse();
        events.clear();
        write(apic, ApicRegisters.TPR, 0x4f);
        assertThat(apic.hasInterrupt()).isTrue();
        assertThat(events).isNotEmpty();
        assertThat(apic.taskPriorityClass()).isEqualTo(4);
    }

    /** The manual's order over random interrupts, against a model of plain sets. */
    @Test
    void randomTrafficAgreesWithAModel() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        LocalApic apic = x2(apic(0));
        boolean[] requested = new boolean[256];
        boolean[] serviced = new boolean[256];
        int tpr = 0;
        for (int i = 0; i < 20_000; i++) {
            switch (random.nextInt(4)) {
                case 0 -> {
                    int vector = 16 + random.nextInt(240);
                    self(apic, vector);
                    requested[vector] = true;
                }
                case 1 -> {
                    tpr = random.nextInt(256);
                    write(apic, ApicRegisters.TPR, tpr);
                }
                case 2 -> {
                    write(apic, ApicRegisters.EOI, 0);
                    int top = highest(serviced);
                    if (top >= 0) {
                        serviced[top] = false;
                    }
                }
                default -> {
                    int top = highest(requested);
                    int floor = Math.max(tpr >> 4, Math.max(highest(serviced), 0) >> 4);
                    boolean expected = top >> 4 > floor;
                    assertThat(apic.hasInterrupt()).as("seed %d step %d", seed, i).isEqualTo(expected);
                    if (expected) {
                        assertThat(apic.acknowledge()).as("seed %d step %d", seed, i).isEqualTo(top);
                        requested[top] = false;
                        serviced[top] = true;
                    }
                }
            }
            int word = random.nextInt(8);
            assertThat(read(apic, ApicRegisters.IRR + word * 16)).as("seed %d", seed).isEqualTo(word(requested, word));
            assertThat(read(apic, ApicRegisters.ISR + word * 16)).as("seed %d", seed).isEqualTo(word(serviced, word));
        }
    }

    private static int highest(boolean[] set) {
        for (int i = 255; i >= 0; i--) {
            if (set[i]) {
                return i;
            }
        }
        return -1;
    }

    private static long word(boolean[] set, int word) {
        long value = 0;
        for (int i = 0; i < 32; i++) {
            value |= set[word * 32 + i] ? 1L << i : 0;
        }
        return value;
    }

    @Test
    void oneShotTimerFiresOnceAndCountsDown() {
        LocalApic apic = x2(apic(0));
        write(apic, ApicRegisters.LVT_TIMER, 0x60);
        write(apic, ApicRegisters.TIMER_DIVIDE, 0b1011);
        clock.advance(1000);
        write(apic, ApicRegisters.TIMER_INITIAL, 50);
        assertThat(apic.nextDeadline()).isEqualTo(1500);
        clock.advance(195);
        assertThat(read(apic, ApicRegisters.TIMER_CURRENT)).isEqualTo(31);
        apic.expire();
        assertThat(apic.hasInterrupt()).isFalse();
        clock.advanceTo(1500);
        apic.expire();
        assertThat(apic.acknowledge()).isEqualTo(0x60);
        assertThat(apic.nextDeadline()).isEqualTo(Long.MAX_VALUE);
        assertThat(read(apic, ApicRegisters.TIMER_CURRENT)).isZero();
        assertThat(read(apic, ApicRegisters.TIMER_INITIAL)).isEqualTo(50);
    }

    @Test
    void dividesByEveryDivisor() {
        LocalApic apic = x2(apic(0));
        int[] codes = {0b1011, 0b0000, 0b0001, 0b0010, 0b0011, 0b1000, 0b1001, 0b1010};
        for (int i = 0; i < codes.length; i++) {
            write(apic, ApicRegisters.TIMER_DIVIDE, codes[i]);
            write(apic, ApicRegisters.TIMER_INITIAL, 3);
            assertThat(apic.nextDeadline() - clock.now()).isEqualTo(30L << i);
            assertThat(read(apic, ApicRegisters.TIMER_DIVIDE)).isEqualTo(codes[i]);
        }
    }

    @Test
    void periodicTimerKeepsItsPhaseAndSkipsWhatWasMissed() {
        LocalApic apic = x2(apic(0));
        write(apic, ApicRegisters.LVT_TIMER, 1 << 17 | 0x60);
        write(apic, ApicRegisters.TIMER_DIVIDE, 0b1011);
        write(apic, ApicRegisters.TIMER_INITIAL, 100);
        for (long deadline = 1000; deadline <= 3000; deadline += 1000) {
            assertThat(apic.nextDeadline()).isEqualTo(deadline);
            clock.advanceTo(deadline + 7);
            apic.expire();
            assertThat(apic.acknowledge()).isEqualTo(0x60);
            write(apic, ApicRegisters.EOI, 0);
        }
        clock.advanceTo(9500);
        apic.expire();
        assertThat(apic.nextDeadline()).isEqualTo(10_000);
        assertThat(read(apic, ApicRegisters.TIMER_CURRENT)).isEqualTo(50);
        write(apic, ApicRegisters.TIMER_INITIAL, 0);
        assertThat(apic.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void tscDeadlineFiresWhenTheTscHasReachedIt() {
        LocalApic apic = x2(apic(0));
        clock.advance(12_345);
        apic.setTscDeadline(1);
        assertThat(apic.tscDeadline()).as("ignored in other modes").isZero();
        write(apic, ApicRegisters.LVT_TIMER, 2 << 17 | 0x61);
        apic.setTscDeadline(apic.tsc() + 1001);
        long deadline = apic.nextDeadline();
        assertThat(TSC.ticks(deadline)).isGreaterThanOrEqualTo(apic.tscDeadline());
        assertThat(TSC.ticks(deadline - 1)).isLessThan(apic.tscDeadline());
        clock.advanceTo(deadline);
        apic.expire();
        assertThat(apic.acknowledge()).isEqualTo(0x61);
        assertThat(apic.tscDeadline()).isZero();
        assertThat(apic.nextDeadline()).isEqualTo(Long.MAX_VALUE);
        apic.setTscDeadline(1);
        assertThat(apic.nextDeadline()).as("in the past: now").isEqualTo(clock.now());
        apic.setTscDeadline(-1);
        assertThat(apic.nextDeadline()).as("unsigned: never").isEqualTo(Long.MAX_VALUE);
        apic.setTsc(5_000_000);
        assertThat(apic.tsc()).isEqualTo(5_000_000);
        apic.setTscDeadline(5_002_500);
        assertThat(apic.nextDeadline() - clock.now()).isBetween(1000L, 1001L);
        write(apic, ApicRegisters.LVT_TIMER, 0x61);
        assertThat(apic.nextDeadline()).as("a change of mode disarms").isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aMaskedTimerExpiresSilently() {
        LocalApic apic = x2(apic(0));
        write(apic, ApicRegisters.LVT_TIMER, 1 << 16 | 0x60);
        write(apic, ApicRegisters.TIMER_INITIAL, 1);
        clock.advance(1_000_000);
        apic.expire();
        assertThat(apic.hasInterrupt()).isFalse();
    }

    @Test
    void interprocessorInterruptsFindTheirDestinations() {
        LocalApic[] apics = bus(4);
        write(apics[0], ApicRegisters.ICR, 2L << 32 | 0x50);
        assertThat(received(apics)).containsExactly(2);
        write(apics[0], ApicRegisters.ICR, 0b1010L << 32 | 1 << 11 | 0x50);
        assertThat(received(apics)).containsExactly(1, 3);
        write(apics[1], ApicRegisters.ICR, 1 << 18 | 0x50);
        assertThat(received(apics)).containsExactly(1);
        write(apics[1], ApicRegisters.ICR, 2 << 18 | 0x50);
        assertThat(received(apics)).containsExactly(0, 1, 2, 3);
        write(apics[1], ApicRegisters.ICR, 3 << 18 | 0x50);
        assertThat(received(apics)).containsExactly(0, 2, 3);
        write(apics[1], ApicRegisters.ICR, 0xffff_ffffL << 32 | 0x50);
        assertThat(received(apics)).containsExactly(0, 1, 2, 3);
        apics[1].setTaskPriorityClass(2);
        apics[2].setTaskPriorityClass(1);
        write(apics[0], ApicRegisters.ICR, 0b0110L << 32 | 1 << 11 | 1 << 8 | 0x50);
        assertThat(received(apics)).as("lowest priority").containsExactly(2);
        write(apics[0], ApicRegisters.ICR, 3L << 32 | 4 << 8);
        assertThat(apics[3].takeNmi()).isTrue();
        assertThat(apics[3].takeNmi()).isFalse();
        write(apics[0], ApicRegisters.ICR, 3L << 32 | 5 << 8 | 1 << 14);
        assertThat(apics[3].takeInit()).isTrue();
        write(apics[0], ApicRegisters.ICR, 3L << 32 | 6 << 8 | 0x9a);
        assertThat(apics[3].takeStartup()).isEqualTo(0x9a);
        assertThat(apics[3].takeStartup()).isEqualTo(-1);
    }

    private LocalApic[] bus(int count) {
        ApicBus bus = new ApicBus();
        LocalApic[] apics = new LocalApic[count];
        for (int i = 0; i < count; i++) {
            apics[i] = x2(apic(i));
            bus.connect(apics[i]);
        }
        return apics;
    }

    private static List<Integer> received(LocalApic[] apics) {
        List<Integer> ids = new ArrayList<>();
        for (LocalApic apic : apics) {
            if (apic.hasInterrupt()) {
                assertThat(apic.acknowledge()).isEqualTo(0x50);
                write(apic, ApicRegisters.EOI, 0);
                ids.add(apic.id());
            }
        }
        return ids;
    }

    /** Who sends to others lets them have their turn; who sends to himself takes the interrupt first. */
    @Test
    void tellsInterruptsToOthersFromThoseToItself() {
        LocalApic[] apics = bus(4);
        long[] toItself = {1 << 18 | 0x50, 2L << 32 | 0x50, 2L << 32 | 4 << 8};
        long[] toOthers = {2 << 18 | 0x50, 3 << 18 | 0x50, 1L << 32 | 0x50, 0b0100L << 32 | 1 << 11 | 0x50,
            0xffff_ffffL << 32 | 0x50};
        for (long command : toItself) {
            write(apics[2], ApicRegisters.ICR, command);
            assertThat(apics[2].interruptsOthers()).as("%x", command).isFalse();
        }
        for (long command : toOthers) {
            write(apics[2], ApicRegisters.ICR, command);
            assertThat(apics[2].interruptsOthers()).as("%x", command).isTrue();
        }
        assertThat(apics[2].setBaseMsr(0xfee0_0800L, 46)).isFalse();
        assertThat(apics[2].setBaseMsr(0xfee0_0000L, 46)).isTrue();
        assertThat(apics[2].setBaseMsr(0xfee0_0800L, 46)).isTrue();
        apics[2].writeMmio(ApicRegisters.ICR_HIGH, 4, 2L << 24);
        apics[2].writeMmio(ApicRegisters.ICR, 4, 4 << 8);
        assertThat(apics[2].interruptsOthers()).isFalse();
        apics[2].writeMmio(ApicRegisters.ICR_HIGH, 4, 1L << 24);
        apics[2].writeMmio(ApicRegisters.ICR, 4, 4 << 8);
        assertThat(apics[2].interruptsOthers()).isTrue();
    }

    @Test
    void illegalVectorsAreErrorsThatEsrShowsAfterAWrite() {
        LocalApic apic = x2(apic(0));
        write(apic, ApicRegisters.LVT_ERROR, 0x70);
        write(apic, ApicRegisters.ICR, 1 << 18 | 0x0f);
        assertThat(read(apic, ApicRegisters.ESR)).isZero();
        write(apic, ApicRegisters.ESR, 0);
        assertThat(read(apic, ApicRegisters.ESR)).isEqualTo(1 << 5);
        assertThat(apic.acknowledge()).isEqualTo(0x70);
        write(apic, ApicRegisters.ESR, 0);
        assertThat(read(apic, ApicRegisters.ESR)).isZero();
    }

    @Test
    void levelInterruptsReportTheirEnd() {
        ApicBus bus = new ApicBus();
        LocalApic apic = x2(apic(0));
        bus.connect(apic);
        List<Integer> ended = new ArrayList<>();
        bus.onEndOfInterrupt(ended::add);
        bus.send(0, false, ApicBus.FIXED, 0x51, true);
        bus.send(0, false, ApicBus.FIXED, 0x61, false);
        assertThat(apic.acknowledge()).isEqualTo(0x61);
        write(apic, ApicRegisters.EOI, 0);
        assertThat(apic.acknowledge()).isEqualTo(0x51);
        assertThat(read(apic, ApicRegisters.TMR + 0x20)).isEqualTo(1 << 0x11);
        write(apic, ApicRegisters.EOI, 0);
        assertThat(ended).containsExactly(0x51);
    }

    @Test
    void modeChangesFollowTheManual() {
        LocalApic apic = apic(0);
        long base = LocalApic.DEFAULT_BASE | LocalApic.BASE_BSP;
        long enabled = LocalApic.BASE_ENABLE;
        long x2 = LocalApic.BASE_ENABLE | LocalApic.BASE_X2APIC;
        assertThat(apic.mmioBase()).isEqualTo(0xfee0_0000L);
        assertThat(apic.canReadMsr(0x802)).isFalse();
        assertThat(apic.setBaseMsr(base | LocalApic.BASE_X2APIC, 46)).isFalse();
        assertThat(apic.setBaseMsr(base | enabled | 1, 46)).as("reserved").isFalse();
        assertThat(apic.setBaseMsr(base | enabled | 1L << 46, 46)).isFalse();
        assertThat(apic.setBaseMsr(0x1000 | enabled, 46)).isTrue();
        assertThat(apic.mmioBase()).isEqualTo(0x1000);
        assertThat(apic.baseMsr() & LocalApic.BASE_BSP).as("BSP is fixed").isNotZero();
        assertThat(apic.setBaseMsr(base | x2, 46)).isTrue();
        assertThat(apic.mmioBase()).isEqualTo(-1);
        assertThat(apic.setBaseMsr(base | enabled, 46)).as("x2APIC to xAPIC").isFalse();
        assertThat(apic.setBaseMsr(base, 46)).isTrue();
        assertThat(apic.setBaseMsr(base | x2, 46)).as("disabled to x2APIC").isFalse();
        assertThat(apic.setBaseMsr(base | enabled, 46)).isTrue();
    }

    @Test
    void reservedBitsAndReadOnlyRegistersAreRefusedInX2apic() {
        LocalApic apic = x2(apic(0));
        for (int register : new int[]{ApicRegisters.ID, ApicRegisters.VERSION, ApicRegisters.PPR, ApicRegisters.LDR,
            ApicRegisters.ISR,
            ApicRegisters.IRR, ApicRegisters.TIMER_CURRENT, ApicRegisters.DFR, ApicRegisters.ICR_HIGH, 0x3f0 + 0x10}) {
            assertThat(apic.canWriteMsr(MSR + (register >> 4), 0)).as("%x", register).isFalse();
        }
        assertThat(apic.canReadMsr(MSR + (ApicRegisters.EOI >> 4))).isFalse();
        assertThat(apic.canReadMsr(MSR + (ApicRegisters.DFR >> 4))).isFalse();
        assertThat(apic.canReadMsr(MSR + (ApicRegisters.ICR_HIGH >> 4))).isFalse();
        assertThat(apic.canWriteMsr(MSR + (ApicRegisters.EOI >> 4), 1)).isFalse();
        assertThat(apic.canWriteMsr(MSR + (ApicRegisters.TPR >> 4), 0x100)).isFalse();
        assertThat(apic.canWriteMsr(MSR + (ApicRegisters.SVR >> 4), 0x1000)).isFalse();
        assertThat(apic.canWriteMsr(MSR + (ApicRegisters.ICR >> 4), 1 << 12)).isFalse();
        assertThat(read(apic, ApicRegisters.LDR)).isEqualTo(1);
        assertThat(read(apic, ApicRegisters.VERSION)).isEqualTo(0x5_0014);
    }

    @Test
    void softwareDisabledApicMasksAndRefuses() {
        LocalApic apic = x2(apic(0));
        write(apic, ApicRegisters.LVT_TIMER, 0x60);
        write(apic, ApicRegisters.SVR, 0xff);
        assertThat(read(apic, ApicRegisters.LVT_TIMER)).isEqualTo(1 << 16 | 0x60);
        write(apic, ApicRegisters.LVT_TIMER, 0x60);
        assertThat(read(apic, ApicRegisters.LVT_TIMER)).as("cannot be unmasked").isEqualTo(1 << 16 | 0x60);
        self(apic, 0x55);
        assertThat(apic.hasInterrupt()).isFalse();
    }

    @Test
    void xapicPageHasTheSameRegisters() {
        ApicBus bus = new ApicBus();
        LocalApic one = apic(1);
        LocalApic two = apic(2);
        bus.connect(one);
        bus.connect(two);
        one.writeMmio(ApicRegisters.SVR, 4, 0x1ff);
        two.writeMmio(ApicRegisters.SVR, 4, 0x1ff);
        assertThat(one.readMmio(ApicRegisters.ID, 4)).isEqualTo(1 << 24);
        assertThat(one.readMmio(ApicRegisters.VERSION + 2, 1)).isEqualTo(5);
        one.writeMmio(ApicRegisters.ICR_HIGH, 4, 2 << 24);
        one.writeMmio(ApicRegisters.ICR, 4, 0x50);
        assertThat(two.acknowledge()).isEqualTo(0x50);
        two.writeMmio(ApicRegisters.EOI, 4, 0x1234);
        two.writeMmio(ApicRegisters.LDR, 4, 0x0400_0000);
        one.writeMmio(ApicRegisters.ICR_HIGH, 4, 0x0500_0000);
        one.writeMmio(ApicRegisters.ICR, 4, 1 << 11 | 0x51);
        assertThat(two.acknowledge()).isEqualTo(0x51);
        two.writeMmio(ApicRegisters.EOI, 4, 0);
        two.writeMmio(ApicRegisters.DFR, 4, 0x0fff_ffff);
        two.writeMmio(ApicRegisters.LDR, 4, 0x2400_0000);
        one.writeMmio(ApicRegisters.ICR_HIGH, 4, 0x2c00_0000);
        one.writeMmio(ApicRegisters.ICR, 4, 1 << 11 | 0x52);
        assertThat(two.acknowledge()).as("cluster model").isEqualTo(0x52);
        one.writeMmio(ApicRegisters.TPR, 2, 0x50);
        assertThat(one.readMmio(ApicRegisters.TPR, 4)).as("only 4 bytes write").isZero();
        one.readMmio(0x3f0, 4);
        one.writeMmio(ApicRegisters.ESR, 4, 0);
        assertThat(one.readMmio(ApicRegisters.ESR, 4)).isEqualTo(1 << 7);
    }

    @Test
    void saveAndRestoreRoundTripInEveryTimerMode() throws IOException {
        for (int mode = 0; mode < 3; mode++) {
            LocalApic apic = x2(apic(3));
            write(apic, ApicRegisters.LVT_TIMER, mode << 17 | 0x60);
            write(apic, ApicRegisters.TIMER_DIVIDE, 3);
            write(apic, ApicRegisters.TIMER_INITIAL, 1234);
            apic.setTsc(99);
            apic.setTscDeadline(123_456);
            self(apic, 0x71);
            self(apic, 0x85);
            apic.acknowledge();
            apic.setTaskPriorityClass(3);
            byte[] saved = save(apic);
            LocalApic copy = apic(3);
            copy.restore(new DataInputStream(new ByteArrayInputStream(saved)));
            assertThat(save(copy)).isEqualTo(saved);
            assertThat(copy.nextDeadline()).isEqualTo(apic.nextDeadline());
            for (int register = 0; register < 0x400; register += 16) {
                if (apic.canReadMsr(MSR + (register >> 4))) {
                    assertThat(read(copy, register)).as("%x", register).isEqualTo(read(apic, register));
                }
            }
            assertThat(copy.tsc()).isEqualTo(apic.tsc());
        }
    }

    private static byte[] save(LocalApic apic) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        apic.save(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }
}
