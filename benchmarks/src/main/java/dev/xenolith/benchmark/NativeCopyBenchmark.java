package dev.xenolith.benchmark;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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

/**
 * Pages copied within memory of the real host: what the MB/s of a disk or a network would be if nothing were between the guest and its
 * data but one copy.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class NativeCopyBenchmark {
    private static final int PAGE = 4096;
    private static final int PAGES = 64 << 20 >> 12;

    private Arena arena;
    private MemorySegment from;
    private MemorySegment page;

    @Setup(Level.Trial)
    public void allocate() {
        arena = Arena.ofConfined();
        from = arena.allocate((long) PAGES * PAGE);
        from.fill((byte) 'd');
        page = arena.allocate(PAGE);
    }

    @TearDown(Level.Trial)
    public void free() {
        arena.close();
    }

    @Benchmark
    @OperationsPerInvocation(PAGES)
    public MemorySegment pages(Throughput throughput) {
        for (long at = 0; at < from.byteSize(); at += PAGE) {
            MemorySegment.copy(from, at, page, 0, PAGE);
        }
        throughput.add(from.byteSize());
        return page;
    }
}
