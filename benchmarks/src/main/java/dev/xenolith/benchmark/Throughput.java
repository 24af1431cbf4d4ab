package dev.xenolith.benchmark;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** MB/s (of 1,000,000 bytes), which JMH prints beside the operations a second of a benchmark. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Throughput {
    private static final double MEGABYTE = 1e6;

    private long moved;

    @Setup(Level.Iteration)
    public void begin() {
        moved = 0;
    }

    /** Counts bytes. */
    void add(long bytes) {
        moved += bytes;
    }

    /** What has been moved in this iteration; JMH divides it by the time. */
    public double megabytes() {
        return moved / MEGABYTE;
    }
}
