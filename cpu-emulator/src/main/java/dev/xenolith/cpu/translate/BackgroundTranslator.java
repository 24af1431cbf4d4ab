package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.interpret.UnitSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes units on a thread of its own, the hottest first, and hands over those that HotSpot has compiled: until then the interpreter is faster
 * than they are. The thread is there only while there is something to do.
 */
final class BackgroundTranslator implements UnitSource {
    private static final Logger LOG = LoggerFactory.getLogger(BackgroundTranslator.class);
    /** Instructions that make code hot: fewer, and C1 is busy with what is hardly executed any more. */
    private static final int QUICK = 300_000;
    /** C2 takes ten times as long as C1 for code that is two to three times as fast. */
    private static final long BEST = 10_000_000;
    private static final int QUEUE = 4096;
    /** Units that each compiler is given at a time, so that the hottest wait here and not behind others there. */
    private static final int COMPILING = 3;
    private static final long PATIENCE_MS = 1;
    private static final long IDLE_SECONDS = 2;
    /** How often new compiler threads are looked for, in units made. */
    private static final int THREADS_EVERY = 16;

    /** Longer than any compilation takes: HotSpot has given it up, because its memory for code is full or for another reason. */
    private static final long GIVEN_UP_NS = 20_000_000_000L;

    /** A unit that HotSpot compiles since {@link System#nanoTime} was {@code since}. */
    private record Compiling(Made unit, long since) {
    }

    /** What one of HotSpot's compilers does for this translator. */
    private static final class Compiler {
        final Quality quality;
        final int level;
        final List<Hot> waiting = new ArrayList<>();
        final Deque<Compiling> compiling = new ArrayDeque<>();

        Compiler(Quality quality, int level) {
            this.quality = quality;
            this.level = level;
        }

        boolean isIdle() { return waiting.isEmpty() && compiling.isEmpty(); }

        boolean takesMore() {
            return !waiting.isEmpty() && compiling.size() < COMPILING;
        }

        Hot takeHottest() {
            Hot hottest = waiting.stream().max(Comparator.comparingLong(hot -> hot.heat().getAsLong())).orElseThrow();
            waiting.remove(hottest);
            return hottest;
        }
    }

    private final UnitFactory factory;
    private final @Nullable HotSpot hotSpot = HotSpot.open();
    private final CompilerThreads threads = new CompilerThreads();
    private final BlockingQueue<Hot> requests = new ArrayBlockingQueue<>(QUEUE);
    private final Queue<Made> made = new ConcurrentLinkedQueue<>();
    private final ExecutorService executor;
    private final AtomicBoolean working = new AtomicBoolean();

    // Of the thread that works.
    private final List<Compiler> compilers = List.of(new Compiler(Quality.QUICK, HotSpot.C1),
            new Compiler(Quality.BEST, HotSpot.C2));
    private int unitsMade;

    BackgroundTranslator(UnitFactory factory) {
        this.factory = factory;
        ThreadPoolExecutor pool = new ThreadPoolExecutor(1, 1, IDLE_SECONDS, TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                Thread.ofPlatform().daemon().name("translator").factory());
        pool.allowCoreThreadTimeOut(true);
        executor = pool;
    }

    @Override
    public long threshold(Quality quality) {
        return quality == Quality.QUICK ? QUICK : BEST;
    }

    /** One for which there is no room is asked for again when it has become as hot once more. */
    @Override
    public void request(Hot hot) {
        if (requests.offer(hot) && working.compareAndSet(false, true)) {
            executor.execute(this::work);
        }
    }

    @Override
    public @Nullable Made next() {
        return made.poll();
    }

    private void work() {
        try {
            do {
                while (!requests.isEmpty() || !compilers.stream().allMatch(Compiler::isIdle)) {
                    step();
                }
                working.set(false);
            } while (!requests.isEmpty() && working.compareAndSet(false, true));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void step() throws InterruptedException {
        boolean busy = false;
        for (Compiler compiler : compilers) {
            if (compiler.takesMore()) {
                make(compiler, compiler.takeHottest());
                busy = true;
            }
            handOver(compiler);
        }
        Hot next = busy ? requests.poll() : requests.poll(PATIENCE_MS, TimeUnit.MILLISECONDS);
        for (; next != null; next = requests.poll()) {
            Quality quality = next.quality();
            compilers.stream().filter(each -> each.quality == quality).findFirst().orElseThrow().waiting.add(next);
        }
    }

    private void make(Compiler compiler, Hot hot) {
        Made unit;
        try {
            unit = factory.make(hot);
        } catch (RuntimeException e) {
            // A bug of ours, which costs speed and nothing else.
            LOG.error("code at {} of frame {} cannot be translated", Integer.toHexString(hot.entry()), hot.frame(), e);
            return;
        }
        if (unitsMade++ % THREADS_EVERY == 0) {
            threads.yieldToGuests();
        }
        if (unit == null) {
            return;
        }
        if (hotSpot == null || isCompiled(unit, compiler)) {
            made.add(unit);
        } else if (!hotSpot.compile(UnitFactory.method(unit), compiler.level)) {
            // As bytecode it would be slower than the interpreter.
            LOG.debug("HotSpot refuses {}", UnitFactory.method(unit));
        } else {
            compiler.compiling.add(new Compiling(unit, System.nanoTime()));
        }
    }

    private void handOver(Compiler compiler) {
        for (Iterator<Compiling> i = compiler.compiling.iterator(); i.hasNext();) {
            Compiling next = i.next();
            if (isCompiled(next.unit, compiler)) {
                i.remove();
                made.add(next.unit);
            } else if (System.nanoTime() - next.since > GIVEN_UP_NS) {
                // The interpreter goes on with it.
                i.remove();
                LOG.debug("HotSpot does not compile {}", UnitFactory.method(next.unit));
            }
        }
    }

    private boolean isCompiled(Made unit, Compiler compiler) {
        return hotSpot != null && hotSpot.level(UnitFactory.method(unit)) >= compiler.level;
    }
}
