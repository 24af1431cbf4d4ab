package dev.xenolith.benchmark;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.xenstore.XenstoreException;
import java.io.IOException;
import org.jspecify.annotations.NullUnmarked;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What benchmarks of PV guests have in common: a host of their own, for as long as one of them runs. */
@State(Scope.Thread)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public abstract class HostedBenchmark {
    /** Of the host; a real one never runs ahead of the world's. */
    @Param("REAL")
    public ClockMode clock;

    private BenchHost host;

    @Setup(Level.Trial)
    public void boot() throws IOException, XenstoreException {
        host = new BenchHost(clock);
        start(host);
    }

    @TearDown(Level.Trial)
    public void off() throws IOException {
        host.close();
        end();
    }

    /** Makes the guests. */
    abstract void start(BenchHost on) throws IOException, XenstoreException;

    /** Gives back what {@link #start} has taken beside the guests. */
    void end() throws IOException {
        // Guests go with their host.
    }
}
