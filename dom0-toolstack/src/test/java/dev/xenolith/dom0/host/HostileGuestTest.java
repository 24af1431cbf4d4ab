package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Checks.Check;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A guest that calls Xen with everything that it can think of harms nobody, on the whole path that users' guests take; and would,
 * if Xen did not check.
 *
 * <p>{@code -Dxenolith.hostile.calls=1000000 -Dxenolith.hostile.seeds=10} makes a campaign of it.
 */
@Timeout(3600)
class HostileGuestTest {
    private static final long CALLS = Long.getLong("xenolith.hostile.calls", 60_000);
    private static final int SEEDS = Integer.getInteger("xenolith.hostile.seeds", 3);
    /** The budget of a mutant: each seed has so many calls. */
    private static final long MUTANT_CALLS = 50_000;
    private static final int MUTANT_SEEDS = 20;
    /** From so many calls on, each operation that can succeed does. */
    private static final long EXHAUSTIVE = 1_000_000;

    @Test
    void nobodyComesToHarm() throws Exception {
        Outcomes outcomes = new Outcomes();
        int audits = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            try (HostileRun run = new HostileRun(seed, CALLS / SEEDS, Checks.ALL)) {
                assertThat(run.run()).as("seed %d", seed).isNull();
                outcomes.add(run.table());
                audits += run.audits();
            }
        }
        Files.writeString(Path.of("target", "hostile-outcomes.txt"),
                outcomes + "\n" + outcomes.calls() + " calls, " + audits + " audits\n");
        assertThat(outcomes.calls()).isGreaterThanOrEqualTo(CALLS / SEEDS * SEEDS);
        if (CALLS >= EXHAUSTIVE) {
            assertThat(outcomes.neverSucceeded()).containsExactlyInAnyOrderElementsOf(Outcomes.CANNOT_SUCCEED.keySet());
        }
    }

    /** Stale translations are the subject of {@link TransitionTest}: here no second vCPU lies in wait for them. */
    @ParameterizedTest
    @EnumSource(value = Check.class, mode = EnumSource.Mode.EXCLUDE, names = "TLB_FLUSH")
    void withoutACheckSomebodyDoes(Check check) throws Exception {
        for (long seed = 1; seed <= MUTANT_SEEDS; seed++) {
            try (HostileRun run = new HostileRun(seed, MUTANT_CALLS, Checks.without(check))) {
                if (run.run() != null) {
                    return;
                }
            }
        }
        fail("nobody noticed that " + check + " is missing");
    }
}
