package dev.xenolith.cpu.paging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.Attention;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMemory;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MmuTest {
    private static final int TABLES = 24;
    private static final int PAGES = 64;
    private static final long P = 1;
    private static final long W = 2;
    private static final long U = 4;
    private static final long PS = 0x80;
    private static final long G = 0x100;
    private static final long NX = 1L << 63;

    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(16 << 20));
    private final FlushClock clock = new FlushClock();
    private final Mmu mmu = new Mmu(memory, clock, 46, true);

    @AfterEach
    void close() {
        memory.close();
    }

    private void configure(NaiveWalker.Controls controls) {
        mmu.enabled = true;
        mmu.writeProtect = controls.writeProtect();
        mmu.smep = controls.smep();
        mmu.noExecute = controls.noExecute();
        mmu.levels = controls.levels();
        mmu.tlb.flushAll();
    }

    /** Tables at frames 1 to TABLES, full of entries of all kinds that point at tables or pages. */
    private void randomTables(Random random) {
        for (long table = 1; table <= TABLES; table++) {
            for (int slot : interestingSlots()) {
                long entry = random.nextInt(random.nextInt(8) == 0 ? TABLES + PAGES : TABLES) + 1L << 12 | P | W | U;
                entry ^= random.nextInt(25) == 0 ? P : 0;
                entry ^= random.nextInt(12) == 0 ? W : 0;
                entry ^= random.nextInt(12) == 0 ? U : 0;
                entry |= random.nextInt(16) == 0 ? NX : 0;
                entry |= random.nextInt(4) == 0 ? G : 0;
                entry |= (long) random.nextInt(4) << 5;
                entry |= random.nextInt(40) == 0 ? 1L << 46 + random.nextInt(6) : 0;
                if (random.nextInt(8) == 0) {
                    entry |= PS;
                    entry &= random.nextInt(3) == 0 ? -1 : ~0x3fff_e000L;
                }
                memory.write64((table << 12) + slot * 8L, entry);
            }
        }
    }

    private static int[] interestingSlots() {
        return new int[]{0, 1, 255, 256, 511};
    }

    private static long randomLinear(Random random) {
        long linear = random.nextInt(4096);
        for (int level = 0; level < 5; level++) {
            linear |= (long) interestingSlots()[random.nextInt(5)] << 12 + 9 * level;
        }
        int bits = random.nextInt(50) == 0 ? 57 : 48;
        return linear << 64 - bits >> 64 - bits;
    }

    private static NaiveWalker.Controls randomControls(Random random) {
        return new NaiveWalker.Controls(random.nextBoolean(), random.nextBoolean(), random.nextInt(4) != 0, true, 46,
                random.nextInt(4) == 0 ? 5 : 4);
    }

    private static int access(int kind) {
        return new int[]{Mmu.READ, Mmu.WRITE, Mmu.EXECUTE}[kind];
    }

    private void assertSame(String what, long translation, NaiveWalker.Result expected) {
        if (!expected.canonical()) {
            assertThat(translation).as(what).isEqualTo(Mmu.NON_CANONICAL);
        } else if (expected.fault()) {
            assertThat(Mmu.isPageFault(translation)).as(what).isTrue();
            assertThat(Mmu.errorCode(translation)).as(what).isEqualTo(expected.errorCode());
        } else {
            assertThat(translation).as(what).isEqualTo(expected.physical());
        }
    }

    @Test
    void walkerAgreesWithTheManualOnRandomTables() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int successes = 0;
        for (int round = 0; round < 60; round++) {
            randomTables(random);
            NaiveWalker.Controls controls = randomControls(random);
            NaiveWalker naive = new NaiveWalker(memory, controls);
            configure(controls);
            for (int i = 0; i < 500; i++) {
                long root = (1L + random.nextInt(TABLES)) << 12 | random.nextInt(4096);
                long linear = randomLinear(random);
                int kind = random.nextInt(3);
                boolean user = random.nextBoolean();
                boolean smap = !user && kind != 2 && random.nextBoolean();
                String what = "seed %d root %x linear %x kind %d user %b smap %b %s".formatted(seed, root, linear, kind,
                        user,
                        smap, controls);
                long before = memory.digest(0, (TABLES + 1) << 12);
                NaiveWalker.Result expected = naive.walk(root, linear, kind == 1, kind == 2, user, smap);
                long got = mmu.translate(root, linear, access(kind),
                        user ? Mmu.USER : smap ? Mmu.SUPERVISOR_SMAP : Mmu.SUPERVISOR);
                assertSame(what, got, expected);
                if (expected.updates().isEmpty()) {
                    assertThat(memory.digest(0, (TABLES + 1) << 12)).as("tables after a fault: " + what)
                            .isEqualTo(before);
                } else {
                    successes++;
                    // A table may be its own parent, so an entry can be updated by two levels.
                    for (long[] update : expected.updates()) {
                        assertThat(memory.read64(update[0]) & update[1]).as("flags: " + what).isEqualTo(update[1]);
                    }
                }
            }
        }
        assertThat(successes).isGreaterThan(1000);
    }

    @Test
    void tlbAgreesWithTheWalkUnderRandomRemapsAndFlushes() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 12; round++) {
            randomTables(random);
            NaiveWalker.Controls controls = randomControls(random);
            NaiveWalker naive = new NaiveWalker(memory, controls);
            configure(controls);
            mmu.globalPages = true;
            long[] roots = {1, 2, 3, 4};
            separateHalves(roots);
            mmu.tlb.flushAll();
            int tag = 0;
            mmu.root = roots[0] << 12;
            mmu.tlb.switchTo(0);
            long linear = 0;
            for (int i = 0; i < 6000; i++) {
                switch (random.nextInt(20)) {
                    case 0 -> {
                        tag = random.nextInt(roots.length);
                        mmu.root = roots[tag] << 12;
                        mmu.tlb.switchTo(tag * 1000);
                    }
                    case 1 -> mmu.tlb.flush(random.nextInt(roots.length) * 1000);
                    case 2 -> {
                        // Any entry of any table may have been used for any page: change one and flush all.
                        long table = 5L + random.nextInt(TABLES - 4) << 12;
                        long one = table + interestingSlots()[random.nextInt(5)] * 8L;
                        long other = table + interestingSlots()[random.nextInt(5)] * 8L;
                        long entry = memory.read64(one);
                        memory.write64(one, memory.read64(other) ^ new long[]{P, W, U, NX}[random.nextInt(4)]);
                        memory.write64(other, entry);
                        mmu.tlb.flushAll();
                    }
                    default -> {
                    }
                }
                linear = random.nextInt(3) == 0 ? randomLinear(random) : linear & -4096 | random.nextInt(4096);
                int kind = random.nextInt(3);
                boolean user = random.nextBoolean();
                boolean smap = !user && kind != 2 && random.nextBoolean();
                NaiveWalker.Result expected = naive.walk(mmu.root, linear, kind == 1, kind == 2, user, smap);
                long got = mmu.translate(linear, access(kind),
                        user ? Mmu.USER : smap ? Mmu.SUPERVISOR_SMAP : Mmu.SUPERVISOR);
                assertSame(
                        "seed %d round %d step %d linear %x kind %d user %b".formatted(seed, round, i, linear, kind,
                                user),
                        got, expected);
            }
        }
    }

    /**
     * Lets the roots differ in the lower half only, as kernels do: global pages then mean the same everywhere. Tables 5 to 14
     * serve the lower half, 15 to 24 the upper.
     */
    private void separateHalves(long[] roots) {
        for (long table = 1; table <= TABLES; table++) {
            for (int slot : interestingSlots()) {
                boolean upper = table > 14 || table <= roots.length && slot >= 256;
                long at = (table << 12) + slot * 8L;
                long entry = memory.read64(upper && table <= roots.length ? (1L << 12) + slot * 8L : at);
                long frame = entry >>> 12 & 0xff_ffffL;
                if (frame <= TABLES && !(upper && table > 1 && table <= roots.length)) {
                    entry = entry & ~0xfff_ffff_f000L | (upper ? 15 : 5) + frame % 10 << 12;
                }
                memory.write64(at, upper ? entry : entry & ~G);
            }
        }
    }

    /** A three-page world: root 1, levels 2, 3, 4, pages from frame 0x100. */
    private void map(long linear, long entry) {
        long table = 0x1000;
        for (int level = 4; level > 1; level--) {
            memory.write64(table + (linear >>> 12 + 9 * (level - 1) & 511) * 8, table + 0x1000 | P | W | U);
            table += 0x1000;
        }
        memory.write64(table + (linear >>> 12 & 511) * 8, entry);
    }

    private void simpleWorld() {
        mmu.enabled = true;
        mmu.noExecute = true;
        mmu.writeProtect = true;
        mmu.root = 0x1000;
        mmu.tlb.flushAll();
    }

    @Test
    void invalidationOfOnePageSparesTheOthersAndReachesEveryTag() {
        simpleWorld();
        map(0x5000, 0x100000 | P | W | U);
        map(0x6000, 0x101000 | P | W | U);
        for (int tag = 0; tag < 2; tag++) {
            mmu.tlb.switchTo(tag);
            assertThat(mmu.translate(0x5008, Mmu.WRITE, Mmu.USER)).isEqualTo(0x100008);
            assertThat(mmu.translate(0x6008, Mmu.WRITE, Mmu.USER)).isEqualTo(0x101008);
        }
        map(0x5000, 0x102000 | P | W | U);
        map(0x6000, 0x102000 | P | W | U);
        assertThat(mmu.translate(0x5008, Mmu.WRITE, Mmu.USER)).as("stale until flushed").isEqualTo(0x100008);
        mmu.tlb.invalidatePage(0x5fff);
        for (int tag = 0; tag < 2; tag++) {
            mmu.tlb.switchTo(tag);
            assertThat(mmu.translate(0x5008, Mmu.WRITE, Mmu.USER)).isEqualTo(0x102008);
            assertThat(mmu.translate(0x6008, Mmu.WRITE, Mmu.USER)).isEqualTo(0x101008);
        }
        mmu.tlb.flush(0);
        assertThat(mmu.translate(0x6008, Mmu.WRITE, Mmu.USER)).as("tag 1 is untouched").isEqualTo(0x101008);
        mmu.tlb.switchTo(0);
        assertThat(mmu.translate(0x6008, Mmu.WRITE, Mmu.USER)).isEqualTo(0x102008);
    }

    @Test
    void globalPagesSurviveAFlushOfTheirAddressSpaceButNotInvlpg() {
        simpleWorld();
        mmu.globalPages = true;
        map(0x5000, 0x100000 | P | W | G);
        assertThat(mmu.translate(0x5000, Mmu.READ, Mmu.SUPERVISOR)).isEqualTo(0x100000);
        map(0x5000, 0x101000 | P | W | G);
        mmu.tlb.flush(0);
        mmu.tlb.switchTo(7);
        assertThat(mmu.translate(0x5000, Mmu.READ, Mmu.SUPERVISOR)).isEqualTo(0x100000);
        assertThat(mmu.translate(0x5000, Mmu.READ, Mmu.USER)).as("rights are checked").isNegative();
        mmu.tlb.invalidatePage(0x5000);
        assertThat(mmu.translate(0x5000, Mmu.READ, Mmu.SUPERVISOR)).isEqualTo(0x101000);
        map(0x5000, 0x102000 | P | W | G);
        mmu.tlb.flushAll();
        assertThat(mmu.translate(0x5000, Mmu.READ, Mmu.SUPERVISOR)).isEqualTo(0x102000);
    }

    @Test
    void invlpgInALargePageRemovesAllOfIt() {
        simpleWorld();
        for (int level = 2; level <= 3; level++) {
            long size = 1L << 12 + 9 * (level - 1);
            map(3 * size, 0);
            long table = 0x1000L * (5 - level);
            memory.write64(table + 3 * 8, 0 | P | W | PS);
            mmu.tlb.flushAll();
            assertThat(mmu.translate(3 * size + 0x1000, Mmu.READ, 0)).isEqualTo(0x1000);
            assertThat(mmu.translate(3 * size + 0x5000, Mmu.READ, 0)).isEqualTo(0x5000);
            memory.write64(table + 3 * 8, size | P | W | PS);
            mmu.tlb.invalidatePage(3 * size + 0x9000);
            assertThat(mmu.translate(3 * size + 0x1000, Mmu.READ, 0)).isEqualTo(size + 0x1000);
            assertThat(mmu.translate(3 * size + 0x5000, Mmu.READ, 0)).isEqualTo(size + 0x5000);
        }
    }

    @Test
    void runningOutOfContextsForgetsEverythingOnce() {
        simpleWorld();
        map(0x5000, 0x100000 | P | W | U);
        long stamp = mmu.tlb.flushStamp();
        for (int i = 0; i < 2000; i++) {
            long expected = 0x100000 + (i % 50) * 0x1000L;
            map(0x5000, expected | P | W | U);
            mmu.tlb.flush(0);
            assertThat(mmu.translate(0x5000, Mmu.READ, Mmu.USER)).isEqualTo(expected);
            assertThat(mmu.tlb.context()).isBetween(1, 511);
        }
        assertThat(mmu.tlb.flushStamp()).isBetween(stamp + 3, stamp + 5);
        assertThat(clock.now()).isEqualTo(mmu.tlb.flushStamp());
    }

    @Test
    void framesThatNeedAttentionOnWriteHaveNoWriteEntry() {
        simpleWorld();
        for (int i = 0; i < 4; i++) {
            map(0x5000 + i * 0x1000, 0x100000 + i * 0x1000 | P | W | U);
            assertThat(mmu.translate(0x5000 + i * 0x1000, Mmu.WRITE, Mmu.USER)).isPositive();
            assertThat(hasWriteEntry(0x5000 + i * 0x1000)).isTrue();
        }
        memory.markCode(0x100, 1);
        memory.armDirtyLog(0x101, 1);
        memory.watch(0x102, true);
        for (int i = 0; i < 4; i++) {
            assertThat(hasWriteEntry(0x5000 + i * 0x1000)).isEqualTo(i == 3);
            assertThat(mmu.translate(0x5000 + i * 0x1000, Mmu.WRITE, Mmu.USER)).isEqualTo(0x100000 + i * 0x1000);
            assertThat(hasWriteEntry(0x5000 + i * 0x1000)).isEqualTo(i == 3);
            assertThat(mmu.tlb.read.tag(Tlb.slot(0x5000 + i * 0x1000))).isNotZero();
        }
        memory.write64(0x101000, 1);
        assertThat(memory.attention(0x101)).isEqualTo(Attention.DIRTY);
        mmu.translate(0x6000, Mmu.WRITE, Mmu.USER);
        assertThat(hasWriteEntry(0x6000)).as("dirty once logged").isTrue();
    }

    private boolean hasWriteEntry(long linear) {
        int slot = Tlb.slot(linear);
        return (mmu.tlb.write.tag(slot) & -4096) == linear
                && linear + mmu.tlb.write.addend(slot) == memory.hostBase() + mmu.translate(linear, Mmu.READ, Mmu.USER);
    }

    @Test
    void aCleanPageHasNoWriteEntryUntilItsDirtyFlagIsSet() {
        simpleWorld();
        map(0x5000, 0x100000 | P | W | U);
        mmu.translate(0x5000, Mmu.READ, Mmu.USER);
        assertThat(hasWriteEntry(0x5000)).isFalse();
        assertThat(memory.read64(0x4000 + 5 * 8) & 0x60).isEqualTo(0x20);
        mmu.translate(0x5000, Mmu.WRITE, Mmu.USER);
        assertThat(hasWriteEntry(0x5000)).isTrue();
        assertThat(memory.read64(0x4000 + 5 * 8) & 0x60).isEqualTo(0x60);
    }

    @Test
    void flagsWrittenIntoTablesAreSeenByDirtyLogging() {
        simpleWorld();
        map(0x5000, 0x100000 | P | W | U);
        memory.armDirtyLog(4, 1);
        mmu.translate(0x5000, Mmu.READ, Mmu.USER);
        assertThat(memory.isDirty(4)).isTrue();
    }

    @Test
    void devicesAndHolesAreNeverInTheFastTables() {
        simpleWorld();
        map(0x5000, 0xfee0_0000L | P | W | U);
        for (int i = 0; i < 2; i++) {
            assertThat(mmu.translate(0x5010, Mmu.READ, Mmu.USER)).isEqualTo(0xfee0_0010L);
            assertThat(mmu.translate(0x5020, Mmu.WRITE, Mmu.USER)).isEqualTo(0xfee0_0020L);
            assertThat(mmu.translate(0x5030, Mmu.EXECUTE, Mmu.USER)).isEqualTo(0xfee0_0030L);
        }
        int slot = Tlb.slot(0x5000);
        assertThat(mmu.tlb.read.tag(slot) | mmu.tlb.write.tag(slot) | mmu.tlb.fetch.tag(slot)).isZero();
        map(0x5000, 0x100000 | P | U);
        mmu.tlb.invalidatePage(0x5000);
        assertThat(mmu.translate(0x5010, Mmu.READ, Mmu.USER)).isEqualTo(0x100010);
        assertThat(mmu.translate(0x5010, Mmu.WRITE, Mmu.USER)).isNegative();
    }

    @Test
    void tablesOutsideMemoryFaultOnReservedBits() {
        simpleWorld();
        mmu.root = 0xffff_0000L;
        long result = mmu.translate(0x5000, Mmu.READ, Mmu.USER);
        assertThat(Mmu.isPageFault(result)).isTrue();
        assertThat(Mmu.errorCode(result)).isEqualTo(Mmu.PF_PRESENT | Mmu.PF_RESERVED | Mmu.PF_USER);
    }
}
