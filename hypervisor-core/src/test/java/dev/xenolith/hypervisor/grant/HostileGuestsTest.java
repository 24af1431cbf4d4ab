package dev.xenolith.hypervisor.grant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Preempt;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever guests do to their memory: counts stay exact, the victim and free memory stay untouched, every frame comes back. */
class HostileGuestsTest {
    private static final int STEPS = 20_000;
    private static final int AUDIT_EVERY = 500;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void nothingLeaksOrBreaks(long seed) {
        attack(seed, false);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void norDoesItWithA32BitGuest(long seed) {
        attack(seed, true);
    }

    private static void attack(long seed, boolean compat) {
        try (HostileGuests hostile = new HostileGuests(seed, Checks.ALL, compat)) {
            hostile.preemptSometimes();
            String finding = run(hostile, STEPS);
            assertThat(finding).as("seed " + seed).isNull();
            if (System.getProperty("outcomes") != null) {
                hostile.outcomes.forEach((k, v) -> System.out.println(k + ": " + v));
            }
            hostile.end();
            assertThat(hostile.world.audit.run()).as("seed " + seed).isEmpty();
            long hypervisor = hostile.world.memory.hypervisorFrames();
            assertThat(hostile.world.memory.freeFrames()).as("seed " + seed)
                    .isEqualTo(hostile.world.memory.totalFrames() - hypervisor);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 17, 600})
    void interruptionsChangeNothing(int every) {
        for (boolean compat : new boolean[]{false, true}) {
            assertThat(stateAfter(every, compat)).as("interrupted at every %d. question, compat %s", every, compat)
                    .isEqualTo(stateAfter(0, compat));
        }
    }

    private static List<Long> stateAfter(int every, boolean compat) {
        List<Long> states = new ArrayList<>();
        try (HostileGuests hostile = new HostileGuests(77, Checks.ALL, compat)) {
            int[] asked = new int[1];
            hostile.completing = true;
            hostile.world.preempt = every == 0 ? Preempt.NEVER : () -> ++asked[0] % every == 0;
            for (int i = 0; i < 4; i++) {
                assertThat(run(hostile, 1_000)).isNull();
                states.add(hostile.stateDigest());
            }
        }
        return states;
    }

    /** The first thing that is wrong, or null. */
    static @Nullable String run(HostileGuests hostile, int steps) {
        for (int i = 1; i <= steps; i++) {
            List<String> found = hostile.step();
            if (found.isEmpty() && i % AUDIT_EVERY == 0) {
                found = hostile.findings();
            }
            if (!found.isEmpty()) {
                return "step " + i + ": " + found;
            }
        }
        return null;
    }
}
