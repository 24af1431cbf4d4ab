package dev.xenolith.dom0.backend.block;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.backend.block.BlockFrontend.Answer;
import dev.xenolith.dom0.backend.block.BlockFrontend.Queue;
import dev.xenolith.dom0.backend.block.BlockFrontend.Segment;
import dev.xenolith.dom0.disk.DiskException;
import dev.xenolith.dom0.disk.TestDisk;
import dev.xenolith.hypervisor.abi.Blkif;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Power goes while a frontend writes and flushes: what was acknowledged before a flush that was acknowledged is there, or something written
 * later. A disk that only pretends to force is found out, so these tests can fail.
 */
@Timeout(60)
class BlockPowerCutTest {
    private static final int CUTS = 40;
    private static final int STEPS = 150;
    private static final int SECTOR = 512;
    private static final int SECTORS = TestDisk.SIZE / SECTOR;
    /** Written to are so many sectors, spread over the disk, so that many are written several times. */
    private static final int USED = 200;
    private static final int LONGEST = 4;

    /** What each sector has been given in turn, and which of these at least is to be found. */
    private final List<List<Long>> versions = new ArrayList<>();
    private final int[] acknowledged = new int[SECTORS];
    private final int[] durable = new int[SECTORS];
    private final BitSet busy = new BitSet();
    private final Map<Long, Pending> pending = new HashMap<>();
    private final List<String> losses = new ArrayList<>();
    private Random random = new Random(0);
    private long next = 1;
    private int flushes;

    /** A request without an answer; {@code snapshot} is what was acknowledged when it was sent, if it flushes. */
    private record Pending(int sector, int count, int[] snapshot) {
        boolean flushes() {
            return snapshot.length > 0;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"RAW", "QCOW2_512", "QCOW2_4K", "QCOW2_64K", "VHD_4K", "VHD_2M"})
    void whatWasFlushedIsThere(String layout) throws Exception {
        cut(layout, true);
        assertThat(losses).isEmpty();
        assertThat(flushes).isGreaterThan(2 * CUTS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"RAW", "QCOW2_512", "QCOW2_4K", "QCOW2_64K", "VHD_4K", "VHD_2M"})
    void findsADiskThatDoesNotForce(String layout) throws Exception {
        cut(layout, false);
        assertThat(losses).isNotEmpty();
    }

    private void cut(String layout, boolean forces) throws Exception {
        random = new Random(layout.hashCode());
        TestDisk disk = TestDisk.of(layout, forces);
        begin(disk.bytes());
        for (int cut = 0; cut < CUTS; cut++) {
            disk.cutAfter(1 + random.nextInt(2 * STEPS));
            write(disk);
            TestDisk found = disk.afterwards(random, forces);
            if (!judge(found, layout + ", cut " + cut)) {
                // With a disk as damaged as this one there is no going on.
                found = TestDisk.of(layout, forces);
            }
            disk = found;
            begin(disk.bytes());
        }
    }

    private static long value(byte[] bytes, int sector) {
        return ByteBuffer.wrap(bytes).getLong(sector * SECTOR);
    }

    private void begin(byte[] bytes) {
        versions.clear();
        busy.clear();
        pending.clear();
        for (int sector = 0; sector < SECTORS; sector++) {
            versions.add(new ArrayList<>(List.of(value(bytes, sector))));
            acknowledged[sector] = 0;
            durable[sector] = 0;
        }
    }

    private void write(TestDisk image) throws Exception {
        BlockFixture disk = new BlockFixture((_, _, _) -> image.open());
        if (!"2".equals(disk.told("state"))) {
            // Power has gone while the image was opened.
            return;
        }
        disk.guest.connect(1, 0, random.nextBoolean(), random.nextBoolean());
        boolean power = true;
        for (int step = 0; step < STEPS && power; step++) {
            Queue queue = disk.guest.queue();
            if (!queue.full()) {
                send(disk.guest, queue);
            }
            for (int i = random.nextInt(4); i > 0; i--) {
                disk.work.doOne(random);
                disk.work.reportOne(random);
            }
            disk.hypervisor.run();
            for (Answer answer : queue.answers()) {
                power &= take(answer);
            }
        }
        if (power) {
            // Nothing is done any more.
            image.cutAfter(0);
        }
        disk.withdraw();
    }

    private void send(BlockFrontend guest, Queue queue) {
        long id = next++;
        int operation = switch (random.nextInt(12)) {
            case 0 -> Blkif.OP_FLUSH_DISKCACHE;
            case 1 -> Blkif.OP_WRITE_BARRIER;
            default -> Blkif.OP_WRITE;
        };
        int[] snapshot = operation == Blkif.OP_WRITE ? new int[0] : acknowledged.clone();
        int count = operation == Blkif.OP_FLUSH_DISKCACHE ? 0 : 1 + random.nextInt(LONGEST);
        int sector = random.nextInt(USED) * (SECTORS / USED);
        if (!busy.get(sector, sector + count).isEmpty()) {
            return;
        }
        busy.set(sector, sector + count);
        // As many pages as there may be requests.
        int page = queue.produced & 31;
        for (int i = 0; i < count; i++) {
            versions.get(sector + i).add(id);
            guest.data(page).write(i * SECTOR, ByteBuffer.allocate(SECTOR).putLong(0, id).array(), 0, SECTOR);
        }
        pending.put(id, new Pending(sector, count, snapshot));
        queue.send(count == 0
                ? guest.flush(id)
                : guest.direct(operation, id, sector, new Segment(BlockFrontend.DATA + page, 0, count - 1)));
    }

    /** Returns whether there is power. */
    private boolean take(Answer answer) {
        Pending request = pending.remove(answer.id());
        assertThat(request).isNotNull();
        if (answer.status() != BlockFrontend.OKAY || request == null) {
            return false;
        }
        for (int sector = request.sector; sector < request.sector + request.count; sector++) {
            acknowledged[sector] = versions.get(sector).size() - 1;
            if (request.flushes()) {
                durable[sector] = acknowledged[sector];
            }
        }
        if (request.flushes()) {
            flushes++;
            for (int sector = 0; sector < SECTORS; sector++) {
                durable[sector] = Math.max(durable[sector], request.snapshot[sector]);
            }
        }
        busy.clear(request.sector, request.sector + request.count);
        return true;
    }

    /** Looks at what is left. Returns whether it can be used. */
    private boolean judge(TestDisk found, String cut) throws Exception {
        int before = losses.size();
        try {
            found.errors().forEach(error -> losses.add(cut + ": " + error));
            byte[] bytes = found.bytes();
            for (int sector = 0; sector < SECTORS; sector++) {
                List<Long> all = versions.get(sector);
                if (all.subList(durable[sector], all.size()).indexOf(value(bytes, sector)) < 0) {
                    losses.add(cut + ": sector " + sector + " holds " + value(bytes, sector) + ", not one of "
                            + all.subList(durable[sector], all.size()));
                }
            }
        } catch (DiskException e) {
            losses.add(cut + ": " + e.getMessage());
        }
        return losses.size() == before;
    }
}
