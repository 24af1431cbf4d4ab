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

/** Millions of guest instructions a second (ops/us) of the interpreter in three endless loops. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class InterpreterBenchmark {
    private static final int INSTRUCTIONS = 100_000;

    /** What the loop does. */
    public enum Loop {
        /** add rax,rbx; xor rdx,rax; lea rsi,[rdx+rax*2]; rol rbx,7; inc rcx; jmp. */
        ALU(0x48, 0x01, 0xd8, 0x48, 0x31, 0xc2, 0x48, 0x8d, 0x34, 0x42, 0x48, 0xc1, 0xc3, 0x07, 0x48, 0xff, 0xc1, 0xeb,
                0xed),
        /** mov rax,[rsi+rcx*8]; add [rdi],rax; inc rcx; and ecx,255; mov [rdi+8],rcx; jmp. */
        MEMORY(0x48, 0x8b, 0x04, 0xce, 0x48, 0x01, 0x07, 0x48, 0xff, 0xc1, 0x81, 0xe1, 0xff, 0, 0, 0, 0x48, 0x89, 0x4f,
                0x08, 0xeb,
                0xea),
        /** call f; inc rcx; test cl,1; jz skip; inc rdx; skip: jmp; f: push rbx; pop rbx; ret. */
        CALLS(0xe8, 0x0f, 0, 0, 0, 0x48, 0xff, 0xc1, 0xf6, 0xc1, 0x01, 0x74, 0x03, 0x48, 0xff, 0xc2, 0xeb, 0xee, 0x90,
                0x90, 0x53, 0x5b,
                0xc3);

        private final int[] code;

        Loop(int... code) {
            this.code = code;
        }
    }

    @Param
    public Loop loop;

    private BareMachine machine;

    @Setup(Level.Trial)
    public void boot() {
        machine = new BareMachine(loop.code);
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
