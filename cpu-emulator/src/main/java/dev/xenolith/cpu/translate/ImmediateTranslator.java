package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.interpret.UnitSource;
import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** Makes units at once, on the thread that asks: for tests of translated code, not of its speed. */
final class ImmediateTranslator implements UnitSource {
    /** What HotSpot has not compiled by then it will not. */
    private static final long PATIENCE_NS = 5_000_000_000L;

    /** How many times as hot code must be to get the best unit: the other kind is executed too. */
    private static final int BEST = 100;

    private final UnitFactory factory;
    private final int threshold;
    private final @Nullable HotSpot compiler;
    private final Queue<Made> made = new ArrayDeque<>();

    /**
     * Makes units by {@code factory} of what has executed {@code threshold} instructions.
     *
     * @param compiler has C2 compile each before it is handed over; null: HotSpot does as it sees fit
     */
    ImmediateTranslator(UnitFactory factory, int threshold, @Nullable HotSpot compiler) {
        this.factory = factory;
        this.threshold = threshold;
        this.compiler = compiler;
    }

    @Override
    public long threshold(Quality quality) {
        return quality == Quality.QUICK ? threshold : (long) threshold * BEST;
    }

    @Override
    public void request(Hot hot) {
        Made unit = factory.make(hot);
        if (unit != null) {
            if (compiler != null) {
                compile(compiler, UnitFactory.method(unit), HotSpot.C2);
            }
            made.add(unit);
        }
    }

    /** Has the compiler of {@code level} compile {@code run} and waits for that; false if it does not. */
    static boolean compile(HotSpot compiler, Method run, int level) {
        long start = System.nanoTime();
        if (compiler.compile(run, level)) {
            while (compiler.level(run) < level && System.nanoTime() - start < PATIENCE_NS) {
                Thread.onSpinWait();
            }
        }
        return compiler.level(run) >= level;
    }

    @Override
    public @Nullable Made next() {
        return made.poll();
    }
}
