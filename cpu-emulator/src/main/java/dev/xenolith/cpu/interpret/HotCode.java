package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.interpret.UnitSource.Hot;
import dev.xenolith.cpu.interpret.UnitSource.Made;
import dev.xenolith.cpu.interpret.UnitSource.Quality;
import dev.xenolith.cpu.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What has become hot: asks for its units, puts them in the place of blocks, and takes out the coldest when there are too many. */
final class HotCode {
    /** Most units in place: code of the JVM takes memory, and a guest can make any amount of code hot, one after the other. */
    static final int MAX_UNITS = 6000;
    /** The part of the hot block's executions that makes another one worth to be in its unit. */
    private static final int WARM = 16;
    /** How many times as hot a block must become, by entries from elsewhere, to get a unit although it is in that of another. */
    private static final int COVERED = 8;
    /** Heat of what is never hot. */
    private static final int NEVER = Integer.MIN_VALUE;

    private final PhysicalMemory memory;
    private final BlockCache cache;
    private final UnitSource source;
    private final @Nullable Lockstep lockstep;
    /** Instructions executed in a block that make it hot. */
    final int threshold;
    private final long best;
    /** Heat of what is in the unit of another block. */
    private final int covered;

    /** Those in place, and some that have become stale. */
    private final List<Unit> units = new ArrayList<>();
    private long bound;
    private long retired;
    /** Instructions executed in units that are not in {@link #units} any more. */
    private long executed;

    /** Units are made by {@code source}, and checked by {@code lockstep} unless that is null. */
    HotCode(PhysicalMemory memory, BlockCache cache, UnitSource source, @Nullable Lockstep lockstep) {
        this.memory = memory;
        this.cache = cache;
        this.source = source;
        this.lockstep = lockstep;
        threshold = (int) source.threshold(Quality.QUICK);
        best = source.threshold(Quality.BEST);
        covered = (int) Math.max(NEVER, -COVERED * (long) threshold);
    }

    /** Whether there are units at all. */
    boolean isOn() { return source != UnitSource.NONE; }

    /** Units put in the place of a block so far. */
    long bound() {
        return bound;
    }

    /** Units taken out because there were too many. */
    long retired() {
        return retired;
    }

    /** Units in place. */
    int live() {
        return (int) units.stream().filter(unit -> !unit.stale).count();
    }

    /** Instructions executed in units. */
    long executed() {
        return executed + units.stream().mapToLong(Unit::executed).sum();
    }

    /** Asks for a unit of {@code block}, which is hot; returns it if it is there. */
    @Nullable
    Unit heated(Block block) {
        request(block, Quality.QUICK, () -> block.heat);
        return block.unit;
    }

    /** Asks for the best of {@code unit}, which is so hot that this is worth its price. */
    void improve(Unit unit) {
        Block block = block(unit);
        if (block != null) {
            request(block, Quality.BEST, unit::executed);
        }
    }

    private @Nullable Block block(Unit unit) {
        return cache.find(((long) unit.frame << PhysicalMemory.FRAME_SHIFT) + unit.layout.entry(), unit.layout.mode());
    }

    private void request(Block block, Quality quality, LongSupplier heat) {
        // Later, outside 64-bit mode too; and an instruction that crosses pages is not worth it.
        if ((block.mode() & Mode.CODE_SIZE) != Mode.CODE_64 || block.secondFrame != Block.NO_FRAME) {
            block.heat = NEVER;
            return;
        }
        block.heat = covered;
        BitSet executed = cache.executed(block.frame, block.mode(), threshold / WARM);
        source.request(new Hot(block.frame, page(block.frame), block.start, block.mode(), quality, executed,
                targets(block.frame), heat));
        bind();
    }

    private BitSet targets(int frame) {
        BitSet targets = new BitSet();
        for (Unit unit : units) {
            if (unit.frame == frame) {
                unit.addTargets(targets);
            }
        }
        return targets;
    }

    private byte[] page(int frame) {
        byte[] page = new byte[PhysicalMemory.FRAME_SIZE];
        memory.copyOut((long) frame << PhysicalMemory.FRAME_SHIFT, page, 0, page.length);
        return page;
    }

    /** Takes over the units that have been made. */
    void bind() {
        for (Made made = source.next(); made != null; made = source.next()) {
            Unit.Layout layout = made.layout();
            long page = (long) made.frame() << PhysicalMemory.FRAME_SHIFT;
            Block block = cache.find(page + layout.entry(), layout.mode());
            boolean better = made.quality() == Quality.BEST;
            if (block == null || block.unit != null && !better || !layout.isIn(page(made.frame()))) {
                continue;
            }
            Unit unit = made.maker().make(layout, made.frame());
            bind(block, lockstep == null ? unit : new CheckedUnit(unit, lockstep), better);
            for (int offset : made.covered()) {
                Block other = cache.find(page + offset, layout.mode());
                if (other != null && other.heat >= 0) {
                    other.heat = covered;
                }
            }
        }
    }

    private void bind(Block block, Unit unit, boolean better) {
        unit.layout.mark(memory, unit.frame);
        if (!better) {
            unit.improveAfter(best);
        }
        if (block.unit != null) {
            block.unit.retire();
        }
        block.unit = unit;
        bound++;
        units.add(unit);
        if (units.size() > MAX_UNITS) {
            retire();
        }
    }

    /** Forgets those that are stale, and takes out the half that has executed least if they are still too many. */
    private void retire() {
        units.stream().filter(unit -> unit.stale).forEach(unit -> executed += unit.executed());
        units.removeIf(unit -> unit.stale);
        if (units.size() <= MAX_UNITS / 2) {
            return;
        }
        units.sort(Comparator.comparingLong(Unit::executed));
        List<Unit> coldest = units.subList(0, units.size() / 2);
        for (Unit unit : coldest) {
            Block block = block(unit);
            if (block != null && block.unit == unit) {
                block.unit = null;
                // It must earn the next one as it did this one.
                block.heat = 0;
            }
            unit.retire();
            executed += unit.executed();
            retired++;
        }
        coldest.clear();
    }
}
