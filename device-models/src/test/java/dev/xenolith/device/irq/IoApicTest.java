package dev.xenolith.device.irq;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.apic.ApicBus;
import dev.xenolith.cpu.apic.ExternalInterrupts;
import dev.xenolith.cpu.apic.ApicRegisters;
import dev.xenolith.cpu.apic.LocalApic;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.cpu.time.TimeScale;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class IoApicTest {
    private static final int LEVEL = 1 << 15;
    private static final int MASKED = 1 << 16;
    private static final int REMOTE_IRR = 1 << 14;

    private final ApicBus bus = new ApicBus();
    private final LocalApic[] apics = new LocalApic[2];
    private final IoApic ioApic = new IoApic(bus);

    @BeforeEach
    void connect() {
        for (int i = 0; i < apics.length; i++) {
            apics[i] = new LocalApic(i, new MachineClock(), new TimeScale(1_000_000), () -> {});
            bus.connect(apics[i]);
            apics[i].writeMmio(ApicRegisters.SVR, 4, 0x1ff);
        }
        bus.onEndOfInterrupt(ioApic::endOfInterrupt);
    }

    private void register(int index, long value) {
        ioApic.write(IoApic.IOREGSEL, 4, index);
        ioApic.write(IoApic.IOWIN, 4, value);
    }

    private long register(int index) {
        ioApic.write(IoApic.IOREGSEL, 4, index);
        return ioApic.read(IoApic.IOWIN, 4);
    }

    private void route(int pin, int low, int destination) {
        register(IoApic.IOREDTBL + 2 * pin + 1, (long) destination << 24);
        register(IoApic.IOREDTBL + 2 * pin, low);
    }

    private long low(int pin) {
        return register(IoApic.IOREDTBL + 2 * pin);
    }

    private void eoi(int apic) {
        apics[apic].writeMmio(ApicRegisters.EOI, 4, 0);
    }

    @Test
    void identifiesItself() {
        assertThat(register(IoApic.IOAPICVER)).isEqualTo(0x0017_0020);
        register(IoApic.IOAPICID, 0xff00_0000L);
        assertThat(register(IoApic.IOAPICID)).isEqualTo(0x0f00_0000);
        assertThat(register(IoApic.IOAPICARB)).isEqualTo(0x0f00_0000);
        assertThat(low(23)).isEqualTo(MASKED);
        assertThat(register(0x7f)).isEqualTo(0xffff_ffffL);
    }

    @Test
    void edgesGoToTheirProcessor() {
        route(4, 0x44, 1);
        ioApic.input(4).set(true);
        assertThat(apics[0].hasInterrupt()).isFalse();
        assertThat(apics[1].acknowledge()).isEqualTo(0x44);
        eoi(1);
        assertThat(apics[1].hasInterrupt()).isFalse();
        ioApic.input(4).pulse();
        assertThat(apics[1].hasInterrupt()).as("it had not fallen").isFalse();
        ioApic.input(4).set(true);
        assertThat(apics[1].acknowledge()).isEqualTo(0x44);
    }

    @Test
    void edgesAtAMaskedInputAreLost() {
        route(4, 0x44 | MASKED, 0);
        ioApic.input(4).pulse();
        route(4, 0x44, 0);
        assertThat(apics[0].hasInterrupt()).isFalse();
    }

    @Test
    void levelsAskUntilTheyFall() {
        route(9, 0x59 | LEVEL, 0);
        ioApic.input(9).set(true);
        assertThat(low(9)).isEqualTo(0x59 | LEVEL | REMOTE_IRR);
        assertThat(apics[0].acknowledge()).isEqualTo(0x59);
        eoi(0);
        assertThat(apics[0].acknowledge()).as("still asserted at EOI").isEqualTo(0x59);
        ioApic.input(9).set(false);
        eoi(0);
        assertThat(apics[0].hasInterrupt()).isFalse();
        assertThat(low(9)).isEqualTo(0x59 | LEVEL);
    }

    @Test
    void unmaskingALevelSendsIt() {
        route(9, 0x59 | LEVEL | MASKED, 0);
        ioApic.input(9).set(true);
        assertThat(apics[0].hasInterrupt()).isFalse();
        route(9, 0x59 | LEVEL, 0);
        assertThat(apics[0].acknowledge()).isEqualTo(0x59);
    }

    @Test
    void theEoiRegisterEndsOneVector() {
        route(9, 0x59 | LEVEL, 0);
        ioApic.input(9).set(true);
        ioApic.input(9).set(false);
        ioApic.write(IoApic.EOIR, 4, 0x58);
        assertThat(low(9) & REMOTE_IRR).isNotZero();
        ioApic.write(IoApic.EOIR, 4, 0x59);
        assertThat(low(9) & REMOTE_IRR).isZero();
    }

    @Test
    void edgeModeClearsRemoteIrr() {
        route(9, 0x59 | LEVEL, 0);
        ioApic.input(9).set(true);
        ioApic.input(9).set(false);
        route(9, 0x59 | MASKED, 0);
        assertThat(low(9)).isEqualTo(0x59 | MASKED);
    }

    @Test
    void readOnlyBitsStay() {
        route(3, 0xffff_ffff & ~MASKED & ~LEVEL, 0xff);
        assertThat(low(3)).isEqualTo(0x2fff);
        assertThat(register(IoApic.IOREDTBL + 7)).isEqualTo(0xff00_0000L);
    }

    @Test
    void broadcastAndLogicalDestinations() {
        route(4, 0x44, 0xff);
        ioApic.input(4).pulse();
        assertThat(apics[0].acknowledge()).isEqualTo(0x44);
        assertThat(apics[1].acknowledge()).isEqualTo(0x44);
        apics[1].writeMmio(ApicRegisters.LDR, 4, 0x0200_0000);
        route(5, 0x55 | 1 << 11, 2);
        ioApic.input(5).pulse();
        assertThat(apics[0].hasInterrupt()).isFalse();
        assertThat(apics[1].acknowledge()).isEqualTo(0x55);
    }

    @Test
    void oddAccesses() {
        register(IoApic.IOAPICID, 0x0500_0000);
        assertThat(ioApic.read(IoApic.IOREGSEL, 1)).isZero();
        assertThat(ioApic.read(IoApic.IOWIN + 3, 1) & 0xff).isEqualTo(5);
        ioApic.write(IoApic.IOWIN, 2, 0);
        assertThat(register(IoApic.IOAPICID)).as("too narrow").isEqualTo(0x0500_0000);
        assertThat(ioApic.read(0x80, 4)).isZero();
        ioApic.write(0x84, 8, -1);
    }

    @Test
    void extIntTakesTheVectorOfThePic() {
        boolean[] pending = new boolean[1];
        apics[0].connect(new ExternalInterrupts() {
            @Override
            public boolean isPending() { return pending[0]; }

            @Override
            public int acknowledge() {
                pending[0] = false;
                return 0x30;
            }
        });
        route(0, 7 << 8, 0);
        pending[0] = true;
        assertThat(apics[0].hasInterrupt()).as("LINT0 is masked").isFalse();
        ioApic.input(0).set(true);
        assertThat(apics[0].hasInterrupt()).isTrue();
        assertThat(apics[0].acknowledge()).isEqualTo(0x30);
        pending[0] = true;
        assertThat(apics[0].hasInterrupt()).isFalse();
        apics[0].writeMmio(ApicRegisters.LVT_LINT0, 4, 0x700);
        assertThat(apics[0].acknowledge()).as("virtual wire").isEqualTo(0x30);
    }

    @Test
    void stateComesBack() throws StateException {
        route(9, 0x59 | LEVEL, 0);
        ioApic.input(9).set(true);
        IoApic copy = RoundTrip.check(ioApic, new IoApic(bus));
        apics[0].acknowledge();
        copy.endOfInterrupt(0x59);
        assertThat(apics[0].hasInterrupt()).isFalse();
        eoi(0);
        assertThat(apics[0].acknowledge()).isEqualTo(0x59);
    }
}
