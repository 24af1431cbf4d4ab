package dev.xenolith.device.storage.atapi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestTime;
import dev.xenolith.device.storage.TestCable;
import dev.xenolith.device.storage.TestMedium;
import dev.xenolith.device.storage.ata.Ata;
import dev.xenolith.device.storage.ata.AtaDevice;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class OpticalDriveTest {
    private static final int BLOCKS = 200;

    private final TestTime time = new TestTime();
    private final TestMedium disc = new TestMedium(time, 4 * BLOCKS);
    private final OpticalDrive drive = new OpticalDrive(time, AtaDevice.Cable.PARALLEL, disc, "SERIAL");
    private final TestCable cable = new TestCable(time, drive);

    OpticalDriveTest() {
        cable.settle();
        // That it was switched on.
        assertThat(sense()).isEqualTo(0x62900);
        cable.takeTold();
    }

    private void packet(int features, int limit, int... bytes) {
        packetTo(cable, drive, features, limit, bytes);
    }

    private static void packetTo(TestCable cable, OpticalDrive drive, int features, int limit, int... bytes) {
        drive.writeRegister(Ata.FEATURES, features);
        drive.writeRegister(Ata.LBA_MID, limit & 0xff);
        drive.writeRegister(Ata.LBA_HIGH, limit >>> 8);
        cable.run(0xa0);
        assertThat(drive.register(Ata.COUNT, false)).isEqualTo(1);
        byte[] cdb = new byte[12];
        for (int i = 0; i < bytes.length; i++) {
            cdb[i] = (byte) bytes[i];
        }
        cable.write(cdb);
    }

    private byte[] ask(int... bytes) {
        packet(0, 0xfffe, bytes);
        assertThat(drive.register(Ata.COUNT, false)).isEqualTo(2);
        byte[] answer = cable.read();
        assertThat(drive.register(Ata.COUNT, false)).isEqualTo(3);
        assertThat(drive.status()).isEqualTo(Ata.DRDY | Ata.DSC);
        return answer;
    }

    private int sense() {
        byte[] answer = ask(0x03, 0, 0, 0, 18);
        return answer[2] << 16 | (answer[12] & 0xff) << 8 | answer[13];
    }

    /** Key, code and qualifier that a command without data ends with; 0 if it succeeds. */
    private int run(int... bytes) {
        packet(0, 0xfffe, bytes);
        assertThat(drive.block().isOpen()).isFalse();
        if ((drive.status() & Ata.ERR) == 0) {
            return 0;
        }
        int key = drive.error() >>> 4;
        int sense = sense();
        assertThat(sense >>> 16).isEqualTo(key);
        return sense;
    }

    private byte[] blocks(int first, int count) {
        return Arrays.copyOfRange(disc.bytes, first * 2048, (first + count) * 2048);
    }

    @Test
    void itsSignatureTellsItFromADisk() {
        for (int command : new int[]{0xec, 0x20}) {
            cable.run(command);
            assertThat(drive.status() & Ata.ERR).isNotZero();
            assertThat(drive.register(Ata.LBA_MID, false)).isEqualTo(0x14);
            assertThat(drive.register(Ata.LBA_HIGH, false)).isEqualTo(0xeb);
        }
        cable.run(0xa1);
        assertThat(cable.read()).startsWith(0xc0, 0x85);
        drive.command(0xa0);
        drive.command(Ata.DEVICE_RESET);
        assertThat(drive.status()).isZero();
        assertThat(drive.register(Ata.LBA_MID, false)).isEqualTo(0x14);
    }

    @Test
    void tellsOfItself() {
        byte[] inquiry = ask(0x12, 0, 0, 0, 36);
        assertThat(inquiry).hasSize(36).startsWith(5, 0x80);
        assertThat(new String(inquiry, 8, 8, StandardCharsets.US_ASCII)).isEqualTo("XENOLITH");
        assertThat(ask(0x12, 0, 0, 0, 5)).hasSize(5);
        assertThat(run(0x12, 1, 0, 0, 36)).isEqualTo(0x52400);
        assertThat(ask(0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 255)).hasSize(8 + 12 + 22);
        assertThat(ask(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255)).hasSize(30);
        assertThat(run(0x5a, 0, 0x0e, 0, 0, 0, 0, 0, 255)).isEqualTo(0x52400);
        assertThat(run(0x5a, 0, 0xc1, 0, 0, 0, 0, 0, 255)).isEqualTo(0x53900);
        assertThat(ask(0x46, 0, 0, 0, 0, 0, 0, 0, 255)).startsWith(0, 0, 0).contains(0x08);
        assertThat(ask(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8)).hasSize(8);
        assertThat(run(0xff)).isEqualTo(0x52000);
        assertThat(run(0xad)).isEqualTo(0x53002);
    }

    @Test
    void tellsOfItsDisc() {
        assertThat(ask(0x25)).containsExactly(0, 0, 0, BLOCKS - 1, 0, 0, 8, 0);
        assertThat(ask(0x43, 0, 0, 0, 0, 0, 0, 0, 255)).containsExactly(0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0,
                0x14, 0xaa, 0, 0, 0, 0, BLOCKS);
        // Two seconds and two more, and fifty frames.
        assertThat(ask(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255)).endsWith(0, 0, 4, 50);
        assertThat(ask(0x43, 0, 1, 0, 0, 0, 0, 0, 255)).hasSize(12);
        assertThat(ask(0x43, 0, 2, 0, 0, 0, 0, 0, 255)).hasSize(4 + 4 * 11);
        assertThat(ask(0x43, 0, 0, 0, 0, 0, 0, 0, 255, 0x40)).hasSize(12);
        assertThat(run(0x43, 0, 5, 0, 0, 0, 0, 0, 255)).isEqualTo(0x52400);
        assertThat(ask(0x51, 0, 0, 0, 0, 0, 0, 0, 34)).hasSize(34);
    }

    @Test
    void readsInBlocksOfTheHostsSize() {
        packet(0, 2048, 0x28, 0, 0, 0, 0, 7, 0, 0, 2);
        assertThat(drive.register(Ata.LBA_HIGH, false)).isEqualTo(8);
        assertThat(cable.read()).isEqualTo(blocks(7, 1));
        assertThat(cable.read()).isEqualTo(blocks(8, 1));
        assertThat(drive.status()).isEqualTo(Ata.DRDY | Ata.DSC);
        packet(0, 0xffff, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 1);
        assertThat(cable.read()).isEqualTo(blocks(0, 1));
        packet(0, 0xfffe, 0xbe, 0, 0, 0, 0, 9, 0, 0, 1, 0x10);
        assertThat(cable.read()).isEqualTo(blocks(9, 1));
        assertThat(run(0xbe, 0, 0, 0, 0, 9, 0, 0, 1, 0xf8)).isEqualTo(0x52400);
        assertThat(run(0x28, 0, 0, 0, 0, BLOCKS - 1, 0, 0, 2)).isEqualTo(0x52100);
        assertThat(run(0xa8, 0, -1, -1, -1, -1, 0, 0, 0, 1)).isEqualTo(0x52100);
        assertThat(run(0x28, 0, 0, 0, 0, 0, 0, 0, 0)).isZero();
    }

    @Test
    void readsByDma() {
        packet(1, 0, 0x28, 0, 0, 0, 0, 0, 0, 0, 100);
        assertThat(cable.take()).isEqualTo(blocks(0, 64));
        assertThat(cable.take()).isEqualTo(blocks(64, 36));
        assertThat(cable.takeTold()).last().isEqualTo("ended");
        disc.broken.add(41L);
        assertThat(run(0x28, 0, 0, 0, 0, 10, 0, 0, 1)).isEqualTo(0x31100);
    }

    @Test
    void discsComeAndGo() {
        assertThat(run(0x00)).isZero();
        assertThat(drive.eject(false)).isTrue();
        assertThat(run(0x00)).isEqualTo(0x23a02);
        assertThat(run(0x28, 0, 0, 0, 0, 0, 0, 0, 1)).isEqualTo(0x23a02);
        drive.insert(new TestMedium(time, 40));
        assertThat(ask(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8)).containsExactly(0, 6, 4, 0x10, 2, 2, 0, 0);
        assertThat(ask(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8)).containsExactly(0, 6, 4, 0x10, 0, 2, 0, 0);
        assertThat(run(0x00)).isEqualTo(0x62800);
        assertThat(run(0x00)).isZero();
        assertThat(ask(0x25)).startsWith(0, 0, 0, 9);
        // Locked: neither a button nor software opens it.
        assertThat(run(0x1e, 0, 0, 0, 1)).isZero();
        assertThat(drive.eject(false)).isFalse();
        assertThat(ask(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8)).containsExactly(0, 6, 4, 0x10, 1, 2, 0, 0);
        assertThat(run(0x1b, 0, 0, 0, 2)).isEqualTo(0x55302);
        assertThat(run(0x1e, 0, 0, 0, 0)).isZero();
        assertThat(run(0x1b, 0, 0, 0, 2)).isZero();
        assertThat(run(0x00)).isEqualTo(0x23a02);
        assertThat(run(0x1b, 0, 0, 0, 3)).isZero();
        assertThat(run(0x00)).isEqualTo(0x62800);
        assertThat(run(0x00)).isZero();
    }

    @Test
    void aReadEndsWithItsDisc() {
        packet(1, 0, 0x28, 0, 0, 0, 0, 0, 0, 0, 100);
        drive.moved(drive.block().left());
        assertThat(drive.eject(true)).isTrue();
        cable.settle();
        assertThat(drive.status() & Ata.ERR).isNotZero();
        assertThat(sense()).isEqualTo(0x62800);
    }

    @Test
    void goesOnInTheMiddleOfARead() throws StateException {
        packet(0, 2048, 0x28, 0, 0, 0, 0, 3, 0, 0, 70);
        drive.readData(2);
        TestTime other = time.copy();
        OpticalDrive copy = new OpticalDrive(other, AtaDevice.Cable.PARALLEL, new TestMedium(other, disc.bytes),
                "SERIAL");
        RoundTrip.check(drive, copy);
        TestCable second = new TestCable(other, copy);
        assertThat(second.read()).isEqualTo(Arrays.copyOfRange(blocks(3, 1), 2, 2048));
        for (int i = 1; i < 70; i++) {
            assertThat(second.read()).isEqualTo(blocks(3 + i, 1));
        }
        assertThat(copy.block().isOpen()).isFalse();
    }
}
