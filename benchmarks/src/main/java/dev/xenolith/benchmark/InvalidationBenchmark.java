package dev.xenolith.benchmark;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.translate.Translation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Code that is written to: time for one write, which makes its unit stale, and the executions of a loop of three instructions until the
 * next write, by the interpreter until there is a unit again.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class InvalidationBenchmark {
    /** Instructions that the machine executes before it takes over units again. */
    private static final int SLICE = 10_000;
    /** L: add eax, 0, whose operand is written to; dec ecx; jnz L; jmp to the writer. */
    private static final int[] LOOP = {0x05, 0, 0, 0, 0, 0xff, 0xc9, 0x75, 0xf7, 0xe9, 0xf2, 0x0f, 0, 0};
    private static final int LOOP_INSTRUCTIONS = 3;
    private static final int OPERAND = 1;
    private static final int WRITER = 0x1000;
    /** The write, mov ecx, the jump to the loop, and the one back. */
    private static final int WRITER_INSTRUCTIONS = 4;

    /** What is written. */
    public enum Change {
        /** xor byte ptr [rdi], 1: one of two values, so that the class of the unit is known. */
        KNOWN(0x80, 0x37, 0x01),
        /** add byte ptr [rdi], 1: one of 256 values, of which a class is remembered for the latest few only. */
        NEW(0x80, 0x07, 0x01);

        private final int[] code;

        Change(int... code) {
            this.code = code;
        }
    }

    @Param
    public Change change;

    /** How often the loop is executed from one write to the next. */
    @Param({"100", "10000", "1000000"})
    public int executions;

    @Param({"OFF", "ON"})
    public Translation translation;

    private BareMachine machine;

    @Setup(Level.Trial)
    public void boot() {
        machine = new BareMachine(translation, LOOP);
        machine.load(BareMachine.CODE + WRITER, writer());
        machine.processor.gpr[Processor.RDI] = BareMachine.CODE + OPERAND;
        machine.processor.rip = BareMachine.CODE + WRITER;
        write();
        if (machine.processor.rip != BareMachine.CODE + WRITER || machine.processor.gpr[Processor.RAX] != executions) {
            throw new IllegalStateException("the loop does not execute what was written");
        }
    }

    /** The write; mov ecx, {@link #executions}; jmp to the loop. */
    private byte[] writer() {
        ByteBuffer code = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : change.code) {
            code.put((byte) value);
        }
        code.put((byte) 0xb9).putInt(executions).put((byte) 0xe9);
        return code.putInt(-WRITER - (code.position() + 4)).array();
    }

    @TearDown(Level.Trial)
    public void off() {
        machine.close();
    }

    @Benchmark
    public void write() {
        long left = (long) executions * LOOP_INSTRUCTIONS + WRITER_INSTRUCTIONS;
        for (; left > 0; left -= SLICE) {
            machine.processor.run(Math.min(left, SLICE));
        }
    }
}
