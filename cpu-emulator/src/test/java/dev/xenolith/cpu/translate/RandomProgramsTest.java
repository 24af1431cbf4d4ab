package dev.xenolith.cpu.translate;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random programs do the same by the interpreter and in units. Properties: {@code programs.seed} is the first seed, {@code programs.count}
 * how many there are, {@code programs.length} how many instructions of each, {@code programs.compiled} of how many units are executed by
 * C2's code only.
 */
class RandomProgramsTest {
    private static final long SEED = Long.getLong("programs.seed", 1);
    private static final int COUNT = Integer.getInteger("programs.count", 50);
    private static final int LENGTH = Integer.getInteger("programs.length", 4_000);
    /** Programs after which the figures are printed, in case that there is no time for all. */
    private static final int PART = 250;
    private static final int COMPILED = Integer.getInteger("programs.compiled", 2);

    @Test
    void interpreterAndUnitsDoTheSame() {
        run(SEED, COUNT, false);
    }

    @Test
    void unitsCompiledByC2DoTheSame() {
        run(SEED, COMPILED, true);
    }

    private static void run(long seed, int count, boolean compiled) {
        HotSpot hotSpot = compiled ? HotSpot.open() : null;
        SideBySide sides = new SideBySide(hotSpot);
        try (CompilationEvents events = compiled ? CompilationEvents.record() : null) {
            long start = System.nanoTime();
            for (long program = seed; program < seed + count; program++) {
                GuestProgram generated = ProgramGenerator.generate(program);
                String difference = sides.difference(generated, program, LENGTH);
                if (!difference.isEmpty()) {
                    report(program, generated, difference, hotSpot);
                }
                if ((program - seed + 1) % PART == 0) {
                    print(program - seed + 1, sides, start);
                }
            }
            print(count, sides, start);
            if (events != null) {
                events.finish();
                long byC2 = sides.tally().compiled(events);
                System.out.printf("%d distinct units were executed by code of which C2 has reported the compilation%n",
                        byC2);
                assertThat(byC2).isPositive();
            }
        }
    }

    private static void print(long count, SideBySide sides, long start) {
        System.out.printf("%d programs, %d instructions compared, %d in units, %d distinct units: %d s%n", count,
                sides.instructions(), sides.tally().executed(), sides.tally().distinct(),
                (System.nanoTime() - start) / 1_000_000_000);
    }

    private static void report(long seed, GuestProgram program, String difference, @Nullable HotSpot hotSpot) {
        GuestProgram least = Reduction.reduce(program,
                less -> !new SideBySide(hotSpot).difference(less, seed, LENGTH).isEmpty());
        String leastDifference = new SideBySide(hotSpot).difference(least, seed, LENGTH);
        assertThat(difference).as("-Dprograms.seed=%d -Dprograms.count=1: reduced to%n%s%nwith %s%n", seed,
                String.join("\n", least.disassemble(ProgramMachine.CODE)), leastDifference).isEmpty();
    }
}
