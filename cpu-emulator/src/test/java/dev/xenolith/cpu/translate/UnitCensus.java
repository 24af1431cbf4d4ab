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
import java.util.IdentityHashMap;
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
        /** Of those that C2's code has executed, by their class. */
        private final Map<Class<?>, Long> compiled = new HashMap<>();
        private long executed;

        int distinct() {
            return distinct.size();
        }

        /** How many of them C2's code has executed, by what {@code events} say. */
        long compiled(CompilationEvents events) {
            return compiled.entrySet().stream().filter(each -> events.has(each.getKey())).map(Map.Entry::getValue)
                    .distinct().count();
        }

        /** Instructions executed in units. */
        long executed() {
            return executed;
        }
    }

    private record Counted(Unit unit, @Nullable Method compiled) {
    }

    private final UnitFactory factory;
    private final Tally tally;
    private final @Nullable Random late;
    private final @Nullable HotSpot compiler;
    private final Deque<Made> made = new ArrayDeque<>();
    private final List<Counted> units = new ArrayList<>();
    /** What C2 has been asked for already: equal code, in another frame or again, is given the same unit by the factory. */
    private final Map<Unit.Layout, Method> compiled = new IdentityHashMap<>();

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
        Made unit = factory.make(hot);
        if (unit != null) {
            Method code = compiler == null
                    ? null
                    : compiled.computeIfAbsent(unit.layout(), layout -> compile(compiler, unit));
            made.add(new Made(unit.layout(), (layout, frame) -> {
                Unit one = unit.maker().make(layout, frame);
                units.add(new Counted(one, code));
                return one;
            }, hot.frame(), hot.quality(), unit.covered()));
        }
    }

    @Override
    public @Nullable Made next() {
        return late != null && late.nextInt(4) != 0 ? null : made.poll();
    }

    private static Method compile(HotSpot compiler, Made unit) {
        Method run = UnitFactory.method(unit);
        ImmediateTranslator.compile(compiler, run, HotSpot.C2);
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
                long content = content(UnitCounts.layout(counted.unit));
                tally.executed += executed;
                tally.distinct.add(content);
                if (counted.compiled != null && compiler != null && compiler.level(counted.compiled) == HotSpot.C2) {
                    tally.compiled.put(counted.compiled.getDeclaringClass(), content);
                }
            }
        }
        units.clear();
    }
}
