package dev.xenolith.benchmark;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.xenstore.XenstoreException;
import java.nio.file.NoSuchFileException;
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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What PV guests feel of the hypervisor, in host time: hypercalls, page tables, events, grants, one {@link GuestOperation} after the other. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class GuestBenchmark {
    private static final int OPERATIONS = 100 * 128;

    /** All if none is named. */
    @Param
    public GuestOperation operation;

    /** Of the host; a real one never runs ahead of the world's. */
    @Param("REAL")
    public ClockMode clock;

    private BenchHost host;
    private GuestPair guests;

    @Setup(Level.Trial)
    public void boot() throws NoSuchFileException, XenstoreException {
        host = new BenchHost(clock);
        guests = GuestPair.on(host);
    }

    @TearDown(Level.Trial)
    public void off() {
        host.close();
    }

    @Benchmark
    @OperationsPerInvocation(OPERATIONS)
    public void guest() {
        guests.client.run(operation.command(OPERATIONS));
    }
}
