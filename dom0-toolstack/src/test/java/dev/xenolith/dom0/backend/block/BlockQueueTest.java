package dev.xenolith.dom0.backend.block;

import static dev.xenolith.dom0.backend.block.BlockFrontend.DATA;
import static dev.xenolith.dom0.backend.block.BlockFrontend.ERROR;
import static dev.xenolith.dom0.backend.block.BlockFrontend.OKAY;
import static dev.xenolith.dom0.backend.block.BlockFrontend.SEGMENT_PAGES;
import static dev.xenolith.dom0.backend.block.BlockFrontend.UNKNOWN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.backend.block.BlockFrontend.Answer;
import dev.xenolith.dom0.backend.block.BlockFrontend.Queue;
import dev.xenolith.dom0.backend.block.BlockFrontend.Segment;
import dev.xenolith.dom0.disk.TestDisk;
import dev.xenolith.hypervisor.abi.Blkif;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Frontends that keep to the rules get what these promise. */
class BlockQueueTest {
    private static final int SECTOR = 512;

    private TestDisk image;
    private BlockFixture disk;

    @BeforeEach
    void announce() throws Exception {
        image = TestDisk.of("RAW", true);
        disk = new BlockFixture((_, _, _) -> image.open());
    }

    private BlockFrontend guest() {
        return disk.guest;
    }

    private List<Answer> ask(byte[]... requests) {
        for (byte[] request : requests) {
            disk.guest.queue().send(request);
        }
        disk.settle();
        return disk.guest.queue().answers();
    }

    private byte[] sectors(int from, int count) throws Exception {
        return Arrays.copyOfRange(image.bytes(), from * SECTOR, (from + count) * SECTOR);
    }

    private static byte[] filled(int sectors, int value) {
        byte[] bytes = new byte[sectors * SECTOR];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Test
    void offersWhatItCan() throws Exception {
        assertThat(disk.told("state")).isEqualTo("2");
        assertThat(disk.told("sectors")).isEqualTo(Integer.toString(TestDisk.SIZE / SECTOR));
        assertThat(disk.told("info")).isEqualTo("0");
        assertThat(disk.told("feature-max-indirect-segments")).isEqualTo("256");
        assertThat(disk.told("feature-discard")).isEqualTo("1");
        assertThat(disk.told("max-ring-page-order")).isEqualTo("4");
        disk.withdraw();
    }

    @ParameterizedTest
    @CsvSource({"0, false, false", "0, true, false", "0, false, true", "3, false, false", "4, true, true"})
    void whatIsWrittenIsRead(int order, boolean persistent, boolean narrow) throws Exception {
        guest().connect(1, order, persistent, narrow);
        Queue queue = guest().queue();
        assertThat(queue.slots()).isEqualTo(32 << order);
        guest().fill(0, 1);
        guest().fill(1, 2);
        guest().fill(2, 3);
        assertThat(ask(guest().direct(Blkif.OP_WRITE, 0x1122_3344_5566_7788L, 100, new Segment(DATA, 7, 7),
                Segment.of(1), new Segment(DATA + 2, 2, 4))))
                .containsExactly(new Answer(0x1122_3344_5566_7788L, Blkif.OP_WRITE, OKAY));
        assertThat(sectors(100, 1)).isEqualTo(filled(1, 1));
        assertThat(sectors(101, 8)).isEqualTo(filled(8, 2));
        assertThat(sectors(109, 3)).isEqualTo(filled(3, 3));
        assertThat(sectors(112, 1)).isEqualTo(filled(1, 0));
        guest().fill(3, 9);
        assertThat(ask(guest().direct(Blkif.OP_READ, -1, 108, new Segment(DATA + 3, 3, 4))))
                .containsExactly(new Answer(-1, Blkif.OP_READ, OKAY));
        byte[] page = new byte[4096];
        guest().data(3).read(0, page, 0, page.length);
        assertThat(Arrays.copyOfRange(page, 0, 3 * SECTOR)).isEqualTo(filled(3, 9));
        assertThat(Arrays.copyOfRange(page, 3 * SECTOR, 4 * SECTOR)).isEqualTo(filled(1, 2));
        assertThat(Arrays.copyOfRange(page, 4 * SECTOR, 5 * SECTOR)).isEqualTo(filled(1, 3));
        assertThat(Arrays.copyOfRange(page, 5 * SECTOR, page.length)).isEqualTo(filled(3, 9));
        // Around the ring, several times.
        for (int i = 0; i < 5 * queue.slots(); i++) {
            assertThat(ask(guest().direct(Blkif.OP_READ, i, i % 1000, Segment.of(i % 11))))
                    .containsExactly(new Answer(i, Blkif.OP_READ, OKAY));
        }
        assertThat(disk.hypervisor.mappedPages()).isEqualTo((1 << order) + (persistent ? 11 : 0));
        disk.withdraw();
    }

    @ParameterizedTest
    @CsvSource({"false, false", "true, true"})
    void indirectRequestsNameManySegments(boolean persistent, boolean narrow) throws Exception {
        guest().connect(1, 0, persistent, narrow);
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < 128; i++) {
            guest().fill(i, i);
            segments.add(Segment.of(i));
        }
        List<Segment> ones = new ArrayList<>();
        for (int i = 0; i < 256; i++) {
            ones.add(new Segment(DATA + 200 + i, i % 8, i % 8));
        }
        assertThat(ask(guest().indirect(Blkif.OP_WRITE, 1, 64, SEGMENT_PAGES, segments),
                guest().indirect(Blkif.OP_READ, 2, 64, SEGMENT_PAGES + 1, ones)))
                .extracting(Answer::operation, Answer::status)
                .containsExactly(tuple(Blkif.OP_WRITE), tuple(Blkif.OP_READ));
        assertThat(sectors(64 + 8 * 127, 8)).isEqualTo(filled(8, 127));
        for (int i = 0; i < 256; i++) {
            // Reported last first, the read may have come before the write or after it, but not both.
            assertThat(guest().data(200 + i).get8(i % 8 * SECTOR)).isIn(0, i / 8);
        }
        assertThat(ask(guest().indirect(Blkif.OP_READ, 3, 64, SEGMENT_PAGES + 1, ones)))
                .containsExactly(new Answer(3, Blkif.OP_READ, OKAY));
        for (int i = 0; i < 256; i++) {
            assertThat(guest().data(200 + i).get8(i % 8 * SECTOR)).isEqualTo(i / 8);
        }
        disk.withdraw();
    }

    private static Tuple tuple(int operation) {
        return Tuple.tuple(operation, OKAY);
    }

    @Test
    void answersInTheOrderOfRequests() throws Exception {
        guest().connect();
        Queue queue = guest().queue();
        Random random = new Random(1);
        for (int round = 0; round < 20; round++) {
            List<Long> expected = new ArrayList<>();
            for (long id = 0; id < 32; id++) {
                expected.add(id);
                queue.put(id % 5 == 3
                        ? guest().direct(99, id, 0)
                        : guest().direct(Blkif.OP_READ, id, id, Segment.of((int) id)));
            }
            queue.push();
            queue.signal();
            disk.hypervisor.run();
            List<Long> answered = new ArrayList<>();
            while (disk.work.size() > 0) {
                if (random.nextBoolean()) {
                    disk.work.doOne(random);
                } else {
                    disk.work.reportOne(random);
                }
                disk.hypervisor.run();
                queue.answers().forEach(answer -> answered.add(answer.id()));
                assertThat(answered).isEqualTo(expected.subList(0, answered.size()));
            }
            assertThat(answered).hasSize(32);
        }
        disk.withdraw();
    }

    @Test
    void whatWasFlushedIsThereAfterAPowerCut() throws Exception {
        guest().connect();
        guest().fill(0, 5);
        ask(guest().direct(Blkif.OP_WRITE, 1, 10, Segment.of(0)));
        ask(guest().flush(2));
        assertThat(Arrays.copyOfRange(image.afterwards(new Random(0), true).bytes(), 10 * SECTOR, 18 * SECTOR))
                .isEqualTo(filled(8, 5));
        // A flush may write, too.
        assertThat(ask(guest().direct(Blkif.OP_FLUSH_DISKCACHE, 3, 20, Segment.of(0))))
                .containsExactly(new Answer(3, Blkif.OP_FLUSH_DISKCACHE, OKAY));
        assertThat(Arrays.copyOfRange(image.afterwards(new Random(0), true).bytes(), 20 * SECTOR, 28 * SECTOR))
                .isEqualTo(filled(8, 5));
        disk.withdraw();
    }

    @Test
    void aBarrierComesAfterWhatIsBeforeItAndBeforeWhatIsAfter() throws Exception {
        guest().connect();
        Queue queue = guest().queue();
        for (int i = 0; i < 4; i++) {
            guest().fill(i, i + 1);
        }
        queue.send(guest().direct(Blkif.OP_WRITE, 0, 0, Segment.of(0)));
        queue.send(guest().direct(Blkif.OP_WRITE, 1, 8, Segment.of(1)));
        queue.send(guest().direct(Blkif.OP_WRITE_BARRIER, 2, 0, Segment.of(2)));
        queue.send(guest().direct(Blkif.OP_WRITE, 3, 0, Segment.of(3)));
        queue.send(guest().direct(99, 4, 0));
        assertThat(disk.work.size()).isEqualTo(2);
        Random random = new Random(1);
        disk.work.doOne(random);
        disk.work.reportOne(random);
        disk.hypervisor.run();
        assertThat(disk.work.size()).isEqualTo(1);
        disk.work.doOne(random);
        disk.work.reportOne(random);
        disk.hypervisor.run();
        assertThat(queue.answers()).hasSize(2);
        assertThat(disk.work.size()).isEqualTo(1);
        disk.work.doOne(random);
        assertThat(image.afterwards(random, true).bytes()).startsWith(filled(8, 3)).containsSequence(filled(8, 2));
        disk.work.reportOne(random);
        disk.hypervisor.run();
        assertThat(queue.answers()).containsExactly(new Answer(2, Blkif.OP_WRITE_BARRIER, OKAY));
        disk.settle();
        assertThat(queue.answers()).containsExactly(new Answer(3, Blkif.OP_WRITE, OKAY), new Answer(4, 99, UNKNOWN));
        assertThat(sectors(0, 8)).isEqualTo(filled(8, 4));
        disk.withdraw();
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void discards(boolean narrow) throws Exception {
        guest().connect(1, 0, false, narrow);
        guest().fill(0, 5);
        ask(guest().direct(Blkif.OP_WRITE, 1, 8, Segment.of(0)), guest().direct(Blkif.OP_WRITE, 1, 16, Segment.of(0)));
        assertThat(ask(guest().discard(2, 0, 12, 8), guest().discard(3, 1, 8, 1), guest().discard(4, 0, 8, 0)))
                .extracting(Answer::status).containsExactly(OKAY, UNKNOWN, OKAY);
        assertThat(sectors(8, 4)).isEqualTo(filled(4, 5));
        assertThat(sectors(12, 8)).isEqualTo(filled(8, 0));
        assertThat(sectors(20, 4)).isEqualTo(filled(4, 5));
        disk.withdraw();
    }

    @Test
    void aReadOnlyDiskIsNotChanged() throws Exception {
        disk.withdraw();
        disk = new BlockFixture((_, _, readOnly) -> readOnly ? image.openReadOnly() : image.open(), "r");
        assertThat(disk.told("info")).isEqualTo(Integer.toString(Blkif.VDISK_READONLY));
        assertThat(disk.told("feature-discard")).isEmpty();
        guest().connect();
        guest().fill(0, 5);
        assertThat(ask(guest().direct(Blkif.OP_WRITE, 1, 0, Segment.of(0)),
                guest().direct(Blkif.OP_WRITE_BARRIER, 2, 0, Segment.of(0)),
                guest().direct(Blkif.OP_FLUSH_DISKCACHE, 3, 0, Segment.of(0)), guest().discard(4, 0, 0, 8),
                guest().indirect(Blkif.OP_WRITE, 5, 0, SEGMENT_PAGES, List.of(Segment.of(0))), guest().flush(6),
                guest().direct(Blkif.OP_READ, 7, 0, Segment.of(0)))).extracting(Answer::status)
                .containsExactly(ERROR, ERROR, ERROR, ERROR, ERROR, OKAY, OKAY);
        assertThat(guest().data(0).get64(0)).isZero();
        assertThat(image.bytes()).containsOnly(0);
        disk.withdraw();
    }

    @Test
    void rings() throws Exception {
        guest().connect(4, 1, false, false);
        assertThat(disk.told("state")).isEqualTo("4");
        for (int i = 0; i < 4; i++) {
            guest().fill(i, i + 1);
            for (int n = 0; n < 10; n++) {
                guest().queue(i).send(guest().direct(Blkif.OP_WRITE, 100 * i + n, 80L * i + 8 * n, Segment.of(i)));
            }
        }
        // A barrier of one holds up nobody else.
        guest().queue(0).send(guest().direct(Blkif.OP_WRITE_BARRIER, 10, 0, Segment.of(0)));
        guest().queue(1).send(guest().direct(Blkif.OP_READ, 110, 0, Segment.of(9)));
        assertThat(disk.work.size()).isEqualTo(41);
        disk.settle();
        for (int i = 0; i < 4; i++) {
            int ring = i;
            assertThat(guest().queue(i).answers()).hasSize(i < 2 ? 11 : 10).allMatch(a -> a.status() == OKAY)
                    .allMatch(a -> a.id() / 100 == ring).isSortedAccordingTo((a, b) -> Long.compare(a.id(), b.id()));
            assertThat(sectors(80 * i, 80)).isEqualTo(filled(80, i + 1));
        }
        disk.withdraw();
    }

    @Test
    void keepsABoundedNumberOfPersistentGrants() throws Exception {
        guest().connect(1, 0, true, false);
        for (int page = 0; page < BlockFrontend.PAGES; page++) {
            guest().fill(page, page);
            assertThat(ask(guest().direct(Blkif.OP_WRITE, page, page, new Segment(DATA + page, 0, 0))))
                    .containsExactly(new Answer(page, Blkif.OP_WRITE, OKAY));
        }
        assertThat(disk.hypervisor.mappedPages()).isEqualTo(1 + 1056);
        for (int page = 0; page < BlockFrontend.PAGES; page++) {
            assertThat(image.bytes()[page * SECTOR]).isEqualTo((byte) page);
        }
        disk.withdraw();
    }

    @Test
    void aRingFullOfLargeRequestsIsTakenByAndBy() throws Exception {
        guest().connect();
        Queue queue = guest().queue();
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < 128; i++) {
            segments.add(Segment.of(i));
        }
        byte[] mostly = guest().indirect(Blkif.OP_READ, 7, 0, SEGMENT_PAGES, segments);
        for (int i = 0; i < queue.slots(); i++) {
            queue.put(mostly);
        }
        queue.push();
        queue.signal();
        disk.hypervisor.run();
        // 4 MiB of half mebibytes.
        assertThat(disk.work.size()).isEqualTo(8);
        disk.settle();
        assertThat(queue.answers()).hasSize(queue.slots()).allMatch(answer -> answer.status() == OKAY);
        disk.withdraw();
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "3", "6", "8"})
    void aBackendThatComesBackAnswersWhatWasNotAnswered(int done) throws Exception {
        guest().connect(1, 1, true, false);
        Queue queue = guest().queue();
        Random random = new Random(done);
        queue.send(guest().flush(99));
        disk.settle();
        for (int i = 0; i < 8; i++) {
            guest().fill(i, i + 1);
            queue.send(guest().direct(Blkif.OP_WRITE, i, 8L * i, Segment.of(i)));
        }
        for (int i = 0; i < done; i++) {
            disk.work.doOne(random);
        }
        // The answer to the first waits for nobody; all others do, if it is not there.
        disk.work.reportOne(random);
        disk.hypervisor.run();
        List<Long> before = queue.answers().stream().map(Answer::id).toList();
        disk.die();
        assertThat(disk.told("state")).isNotEqualTo("6");
        queue.send(guest().direct(Blkif.OP_READ, 8, 0, Segment.of(20)));
        assertThat(queue.answers()).isEmpty();
        disk.comeBack();
        disk.settle();
        List<Long> all = new ArrayList<>(before);
        queue.answers().forEach(answer -> all.add(answer.id()));
        assertThat(all).containsExactly(99L, 0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L);
        for (int i = 0; i < 8; i++) {
            assertThat(sectors(8 * i, 8)).isEqualTo(filled(8, i + 1));
        }
        disk.withdraw();
    }

    /** What a frontend before has asked for cannot come after what the next one is told is written. */
    @Test
    void aFrontendThatComesAnewWaitsForWhatTheOneBeforeHasBegun() throws Exception {
        guest().connect();
        guest().fill(0, 1);
        guest().queue().send(guest().direct(Blkif.OP_WRITE, 1, 0, Segment.of(0)));
        guest().become(6);
        disk.assertLetGo();
        assertThat(disk.told("state")).isEqualTo("6");
        guest().become(1);
        guest().connect();
        guest().fill(0, 2);
        Queue queue = guest().queue();
        queue.send(guest().direct(Blkif.OP_WRITE, 2, 0, Segment.of(0)));
        assertThat(disk.work.size()).isEqualTo(1);
        disk.settle();
        assertThat(disk.told("state")).isEqualTo("4");
        assertThat(queue.answers()).containsExactly(new Answer(2, Blkif.OP_WRITE, OKAY));
        assertThat(sectors(0, 8)).isEqualTo(filled(8, 2));
        disk.withdraw();
    }
}
