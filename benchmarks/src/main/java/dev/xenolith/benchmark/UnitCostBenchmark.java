package dev.xenolith.benchmark;

import dev.xenolith.cpu.interpret.UnitSource.Hot;
import dev.xenolith.cpu.interpret.UnitSource.Made;
import dev.xenolith.cpu.interpret.UnitSource.Quality;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.translate.SingleUnits;
import dev.xenolith.cpu.translate.Translation;
import java.util.BitSet;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
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

/** What one unit of code that has never been seen costs, in microseconds: to make it, and to have HotSpot compile it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 15, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class UnitCostBenchmark {
    private static final int PAGE = 4096;
    /** So many that they have all kinds of instructions. */
    private static final int PIECES_BEFORE = 256;
    /** Of flat 64-bit code. */
    private static final int MODE = dev.xenolith.cpu.decode.Mode.CODE_64 | dev.xenolith.cpu.decode.Mode.FLAT;

    /** Pieces of {@link GeneratedCode}, of 8 instructions each, that are one loop: the smallest region, and the largest that closes. */
    @Param({"1", "6"})
    public int pieces;

    private SingleUnits units;
    private long seed;

    /** Code that is to become a unit. */
    @State(Scope.Thread)
    @NullUnmarked
    public static class NewCode {
        private Hot hot;

        @Setup(Level.Invocation)
        public void write(UnitCostBenchmark benchmark) {
            hot = benchmark.hot(Quality.QUICK);
        }
    }

    /** A unit that is to be compiled. */
    @State(Scope.Thread)
    @NullUnmarked
    public static class NewUnit {
        /** By C1, or by C2. */
        @Param
        public Quality quality;

        private Made unit;

        @Setup(Level.Invocation)
        public void make(UnitCostBenchmark benchmark) {
            unit = Objects.requireNonNull(benchmark.units.make(benchmark.hot(quality)));
        }
    }

    /** Has similar code executed in units first: HotSpot makes little of what calls classes that are not initialized. */
    @Setup(Level.Trial)
    public void open() {
        try (BareMachine machine = new BareMachine(Translation.ALWAYS)) {
            machine.load(BareMachine.LARGE_CODE, GeneratedCode.ring(PIECES_BEFORE, false, seed++));
            machine.processor.rip = BareMachine.LARGE_CODE;
            machine.processor.run(PIECES_BEFORE * GeneratedCode.PIECE_INSTRUCTIONS * 2);
            if (machine.executedInUnits() == 0) {
                throw new IllegalStateException("units have not executed anything");
            }
        }
        units = new SingleUnits(CpuModel.intel()::has);
    }

    /** New code. */
    private Hot hot(Quality quality) {
        byte[] page = new byte[PAGE];
        byte[] code = GeneratedCode.ring(pieces, false, seed++);
        System.arraycopy(code, 0, page, 0, code.length);
        BitSet executed = new BitSet();
        for (int i = 0; i < pieces; i++) {
            executed.set(i * GeneratedCode.PIECE_SIZE);
        }
        return new Hot(0, page, 0, MODE, quality, executed, new BitSet(), () -> 0);
    }

    /** To find a region, write a class and define it. */
    @Benchmark
    public @Nullable Made make(NewCode code) {
        return units.make(code.hot);
    }

    /** To have HotSpot compile a unit that has been made, until its code is there. */
    @Benchmark
    public void compile(NewUnit made) {
        if (!units.compile(made.unit)) {
            throw new IllegalStateException("HotSpot does not compile it");
        }
    }
}
