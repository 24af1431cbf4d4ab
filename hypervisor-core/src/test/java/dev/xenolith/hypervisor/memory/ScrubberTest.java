package dev.xenolith.hypervisor.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What comes back is zero, what is in use stays as it is, and what nobody has costs the host nothing. */
class ScrubberTest {
    private static final int MIB = 1 << 20;
    private static final int FRAMES = 96 * MIB / PhysicalMemory.FRAME_SIZE;

    private final PhysicalMemory ram = new PhysicalMemory(MemoryLayout.flat(96 * MIB));
    private final Scrubber scrubber = new Scrubber(ram, FRAMES);

    @AfterEach
    void close() {
        ram.close();
    }

    private void use(int mfn) {
        scrubber.take(mfn);
        ram.fill((long) mfn << PhysicalMemory.FRAME_SHIFT, PhysicalMemory.FRAME_SIZE, 0x5a);
    }

    private int firstByte(int mfn) {
        return ram.read8((long) mfn << PhysicalMemory.FRAME_SHIFT);
    }

    @Test
    void framesInUseAreLeftAloneWhereverTheirNeighboursGo() {
        Random random = new Random(7);
        boolean[] used = new boolean[FRAMES];
        for (int mfn = 0; mfn < FRAMES; mfn++) {
            scrubber.addFresh(mfn);
        }
        for (int round = 0; round < 20_000; round++) {
            // Clusters, so that whole blocks come and go as well as single frames.
            int start = random.nextInt(1024);
            int end = Math.min(1024, start + 1 + random.nextInt(200));
            boolean take = random.nextBoolean();
            for (int mfn = start; mfn < end; mfn++) {
                if (take && !used[mfn]) {
                    use(mfn);
                } else if (!take && used[mfn]) {
                    scrubber.add(mfn);
                }
                used[mfn] = take;
            }
            scrubber.clean();
            int mfn = random.nextInt(1024);
            assertEquals(used[mfn] ? 0x5a : 0, firstByte(mfn), "frame " + mfn + " in round " + round);
        }
        for (int mfn = 0; mfn < 1024; mfn++) {
            assertEquals(used[mfn] ? 0x5a : 0, firstByte(mfn), "frame " + mfn);
            assertTrue(used[mfn] || ram.isZero(mfn, 1), "frame " + mfn);
        }
    }

    @Test
    void memoryGoesBackToTheHostInWhateverOrderItsFramesCome() throws IOException {
        List<Integer> order = new ArrayList<>();
        for (int mfn = 0; mfn < FRAMES; mfn++) {
            scrubber.addFresh(mfn);
            use(mfn);
            order.add(mfn);
        }
        long before = resident();
        Collections.shuffle(order, new Random(3));
        // In several goes: what is cleaned beside a neighbour in use must not stay when that one goes too.
        for (int i = 0; i < FRAMES; i++) {
            scrubber.add(order.get(i));
            if (i % 1000 == 0) {
                scrubber.clean();
            }
        }
        scrubber.clean();
        long given = before - resident();
        assertTrue(given > 64 * MIB, "gave back " + given / MIB + " MiB of 96");
        assertTrue(ram.isZero(0, FRAMES));
    }

    /** Bytes of this process that are in memory (proc(5), statm). */
    private static long resident() throws IOException {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * PhysicalMemory.FRAME_SIZE;
    }
}
