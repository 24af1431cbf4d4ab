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

/**
 * Frames from one PV guest to another on the same bridge, both on one processor: frames that have been received a second, and MB/s. None
 * is lost, for the one waits for the other.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class NetworkBenchmark {
    private static final int FRAMES = 1024;

    /** Bytes: the least, as many as an Ethernet frame has, and TCP segments for 44 of these, which stay in one piece (GSO). */
    @Param({"60", "1514", "63778"})
    public int bytes;

    /** Of the host; a real one never runs ahead of the world's. */
    @Param("REAL")
    public ClockMode clock;

    private BenchHost host;
    private GuestPair guests;

    @Setup(Level.Trial)
    public void boot() throws NoSuchFileException, XenstoreException {
        host = new BenchHost(clock);
        guests = GuestPair.onBridge(host);
    }

    @TearDown(Level.Trial)
    public void off() {
        host.close();
    }

    @Benchmark
    @OperationsPerInvocation(FRAMES)
    public void frames(Throughput throughput) {
        guests.send(FRAMES, bytes);
        throughput.add((long) FRAMES * bytes);
    }
}
