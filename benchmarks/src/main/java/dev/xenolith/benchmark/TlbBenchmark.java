package dev.xenolith.benchmark;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Cost of a 64-bit load that hits the first-level TLB, of one that the second level refills, and of one that a walk has to. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class TlbBenchmark {
    private static final int LOADS = 1000;
    private static final int PAGE = 4096;
    /** More pages than the first level of the TLB holds, and fewer than the second. */
    private static final int SOME_PAGES = 4_000;
    /** More pages than both levels of the TLB hold. */
    private static final int MANY_PAGES = 12_000;

    private BareMachine machine;
    private int page;

    @Setup(Level.Trial)
    public void boot() {
        machine = new BareMachine(0xeb, 0xfe);
    }

    @TearDown(Level.Trial)
    public void off() {
        machine.close();
    }

    @Benchmark
    @OperationsPerInvocation(LOADS)
    public long hit() {
        long sum = 0;
        for (int i = 0; i < LOADS; i++) {
            sum += machine.processor.load64(BareMachine.DATA + (i & 255) * 8);
        }
        return sum;
    }

    @Benchmark
    @OperationsPerInvocation(LOADS)
    public long secondLevel() {
        return cycle(SOME_PAGES);
    }

    @Benchmark
    @OperationsPerInvocation(LOADS)
    public long walk() {
        return cycle(MANY_PAGES);
    }

    private long cycle(int pages) {
        long sum = 0;
        for (int i = 0; i < LOADS; i++) {
            page = page + 1 >= pages ? 0 : page + 1;
            sum += machine.processor.load64(BareMachine.DATA + (long) page * PAGE);
        }
        return sum;
    }
}
