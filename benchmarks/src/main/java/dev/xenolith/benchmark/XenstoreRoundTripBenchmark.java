package dev.xenolith.benchmark;

import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xl.Xenstore;
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

/** One read by a command of dom0: from another thread to the machine thread and back. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class XenstoreRoundTripBenchmark {
    private static final int READS = 100;

    private BenchHost host;
    private Xenstore store;

    @Setup(Level.Trial)
    public void boot() {
        host = new BenchHost();
        store = host.toolstack.xenstore();
    }

    @TearDown(Level.Trial)
    public void off() {
        store.close();
        host.close();
    }

    @Benchmark
    @OperationsPerInvocation(READS)
    public int read() throws XenstoreException {
        int length = 0;
        for (int i = 0; i < READS; i++) {
            length += store.read("/local/domain/0/name").length;
        }
        return length;
    }
}
