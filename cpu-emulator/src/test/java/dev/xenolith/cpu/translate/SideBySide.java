package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Executes programs by the interpreter and in units, side by side, in pieces of random length, and compares all there is after each. */
final class SideBySide {
    /** Instructions of a program that may be executed in short pieces. */
    private static final int SHORT_PIECES = 500;
    private static final int LONGEST_PIECE = 3_000;

    private final UnitFactory factory = new UnitFactory(ProgramMachine.MODEL::has);
    private final UnitCensus.Tally tally = new UnitCensus.Tally();
    private final @Nullable HotSpot compiler;
    private long instructions;

    /** @param compiler what compiles units by C2 before they are executed; null if HotSpot does as it sees fit */
    SideBySide(@Nullable HotSpot compiler) {
        this.compiler = compiler;
    }

    UnitCensus.Tally tally() {
        return tally;
    }

    /** Instructions compared. */
    long instructions() {
        return instructions;
    }

    /** The first difference in {@code length} instructions of {@code program}; empty if there is none. */
    String difference(GuestProgram program, long seed, long length) {
        Random random = new Random(seed ^ 0x5deece66dL);
        Random late = random.nextInt(4) == 0 ? new Random(seed) : null;
        UnitCensus census = new UnitCensus(factory, tally, late, compiler);
        try (ProgramMachine expected = new ProgramMachine(null); ProgramMachine actual = new ProgramMachine(census)) {
            expected.load(program, seed);
            actual.load(program, seed);
            String difference = "";
            boolean running = true;
            int longest = new int[]{3, 40, 400, LONGEST_PIECE}[random.nextInt(4)];
            while (running && difference.isEmpty() && expected.cpu.retired < length) {
                // Short pieces take time, and what no piece ends in is compared too.
                int budget = random.nextInt(1, expected.cpu.retired < SHORT_PIECES ? longest : LONGEST_PIECE);
                long from = expected.cpu.retired;
                Stop stop = expected.cpu.run(budget);
                running = stop.kind == Stop.Kind.BUDGET;
                difference = translated(actual, budget);
                if (difference.isEmpty()) {
                    difference = difference(expected, actual);
                }
                if (!difference.isEmpty()) {
                    difference = "after %d of %d instructions at a stop, from %d: %s".formatted(
                            expected.cpu.retired - from, budget, from, difference);
                }
            }
            if (difference.isEmpty() && expected.digest() != actual.digest()) {
                difference = expected.difference(actual);
            }
            instructions += expected.cpu.retired;
            return difference;
        } finally {
            census.close();
        }
    }

    /** What is thrown is a difference as well. */
    private static String translated(ProgramMachine machine, int budget) {
        try {
            machine.cpu.run(budget);
            return "";
        } catch (RuntimeException | LinkageError e) {
            return e + " at " + Arrays.stream(e.getStackTrace()).limit(6).toList();
        }
    }

    private static String difference(ProgramMachine first, ProgramMachine second) {
        Processor a = first.cpu;
        Processor b = second.cpu;
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 16; i++) {
            compare(text, "register " + i, a.gpr[i], b.gpr[i]);
        }
        compare(text, "rip", a.rip, b.rip);
        compare(text, "rflags", a.rflags(), b.rflags());
        compare(text, "retired", a.retired, b.retired);
        compare(text, "cr2", a.cr2, b.cr2);
        compare(text, "stop", a.stop.kind.ordinal(), b.stop.kind.ordinal());
        if (!Arrays.equals(a.vector, b.vector)) {
            text.append("vector registers ");
        }
        return text.toString();
    }

    private static void compare(StringBuilder text, String name, long expected, long actual) {
        if (expected != actual) {
            text.append("%s %x, translated %x; ".formatted(name, expected, actual));
        }
    }
}
