package dev.xenolith.benchmark;

import dev.xenolith.device.board.ClockMode;
import java.io.IOException;
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

/**
 * The disk of a PV guest, from its driver through the backend to a raw image and back: requests a second, and MB/s. The image is in the
 * host's page cache, so the medium hardly counts.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class BlockBenchmark {
    private static final int REQUESTS = 1024;
    private static final int DISK_MIB = 64;

    /** All if none is named. */
    @Param
    public DiskPattern pattern;

    /** Of the host; a real one never runs ahead of the world's. */
    @Param("REAL")
    public ClockMode clock;

    private BenchImage image;
    private BenchHost host;
    private BenchGuest guest;

    @Setup(Level.Trial)
    public void boot() throws IOException {
        image = new BenchImage(DISK_MIB);
        host = new BenchHost(clock);
        guest = image.guest(host);
    }

    @TearDown(Level.Trial)
    public void off() throws IOException {
        host.close();
        image.close();
    }

    @Benchmark
    @OperationsPerInvocation(REQUESTS)
    public void requests(Throughput throughput) {
        guest.run(pattern.command(REQUESTS));
        throughput.add((long) REQUESTS * pattern.bytes());
    }
}
