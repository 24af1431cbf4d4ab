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

/**
 * Frames from one PV guest to another on the same bridge, both on one processor: frames that have been received a second, and MB/s. None
 * is lost, for the one waits for the other.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@NullUnmarked
public class NetworkBenchmark extends HostedBenchmark {
    private static final int FRAMES = 1024;

    /** Bytes: the least, as many as an Ethernet frame has, and TCP segments for 44 of these, which stay in one piece (GSO). */
    @Param({"60", "1514", "63778"})
    public int bytes;

    private GuestPair guests;

    @Override
    void start(BenchHost on) throws IOException, XenstoreException {
        guests = GuestPair.onBridge(on);
    }

    @Benchmark
    @OperationsPerInvocation(FRAMES)
    public void frames(Throughput throughput) {
        guests.send(FRAMES, bytes);
        throughput.add((long) FRAMES * bytes);
    }
}
