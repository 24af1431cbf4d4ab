package dev.xenolith.device.storage.ide;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.storage.TestMedium;
import dev.xenolith.device.storage.TestSlot;
import dev.xenolith.device.storage.ata.AtaDevice;
import dev.xenolith.device.storage.ata.HardDisk;
import dev.xenolith.device.storage.atapi.OpticalDrive;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class Piix3IdeTest {
    private static final int MASTER = 0xc000;
    private static final int TABLE = 0x1000;
    private static final int READ_DMA = 0xc8;
    private static final int WRITE_DMA = 0xca;

    /** One computer with a disk on the primary channel and an optical drive as device 1 of the secondary. */
    private static final class Rig {
        final TestTime time;
        final TestSlot slot;
        final TestLine irq14 = new TestLine();
        final TestLine irq15 = new TestLine();
        final TestMedium medium;
        final Piix3Ide ide;

        Rig(TestTime time, byte[] bytes) {
            this.time = time;
            slot = new TestSlot(time);
            medium = new TestMedium(time, bytes);
            ide = new Piix3Ide(slot.slot, irq14, irq15);
            ide.attach(0, 0, new HardDisk(time, AtaDevice.Cable.PARALLEL, medium, "1"));
            ide.attach(1, 1, new OpticalDrive(time, AtaDevice.Cable.PARALLEL, null, "2"));
        }

        void enable() {
            ide.config().write(Piix3Ide.IDETIM, 4, 0x8000_8000);
            ide.config().write(0x20, 4, MASTER);
            ide.config().write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MASTER);
        }

        int in(int port) {
            return (int) slot.ports.in(port, 1);
        }

        void out(int port, int value) {
            slot.ports.out(port, 1, value);
        }

        void command(int command, int lba, int count) {
            out(0x1f2, count);
            out(0x1f3, lba);
            out(0x1f4, 0);
            out(0x1f5, 0);
            out(0x1f6, 0xe0);
            out(0x1f7, command);
        }

        void descriptor(int index, int address, int count, boolean last) {
            slot.putInt(TABLE + 8 * index, address);
            slot.putInt(TABLE + 8 * index + 4, count | (last ? 1 << 31 : 0));
        }

        void start(boolean toMemory) {
            slot.ports.out(MASTER + 4, 4, TABLE);
            out(MASTER, toMemory ? 8 : 0);
            out(MASTER, toMemory ? 9 : 1);
        }

        void settle() {
            time.advance(1_000_000_000);
        }

        byte[] sectors(int first, int count) {
            return Arrays.copyOfRange(medium.bytes, first * 512, (first + count) * 512);
        }
    }

    private final TestTime time = new TestTime();
    private final Rig rig = new Rig(time, new TestMedium(time, 1024).bytes);

    Piix3IdeTest() {
        rig.enable();
        rig.settle();
    }

    @AfterEach
    void close() {
        rig.slot.close();
    }

    @Test
    void portsAreDecodedWhenSoftwareSaysSo() {
        assertThat(rig.in(0x1f7)).isEqualTo(0x50);
        rig.ide.config().write(Piix3Ide.IDETIM, 2, 0);
        assertThat(rig.in(0x1f7)).isEqualTo(0xff);
        assertThat(rig.in(0x3f6)).isEqualTo(0xff);
        assertThat(rig.slot.ports.nameAt(0x177)).isEqualTo("ide1");
        rig.ide.config().write(ConfigSpace.COMMAND, 2, 0);
        assertThat(rig.slot.ports.nameAt(0x177)).isNull();
    }

    @Test
    void drivesThatAreAbsentAreSeenToBe() {
        rig.out(0x1f6, 0xb0);
        assertThat(rig.in(0x1f7)).isZero();
        rig.out(0x1f2, 0x55);
        assertThat(rig.in(0x1f2)).isZero();
        assertThat(rig.slot.ports.in(0x1f0, 2)).isZero();
        TestTime other = new TestTime();
        try (TestSlot slot = new TestSlot(other)) {
            Piix3Ide empty = new Piix3Ide(slot.slot, new TestLine(), new TestLine());
            empty.config().write(Piix3Ide.IDETIM, 2, 0x8000);
            empty.config().write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO);
            assertThat(slot.ports.in(0x1f7, 1)).isEqualTo(0x7f);
            assertThat(slot.ports.in(0x3f6, 1)).isEqualTo(0x7f);
            assertThat(slot.ports.in(0x1f0, 2)).isEqualTo(0x7f7f);
        }
    }

    @Test
    void softResetLeavesSignatures() {
        rig.out(0x376, 4);
        rig.out(0x376, 0);
        rig.out(0x176, 0xb0);
        assertThat(rig.in(0x177) & 0x80).isNotZero();
        rig.settle();
        rig.out(0x176, 0xb0);
        assertThat(rig.in(0x174)).isEqualTo(0x14);
        assertThat(rig.in(0x175)).isEqualTo(0xeb);
        assertThat(rig.in(0x177)).isZero();
        assertThat(rig.irq15.level()).isFalse();
    }

    @Test
    void interruptsUntilStatusIsRead() {
        rig.command(0xec, 0, 0);
        rig.settle();
        assertThat(rig.irq14.level()).isTrue();
        assertThat(rig.in(0x3f6)).isEqualTo(0x58);
        assertThat(rig.irq14.level()).isTrue();
        assertThat(rig.in(0x1f7)).isEqualTo(0x58);
        assertThat(rig.irq14.level()).isFalse();
        rig.out(0x3f6, 2);
        rig.command(0xe7, 0, 0);
        for (int i = 0; i < 256; i++) {
            rig.slot.ports.in(0x1f0, 2);
        }
        rig.command(0xe7, 0, 0);
        rig.settle();
        assertThat(rig.irq14.level()).isFalse();
        rig.out(0x3f6, 0);
        assertThat(rig.irq14.level()).isTrue();
    }

    @Test
    void readsWordsAndDoubleWords() {
        rig.command(0x20, 5, 1);
        rig.settle();
        byte[] expected = rig.sectors(5, 1);
        assertThat(rig.slot.ports.in(0x1f0, 2)).isEqualTo(expected[0] & 0xff | (expected[1] & 0xff) << 8);
        assertThat(rig.slot.ports.in(0x1f0, 4) & 0xff).isEqualTo(expected[2] & 0xff);
    }

    @Test
    void walksTheTable() {
        rig.descriptor(0, 0x1_0000, 512, false);
        rig.descriptor(1, 0x2_0003, 1022, false);
        rig.descriptor(2, 0x3_0000, 2, true);
        rig.command(READ_DMA, 8, 3);
        rig.start(true);
        assertThat(rig.in(MASTER + 2) & 1).isEqualTo(1);
        rig.settle();
        byte[] expected = rig.sectors(8, 3);
        assertThat(rig.slot.get(0x1_0000, 512)).isEqualTo(Arrays.copyOf(expected, 512));
        assertThat(rig.slot.get(0x2_0002, 1022)).isEqualTo(Arrays.copyOfRange(expected, 512, 1534));
        assertThat(rig.slot.get(0x3_0000, 2)).isEqualTo(Arrays.copyOfRange(expected, 1534, 1536));
        assertThat(rig.in(MASTER + 2) & 7).isEqualTo(4);
        assertThat(rig.irq14.level()).isTrue();
        rig.out(MASTER + 2, 4);
        assertThat(rig.in(MASTER + 2) & 7).isZero();
    }

    @Test
    void aCountOfZeroIs64KiBAndALongTableStaysActive() {
        rig.descriptor(0, 0x10_0000, 0, false);
        rig.descriptor(1, 0x20_0000, 0, true);
        rig.command(READ_DMA, 0, 192);
        rig.start(true);
        rig.settle();
        assertThat(rig.slot.get(0x10_0000, 0x1_0000)).isEqualTo(rig.sectors(0, 128));
        assertThat(rig.slot.get(0x20_0000, 0x8000)).isEqualTo(rig.sectors(128, 64));
        assertThat(rig.in(MASTER + 2) & 7).isEqualTo(5);
        rig.out(MASTER, 0);
        assertThat(rig.in(MASTER + 2) & 1).isZero();
    }

    @Test
    void aShortTableLeavesTheDriveWaiting() {
        rig.descriptor(0, 0x1_0000, 512, true);
        rig.command(WRITE_DMA, 20, 2);
        rig.start(false);
        rig.settle();
        assertThat(rig.in(MASTER + 2) & 7).isZero();
        assertThat(rig.in(0x3f6) & 8).isNotZero();
        assertThat(rig.irq14.level()).isFalse();
        rig.out(0x3f6, 4);
        rig.out(0x3f6, 0);
        rig.settle();
        assertThat(rig.in(0x1f7)).isEqualTo(0x50);
        assertThat(rig.medium.asked).isEmpty();
    }

    @Test
    void writesFromMemory() {
        byte[] data = new byte[1024];
        Arrays.fill(data, (byte) 0x5a);
        rig.slot.put(0x1_0000, data);
        rig.descriptor(0, 0x1_0000, 1024, true);
        rig.command(WRITE_DMA, 30, 2);
        rig.settle();
        rig.start(false);
        rig.settle();
        assertThat(rig.sectors(30, 2)).isEqualTo(data);
        assertThat(rig.in(0x1f7)).isEqualTo(0x50);
    }

    @Test
    void nothingMovesWithoutMasteringOrInTheWrongDirection() {
        rig.descriptor(0, 0x1_0000, 512, true);
        rig.ide.config().write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO);
        rig.command(READ_DMA, 3, 1);
        rig.start(true);
        rig.settle();
        assertThat(rig.in(MASTER + 2) & 5).isEqualTo(1);
        rig.ide.config().write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MASTER);
        assertThat(rig.slot.get(0x1_0000, 512)).isEqualTo(rig.sectors(3, 1));
        rig.out(MASTER + 2, 4);
        rig.command(READ_DMA, 3, 1);
        rig.start(false);
        rig.settle();
        assertThat(rig.in(MASTER + 2) & 5).isEqualTo(1);
    }

    @Test
    void goesOnInTheMiddleOfDma() throws StateException {
        rig.descriptor(0, 0x1_0000, 700, false);
        rig.descriptor(1, 0x2_0000, 324, true);
        rig.command(READ_DMA, 8, 2);
        rig.start(true);
        TestTime other = time.copy();
        Rig copy = new Rig(other, rig.medium.bytes);
        RoundTrip.check(rig.ide, copy.ide);
        copy.descriptor(0, 0x1_0000, 700, false);
        copy.descriptor(1, 0x2_0000, 324, true);
        copy.settle();
        assertThat(copy.slot.get(0x1_0000, 700)).isEqualTo(Arrays.copyOf(rig.sectors(8, 2), 700));
        assertThat(copy.slot.get(0x2_0000, 324)).isEqualTo(Arrays.copyOfRange(rig.sectors(8, 2), 700, 1024));
        assertThat(copy.irq14.level()).isTrue();
        copy.slot.close();
    }

    @Test
    void goesOnInTheMiddleOfWords() throws StateException {
        rig.command(0x20, 5, 2);
        rig.settle();
        rig.slot.ports.in(0x1f0, 2);
        TestTime other = time.copy();
        Rig copy = new Rig(other, rig.medium.bytes);
        StateReader.restore(copy.ide, StateWriter.save(rig.ide));
        byte[] expected = rig.sectors(5, 1);
        assertThat(copy.slot.ports.in(0x1f0, 2)).isEqualTo(expected[2] & 0xff | (expected[3] & 0xff) << 8);
        assertThat(copy.irq14.level()).isTrue();
        copy.slot.close();
    }
}
