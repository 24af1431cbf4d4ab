package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The emulated processor does what silicon does. {@code -Doracle.each=N} makes a campaign of N instances of every row of the opcode
 * table at every operand size: from {@value Campaign#INSTANCES} on they must be enough of each kind, and {@link CoverageTable} is written anew. {@code -Doracle.seed=S
 * -Doracle.instances=N} repeats failures, {@code -Doracle.only=REGEX} takes forms whose feature and instruction begin like that.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InstructionDifferentialTest {
    private static final long SEED = Long.getLong("oracle.seed", Slice.SEED);
    private static final int EACH = Integer.getInteger("oracle.each", Slice.EACH);
    /** Of sequences a campaign makes so many that begin with each variant. */
    private static final int SEQUENCES = 600;

    /** The instances are shared among so many threads; which are made does not depend on it. */
    private static final int THREADS = Integer.getInteger("oracle.threads", 1);

    private final Exclusions exclusions = new Exclusions();
    private final CoverageTable coverage = new CoverageTable(exclusions);

    @BeforeEach
    void needsSilicon() {
        Optional<String> unavailable = SiliconRunner.unavailable();
        assumeTrue(unavailable.isEmpty(), () -> unavailable.orElseThrow());
    }

    @AfterAll
    void writeCoverage() {
        if (coverage.complete()) {
            coverage.write();
        }
    }

    @ParameterizedTest
    @EnumSource
    void emulatedIsAsSilicon(Slice slice) {
        assumeTrue(slice.runsHere(), "the host's kernel runs no 32-bit code");
        String only = System.getProperty("oracle.only", "");
        int variants = slice.generator(exclusions, only).variants().size();
        long instances = Long.getLong("oracle.instances",
                (long) (slice.sequences ? Math.min(EACH, SEQUENCES) : EACH) * variants);
        List<Campaign> parts = inParts(slice, only, instances);
        Campaign campaign = parts.getFirst();
        parts.stream().skip(1).forEach(campaign::add);
        boolean whole = EACH >= Campaign.INSTANCES && Long.getLong("oracle.instances") == null && only.isEmpty();
        if (whole) {
            coverage.add(slice, campaign);
        }
        assertThat(campaign.differences()).isEmpty();
        if (whole && !slice.sequences) {
            assertThat(campaign.shortfalls(Campaign.INSTANCES, Campaign.EDGES, Campaign.FAULTS)).isEmpty();
        }
    }

    private List<Campaign> inParts(Slice slice, String only, long instances) {
        long part = (instances + THREADS - 1) / THREADS;
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            List<CompletableFuture<Campaign>> running = LongStream.range(0, THREADS).mapToObj(
                    i -> CompletableFuture
                            .supplyAsync(() -> run(slice, only, SEED + i * part, Math.clamp(instances - i * part, 0,
                                    part)), threads))
                    .toList();
            return running.stream().map(CompletableFuture::join).toList();
        }
    }

    private Campaign run(Slice slice, String only, long seed, long instances) {
        try (SiliconRunner silicon = new SiliconRunner(Campaign.BATCH);
                EmulatedRunner emulated = new EmulatedRunner()) {
            Campaign campaign = new Campaign(slice.generator(exclusions, only), silicon, emulated,
                    slice.disassembler());
            campaign.run(seed, instances);
            return campaign;
        }
    }
}
