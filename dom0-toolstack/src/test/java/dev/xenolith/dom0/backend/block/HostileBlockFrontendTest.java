package dev.xenolith.dom0.backend.block;

import static dev.xenolith.dom0.backend.block.BlockFrontend.BAD;
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
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.hypervisor.abi.Blkif;
import dev.xenolith.hypervisor.abi.Ring;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frontends that lie: each is answered with an error or ends its own connection, harms nobody, and leaves nothing behind. */
class HostileBlockFrontendTest {
    private static final int SECTORS = TestDisk.SIZE / 512;

    private TestDisk image;
    private BlockFixture disk;

    @BeforeEach
    void announce() throws Exception {
        image = TestDisk.of("RAW", true);
        disk = new BlockFixture((_, _, _) -> image.open());
    }

    @ParameterizedTest
    @ValueSource(ints = {33, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE, -1})
    void anIndexThatCannotBeEndsTheConnection(int ahead) throws Exception {
        disk.guest.connect();
        Queue queue = disk.guest.queue();
        queue.send(disk.guest.flush(1));
        disk.settle();
        queue.send(disk.guest.direct(Blkif.OP_READ, 2, 0, Segment.of(0)));
        queue.head().put32(Ring.REQ_PROD, 1 + ahead);
        queue.signal();
        disk.hypervisor.run();
        assertThat(disk.told("error")).contains("the frontend's request index is not one that its ring can have");
        assertThat(disk.told("state")).isEqualTo("5");
        disk.assertLetGo();
        // What the host has begun is done, and reported to nobody.
        disk.settle();
        assertThat(queue.answers()).hasSize(1);
        queue.signal();
        disk.settle();
        // Who closes and comes anew is served anew.
        disk.guest.become(6);
        disk.guest.become(1);
        disk.guest.connect();
        disk.guest.queue().send(disk.guest.flush(3));
        disk.settle();
        assertThat(disk.guest.queue().answers()).hasSize(1);
        disk.withdraw();
    }

    @Test
    void aLieOfOneRingEndsAll() throws Exception {
        disk.guest.prepare(3, 0, true, false);
        disk.guest.queue(1).head().put32(Ring.REQ_PROD, -5);
        disk.guest.become(4);
        assertThat(disk.told("state")).isEqualTo("5");
        disk.assertLetGo();
        disk.withdraw();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"protocol | m68k-abi | neither x86_64-abi nor x86_32-abi",
        "multi-queue-num-queues | 5 | wants 5 rings, 4 are the most", "multi-queue-num-queues | 0 | wants 0 rings",
        "multi-queue-num-queues | 9999999999 | wants 9999999999 rings",
        "multi-queue-num-queues | 2 | does not say where queue-0/ring-ref is",
        "ring-page-order | 5 | ring of order 5, 4 is the largest",
        "ring-page-order | 2 | does not say where ring-ref is",
        "ring-ref | 77 | cannot be mapped", "ring-ref | -1 | does not say where ring-ref is",
        "ring-ref | 4294967296 | does not say where ring-ref is", "ring-ref | x | does not say where ring-ref is",
        "event-channel | 5000 | cannot be bound", "event-channel | 9999999999 | names no event-channel",
        "event-channel | x | names no event-channel"})
    void whatCannotBeConnectedIsRefused(String node, String value, String message) throws Exception {
        disk.guest.prepare(1, 0, false, false);
        disk.guest.write(node, value);
        disk.guest.become(4);
        assertThat(disk.told("error")).contains(message);
        assertThat(disk.told("state")).isEqualTo("5");
        disk.assertLetGo();
        disk.withdraw();
    }

    @Test
    void aSecondRingThatCannotBeMappedTakesTheFirstWithIt() throws Exception {
        disk.guest.prepare(2, 1, false, false);
        disk.guest.write("queue-1/ring-ref1", "77");
        disk.guest.become(4);
        assertThat(disk.told("error")).contains("cannot be mapped");
        disk.assertLetGo();
        disk.withdraw();
    }

    @ParameterizedTest
    @CsvSource({"false, false", "true, false", "false, true"})
    void badRequestsAreAnsweredWithAnError(boolean persistent, boolean narrow) throws Exception {
        BlockFrontend guest = disk.guest;
        guest.connect(1, 0, persistent, narrow);
        Segment good = Segment.of(0);
        List<Segment> full = Collections.nCopies(256, good);
        List<byte[]> bad = new ArrayList<>();
        for (int operation : new int[]{Blkif.OP_READ, Blkif.OP_WRITE, Blkif.OP_WRITE_BARRIER,
            Blkif.OP_FLUSH_DISKCACHE}) {
            for (long sector : new long[]{SECTORS, SECTORS - 7, -1, -8, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 55}) {
                bad.add(guest.direct(operation, 0, sector, good));
            }
            bad.add(guest.direct(operation, 0, 0, new Segment(DATA, 5, 4)));
            bad.add(guest.direct(operation, 0, 0, good, new Segment(DATA, 0, 8)));
            bad.add(guest.direct(operation, 0, 0, new Segment(DATA, 255, 255)));
            bad.add(guest.direct(operation, 0, 0, good, new Segment(BAD, 0, 7)));
            bad.add(guest.direct(operation, 0, 0, new Segment(-1, 0, 7)));
            bad.add(guest.counted(operation, 12, 0, 0, Collections.nCopies(11, good)));
            bad.add(guest.counted(operation, 255, 0, 0, Collections.nCopies(11, good)));
        }
        bad.add(guest.direct(Blkif.OP_READ, 0, 0));
        bad.add(guest.direct(Blkif.OP_WRITE, 0, 0));
        for (int operation : new int[]{Blkif.OP_READ, Blkif.OP_WRITE}) {
            byte[] whole = guest.indirect(operation, 0, 0, SEGMENT_PAGES, full);
            bad.add(guest.indirect(operation, 0, 0, 0, SEGMENT_PAGES));
            bad.add(guest.indirect(operation, 257, 0, 0, SEGMENT_PAGES));
            bad.add(guest.indirect(operation, 65535, 0, 0, SEGMENT_PAGES));
            bad.add(guest.indirect(operation, 256, 0, 0, BAD));
            bad.add(guest.indirect(operation, 256, 0, SECTORS - 1, SEGMENT_PAGES));
            bad.add(guest.indirect(operation, 0, 0, SEGMENT_PAGES + 1, List.of(good, new Segment(BAD, 0, 7))));
            bad.add(guest.indirect(operation, 0, 0, SEGMENT_PAGES + 2, List.of(good, new Segment(DATA, 7, 0))));
            assertThat(whole).hasSize(narrow ? 108 : 112);
        }
        bad.add(guest.indirect(Blkif.OP_WRITE_BARRIER, 1, 0, 0, SEGMENT_PAGES));
        bad.add(guest.indirect(Blkif.OP_INDIRECT, 1, 0, 0, SEGMENT_PAGES));
        bad.add(guest.indirect(200, 1, 0, 0, SEGMENT_PAGES));
        for (long count : new long[]{SECTORS + 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 55}) {
            bad.add(guest.discard(0, 0, 0, count));
            bad.add(guest.discard(0, 0, 1, count));
        }
        for (byte[] request : bad) {
            guest.queue().send(request);
            disk.settle();
            assertThat(guest.queue().answers()).extracting(Answer::status).as("request of %s, %s", request[0],
                    request[1]).containsExactly(ERROR);
        }
        for (int operation : new int[]{4, 7, 8, 127, 128, 255}) {
            guest.queue().send(guest.direct(operation, 3, 0, good));
            assertThat(guest.queue().answers())
                    .containsExactly(new Answer(3, (byte) operation, UNKNOWN));
        }
        assertThat(image.bytes()).containsOnly(0);
        assertThat(disk.told("state")).isEqualTo("4");
        guest.queue().send(guest.direct(Blkif.OP_READ, 9, SECTORS - 8, good));
        disk.settle();
        assertThat(guest.queue().answers()).containsExactly(new Answer(9, Blkif.OP_READ, OKAY));
        disk.withdraw();
    }

    @Test
    void aGrantThatIsTakenBackBeforeTheAnswerIsAnError() throws Exception {
        disk.guest.connect();
        disk.guest.queue().send(disk.guest.direct(Blkif.OP_READ, 1, 0, Segment.of(0), Segment.of(1)));
        disk.hypervisor.revoke(BlockFixture.FRONTEND_DOMID, DATA + 1);
        disk.settle();
        assertThat(disk.guest.queue().answers()).containsExactly(new Answer(1, Blkif.OP_READ, ERROR));
        disk.withdraw();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsRewrittenAfterItWasTakenChangesNothing(boolean persistent) throws Exception {
        BlockFrontend guest = disk.guest;
        guest.connect(1, 0, persistent, false);
        Queue queue = guest.queue();
        guest.fill(0, 1);
        guest.fill(1, 2);
        queue.send(guest.direct(Blkif.OP_WRITE, 1, 0, Segment.of(0)));
        queue.send(guest.indirect(Blkif.OP_WRITE, 2, 16, SEGMENT_PAGES, List.of(Segment.of(1))));
        queue.send(guest.direct(Blkif.OP_READ, 3, 32, Segment.of(2)));
        guest.fill(0, 9);
        guest.fill(1, 9);
        FakePage ring = queue.head();
        byte[] junk = new byte[4096 - Ring.ENTRIES];
        new Random(1).nextBytes(junk);
        ring.write(Ring.ENTRIES, junk, 0, junk.length);
        disk.hypervisor.granted(BlockFixture.FRONTEND_DOMID, SEGMENT_PAGES).write(0, junk, 0, 4000);
        queue.signal();
        disk.settle();
        assertThat(queue.answers()).containsExactly(new Answer(1, Blkif.OP_WRITE, OKAY),
                new Answer(2, Blkif.OP_WRITE, OKAY), new Answer(3, Blkif.OP_READ, OKAY));
        byte[] bytes = image.bytes();
        assertThat(bytes[0]).isEqualTo((byte) 1);
        assertThat(bytes[4095]).isEqualTo((byte) 1);
        assertThat(bytes[4096]).isZero();
        assertThat(bytes[8192]).isEqualTo((byte) 2);
        assertThat(disk.told("state")).isEqualTo("4");
        disk.withdraw();
    }

    @Test
    void whatTheFrontendWritesToTheBackendsIndexIsNotBelieved() throws Exception {
        disk.guest.connect();
        Queue queue = disk.guest.queue();
        queue.send(disk.guest.direct(Blkif.OP_READ, 1, 0, Segment.of(0)));
        queue.head().put32(Ring.RSP_PROD, 1000);
        queue.head().put32(Ring.REQ_EVENT, 1 << 20);
        disk.settle();
        assertThat(queue.head().get32(Ring.RSP_PROD)).isEqualTo(1);
        assertThat(queue.answers()).hasSize(1);
        disk.withdraw();
    }

    @Test
    void aFloodOfEventsDoesNothing() throws Exception {
        disk.guest.connect();
        Queue queue = disk.guest.queue();
        queue.send(disk.guest.direct(Blkif.OP_READ, 1, 0, Segment.of(0)));
        disk.hypervisor.takeSignals(BlockFixture.FRONTEND_DOMID);
        long charged = disk.hypervisor.charged();
        for (int i = 0; i < 20_000; i++) {
            queue.signal();
        }
        disk.hypervisor.run();
        assertThat(disk.work.size()).isEqualTo(1);
        assertThat(disk.hypervisor.takeSignals(BlockFixture.FRONTEND_DOMID)).isZero();
        // It pays for them.
        assertThat(disk.hypervisor.charged() - charged).isGreaterThanOrEqualTo(20_000 * 1_000L);
        disk.settle();
        assertThat(queue.answers()).hasSize(1);
        disk.withdraw();
    }

    @Test
    void statesInAnyOrder() throws Exception {
        Random random = new Random(5);
        disk.guest.prepare(2, 1, true, false);
        for (int step = 0; step < 2000; step++) {
            disk.guest.become(random.nextInt(9));
            if (random.nextInt(3) == 0) {
                disk.guest.queue(0).send(disk.guest.direct(Blkif.OP_READ, step, 0, Segment.of(0)));
            }
            if (random.nextInt(4) == 0) {
                disk.settle();
            }
            String state = disk.told("state");
            assertThat(state).isIn("2", "4", "5", "6");
            if (!state.equals("4")) {
                disk.assertLetGo();
            }
        }
        disk.withdraw();
    }

    /** Rings full of anything, indexes that are anything. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void survivesAnything(long seed) throws Exception {
        Random random = new Random(seed);
        for (int round = 0; round < 10; round++) {
            announce();
            disk.guest.connect(1, random.nextInt(3), random.nextBoolean(), random.nextBoolean());
            for (int step = 0; step < 60 && "4".equals(disk.told("state")); step++) {
                scribble(random, disk.guest.queue());
                disk.guest.queue().signal();
                disk.hypervisor.run();
                disk.work.doOne(random);
                disk.work.reportOne(random);
                disk.hypervisor.run();
                assertThat(disk.work.size()).isLessThanOrEqualTo(disk.guest.queue().slots());
            }
            if (!"4".equals(disk.told("state"))) {
                disk.assertLetGo();
            }
            disk.withdraw();
        }
    }

    private static void scribble(Random random, Queue queue) {
        for (FakePage page : queue.pages) {
            for (int at = Ring.ENTRIES; at < 4096; at += 4) {
                // Mostly what means something.
                int value = switch (random.nextInt(8)) {
                    case 0 -> random.nextInt();
                    case 1 -> DATA + random.nextInt(BlockFrontend.PAGES);
                    case 2 -> random.nextInt(8) | random.nextInt(12) << 8;
                    case 3 -> random.nextInt(SECTORS);
                    case 4 -> random.nextInt(4) << 8 | 4 + random.nextInt(4);
                    default -> random.nextInt(16);
                };
                page.put32(at, value);
            }
        }
        FakePage head = queue.head();
        int answered = head.get32(Ring.RSP_PROD);
        head.put32(Ring.REQ_PROD, random.nextInt(300) == 0
                ? random.nextInt()
                : Math.max(head.get32(Ring.REQ_PROD), answered + random.nextInt(queue.slots() + 1)));
        head.put32(Ring.RSP_EVENT, random.nextInt());
    }
}
