package dev.xenolith.benchmark;

import dev.xenolith.dom0.xenstore.XenstoreException;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;

/** What PV guests feel of the hypervisor, in host time: hypercalls, page tables, events, grants, one {@link GuestOperation} after the other. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@NullUnmarked
public class GuestBenchmark extends HostedBenchmark {
    private static final int OPERATIONS = 100 * 128;

    /** All if none is named. */
    @Param
    public GuestOperation operation;

    private GuestPair guests;

    @Override
    void start(BenchHost on) throws IOException, XenstoreException {
        guests = GuestPair.on(on);
    }

    @Benchmark
    @OperationsPerInvocation(OPERATIONS)
    public void guest() {
        guests.client.run(operation.command(OPERATIONS));
    }
}
