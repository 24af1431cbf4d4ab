package dev.xenolith.benchmark;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;

/**
 * The disk of a PV guest, from its driver through the backend to a raw image and back: requests a second, and MB/s. The image is in the
 * host's page cache, so the medium hardly counts.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@NullUnmarked
public class BlockBenchmark extends HostedBenchmark {
    private static final int REQUESTS = 1024;
    private static final int DISK_MIB = 64;

    /** All if none is named. */
    @Param
    public DiskPattern pattern;

    private BenchImage image;
    private BenchGuest guest;

    @Override
    void start(BenchHost on) throws IOException {
        image = new BenchImage(DISK_MIB);
        guest = image.guest(on);
    }

    @Override
    void end() throws IOException {
        image.close();
    }

    @Benchmark
    @OperationsPerInvocation(REQUESTS)
    public void requests(Throughput throughput) {
        guest.run(pattern.command(REQUESTS));
        throughput.add((long) REQUESTS * pattern.bytes());
    }
}
