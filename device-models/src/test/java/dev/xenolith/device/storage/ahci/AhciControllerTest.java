package dev.xenolith.device.storage.ahci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
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

class AhciControllerTest {
    private static final long REGISTERS = 0xfeb0_0000L;
    private static final int LIST = 0x1_0000;
    private static final int AREA = 0x2_0000;
    private static final int TABLES = 0x3_0000;
    private static final int DATA = 0x10_0000;

    /** A disk at port 0 and an optical drive at port 1. */
    private static final class Rig {
        final TestTime time;
        final TestSlot slot;
        final TestMedium medium;
        final AhciController controller;

        Rig(TestTime time, byte[] bytes) {
            this.time = time;
            slot = new TestSlot(time);
            medium = new TestMedium(time, bytes);
            controller = new AhciController(slot.slot);
            controller.attach(0, new HardDisk(time, AtaDevice.Cable.SERIAL, medium, "1"));
            controller.attach(1, new OpticalDrive(time, AtaDevice.Cable.SERIAL, medium, "2"));
        }

        void enable() {
            controller.config().write(0x24, 4, (int) REGISTERS);
            controller.config().write(ConfigSpace.COMMAND, 2,
                    ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_MASTER);
            time.advance(10_000_000);
            write(AhciController.GHC, 2);
            for (int port = 0; port < 2; port++) {
                port(port, AhciPort.PXCLB, LIST);
                port(port, AhciPort.PXFB, AREA);
                port(port, AhciPort.PXSERR, -1);
                port(port, AhciPort.PXIS, -1);
                port(port, AhciPort.PXIE, -1);
                port(port, AhciPort.PXCMD, 0x11);
            }
            write(AhciController.IS, -1);
        }

        int read(int register) {
            return (int) slot.map.read(REGISTERS + register, 4);
        }

        void write(int register, int value) {
            slot.map.write(REGISTERS + register, 4, value);
        }

        void port(int port, int register, int value) {
            write(0x100 + port * 0x80 + register, value);
        }

        int port(int port, int register) {
            return read(0x100 + port * 0x80 + register);
        }

        /** Puts a 48-bit command in a slot, with {@code descriptors} of {@code bytes} each. */
        void command(int number, int command, long lba, int count, int features, int bytes, int descriptors) {
            int table = TABLES + number * 0x400;
            slot.putInt(LIST + number * 32, descriptors << 16 | 5);
            slot.putInt(LIST + number * 32 + 8, table);
            slot.put(table, (byte) 0x27, (byte) 0x80, (byte) command, (byte) features, (byte) lba, (byte) (lba >> 8),
                    (byte) (lba >> 16), (byte) 0x40, (byte) (lba >> 24), (byte) 0, (byte) 0, (byte) (features >> 8),
                    (byte) count, (byte) (count >> 8), (byte) 0, (byte) 0);
            for (int i = 0; i < descriptors; i++) {
                slot.putInt(table + 0x80 + i * 16, data(number) + i * bytes);
                slot.putInt(table + 0x84 + i * 16, 0);
                slot.putInt(table + 0x8c + i * 16, bytes - 1);
            }
        }

        static int data(int number) {
            return DATA + number * 0x8000;
        }

        void queue(int number, int command, long lba, int count) {
            command(number, command, lba, number << 3, count, count * 512, 1);
            port(0, AhciPort.PXSACT, 1 << number);
            port(0, AhciPort.PXCI, 1 << number);
        }

        void settle() {
            time.advance(1_000_000_000);
        }

        byte[] sectors(int first, int count) {
            return Arrays.copyOfRange(medium.bytes, first * 512, (first + count) * 512);
        }
    }

    private final TestTime time = new TestTime();
    private final Rig rig = new Rig(time, new TestMedium(time, 2048).bytes);

    AhciControllerTest() {
        rig.enable();
    }

    @AfterEach
    void close() {
        rig.slot.close();
    }

    @Test
    void portsTellWhatIsThere() {
        assertThat(rig.read(AhciController.PI)).isEqualTo(0x3f);
        assertThat(rig.read(AhciController.CAP) & 31).isEqualTo(5);
        assertThat(rig.port(0, AhciPort.PXSIG)).isEqualTo(0x101);
        assertThat(rig.port(1, AhciPort.PXSIG)).isEqualTo(0xeb14_0101);
        assertThat(rig.port(2, AhciPort.PXSIG)).isEqualTo(-1);
        assertThat(rig.port(0, AhciPort.PXSSTS)).isEqualTo(0x123);
        assertThat(rig.port(2, AhciPort.PXSSTS)).isZero();
        assertThat(rig.port(0, AhciPort.PXTFD)).isEqualTo(0x150);
        assertThat(rig.port(2, AhciPort.PXTFD)).isEqualTo(0x7f);
        assertThat(rig.port(0, AhciPort.PXCMD)).isEqualTo(0xdf17);
        assertThat(rig.slot.map.read(REGISTERS + 0x102, 2)).isEqualTo(1);
    }

    @Test
    void readsByDmaThroughSeveralDescriptors() {
        rig.command(3, 0x25, 7, 3, 0, 512, 3);
        rig.port(0, AhciPort.PXCI, 1 << 3);
        assertThat(rig.port(0, AhciPort.PXTFD) & 0x80).isNotZero();
        rig.settle();
        assertThat(rig.slot.get(Rig.data(3), 1536)).isEqualTo(rig.sectors(7, 3));
        assertThat(rig.port(0, AhciPort.PXCI)).isZero();
        assertThat(rig.slot.getInt(LIST + 3 * 32 + 4)).isEqualTo(1536);
        assertThat(rig.slot.get(AREA + 0x40, 3)).containsExactly(0x34, 0x40, 0x50);
        assertThat(rig.port(0, AhciPort.PXIS)).isEqualTo(1);
        assertThat(rig.read(AhciController.IS)).isEqualTo(1);
        assertThat(rig.slot.pin.level()).isTrue();
        rig.port(0, AhciPort.PXIS, 1);
        assertThat(rig.slot.pin.level()).isTrue();
        rig.write(AhciController.IS, 1);
        assertThat(rig.slot.pin.level()).isFalse();
    }

    @Test
    void movesWordsAsPioSetupSays() {
        rig.command(0, 0xec, 0, 0, 0, 512, 1);
        rig.port(0, AhciPort.PXCI, 1);
        rig.settle();
        assertThat(rig.slot.get(Rig.data(0), 2)).containsExactly(0x40, 0);
        assertThat(rig.port(0, AhciPort.PXIS)).isEqualTo(2);
        assertThat(rig.port(0, AhciPort.PXCI)).isZero();
        assertThat(rig.port(0, AhciPort.PXTFD)).isEqualTo(0x50);
        assertThat(rig.slot.get(AREA + 0x20, 2)).containsExactly(0x5f, 0x60);
        rig.slot.put(Rig.data(1), new byte[1024]);
        rig.command(1, 0x34, 40, 2, 0, 1024, 1);
        rig.port(0, AhciPort.PXCI, 2);
        rig.settle();
        assertThat(rig.sectors(40, 2)).isEqualTo(new byte[1024]);
        assertThat(rig.port(0, AhciPort.PXCI)).isZero();
    }

    @Test
    void queuedCommandsEndInTheirOwnOrder() {
        rig.queue(9, 0x60, 0, 60);
        rig.queue(2, 0x60, 100, 1);
        rig.slot.put(Rig.data(30), new byte[512]);
        rig.queue(30, 0x61, 200, 1);
        assertThat(rig.port(0, AhciPort.PXCI)).isZero();
        assertThat(rig.port(0, AhciPort.PXSACT)).isEqualTo(1 << 9 | 1 << 2 | 1 << 30);
        rig.time.advance(170_000);
        assertThat(rig.port(0, AhciPort.PXSACT)).isEqualTo(0);
        assertThat(rig.slot.get(Rig.data(9), 60 * 512)).isEqualTo(rig.sectors(0, 60));
        assertThat(rig.slot.get(Rig.data(2), 512)).isEqualTo(rig.sectors(100, 1));
        assertThat(rig.sectors(200, 1)).isEqualTo(new byte[512]);
        assertThat(rig.port(0, AhciPort.PXIS)).isEqualTo(8);
        assertThat(rig.slot.getInt(AREA + 0x5c)).isEqualTo(1 << 30);
    }

    @Test
    void anErrorOfTheQueueStopsThePort() {
        rig.medium.broken.add(101L);
        rig.queue(1, 0x60, 0, 1);
        rig.queue(2, 0x60, 100, 2);
        rig.queue(3, 0x60, 300, 1);
        rig.settle();
        assertThat(rig.port(0, AhciPort.PXIS) & 1 << 30).isNotZero();
        assertThat(rig.port(0, AhciPort.PXTFD) & 1).isEqualTo(1);
        // The sector at fault was looked for meanwhile, so that the third command ended before.
        assertThat(rig.port(0, AhciPort.PXSACT)).isEqualTo(1 << 2);
        rig.command(4, 0x25, 7, 1, 0, 512, 1);
        rig.port(0, AhciPort.PXCI, 1 << 4);
        rig.settle();
        assertThat(rig.port(0, AhciPort.PXCI)).isEqualTo(1 << 4);
        rig.port(0, AhciPort.PXCMD, 0x10);
        assertThat(rig.port(0, AhciPort.PXSACT)).isZero();
        rig.port(0, AhciPort.PXCMD, 0x11);
        rig.command(5, 0x2f, 0x10, 1, 0, 512, 1);
        rig.port(0, AhciPort.PXCI, 1 << 5);
        rig.settle();
        assertThat(rig.slot.get(Rig.data(5), 5)).containsExactly(2, 0, 0x51, 0x40, 101);
    }

    @Test
    void aFailedCommandStaysUntilThePortIsStopped() {
        rig.command(0, 0x25, 5000, 1, 0, 512, 1);
        rig.port(0, AhciPort.PXCI, 1);
        rig.settle();
        assertThat(rig.port(0, AhciPort.PXCI)).isEqualTo(1);
        assertThat(rig.port(0, AhciPort.PXTFD)).isEqualTo(0x1051);
        assertThat(rig.port(0, AhciPort.PXIS) & 1 << 30).isNotZero();
        rig.port(0, AhciPort.PXCMD, 0x10);
        assertThat(rig.port(0, AhciPort.PXCI)).isZero();
    }

    @Test
    void comresetInTheMiddleOfACommand() {
        rig.command(0, 0x25, 7, 1, 0, 512, 1);
        rig.port(0, AhciPort.PXCI, 1);
        rig.time.advance(10_000);
        rig.port(0, AhciPort.PXCMD, 0x10);
        rig.port(0, AhciPort.PXSCTL, 1);
        assertThat(rig.port(0, AhciPort.PXSSTS)).isZero();
        rig.port(0, AhciPort.PXSCTL, 0);
        assertThat(rig.port(0, AhciPort.PXTFD) & 0x80).isNotZero();
        assertThat(rig.port(0, AhciPort.PXIS) & 1 << 6).isNotZero();
        rig.settle();
        assertThat(rig.port(0, AhciPort.PXSIG)).isEqualTo(0x101);
        assertThat(rig.port(0, AhciPort.PXTFD)).isEqualTo(0x150);
        assertThat(rig.slot.get(Rig.data(0), 512)).isEqualTo(new byte[512]);
        rig.port(0, AhciPort.PXSERR, 1 << 26);
        assertThat(rig.port(0, AhciPort.PXIS) & 1 << 6).isZero();
    }

    @Test
    void softwareResetTakesTwoFises() {
        int table = TABLES;
        for (int step = 0; step < 2; step++) {
            rig.slot.putInt(LIST, 5 | (step == 0 ? 1 << 8 | 1 << 10 : 0));
            rig.slot.putInt(LIST + 8, table);
            rig.slot.put(table, new byte[16]);
            rig.slot.put(table, (byte) 0x27);
            rig.slot.put(table + 15, (byte) (step == 0 ? 4 : 0));
            rig.port(0, AhciPort.PXCI, 1);
            assertThat(rig.port(0, AhciPort.PXCI)).isEqualTo(step);
        }
        assertThat(rig.port(0, AhciPort.PXTFD) & 0x80).isNotZero();
        rig.settle();
        assertThat(rig.port(0, AhciPort.PXCI)).isZero();
        assertThat(rig.port(0, AhciPort.PXTFD)).isEqualTo(0x150);
    }

    @Test
    void packetsAndShortTables() {
        for (int run = 0; run < 2; run++) {
            rig.command(0, 0xa0, 0, 0, 1, 1024, run == 0 ? 2 : 1);
            rig.slot.putInt(LIST, (run == 0 ? 2 : 1) << 16 | 1 << 5 | 5);
            // The first command is told of the reset.
            rig.slot.put(TABLES + 0x40, (byte) 0x28, (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 3, (byte) 0,
                    (byte) 0, (byte) 1, (byte) 0, (byte) 0, (byte) 0);
            rig.port(1, AhciPort.PXCI, 1);
            rig.settle();
            if (run == 0) {
                assertThat(rig.port(1, AhciPort.PXTFD)).isEqualTo(0x6451);
                rig.port(1, AhciPort.PXCMD, 0x10);
                rig.port(1, AhciPort.PXCMD, 0x11);
                rig.port(1, AhciPort.PXIS, -1);
                rig.port(1, AhciPort.PXCI, 1);
                rig.settle();
                assertThat(rig.slot.get(Rig.data(0), 2048)).isEqualTo(rig.sectors(12, 4));
                assertThat(rig.port(1, AhciPort.PXIS) & 1 << 24).isZero();
            } else {
                assertThat(rig.port(1, AhciPort.PXIS) & 1 << 24).isNotZero();
            }
            assertThat(rig.port(1, AhciPort.PXCI)).isZero();
        }
    }

    @Test
    void interruptsByMessages() {
        rig.controller.config().write(0x84, 4, 0xfee0_0000);
        rig.controller.config().write(0x8c, 2, 0x41);
        rig.controller.config().write(0x82, 2, 1);
        rig.command(0, 0x25, 7, 1, 0, 512, 1);
        rig.port(0, AhciPort.PXCI, 1);
        rig.settle();
        assertThat(rig.slot.messages).containsExactly(0x41);
        // Not taken note of at the port: another one.
        rig.write(AhciController.IS, 1);
        assertThat(rig.slot.messages).hasSize(2);
        assertThat(rig.slot.pin.level()).isFalse();
    }

    @Test
    void aResetOfTheAdapter() {
        rig.write(AhciController.GHC, 1);
        assertThat(rig.read(AhciController.GHC)).isEqualTo(1 << 31);
        rig.settle();
        assertThat(rig.port(0, AhciPort.PXCMD)).isEqualTo(6);
        assertThat(rig.port(0, AhciPort.PXSIG)).isEqualTo(0x101);
    }

    @Test
    void goesOnInTheMiddleOfCommands() throws StateException {
        rig.queue(1, 0x60, 0, 1);
        rig.queue(4, 0x60, 100, 2);
        rig.command(0, 0xa0, 0, 0, 1, 2048, 1);
        rig.slot.put(TABLES + 0x40, new byte[12]);
        rig.port(1, AhciPort.PXCI, 1);
        TestTime other = time.copy();
        Rig copy = new Rig(other, rig.medium.bytes);
        copy.slot.put(TABLES, rig.slot.get(TABLES, 0x8000));
        RoundTrip.check(rig.controller, copy.controller);
        copy.settle();
        assertThat(copy.slot.get(Rig.data(4), 1024)).isEqualTo(rig.sectors(100, 2));
        assertThat(copy.port(0, AhciPort.PXSACT)).isZero();
        assertThat(copy.port(1, AhciPort.PXTFD)).isEqualTo(0x6451);
        copy.slot.close();
    }
}
