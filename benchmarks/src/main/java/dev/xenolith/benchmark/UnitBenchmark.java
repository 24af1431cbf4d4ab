package dev.xenolith.benchmark;

import dev.xenolith.cpu.processor.Stop;
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
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** From one unit to the next, by each of the ways there are: time for one of them with the few instructions around it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 10, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@NullUnmarked
public class UnitBenchmark {
    private static final int EVENTS = 80_000;
    /** As many as have HotSpot inline none of them where units are entered. */
    private static final int PIECES = 8;
    private static final int PAGE = 4096;
    /** Bytes from one piece to the next in a page. */
    private static final int STEP = 64;
    /** Where in a page, or in the next one, stands what pieces call. */
    private static final int LEAVES = 0x800;
    private static final int CODE_BYTES = PIECES * PAGE;

    /** What happens. The code is eight pieces, which follow each other in a ring. */
    public enum Way {
        /**
         * A unit is entered by the run loop, which looks for it, and left for another page. A piece of 3 instructions: add rsp, 8; inc rcx;
         * call the next, in the next page.
         */
        ENTRY(3) {
            @Override
            void write(ByteBuffer code) {
                calls(code, PAGE);
            }
        },
        /** A linked exit leads to the next unit: the pieces of {@link #ENTRY} in one page. */
        LINK(3) {
            @Override
            void write(ByteBuffer code) {
                calls(code, STEP);
            }
        },
        /** A call and its return. A piece of 5 instructions: call leaf; inc rcx; jmp to the next; leaf: lea rax, [rax+rcx]; ret. */
        CALL(5) {
            @Override
            void write(ByteBuffer code) {
                callsOfLeaves(code, LEAVES);
            }
        },
        /** The same with leaves in another page. */
        FAR_CALL(5) {
            @Override
            void write(ByteBuffer code) {
                callsOfLeaves(code, PAGE + LEAVES);
            }
        },
        /**
         * A jump through a table, always to the same target. 5 instructions: inc ecx; and ecx, 0; jmp [rsi+rcx*8]; target: add rax, 1; jmp
         * back.
         */
        ONE_TARGET(5) {
            @Override
            void write(ByteBuffer code) {
                targets(code, 1);
            }
        },
        /** A jump through a table to one target after the other: that of {@link #ONE_TARGET} with and ecx, 7. */
        EIGHT_TARGETS(5) {
            @Override
            void write(ByteBuffer code) {
                targets(code, PIECES);
            }
        };

        private final int instructions;

        Way(int instructions) {
            this.instructions = instructions;
        }

        abstract void write(ByteBuffer code);

        private static void calls(ByteBuffer code, int step) {
            for (int i = 0; i < PIECES; i++) {
                put(code.position(i * step), 0x48, 0x83, 0xc4, 0x08, 0x48, 0xff, 0xc1);
                branch(code, CALL_REL32, (i + 1) % PIECES * step);
            }
        }

        private static void callsOfLeaves(ByteBuffer code, int leaves) {
            for (int i = 0; i < PIECES; i++) {
                branch(code.position(i * STEP), CALL_REL32, leaves + i * STEP);
                put(code, 0x48, 0xff, 0xc1);
                branch(code, JMP_REL32, (i + 1) % PIECES * STEP);
                put(code.position(leaves + i * STEP), 0x48, 0x8d, 0x04, 0x08, 0xc3);
            }
        }

        private static void targets(ByteBuffer code, int targets) {
            put(code.position(0), 0xff, 0xc1, 0x83, 0xe1, targets - 1, 0xff, 0x24, 0xce);
            for (int i = 0; i < targets; i++) {
                put(code.position((i + 1) * STEP), 0x48, 0x83, 0xc0, 0x01);
                branch(code, JMP_REL32, 0);
            }
        }
    }

    private static final int CALL_REL32 = 0xe8;
    private static final int JMP_REL32 = 0xe9;

    @Param
    public Way way;

    @Param({"OFF", "ON"})
    public Translation translation;

    private BareMachine machine;
    private long inUnits;

    private static void put(ByteBuffer code, int... bytes) {
        for (int value : bytes) {
            code.put((byte) value);
        }
    }

    private static void branch(ByteBuffer code, int opcode, int target) {
        code.put((byte) opcode).putInt(target - (code.position() + 4));
    }

    @Setup(Level.Trial)
    public void boot() {
        machine = new BareMachine(translation);
        ByteBuffer code = ByteBuffer.allocate(CODE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        way.write(code);
        machine.load(BareMachine.CODE, code.array());
        ByteBuffer table = ByteBuffer.allocate(PIECES * 8).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < PIECES; i++) {
            table.putLong(BareMachine.CODE + (i + 1) * STEP);
        }
        machine.load(BareMachine.DATA, table.array());
        event();
        if (machine.processor.rip != BareMachine.CODE) {
            throw new IllegalStateException("the ring does not close");
        }
    }

    @Setup(Level.Iteration)
    public void count() {
        inUnits = machine.executedInUnits();
    }

    @TearDown(Level.Trial)
    public void off() {
        boolean used = machine.executedInUnits() != inUnits;
        machine.close();
        if (used != (translation == Translation.ON)) {
            throw new IllegalStateException(used ? "there are units" : "units have not executed anything");
        }
    }

    @Benchmark
    @OperationsPerInvocation(EVENTS)
    public Stop event() {
        return machine.processor.run((long) EVENTS * way.instructions);
    }
}
