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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What an instruction costs that has never been executed: fetched, decoded, built into a block, executed once. Each invocation finds
 * other code in memory.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class BlockBuildBenchmark {
    private static final int PIECES = 4096;
    private static final int INSTRUCTIONS = PIECES * GeneratedCode.PIECE_INSTRUCTIONS;

    private BareMachine machine;
    private long seed;
    private long built;

    @Setup(Level.Trial)
    public void boot() {
        machine = new BareMachine();
    }

    @TearDown(Level.Trial)
    public void off() {
        machine.close();
    }

    @Setup(Level.Invocation)
    public void write() {
        machine.load(BareMachine.LARGE_CODE, GeneratedCode.ring(PIECES, false, seed++));
        machine.processor.rip = BareMachine.LARGE_CODE;
        built = machine.blocksBuilt();
    }

    @TearDown(Level.Invocation)
    public void check() {
        if (machine.processor.rip != BareMachine.LARGE_CODE || machine.blocksBuilt() - built < PIECES) {
            throw new IllegalStateException("not all of the code was new");
        }
    }

    @Benchmark
    @OperationsPerInvocation(INSTRUCTIONS)
    public Stop instruction() {
        return machine.processor.run(INSTRUCTIONS);
    }
}
