package dev.xenolith.dom0.backend.block;

import static dev.xenolith.dom0.backend.block.BlockFrontend.DATA;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.backend.block.BlockFrontend.Answer;
import dev.xenolith.dom0.backend.block.BlockFrontend.Queue;
import dev.xenolith.dom0.backend.block.BlockFrontend.Segment;
import dev.xenolith.dom0.disk.TestDisk;
import dev.xenolith.hypervisor.abi.Blkif;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A frontend that does anything that is right, and some that is not, at random, while the host does and reports things in any order, and
 * the backend's domain dies and comes back: each request is answered once, in order, with the right status, and the disk holds what a model
 * says.
 */
class RandomBlockFrontendTest {
    private static final int SECTOR = 512;
    private static final int SECTORS = TestDisk.SIZE / SECTOR;
    private static final int STEPS = 3000;
    private static final int MOST_SEGMENTS = 64;

    /** A request without an answer: what it is to be answered, and what a read is to find. */
    private record Expected(long id, int operation, int status, int sector, byte[] content, List<Segment> segments,
            int firstPage, int pages) {
    }

    private final byte[] model = new byte[TestDisk.SIZE];
    /** Sectors and pages of requests without an answer: of two at a time none says which is first. */
    private final BitSet busySectors = new BitSet();
    private final BitSet busyPages = new BitSet();
    private final List<ArrayDeque<Expected>> expected = new ArrayList<>();
    private Random random = new Random(0);
    /** Whether what was discarded reads as zeroes: elsewhere parts of clusters and blocks may stay. */
    private boolean zeroes;
    private long nextId = 1;
    private int answered;
    private int errors;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void holdsWhatTheModelHolds(long seed) throws Exception {
        random = new Random(seed);
        String layout = List.of("RAW", "QCOW2_4K", "VHD_4K", "QCOW2_512").get((int) seed % 4);
        TestDisk image = TestDisk.of(layout, true);
        zeroes = layout.equals("RAW");
        BlockFixture disk = new BlockFixture((_, _, _) -> image.open());
        int queues = 1 + random.nextInt(3);
        int order = random.nextInt(3);
        boolean persistent = random.nextBoolean();
        disk.guest.connect(queues, order, persistent, random.nextBoolean());
        for (int i = 0; i < queues; i++) {
            expected.add(new ArrayDeque<>());
        }
        int deaths = 0;
        for (int step = 0; step < STEPS; step++) {
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> send(disk.guest, random.nextInt(queues));
                case 3, 4 -> disk.work.doOne(random);
                case 5, 6 -> disk.work.reportOne(random);
                default -> disk.guest.queue(random.nextInt(queues)).signal();
            }
            disk.hypervisor.run();
            take(disk.guest);
            if (random.nextInt(300) == 0) {
                disk.die();
                deaths++;
                // It sends on, and nobody sees it.
                for (int i = random.nextInt(5); i > 0; i--) {
                    send(disk.guest, random.nextInt(queues));
                }
                disk.comeBack();
                assertThat(disk.told("state")).isEqualTo("4");
                take(disk.guest);
            }
            assertThat(disk.hypervisor.mappedPages()).isBetween((long) queues << order,
                    ((long) queues << order) + (persistent ? queues * 1056L : 0));
        }
        for (int i = 0; i < queues; i++) {
            disk.guest.queue(i).signal();
        }
        disk.settle();
        take(disk.guest);
        assertThat(expected).allMatch(ArrayDeque::isEmpty);
        assertThat(answered).isGreaterThan(STEPS / 6);
        assertThat(errors).isPositive();
        assertThat(deaths).isPositive();
        disk.withdraw();
        assertThat(Arrays.equals(image.bytes(), model)).as("the disk holds what the model holds").isTrue();
        assertThat(image.errors()).isEmpty();
    }

    /** Sends a request whose sectors and pages nobody else uses, if some are found. */
    private void send(BlockFrontend guest, int number) {
        Queue queue = guest.queue(number);
        if (queue.full()) {
            return;
        }
        long id = nextId++;
        int operation = new int[]{Blkif.OP_READ, Blkif.OP_READ, Blkif.OP_READ, Blkif.OP_WRITE, Blkif.OP_WRITE,
            Blkif.OP_WRITE, Blkif.OP_WRITE_BARRIER, Blkif.OP_FLUSH_DISKCACHE, 99,
            Blkif.OP_DISCARD}[random.nextInt(zeroes ? 10 : 9)];
        if (operation == 99) {
            expect(number, new Expected(id, 99, BlockFrontend.UNKNOWN, 0, new byte[0], List.of(), 0, 0));
            queue.put(guest.direct(99, id, 0));
        } else if (operation == Blkif.OP_FLUSH_DISKCACHE) {
            expect(number, new Expected(id, operation, BlockFrontend.OKAY, 0, new byte[0], List.of(), 0, 0));
            queue.put(guest.flush(id));
        } else if (!sendData(guest, number, id, operation)) {
            return;
        }
        queue.push();
        if (random.nextInt(4) != 0) {
            queue.signal();
        }
    }

    private boolean sendData(BlockFrontend guest, int number, long id, int operation) {
        boolean indirect = operation <= Blkif.OP_WRITE && random.nextBoolean();
        int count = 1 + random.nextInt(indirect ? MOST_SEGMENTS : 11);
        int firstPage = random.nextInt(BlockFrontend.PAGES - count);
        List<Segment> segments = new ArrayList<>();
        int sectors = 0;
        for (int i = 0; i < count; i++) {
            int first = random.nextInt(8);
            int last = first + random.nextInt(8 - first);
            segments.add(new Segment(DATA + firstPage + i, first, last));
            sectors += last - first + 1;
        }
        int sector = random.nextInt(SECTORS);
        if (!busyPages.get(firstPage, firstPage + count).isEmpty()
                || !busySectors.get(sector, Math.min(SECTORS, sector + sectors)).isEmpty()) {
            return false;
        }
        int status = sector + sectors <= SECTORS ? BlockFrontend.OKAY : BlockFrontend.ERROR;
        byte[] content = new byte[sectors * SECTOR];
        if (operation == Blkif.OP_WRITE || operation == Blkif.OP_WRITE_BARRIER) {
            random.nextBytes(content);
        }
        byte[] request;
        if (operation == Blkif.OP_DISCARD) {
            segments = List.of();
            request = guest.discard(id, 0, sector, sectors);
        } else {
            request = indirect
                    ? guest.indirect(operation, id, sector, BlockFrontend.SEGMENT_PAGES + (int) id, segments)
                    : guest.direct(operation, id, sector, segments.toArray(new Segment[0]));
            copy(guest, segments, content, true);
        }
        if (status == BlockFrontend.OKAY) {
            if (operation == Blkif.OP_READ) {
                System.arraycopy(model, sector * SECTOR, content, 0, content.length);
            } else {
                System.arraycopy(content, 0, model, sector * SECTOR, content.length);
            }
        }
        busyPages.set(firstPage, firstPage + count);
        busySectors.set(sector, Math.min(SECTORS, sector + sectors));
        expect(number, new Expected(id, operation, status, sector, content, segments, firstPage, count));
        guest.queue(number).put(request);
        return true;
    }

    private void expect(int number, Expected request) {
        expected.get(number).add(request);
    }

    /** Copies to pages, or from there. */
    private static void copy(BlockFrontend guest, List<Segment> segments, byte[] content, boolean toPages) {
        int at = 0;
        for (Segment segment : segments) {
            int length = (segment.last() - segment.first() + 1) * SECTOR;
            var page = guest.data(segment.reference() - DATA);
            if (toPages) {
                page.write(segment.first() * SECTOR, content, at, length);
            } else {
                page.read(segment.first() * SECTOR, content, at, length);
            }
            at += length;
        }
    }

    private void take(BlockFrontend guest) {
        for (int i = 0; i < expected.size(); i++) {
            for (Answer answer : guest.queue(i).answers()) {
                Expected request = expected.get(i).remove();
                answered++;
                assertThat(answer).isEqualTo(new Answer(request.id, request.operation, request.status));
                if (request.status != BlockFrontend.OKAY) {
                    errors++;
                } else if (request.operation == Blkif.OP_READ) {
                    byte[] found = new byte[request.content.length];
                    copy(guest, request.segments, found, false);
                    assertThat(Arrays.equals(found, request.content)).as("what request %s has read", request.id)
                            .isTrue();
                }
                if (request.content.length > 0) {
                    int sectors = request.content.length / SECTOR;
                    busySectors.clear(request.sector, Math.min(SECTORS, request.sector + sectors));
                    busyPages.clear(request.firstPage, request.firstPage + request.pages);
                }
            }
        }
    }
}
