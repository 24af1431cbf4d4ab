package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** REP MOVS and REP STOS in both directions, over overlapping ranges, page boundaries and ends of budgets, against one element after the other. */
class RepeatedStringTest {
    private static final int BYTES = 5 * 4096;
    private static final long DIRECTION = 1 << 10;
    private static final String[] MOVS = {"f3 a4", "66 f3 a5", "f3 a5", "f3 48 a5"};
    private static final String[] STOS = {"f3 aa", "66 f3 ab", "f3 ab", "f3 48 ab"};

    private final TestMachine machine = new TestMachine();
    private final Processor cpu = machine.cpu;
    private final byte[] model = new byte[BYTES];

    @AfterEach
    void close() {
        machine.close();
    }

    @Test
    void doWhatTheirIterationsDoOneByOne() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        random.nextBytes(model);
        machine.memory.copyIn(model, 0, TestMachine.DATA, BYTES);
        byte[] found = new byte[BYTES];
        for (int i = 0; i < 2000; i++) {
            int log = random.nextInt(4);
            boolean down = random.nextBoolean();
            boolean moves = random.nextBoolean();
            int count = 1 + random.nextInt(random.nextBoolean() ? 20 : BYTES / 4 >> log);
            int source = start(random, count << log, 1 << log, down);
            // Half of them close to each other, so that they overlap.
            int near = source + random.nextInt(129) - 64;
            int length = count << log;
            int low = down ? near - length + (1 << log) : near;
            int destination = random.nextBoolean() && low >= 0 && low + length <= BYTES
                    ? near
                    : start(random, length, 1 << log, down);
            String what = "seed %d, %d: %s of %d from %d to %d, down: %s".formatted(seed, i,
                    moves ? MOVS[log] : STOS[log], count, source, destination, down);
            long value = random.nextLong();
            machine.code(TestMachine.CODE, (moves ? MOVS[log] : STOS[log]) + "0f 0b");
            run(random, source, destination, count, value, down);
            int step = down ? -1 << log : 1 << log;
            for (int k = 0; k < count; k++) {
                for (int b = 0; b < 1 << log; b++) {
                    // Of one element the bytes are read before any is written.
                    found[b] = moves ? model[source + k * step + b] : (byte) (value >>> 8 * b);
                }
                System.arraycopy(found, 0, model, destination + k * step, 1 << log);
            }
            machine.memory.copyOut(TestMachine.DATA, found, 0, BYTES);
            assertThat(found).as(what).isEqualTo(model);
            assertThat(cpu.gpr[Processor.RDI]).as(what).isEqualTo(TestMachine.DATA + destination + (long) count * step);
            assertThat(cpu.gpr[Processor.RSI]).as(what)
                    .isEqualTo(TestMachine.DATA + source + (moves ? (long) count * step : 0));
            assertThat(cpu.gpr[Processor.RCX]).as(what).isZero();
        }
    }

    /** Offset of the first of elements of {@code size} bytes that have {@code length} together. */
    private static int start(Random random, int length, int size, boolean down) {
        int low = random.nextInt(BYTES - length + 1);
        return down ? low + length - size : low;
    }

    private void run(Random random, int source, int destination, int count, long value, boolean down) {
        cpu.gpr[Processor.RSI] = TestMachine.DATA + source;
        cpu.gpr[Processor.RDI] = TestMachine.DATA + destination;
        cpu.gpr[Processor.RCX] = count;
        cpu.gpr[Processor.RAX] = value;
        cpu.setRflags(Bits.RFLAGS_FIXED | (down ? DIRECTION : 0));
        cpu.rip = TestMachine.CODE;
        long before = cpu.retired;
        Stop stop;
        do {
            stop = machine.run(1 + random.nextInt(2 * count));
        } while (stop.kind == Stop.Kind.BUDGET);
        assertThat(cpu.retired - before).isEqualTo(count);
    }
}
