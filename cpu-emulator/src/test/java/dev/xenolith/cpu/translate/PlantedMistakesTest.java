package dev.xenolith.cpu.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Programs find errors of the kinds that a translator may have. Which program found which goes to standard output. */
class PlantedMistakesTest {
    private static final int PROGRAMS = 200;
    private static final int WITHOUT = 20;
    private static final String UNIT = "interpret.Unit";
    private static final List<PlantedMistake> MISTAKES = List.of(
            PlantedMistake.skipped("liveness: needed flags are not written", "translate.PendingFlags", "write"),
            PlantedMistake.replaced("liveness: an exit needs no flags", "translate.RegionBuilder", "needsFlagsFirst",
                    "translate.EmitterMistakes"),
            PlantedMistake.returning("budget: the longest way is that of one block", "translate.RegionBuilder", "rest",
                    0),
            PlantedMistake.returning("budget: no look where a loop begins", "translate.RegionBuilder", "isBack", 0),
            PlantedMistake.constant("budget: a look for one instruction", "translate.UnitEmitter", "go", "longest", 1),
            PlantedMistake.oneMore("fault: one instruction too many is counted", "translate.UnitEmitter", "exit",
                    "(JI)Ldev/xenolith/cpu/translate/UnitEmitter$Exit;", 3),
            PlantedMistake.replaced("fault: the exit has lost flags", "translate.PendingFlags", "copy",
                    "translate.EmitterMistakes"),
            PlantedMistake.changedEarly("fault: a register has changed before the access"),
            PlantedMistake.replaced("chaining: all exits have one link", UNIT, "link", "interpret.LinkMistakes"),
            PlantedMistake.constant("chaining: nobody looks whether it fits", "interpret.Interpreter", "runUnits",
                    "longest", 0),
            PlantedMistake.skipped("invalidation: a unit is not made stale", UNIT, "retire"),
            PlantedMistake.replaced("sharing: a unit is taken for code with another byte", UNIT + "$Layout", "isIn",
                    "interpret.LinkMistakes"));

    @Test
    void everyPlantedMistakeIsFound() {
        List<String> missed = new ArrayList<>();
        for (PlantedMistake mistake : MISTAKES) {
            long start = System.nanoTime();
            String found = mistake.firstDifference(PROGRAMS);
            assertThat(mistake.places().get()).as(mistake.name()).isPositive();
            System.out.printf("%-50s %5d ms: %s%n", mistake.name(), (System.nanoTime() - start) / 1_000_000,
                    found.isEmpty() ? "not found" : found);
            if (found.isEmpty()) {
                missed.add(mistake.name());
            }
        }
        assertThat(missed).isEmpty();
    }

    @Test
    void withoutAMistakeNothingIsFound() {
        assertThat(PlantedMistake.none().firstDifference(WITHOUT)).isEmpty();
    }
}
