package dev.xenolith.benchmark;

import dev.xenolith.dom0.xenstore.XenStore;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.XenstoreSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Xenstore with so many domains of 40 nodes each: reading, writing, a transaction, and a read as bytes on the wire. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class XenstoreBenchmark {
    private static final int NODES = 40;
    private static final int XS_READ = 2;
    private static final byte[] VALUE = "4".getBytes(StandardCharsets.US_ASCII);

    @Param({"1", "50", "1000"})
    private int domains;

    private XenstoreClient client;
    private XenstoreSession session;
    private String path;
    private byte[] request;
    private final byte[] reply = new byte[64];

    @Setup(Level.Trial)
    public void fill() throws XenstoreException {
        XenStore store = new XenStore(domid -> true, () -> 0);
        client = store.client(0, Runnable::run);
        for (int domid = 1; domid <= domains; domid++) {
            for (int i = 0; i < NODES; i++) {
                client.write("/local/domain/" + domid + "/device/vbd/" + i + "/state", VALUE);
            }
        }
        session = store.session(0);
        path = "/local/domain/" + domains + "/device/vbd/7/state";
        byte[] payload = (path + "\0").getBytes(StandardCharsets.US_ASCII);
        request = ByteBuffer.allocate(16 + payload.length).order(ByteOrder.LITTLE_ENDIAN).putInt(XS_READ).putInt(1)
                .putInt(0).putInt(payload.length).put(payload).array();
    }

    @Benchmark
    public byte[] read() throws XenstoreException {
        return client.read(path);
    }

    @Benchmark
    public void write() throws XenstoreException {
        client.write(path, VALUE);
    }

    @Benchmark
    public byte[] transaction() throws XenstoreException {
        return client.transaction(store -> {
            byte[] before = store.read(path);
            store.write(path, before);
            return before;
        });
    }

    @Benchmark
    public int readOnTheWire() {
        session.feed(request, 0, request.length);
        return session.take(reply, 0, reply.length);
    }
}
