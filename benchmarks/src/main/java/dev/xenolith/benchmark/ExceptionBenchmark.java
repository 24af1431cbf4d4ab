package dev.xenolith.benchmark;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.cpu.translate.Translation;
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

/** An exception in a guest's ring 0 and back: through its IDT to a handler, which returns with IRETQ. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class ExceptionBenchmark {
    private static final int ROUNDS = 1000;
    private static final long NOT_MAPPED = 0x7000_0000_0000L;

    /** Handler of an exception with an error code: inc r15; add rsp, 8; add qword ptr [rsp], 3; iretq. */
    private static final int[] SKIP_3_BYTES = {0x49, 0xff, 0xc7, 0x48, 0x83, 0xc4, 8, 0x48, 0x83, 0x04, 0x24, 3, 0x48,
        0xcf};

    /** What raises it. Every round counts one exception in R15 and retires {@link #instructions} instructions. */
    public enum Kind {
        /** int3; jmp. The handler: inc r15; iretq. */
        BREAKPOINT(3, 4, new int[]{0xcc, 0xeb, 0xfd}, new int[]{0x49, 0xff, 0xc7, 0x48, 0xcf}),
        /** ud2; jmp. The handler: inc r15; add qword ptr [rsp], 2; iretq. */
        INVALID_OPCODE(6, 4, new int[]{0x0f, 0x0b, 0xeb, 0xfc},
                new int[]{0x49, 0xff, 0xc7, 0x48, 0x83, 0x04, 0x24, 2, 0x48, 0xcf}),
        /** mov eax, [r14], not mapped; jmp. */
        PAGE_FAULT(14, 5, new int[]{0x41, 0x8b, 0x06, 0xeb, 0xfb},
                SKIP_3_BYTES),
        /**
         * add rax, rbx; inc rcx; mov eax, [r14], not mapped; jmp: a unit leaves before the load, which is interpreted.
         */
        PAGE_FAULT_IN_UNIT(14, 7, new int[]{0x48, 0x01, 0xd8, 0x48, 0xff, 0xc1, 0x41, 0x8b, 0x06, 0xeb, 0xf5},
                SKIP_3_BYTES),
        /**
         * add rax, rbx; inc rcx; fld dword ptr [rdi+0], not mapped; jmp: a unit calls the interpreter's operation, whose fault it passes on.
         */
        PAGE_FAULT_IN_CALL(14, 7, new int[]{0x48, 0x01, 0xd8, 0x48, 0xff, 0xc1, 0xd9, 0x47, 0x00, 0xeb, 0xf5},
                SKIP_3_BYTES);

        private final int vector;
        private final int instructions;
        private final int[] code;
        private final int[] handler;

        Kind(int vector, int instructions, int[] code, int[] handler) {
            this.vector = vector;
            this.instructions = instructions;
            this.code = code;
            this.handler = handler;
        }
    }

    @Param
    public Kind kind;

    @Param({"OFF", "ON"})
    public Translation translation;

    private BareMachine machine;

    @Setup(Level.Trial)
    public void boot() {
        machine = new BareMachine(translation, kind.code);
        machine.handle(kind.vector, kind.handler);
        machine.processor.gpr[14] = NOT_MAPPED;
        machine.processor.gpr[Processor.RDI] = NOT_MAPPED;
        roundTrips();
        if (machine.processor.gpr[15] != ROUNDS || machine.processor.rip != BareMachine.CODE) {
            throw new IllegalStateException(machine.processor.gpr[15] + " exceptions, and then at 0x"
                    + Long.toHexString(machine.processor.rip));
        }
    }

    @TearDown(Level.Trial)
    public void off() {
        machine.close();
    }

    @Benchmark
    @OperationsPerInvocation(ROUNDS)
    public Stop roundTrips() {
        return machine.processor.run((long) ROUNDS * kind.instructions);
    }
}
