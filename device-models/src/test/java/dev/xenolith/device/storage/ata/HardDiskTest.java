package dev.xenolith.device.storage.ata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.TestTime;
import dev.xenolith.device.storage.TestCable;
import dev.xenolith.device.storage.TestMedium;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HardDiskTest {
    private static final int SECTORS = 4096;
    private static final int READY = Ata.DRDY | Ata.DSC;
    private static final int LBA = Ata.DEVICE_LBA;

    private final TestTime time = new TestTime();
    private final TestMedium medium = new TestMedium(time, SECTORS);
    private final HardDisk disk = new HardDisk(time, AtaDevice.Cable.SERIAL, medium, "SERIAL");
    private final TestCable cable = new TestCable(time, disk);

    HardDiskTest() {
        cable.settle();
        assertThat(cable.takeTold()).containsExactly("reset");
    }

    private byte[] sectors(int first, int count) {
        return Arrays.copyOfRange(medium.bytes, first * 512, (first + count) * 512);
    }

    private static byte[] pattern(int sectors, int seed) {
        byte[] bytes = new byte[sectors * 512];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * seed + (i >>> 9));
        }
        return bytes;
    }

    private void failed(int status, int error) {
        assertThat(disk.status()).isEqualTo(READY | status);
        assertThat(disk.error()).isEqualTo(error);
        assertThat(cable.takeTold()).last().isEqualTo("ended");
    }

    @Test
    void resetLeavesTheSignature() {
        assertThat(disk.status()).isEqualTo(READY);
        assertThat(disk.error()).isEqualTo(1);
        assertThat(cable.lba()).isEqualTo(1);
        assertThat(disk.register(Ata.COUNT, false)).isEqualTo(1);
        disk.softReset(true);
        cable.settle();
        assertThat(disk.status()).isEqualTo(Ata.BSY);
        disk.softReset(false);
        assertThat(disk.status()).isEqualTo(Ata.BSY);
        cable.settle();
        assertThat(disk.status()).isEqualTo(READY);
        cable.run(Ata.EXECUTE_DEVICE_DIAGNOSTIC);
        assertThat(disk.error()).isEqualTo(1);
    }

    @Test
    void identifiesItself() {
        disk.command(Ata.IDENTIFY_DEVICE);
        assertThat(disk.status() & Ata.BSY).isNotZero();
        cable.settle();
        assertThat(disk.status()).isEqualTo(READY | Ata.DRQ);
        byte[] page = cable.read();
        assertThat(disk.status()).isEqualTo(READY);
        assertThat(cable.takeTold()).containsExactly("data!");
        int sum = 0;
        for (byte each : page) {
            sum += each;
        }
        assertThat(sum & 0xff).isZero();
        assertThat(page[510] & 0xff).isEqualTo(0xa5);
        StringBuilder model = new StringBuilder();
        for (int i = 54; i < 94; i += 2) {
            model.append((char) page[i + 1]).append((char) page[i]);
        }
        assertThat(model.toString().strip()).isEqualTo("XENOLITH HARDDISK");
        assertThat(page[120] & 0xff | (page[121] & 0xff) << 8).isEqualTo(SECTORS);
        assertThat(page[200] & 0xff | (page[201] & 0xff) << 8).isEqualTo(SECTORS);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x20, 0x24})
    void readsSectorBySector(int command) {
        cable.registers(0, 3, 7, LBA);
        cable.run(command);
        for (int i = 0; i < 3; i++) {
            assertThat(cable.read()).isEqualTo(sectors(7 + i, 1));
        }
        assertThat(cable.takeTold()).containsExactly("data!", "data!", "data!");
        assertThat(disk.status()).isEqualTo(READY);
    }

    @ParameterizedTest
    @ValueSource(ints = {0xc4, 0x29})
    void readsMultipleAsSet(int command) {
        cable.registers(0, 6, 1000, LBA);
        cable.run(command);
        failed(Ata.ERR, Ata.ABRT);
        cable.registers(0, 4, 0, LBA);
        cable.run(Ata.SET_MULTIPLE_MODE);
        cable.registers(0, 6, 1000, LBA);
        cable.run(command);
        assertThat(cable.read()).isEqualTo(sectors(1000, 4));
        assertThat(cable.read()).isEqualTo(sectors(1004, 2));
        assertThat(disk.status()).isEqualTo(READY);
        cable.registers(0, 3, 0, LBA);
        cable.run(Ata.SET_MULTIPLE_MODE);
        failed(Ata.ERR, Ata.ABRT);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x30, 0x34})
    void writesSectorBySector(int command) {
        byte[] data = pattern(2, 5);
        cable.registers(0, 2, 9, LBA);
        cable.run(command);
        assertThat(cable.takeTold()).containsExactly("data");
        cable.write(Arrays.copyOf(data, 512));
        assertThat(cable.takeTold()).containsExactly("data!");
        cable.write(Arrays.copyOfRange(data, 512, 1024));
        assertThat(cable.takeTold()).containsExactly("ended");
        assertThat(sectors(9, 2)).isEqualTo(data);
    }

    @Test
    void writesMultipleAndSafely() {
        cable.registers(0, 2, 0, LBA);
        cable.run(Ata.SET_MULTIPLE_MODE);
        cable.registers(0, 4, 20, LBA);
        cable.run(0xce);
        cable.write(pattern(2, 3));
        cable.write(pattern(2, 9));
        assertThat(sectors(20, 2)).isEqualTo(pattern(2, 3));
        assertThat(sectors(22, 2)).isEqualTo(pattern(2, 9));
        assertThat(medium.asked).endsWith("write 20+4", "flush 0+0");
    }

    @ParameterizedTest
    @ValueSource(ints = {0xc8, 0x25})
    void readsByDma(int command) {
        cable.registers(0, command == 0xc8 ? 0 : 256 + 44, 100, LBA);
        cable.run(command);
        assertThat(cable.take()).isEqualTo(sectors(100, 256));
        if (command == 0x25) {
            assertThat(cable.take()).isEqualTo(sectors(356, 44));
        }
        assertThat(cable.takeTold()).last().isEqualTo("ended");
        assertThat(disk.block().isOpen()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {0xca, 0x35, 0x3d})
    void writesByDma(int command) {
        cable.registers(0, 16, 64, LBA);
        cable.run(command);
        assertThat(cable.takeTold()).containsExactly("data");
        cable.give(pattern(16, 11));
        assertThat(cable.takeTold()).containsExactly("ended");
        assertThat(sectors(64, 16)).isEqualTo(pattern(16, 11));
        assertThat(medium.asked.contains("flush 0+0")).isEqualTo(command == 0x3d);
    }

    @Test
    void withoutAWriteCacheWritesAreSafe() {
        cable.registers(0x82, 0, 0, LBA);
        cable.run(Ata.SET_FEATURES);
        medium.asked.clear();
        cable.registers(0, 1, 0, LBA);
        cable.run(0xca);
        cable.give(pattern(1, 2));
        assertThat(medium.asked).containsExactly("write 0+1", "flush 0+0");
    }

    @Test
    void sectorsOfCylindersAndHeads() {
        cable.registers(0, 10, 0, 3);
        cable.run(Ata.INITIALIZE_DEVICE_PARAMETERS);
        // Cylinder 2, head 1, sector 5 of 4 heads and 10 sectors.
        cable.registers(0, 1, 2 << 8 | 5, 1);
        cable.run(0x20);
        assertThat(cable.read()).isEqualTo(sectors((2 * 4 + 1) * 10 + 4, 1));
        cable.takeTold();
        cable.registers(0, 1, 2 << 8, 1);
        cable.run(0x20);
        failed(Ata.ERR, Ata.IDNF);
        cable.registers(0, 1, 2 << 8 | 1, 4);
        cable.run(0x70);
        failed(Ata.ERR, Ata.IDNF);
        cable.run(0x10);
        assertThat(disk.status()).isEqualTo(READY);
    }

    @Test
    void whatIsBeyondTheEndIsNotFound() {
        cable.registers(0, 8, SECTORS - 4, LBA);
        cable.run(0x25);
        failed(Ata.ERR, Ata.IDNF);
        assertThat(cable.lba()).isEqualTo(SECTORS);
        cable.registers(0, 1, 1L << 47, LBA);
        cable.run(0x24);
        failed(Ata.ERR, Ata.IDNF);
        cable.registers(0, 1, SECTORS, LBA);
        cable.run(0x40);
        failed(Ata.ERR, Ata.IDNF);
    }

    @Test
    void theSectorThatFailsIsNamed() {
        medium.broken.add(42L);
        cable.registers(0, 16, 32, LBA);
        cable.run(0x42);
        failed(Ata.ERR, Ata.UNC);
        assertThat(cable.lba()).isEqualTo(42);
        cable.registers(0, 4, 40, LBA);
        cable.run(0x35);
        cable.give(pattern(4, 1));
        failed(Ata.ERR | Ata.DF, Ata.ABRT);
        assertThat(cable.lba()).isEqualTo(40);
    }

    @Test
    void aReadOnlyMediumIsNotWritten() {
        medium.readOnly = true;
        for (int command : new int[]{0x30, 0xca, 0x35, Ata.DATA_SET_MANAGEMENT}) {
            cable.registers(1, 1, 0, LBA);
            cable.run(command);
            failed(Ata.ERR, Ata.ABRT);
        }
    }

    @Test
    void trims() {
        byte[] ranges = new byte[512];
        ranges[0] = 8;
        ranges[6] = 16;
        ranges[8] = 100;
        ranges[14] = 1;
        cable.registers(1, 1, 0, LBA);
        cable.run(Ata.DATA_SET_MANAGEMENT);
        medium.asked.clear();
        cable.give(ranges);
        assertThat(medium.asked).containsExactly("discard 8+16", "discard 100+1");
        assertThat(cable.takeTold()).last().isEqualTo("ended");
        ranges[17] = (byte) (SECTORS >>> 8);
        ranges[22] = 1;
        medium.asked.clear();
        cable.run(Ata.DATA_SET_MANAGEMENT);
        cable.give(ranges);
        failed(Ata.ERR, Ata.IDNF | Ata.ABRT);
        assertThat(medium.asked).isEmpty();
    }

    @Test
    void flushesAndTellsItsPower() {
        cable.run(Ata.FLUSH_CACHE);
        cable.run(Ata.FLUSH_CACHE_EXT);
        assertThat(medium.asked).containsExactly("flush 0+0", "flush 0+0");
        cable.run(Ata.CHECK_POWER_MODE);
        assertThat(disk.register(Ata.COUNT, false)).isEqualTo(0xff);
        cable.registers(0, 1, 0, LBA);
        cable.run(Ata.IDLE);
        cable.run(Ata.CHECK_POWER_MODE);
        assertThat(disk.register(Ata.COUNT, false)).isEqualTo(0x80);
        time.advance(5_000_000_000L);
        cable.run(Ata.CHECK_POWER_MODE);
        assertThat(disk.register(Ata.COUNT, false)).isZero();
        cable.run(Ata.SLEEP);
        cable.takeTold();
        cable.run(Ata.CHECK_POWER_MODE);
        assertThat(cable.takeTold()).isEmpty();
        disk.softReset(false);
        cable.settle();
        cable.run(Ata.CHECK_POWER_MODE);
        assertThat(disk.register(Ata.COUNT, false)).isEqualTo(0xff);
    }

    @Test
    void nativeSizeAndFeatures() {
        cable.registers(0, 0, 0, LBA);
        cable.run(Ata.READ_NATIVE_MAX_EXT);
        assertThat(cable.lba()).isEqualTo(SECTORS - 1);
        for (int mode : new int[]{0x0c, 0x22, 0x45}) {
            cable.registers(3, mode, 0, LBA);
            cable.run(Ata.SET_FEATURES);
            assertThat(disk.status()).isEqualTo(READY);
        }
        cable.registers(3, 0x46, 0, LBA);
        cable.run(Ata.SET_FEATURES);
        failed(Ata.ERR, Ata.ABRT);
        // NOP, SMART, DEVICE RESET, IDENTIFY PACKET DEVICE, PACKET.
        for (int command : new int[]{0x00, 0xb0, 0x08, 0xa1, 0xa0}) {
            cable.run(command);
            failed(Ata.ERR, Ata.ABRT);
        }
    }

    @Test
    void aResetEndsATransfer() {
        cable.registers(0, 16, 0, LBA);
        disk.command(0x25);
        time.advance(10_000);
        disk.softReset(true);
        disk.softReset(false);
        cable.settle();
        assertThat(cable.takeTold()).containsExactly("reset");
        assertThat(disk.block().isOpen()).isFalse();
        cable.registers(0, 1, 3, LBA);
        cable.run(0x20);
        disk.readData(2);
        disk.softReset(false);
        cable.settle();
        assertThat(disk.readData(2)).isZero();
    }

    // ---- queue -------------------------------------------------------------------------------------------------------

    private void queue(int command, int tag, int count, long lba) {
        cable.registers(count, tag << 3, lba, LBA);
        disk.command(command);
    }

    @Test
    void queuedCommandsOverlap() {
        queue(0x60, 5, 128, 0);
        queue(0x60, 2, 1, 512);
        queue(0x60, 31, 1, 8);
        assertThat(cable.takeTold()).containsExactly("queued", "queued", "queued");
        cable.settle();
        assertThat(cable.takeTold()).containsExactly("take 5", "done 32", "take 2", "done 4", "take 31",
                "done " + (1 << 31));
        assertThat(Arrays.copyOf(cable.queuedData, 512)).isEqualTo(sectors(8, 1));
        System.arraycopy(pattern(300, 7), 0, cable.queuedData, 0, 300 * 512);
        queue(0x61, 0, 1, 70);
        cable.settle();
        assertThat(cable.takeTold()).containsExactly("queued", "give 0", "done 1");
        assertThat(sectors(70, 1)).isEqualTo(pattern(1, 7));
    }

    @Test
    void anErrorEndsAllOfTheQueue() {
        medium.broken.add(9L);
        queue(0x60, 1, 1, 100);
        queue(0x60, 7, 2, 8);
        queue(0x60, 3, 1, 200);
        cable.settle();
        assertThat(cable.takeTold()).containsSubsequence("take 1", "done 2", "take 3", "done 8", "take 7", "done 0");
        assertThat(disk.status()).isEqualTo(READY | Ata.ERR);
        cable.registers(0, 1, 0x10, LBA);
        cable.run(Ata.READ_LOG_EXT);
        byte[] log = cable.read();
        assertThat(log[0]).isEqualTo((byte) 7);
        assertThat(log[3]).isEqualTo((byte) Ata.UNC);
        assertThat(log[4]).isEqualTo((byte) 9);
        int sum = 0;
        for (byte each : log) {
            sum += each;
        }
        assertThat(sum & 0xff).isZero();
    }

    @Test
    void aCommandOutsideTheQueueEndsIt() {
        queue(0x60, 1, 1, 100);
        cable.takeTold();
        cable.run(Ata.FLUSH_CACHE_EXT);
        failed(Ata.ERR, Ata.ABRT);
        cable.settle();
        assertThat(cable.takeTold()).isEmpty();
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    private HardDisk copy(TestTime other) throws StateException {
        HardDisk copy = new HardDisk(other, AtaDevice.Cable.SERIAL, new TestMedium(other, medium.bytes), "SERIAL");
        return RoundTrip.check(disk, copy);
    }

    @Test
    void goesOnInTheMiddleOfReadingWords() throws StateException {
        cable.registers(0, 2, 7, LBA);
        cable.run(0x20);
        disk.readData(4);
        TestTime other = time.copy();
        HardDisk copy = copy(other);
        TestCable second = new TestCable(other, copy);
        assertThat(second.read()).isEqualTo(Arrays.copyOfRange(sectors(7, 1), 4, 512));
        assertThat(second.read()).isEqualTo(sectors(8, 1));
    }

    @Test
    void goesOnInTheMiddleOfDma() throws StateException {
        cable.registers(0, 300, 7, LBA);
        disk.command(0x25);
        time.advance(30_000);
        TestTime other = time.copy();
        HardDisk copy = copy(other);
        TestCable second = new TestCable(other, copy);
        second.settle();
        assertThat(second.take()).isEqualTo(sectors(7, 256));
        assertThat(second.take()).isEqualTo(sectors(263, 44));
        assertThat(second.takeTold()).last().isEqualTo("ended");
    }

    @Test
    void goesOnWithWhatItWrites() throws StateException {
        cable.registers(0, 2, 7, LBA);
        cable.run(0x35);
        System.arraycopy(pattern(2, 13), 0, disk.buffer(), 0, 1024);
        disk.moved(1024);
        TestTime other = time.copy();
        HardDisk copy = copy(other);
        TestCable second = new TestCable(other, copy);
        medium.bytes[7 * 512] = 0;
        second.settle();
        assertThat(sectors(7, 2)).isEqualTo(pattern(2, 13));
    }

    @Test
    void goesOnWithTheQueue() throws StateException {
        queue(0x60, 4, 1, 55);
        System.arraycopy(pattern(1, 3), 0, cable.queuedData, 0, 512);
        queue(0x61, 6, 1, 56);
        TestTime other = time.copy();
        HardDisk copy = copy(other);
        TestCable second = new TestCable(other, copy);
        second.settle();
        assertThat(second.takeTold()).containsExactly("take 4", "done 16", "done 64");
        assertThat(sectors(56, 1)).isEqualTo(pattern(1, 3));
    }

    @Test
    void impossibleStateIsRefused() {
        cable.registers(0, 2, 7, LBA);
        cable.run(0x35);
        byte[] saved = StateWriter.save(disk);
        TestTime other = time.copy();
        HardDisk small = new HardDisk(other, AtaDevice.Cable.SERIAL, new TestMedium(other, 8), "SERIAL");
        assertThatThrownBy(() -> StateReader.restore(small, saved)).isInstanceOf(StateException.class)
                .hasMessageContaining("2 sectors at 7");
    }
}
