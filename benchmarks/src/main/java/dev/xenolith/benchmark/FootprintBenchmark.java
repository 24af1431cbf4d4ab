package dev.xenolith.benchmark;

import dev.xenolith.cpu.processor.Stop;
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
 * Millions of guest instructions a second (ops/us) in code of a size: blocks that have been built, executed one after the other in an
 * order that jumps about, as a kernel does while it boots. Beside it, {@link InterpreterBenchmark} shows small loops.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class FootprintBenchmark {
    private static final int INSTRUCTIONS = 1_000_000;
    private static final long SEED = 1;

    /** How many; 32,000 are 2 MB of code. */
    @Param({"16", "1000", "8000", "32000"})
    public int blocks;

    private BareMachine machine;

    @Setup(Level.Trial)
    public void boot() {
        machine = new BareMachine();
        machine.load(BareMachine.LARGE_CODE, GeneratedCode.ring(blocks, true, SEED));
        machine.processor.rip = BareMachine.LARGE_CODE;
        machine.processor.run((long) blocks * GeneratedCode.PIECE_INSTRUCTIONS);
        if (machine.processor.rip != BareMachine.LARGE_CODE) {
            throw new IllegalStateException("the ring does not close");
        }
    }

    @TearDown(Level.Trial)
    public void off() {
        machine.close();
    }

    @Benchmark
    @OperationsPerInvocation(INSTRUCTIONS)
    public Stop instructions() {
        return machine.processor.run(INSTRUCTIONS);
    }
}
