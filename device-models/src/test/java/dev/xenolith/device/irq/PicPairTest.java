package dev.xenolith.device.irq;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestLine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PicPairTest {
    private final TestLine intr = new TestLine();
    private final PicPair pic = new PicPair(intr);

    @BeforeEach
    void initialize() {
        initialize(pic, 0x11, 1);
    }

    private static void initialize(PicPair pic, int icw1, int icw4) {
        int[] master = {0x20, 0x04, icw4};
        int[] slave = {0x28, 0x02, 1};
        pic.master().writeByte(0, icw1);
        pic.slave().writeByte(0, icw1);
        for (int i = 0; i < 3; i++) {
            pic.master().writeByte(1, master[i]);
            pic.slave().writeByte(1, slave[i]);
        }
    }

    private void eoi(int irq) {
        if (irq >= 8) {
            pic.slave().writeByte(0, 0x20);
        }
        pic.master().writeByte(0, 0x20);
    }

    @Test
    void edgeIsServedOnce() {
        pic.input(4).set(true);
        assertThat(intr.level()).isTrue();
        assertThat(pic.acknowledge()).isEqualTo(0x24);
        assertThat(intr.level()).isFalse();
        eoi(4);
        assertThat(intr.level()).as("still high, but no new edge").isFalse();
        pic.input(4).set(false);
        pic.input(4).set(true);
        assertThat(pic.acknowledge()).isEqualTo(0x24);
    }

    @Test
    void higherPriorityInterruptsLower() {
        pic.input(5).set(true);
        assertThat(pic.acknowledge()).isEqualTo(0x25);
        pic.input(6).set(true);
        assertThat(intr.level()).as("6 waits for 5").isFalse();
        pic.input(1).set(true);
        assertThat(pic.acknowledge()).isEqualTo(0x21);
        eoi(1);
        assertThat(intr.level()).isFalse();
        eoi(5);
        assertThat(pic.acknowledge()).isEqualTo(0x26);
    }

    @Test
    void slaveComesThroughTheCascade() {
        pic.input(3).set(true);
        pic.input(12).set(true);
        assertThat(pic.acknowledge()).as("IRQ 8 to 15 rank before 3").isEqualTo(0x2c);
        pic.master().writeByte(0, 0x0b);
        pic.slave().writeByte(0, 0x0b);
        assertThat(pic.master().readByte(0)).isEqualTo(0x04);
        assertThat(pic.slave().readByte(0)).isEqualTo(0x10);
        eoi(12);
        assertThat(pic.acknowledge()).isEqualTo(0x23);
    }

    @Test
    void aLineThatFallsEarlyIsSpurious() {
        pic.input(3).set(true);
        pic.input(3).set(false);
        assertThat(intr.level()).isFalse();
        assertThat(pic.acknowledge()).isEqualTo(0x27);
        pic.master().writeByte(0, 0x0b);
        assertThat(pic.master().readByte(0)).as("without its in-service bit").isZero();
    }

    @Test
    void aRequestMayFallBetweenTheInterruptAcknowledgeCyclesOfMasterAndSlave() {
        Pic8259 slave = new Pic8259("slave", 0, 0, asserted -> {});
        slave.write(0, 1, 0x13);
        slave.writeByte(1, 0x28);
        slave.writeByte(1, 1);
        slave.setLine(1, true);
        slave.setLine(1, false);
        assertThat(slave.vector(slave.acknowledge())).isEqualTo(0x2f);
        slave.writeByte(0, 0x0b);
        assertThat(slave.readByte(0)).isZero();
    }

    @Test
    void masksHoldBack() {
        pic.master().writeByte(1, 0xfb);
        pic.input(0).set(true);
        assertThat(intr.level()).isFalse();
        assertThat(pic.master().readByte(1)).isEqualTo(0xfb);
        pic.master().writeByte(1, 0xfa);
        assertThat(pic.acknowledge()).isEqualTo(0x20);
    }

    @Test
    void levelTriggeredInputsAskAgain() {
        pic.edgeLevelControl().write(0, 2, 0xffff);
        assertThat(pic.edgeLevelControl().read(0, 2)).as("0, 1, 2, 8, 13 stay edge-triggered").isEqualTo(0xdef8);
        pic.input(11).set(true);
        assertThat(pic.acknowledge()).isEqualTo(0x2b);
        eoi(11);
        assertThat(pic.acknowledge()).as("the line is still high").isEqualTo(0x2b);
        pic.input(11).set(false);
        eoi(11);
        assertThat(intr.level()).isFalse();
    }

    @Test
    void rotationMakesTheServedOneLowest() {
        pic.input(3).set(true);
        pic.acknowledge();
        pic.master().writeByte(0, 0xa0);
        pic.input(3).set(false);
        pic.input(3).set(true);
        pic.input(4).set(true);
        assertThat(pic.acknowledge()).as("4 ranks first now").isEqualTo(0x24);
        pic.master().writeByte(0, 0x60 | 4);
        pic.master().writeByte(0, 0xc0 | 2);
        pic.input(0).set(true);
        assertThat(pic.acknowledge()).as("2 is lowest, 3 ranks first").isEqualTo(0x23);
    }

    @Test
    void autoEoiLeavesNothingInService() {
        initialize(pic, 0x11, 3);
        pic.input(5).set(true);
        assertThat(pic.acknowledge()).isEqualTo(0x25);
        pic.input(6).set(true);
        assertThat(pic.acknowledge()).isEqualTo(0x26);
        pic.master().writeByte(0, 0x80);
        pic.input(5).set(false);
        pic.input(5).set(true);
        pic.acknowledge();
        pic.input(5).set(false);
        pic.input(5).set(true);
        pic.input(6).set(false);
        pic.input(6).set(true);
        assertThat(pic.acknowledge()).as("rotated: 6 before 5").isEqualTo(0x26);
    }

    @Test
    void specialMaskModeLetsLowerOnesIn() {
        pic.input(1).set(true);
        pic.acknowledge();
        pic.input(6).set(true);
        assertThat(intr.level()).isFalse();
        pic.master().writeByte(1, 0x02);
        pic.master().writeByte(0, 0x68);
        assertThat(pic.acknowledge()).isEqualTo(0x26);
        pic.master().writeByte(0, 0x20);
        pic.master().writeByte(0, 0x0b);
        assertThat(pic.master().readByte(0)).as("the masked one is not ended by a non-specific EOI").isEqualTo(0x02);
    }

    @Test
    void specialFullyNestedModeLetsTheSlaveInterruptItself() {
        initialize(pic, 0x11, 0x11);
        pic.input(12).set(true);
        assertThat(pic.acknowledge()).isEqualTo(0x2c);
        pic.input(10).set(true);
        assertThat(pic.acknowledge()).isEqualTo(0x2a);
    }

    @Test
    void pollingAcknowledges() {
        pic.master().writeByte(0, 0x0c);
        assertThat(pic.master().readByte(0)).isZero();
        pic.input(4).set(true);
        pic.master().writeByte(0, 0x0c);
        assertThat(pic.master().readByte(0)).isEqualTo(0x84);
        assertThat(intr.level()).isFalse();
        assertThat(pic.master().readByte(0)).as("IRR again").isZero();
    }

    @Test
    void initializationForgetsEdges() {
        pic.input(4).set(true);
        initialize(pic, 0x11, 1);
        assertThat(intr.level()).isFalse();
        pic.master().writeByte(0, 0x0a);
        assertThat(pic.master().read(0, 2)).isZero();
    }

    @Test
    void stateComesBack() throws StateException {
        pic.edgeLevelControl().writeByte(1, 0x08);
        pic.input(11).set(true);
        pic.acknowledge();
        pic.master().writeByte(1, 0x40);
        TestLine line = new TestLine();
        PicPair copy = RoundTrip.check(pic, new PicPair(line));
        copy.slave().writeByte(0, 0x20);
        copy.master().writeByte(0, 0x20);
        assertThat(line.level()).isTrue();
        assertThat(copy.acknowledge()).isEqualTo(0x2b);
    }
}
