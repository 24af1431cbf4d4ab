package dev.xenolith.dom0.backend.block;

import static dev.xenolith.dom0.backend.block.BlockFrontend.ERROR;
import static dev.xenolith.dom0.backend.block.BlockFrontend.OKAY;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.xenolith.dom0.backend.block.BlockFrontend.Answer;
import dev.xenolith.dom0.backend.block.BlockFrontend.Segment;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImage;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.NewDisk;
import dev.xenolith.dom0.disk.OpenMode;
import dev.xenolith.dom0.disk.TestDisk;
import dev.xenolith.hypervisor.abi.Blkif;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is below a disk fails: its frontend is told, the log says what and why once, and it goes on when it can. */
class FailingImageTest {
    private static final int LAST = TestDisk.SIZE / 512 - 8;
    private static final int MEBIBYTE = 1 << 20;

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private long nextId = 1;

    @TempDir
    private Path directory = Path.of("");

    @BeforeEach
    void listen() {
        log.start();
        ((Logger) BlockBackend.LOG).addAppender(log);
    }

    @AfterEach
    void stopListening() {
        ((Logger) BlockBackend.LOG).detachAppender(log);
    }

    private List<String> logged() {
        return log.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    private int ask(BlockFixture disk, int operation, long sector) {
        long id = nextId++;
        BlockFrontend guest = disk.guest;
        guest.queue().send(switch (operation) {
            case Blkif.OP_FLUSH_DISKCACHE -> guest.flush(id);
            case Blkif.OP_DISCARD -> guest.discard(id, 0, sector, 8);
            default -> guest.direct(operation, id, sector, Segment.of(0));
        });
        disk.settle();
        Answer answer = guest.queue().answers().getFirst();
        assertThat(answer.id()).isEqualTo(id);
        return answer.status();
    }

    @ParameterizedTest
    @ValueSource(strings = {"RAW", "QCOW2_512", "QCOW2_4K", "QCOW2_64K", "VHD_4K", "VHD_2M"})
    void aFileSystemThatIsFullHasRoomAgain(String layout) throws Exception {
        TestDisk image = TestDisk.of(layout, true);
        BlockFixture disk = new BlockFixture((_, _, _) -> image.open());
        disk.guest.connect();
        disk.guest.fill(0, 7);
        assertThat(ask(disk, Blkif.OP_WRITE, 0)).isEqualTo(OKAY);
        assertThat(ask(disk, Blkif.OP_FLUSH_DISKCACHE, 0)).isEqualTo(OKAY);
        image.leaveRoom(0);
        int refused = 0;
        for (int i = 1; i <= 200; i++) {
            int status = ask(disk, Blkif.OP_WRITE, LAST - 6 * (i % 100));
            assertThat(status).isIn(OKAY, ERROR);
            refused += status == ERROR ? 1 : 0;
        }
        assertThat(refused).isPositive();
        assertThat(logged()).hasSize(1).first().asString().contains("qdisk-1-51712", "writing fails: ", layout,
                "No space left on device");
        // What is there may be read.
        assertThat(ask(disk, Blkif.OP_READ, 0)).isEqualTo(OKAY);
        assertThat(disk.guest.data(0).get8(4095)).isEqualTo(7);
        image.leaveAllRoom();
        disk.guest.fill(0, 8);
        assertThat(ask(disk, Blkif.OP_WRITE, LAST)).isEqualTo(OKAY);
        assertThat(ask(disk, Blkif.OP_FLUSH_DISKCACHE, 0)).isEqualTo(OKAY);
        disk.withdraw();
        assertThat(image.errors()).isEmpty();
        assertThat(image.bytes()[TestDisk.SIZE - 1]).isEqualTo((byte) 8);
        assertThat(image.bytes()[0]).isEqualTo((byte) 7);
    }

    private BlockFixture onFile(DiskFormat format, Path file) throws Exception {
        ImageLocks locks = new ImageLocks();
        DiskImages.create(file, NewDisk.of(format, MEBIBYTE), false, locks);
        BlockFixture disk = new BlockFixture((_, _, _) -> DiskImages.open(file, format, OpenMode.READ_WRITE, locks));
        disk.guest.connect();
        disk.guest.fill(0, 7);
        assertThat(ask(disk, Blkif.OP_WRITE, 0)).isEqualTo(OKAY);
        assertThat(ask(disk, Blkif.OP_WRITE, 2040)).isEqualTo(OKAY);
        assertThat(ask(disk, Blkif.OP_FLUSH_DISKCACHE, 0)).isEqualTo(OKAY);
        return disk;
    }

    @ParameterizedTest
    @CsvSource({"RAW, 0", "RAW, 600000", "QCOW2, 0", "QCOW2, 100", "QCOW2, 200000", "VHD, 0", "VHD, 600", "VHD, 1000"})
    void aFileThatIsCutOffIsAnError(DiskFormat format, long length) throws Exception {
        Path file = directory.resolve("disk");
        BlockFixture disk = onFile(format, file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(length);
        }
        for (int i = 0; i < 50; i++) {
            assertThat(ask(disk, Blkif.OP_READ, 0))
                    .isEqualTo(length == 600_000 && format != DiskFormat.RAW ? OKAY : ERROR);
            assertThat(ask(disk, Blkif.OP_READ, 2040)).isEqualTo(ERROR);
            assertThat(ask(disk, Blkif.OP_WRITE, 2040)).isEqualTo(ERROR);
            // What a flush has to do depends on what was changed.
            assertThat(ask(disk, Blkif.OP_FLUSH_DISKCACHE, 0)).isIn(OKAY, ERROR);
            assertThat(ask(disk, Blkif.OP_DISCARD, 0)).isIn(OKAY, ERROR);
        }
        assertThat(logged()).allMatch(line -> line.contains(file.toString())).hasSizeBetween(2, 6);
        assertThat(disk.told("state")).isEqualTo("4");
        disk.withdraw();
    }

    @ParameterizedTest
    @EnumSource
    @EnabledOnOs(OS.LINUX)
    void aFileThatIsDeletedTakesNoFlush(DiskFormat format) throws Exception {
        Path file = directory.resolve("disk");
        BlockFixture disk = onFile(format, file);
        Path moved = directory.resolve("moved");
        Files.move(file, moved);
        assertThat(ask(disk, Blkif.OP_WRITE, 0)).isEqualTo(OKAY);
        assertThat(ask(disk, Blkif.OP_FLUSH_DISKCACHE, 0)).isEqualTo(OKAY);
        assertThat(logged()).isEmpty();
        Files.delete(moved);
        for (int i = 0; i < 20; i++) {
            assertThat(ask(disk, Blkif.OP_WRITE, 0)).isEqualTo(OKAY);
            assertThat(ask(disk, Blkif.OP_READ, 2040)).isEqualTo(OKAY);
            assertThat(ask(disk, Blkif.OP_FLUSH_DISKCACHE, 0)).isEqualTo(ERROR);
        }
        assertThat(logged()).hasSize(1).first().asString().contains("flushing fails: " + file,
                "the file has been deleted");
        disk.withdraw();
        assertThat(logged()).hasSize(2).last().asString().contains("closing it failed", "deleted");
    }

    @Test
    void anImageThatThrowsAnythingFailsTheRequest() throws Exception {
        TestDisk image = TestDisk.of("RAW", true);
        boolean[] broken = {false};
        long[] failures = {0};
        BlockFixture disk = new BlockFixture((_, _, _) -> {
            DiskImage below = image.open();
            return (DiskImage) Proxy.newProxyInstance(DiskImage.class.getClassLoader(), new Class<?>[]{DiskImage.class},
                    (_, method, arguments) -> {
                        if (broken[0] && !method.getName().equals("file") && !method.getName().equals("close")) {
                            if (failures[0]++ % 2 == 0) {
                                throw new IllegalStateException("metadata " + failures[0]);
                            }
                            throw new IOException();
                        }
                        try {
                            return method.invoke(below, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        });
        disk.guest.connect();
        broken[0] = true;
        for (int i = 0; i < 100; i++) {
            assertThat(ask(disk, Blkif.OP_READ, 0)).isEqualTo(ERROR);
        }
        // Each message is another one: their number has an end.
        assertThat(logged()).hasSize(16).allMatch(line -> line.contains("RAW")).last().asString()
                .endsWith("nor is any other failure");
        broken[0] = false;
        assertThat(ask(disk, Blkif.OP_READ, 0)).isEqualTo(OKAY);
        disk.withdraw();
    }
}
