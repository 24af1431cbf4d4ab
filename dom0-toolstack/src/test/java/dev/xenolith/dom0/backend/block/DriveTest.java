package dev.xenolith.dom0.backend.block;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.backend.block.DriveFixture.Answer;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.NewDisk;
import dev.xenolith.dom0.disk.OpenMode;
import dev.xenolith.hypervisor.abi.Blkif;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DriveTest {
    private static final int SECTOR = 512;

    @TempDir
    private Path directory = Path.of("");
    private String red = "";
    private String green = "";

    @BeforeEach
    void burn() throws IOException {
        red = burn("red.iso", 8, 1);
        green = burn("green.iso", 16, 2);
    }

    private String burn(String name, int sectors, int content) throws IOException {
        byte[] bytes = new byte[sectors * SECTOR];
        Arrays.fill(bytes, (byte) content);
        return "aio:" + Files.write(directory.resolve(name), bytes);
    }

    /** Whether nobody has an image open: then it may be written to. */
    private boolean isFree(DriveFixture drive, String name) throws IOException {
        try {
            DiskImages.open(directory.resolve(name), DiskFormat.RAW, OpenMode.READ_WRITE, drive.locks).close();
            return true;
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("in use");
            return false;
        }
    }

    @Test
    void mediaComeAndGo() throws Exception {
        DriveFixture drive = new DriveFixture(red);
        assertThat(drive.told("info")).isEqualTo(
                Integer.toString(Blkif.VDISK_CDROM | Blkif.VDISK_REMOVABLE | Blkif.VDISK_READONLY));
        assertThat(drive.told("sectors")).isEqualTo("8");
        drive.connect();
        assertThat(drive.read(7)).isEqualTo(1);
        assertThat(drive.read(8)).isEqualTo(-1);

        drive.ask(green);
        drive.settle();
        assertThat(drive.told("medium")).isEqualTo(green);
        assertThat(drive.told("sectors")).isEqualTo("16");
        assertThat(drive.takeStateWrites()).isEqualTo(1);
        assertThat(drive.read(8)).isEqualTo(2);
        assertThat(isFree(drive, "red.iso")).isTrue();
        assertThat(isFree(drive, "green.iso")).isFalse();

        drive.ask("");
        drive.settle();
        assertThat(drive.told("medium")).isEmpty();
        assertThat(drive.told("media-present")).isEqualTo("0");
        assertThat(drive.told("sectors")).isEqualTo("0");
        assertThat(drive.takeStateWrites()).isEqualTo(1);
        assertThat(drive.read(0)).isEqualTo(-1);
        drive.request(Blkif.OP_FLUSH_DISKCACHE, 1, 0);
        drive.request(250, 2, 0);
        assertThat(drive.answers()).containsExactly(new Answer(1, DriveFixture.ERROR),
                new Answer(2, DriveFixture.ERROR));
        assertThat(isFree(drive, "green.iso")).isTrue();

        drive.ask(red);
        drive.settle();
        assertThat(drive.told("media-present")).isEqualTo("1");
        assertThat(drive.read(0)).isEqualTo(1);
        drive.withdraw();
        assertThat(isFree(drive, "red.iso")).isTrue();
    }

    @Test
    void anEmptyDriveConnectsAndTakesAMediumOfAnyFormat() throws Exception {
        DriveFixture drive = new DriveFixture("");
        assertThat(drive.told("state")).isEqualTo("2");
        assertThat(drive.told("sectors")).isEqualTo("0");
        assertThat(drive.told("info")).isEqualTo(
                Integer.toString(Blkif.VDISK_CDROM | Blkif.VDISK_REMOVABLE | Blkif.VDISK_READONLY));
        drive.connect();
        assertThat(drive.read(0)).isEqualTo(-1);
        Path image = directory.resolve("blue.qcow2");
        DiskImages.create(image, NewDisk.of(DiskFormat.QCOW2, 1 << 20), false, drive.locks);
        try (var open = DiskImages.open(image, DiskFormat.QCOW2, OpenMode.READ_WRITE, drive.locks)) {
            open.write(SECTOR, ByteBuffer.wrap(new byte[]{3}));
        }
        drive.ask("qcow2:" + image);
        drive.settle();
        assertThat(drive.told("sectors")).isEqualTo("2048");
        assertThat(drive.read(1)).isEqualTo(3);
        drive.withdraw();
    }

    @Test
    void requestsUnderWayHaveTheirMediumUntilTheyAreDone() throws Exception {
        DriveFixture drive = new DriveFixture(red);
        drive.connect();
        drive.request(Blkif.OP_READ, 1, 0);
        drive.ask("");
        // The file has not answered the request yet: the medium is gone for what comes now, and open for what came before.
        drive.request(Blkif.OP_READ, 2, 0);
        assertThat(drive.answers()).isEmpty();
        assertThat(drive.told("medium")).isEqualTo(red);
        assertThat(isFree(drive, "red.iso")).isFalse();
        assertThat(drive.answerFile()).isTrue();
        assertThat(drive.answers()).containsExactly(new Answer(1, DriveFixture.OKAY),
                new Answer(2, DriveFixture.ERROR));
        assertThat(drive.told("medium")).isEqualTo(red);
        drive.settle();
        assertThat(drive.told("medium")).isEmpty();
        assertThat(isFree(drive, "red.iso")).isTrue();
        drive.withdraw();
    }

    @Test
    void whatCannotBePutInChangesNothing() throws Exception {
        DriveFixture drive = new DriveFixture(red);
        drive.connect();
        drive.ask("aio:" + directory.resolve("none.iso"));
        drive.settle();
        assertThat(drive.told("medium-error")).contains("none.iso").contains("No such file");
        assertThat(drive.told("medium")).isEqualTo(red);
        assertThat(drive.read(0)).isEqualTo(1);
        // The toolstack takes its question back, and asks again.
        drive.ask(red);
        drive.settle();
        try (var writer = DiskImages.open(directory.resolve("green.iso"), DiskFormat.RAW, OpenMode.READ_WRITE,
                drive.locks)) {
            drive.ask(green);
            drive.settle();
            assertThat(drive.told("medium-error")).contains("in use");
            assertThat(writer.readOnly()).isFalse();
        }
        drive.ask("qed:x");
        drive.settle();
        assertThat(drive.told("medium-error")).isEqualTo("params 'qed:x' does not begin with a format");
        assertThat(drive.takeStateWrites()).isZero();
        drive.ask(green);
        drive.settle();
        assertThat(drive.read(15)).isEqualTo(2);
        drive.withdraw();
    }

    @Test
    void aDriveIsTakenBackWhileItsMediumChanges() throws Exception {
        DriveFixture drive = new DriveFixture(red);
        drive.connect();
        drive.ask(green);
        drive.withdraw();
        assertThat(isFree(drive, "red.iso")).isTrue();
        assertThat(isFree(drive, "green.iso")).isTrue();
    }

    @Test
    void ofSeveralWishesTheLastCounts() throws Exception {
        DriveFixture drive = new DriveFixture(red);
        drive.ask(green);
        drive.ask("");
        drive.ask(green);
        drive.ask("");
        drive.settle();
        assertThat(drive.told("medium")).isEmpty();
        assertThat(isFree(drive, "green.iso")).isTrue();
        drive.withdraw();
    }
}
