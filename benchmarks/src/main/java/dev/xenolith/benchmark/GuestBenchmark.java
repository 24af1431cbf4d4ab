package dev.xenolith.benchmark;

import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xl.Xenstore;
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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What PV guests feel of the hypervisor, in host time: a null hypercall, an event there and back, a xenstore read. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class GuestBenchmark {
    private static final int HYPERCALLS = 100_000;
    private static final int PINGS = 5_000;
    private static final int READS = 100;

    private BenchHost host;
    private BenchGuest client;
    private Xenstore store;

    @Setup(Level.Trial)
    public void boot() throws NoSuchFileException, XenstoreException {
        host = new BenchHost();
        client = host.guest("client");
        BenchGuest server = host.guest("server");
        server.run("serve " + client.domid);
        store = host.toolstack.xenstore();
        String port = store.readText("/local/domain/" + server.domid + "/data/port");
        client.run("bind " + server.domid + " " + port);
    }

    @TearDown(Level.Trial)
    public void off() {
        store.close();
        host.close();
    }

    /** One xen_version hypercall with its loop: SYSCALL, dispatch, and back. */
    @Benchmark
    @OperationsPerInvocation(HYPERCALLS)
    public void nullHypercall() {
        client.run("hypercall " + HYPERCALLS);
    }

    /** One event from a guest to another and one back, both blocked in between, on one processor. */
    @Benchmark
    @OperationsPerInvocation(PINGS)
    public void eventPingPong() {
        client.run("ping " + PINGS);
    }

    /** One read by a command of dom0: from another thread to the machine thread and back. */
    @Benchmark
    @OperationsPerInvocation(READS)
    public int xenstoreRead() throws XenstoreException {
        int length = 0;
        for (int i = 0; i < READS; i++) {
            length += store.read("/local/domain/0/name").length;
        }
        return length;
    }
}
