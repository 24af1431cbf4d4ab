package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.interpret.Unit;
import dev.xenolith.cpu.interpret.UnitCounts;
import dev.xenolith.cpu.interpret.UnitSource;
import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a unit of whatever is executed, one for equal code, and keeps count of them. It may be late, as the translator in the background is, so that code has
 * changed when its unit comes; and it may have C2 compile units before it hands them over.
 */
final class UnitCensus implements UnitSource {
    /** What all programs have had together. */
    static final class Tally {
        /** Hashes of the content of units that have executed something. */
        private final Set<Long> distinct = new HashSet<>();
        /** Of those that C2's code has executed. */
        private final Set<Long> compiled = new HashSet<>();
        private long executed;

        int distinct() {
            return distinct.size();
        }

        int compiled() {
            return compiled.size();
        }

        /** Instructions executed in units. */
        long executed() {
            return executed;
        }
    }

    private record Prepared(Made made, long content, @Nullable Method compiled) {
    }

    private record Counted(Unit unit, long content, @Nullable Method compiled) {
    }

    private final UnitFactory factory;
    private final Tally tally;
    private final @Nullable Random late;
    private final @Nullable HotSpot compiler;
    private final Deque<Made> made = new ArrayDeque<>();
    private final List<Counted> units = new ArrayList<>();
    /** What has been made, by entry and mode: equal code, in another frame or again, is given the same. */
    private final Map<Long, List<Prepared>> prepared = new HashMap<>();

    /**
     * A source that counts in {@code tally}.
     *
     * @param late by what it decides how late it is; null if it never is
     * @param compiler what compiles each unit by C2 before it is handed over; null if HotSpot does as it sees fit
     */
    UnitCensus(UnitFactory factory, Tally tally, @Nullable Random late, @Nullable HotSpot compiler) {
        this.factory = factory;
        this.tally = tally;
        this.late = late;
        this.compiler = compiler;
    }

    @Override
    public long threshold(Quality quality) {
        return quality == Quality.QUICK ? 1 : Long.MAX_VALUE;
    }

    @Override
    public void request(Hot hot) {
        Prepared one = prepare(hot);
        if (one != null) {
            Made first = one.made;
            made.add(new Made(first.layout(), (layout, frame) -> {
                Unit unit = first.maker().make(layout, frame);
                units.add(new Counted(unit, one.content, one.compiled));
                return unit;
            }, hot.frame(), hot.quality(), first.covered()));
        }
    }

    private @Nullable Prepared prepare(Hot hot) {
        List<Prepared> same = prepared.computeIfAbsent((long) hot.entry() << 32 | hot.mode(), key -> new ArrayList<>());
        for (Prepared one : same) {
            if (one.made.layout().isIn(hot.page())) {
                return one;
            }
        }
        Made unit = factory.make(hot);
        if (unit == null) {
            return null;
        }
        Prepared one = new Prepared(unit, content(unit.layout()), compiler == null ? null : compile(unit));
        same.add(one);
        return one;
    }

    @Override
    public @Nullable Made next() {
        return late != null && late.nextInt(4) != 0 ? null : made.poll();
    }

    private @Nullable Method compile(Made unit) {
        HotSpot hotSpot = compiler;
        if (hotSpot == null) {
            return null;
        }
        Method run = UnitFactory.method(unit);
        ImmediateTranslator.compile(hotSpot, run, HotSpot.C2);
        return run;
    }

    private static long content(Unit.Layout layout) {
        long hash = layout.entry() * 31L + layout.mode();
        for (int i = 0; i < layout.starts().length; i++) {
            hash = (hash * 0x9e37_79b9_7f4a_7c15L + layout.starts()[i]) * 0xc2b2_ae3d_27d4_eb4fL;
            for (byte one : layout.code()[i]) {
                hash = hash * 0x100_0000_01b3L + one;
            }
        }
        return hash;
    }

    /** Adds up what has been executed by now, of units that C2's code has executed those that it still would. */
    void close() {
        for (Counted counted : units) {
            long executed = UnitCounts.executed(counted.unit);
            if (executed > 0) {
                tally.executed += executed;
                tally.distinct.add(counted.content);
                if (counted.compiled != null && compiler != null && compiler.level(counted.compiled) == HotSpot.C2) {
                    tally.compiled.add(counted.content);
                }
            }
        }
        units.clear();
    }
}
