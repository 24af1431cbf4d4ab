package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A campaign that can fail: silicon agrees with itself on everything, and with a falsified self on nothing that was falsified. */
class CampaignTest {
    private static final int INSTANCES = Integer.getInteger("oracle.instances", 2_000);
    private static final long SEED = Long.getLong("oracle.seed", 1);

    @BeforeEach
    void needsSilicon() {
        Optional<String> unavailable = SiliconRunner.unavailable();
        assumeTrue(unavailable.isEmpty(), () -> unavailable.orElseThrow());
    }

    private static List<InstructionForm> forms(int codeBits) {
        Exclusions exclusions = new Exclusions();
        return InstructionForm.table().stream().filter(form -> exclusions.reason(form, codeBits).isEmpty()).toList();
    }

    private static Campaign campaign(SnippetGenerator generator, SnippetRunner first, SnippetRunner second) {
        Campaign campaign = new Campaign(generator, first, second, (code, address) -> HexFormat.of().formatHex(
                code));
        campaign.run(SEED, INSTANCES);
        return campaign;
    }

    @Test
    void siliconAgreesWithItself() {
        try (SiliconRunner silicon = new SiliconRunner(512)) {
            assertThat(campaign(new InstructionGenerator(forms(64), 64), silicon, silicon).differences()).isEmpty();
            assertThat(campaign(new SequenceGenerator(forms(64), 64), silicon, silicon).differences()).isEmpty();
            if (HostCode.has32Bit()) {
                assertThat(campaign(new InstructionGenerator(forms(32), 32), silicon, silicon).differences()).isEmpty();
                assertThat(campaign(new SequenceGenerator(forms(32), 32), silicon, silicon).differences()).isEmpty();
            }
        }
    }

    /**
     * Flips one bit of each outcome, of something that every instruction defines: the base of FS, DF, the instruction
     * pointer. For the rest see {@link ComparisonTest}.
     */
    @Test
    void everyFalsifiedOutcomeIsReported() {
        InstructionGenerator generator = new InstructionGenerator(forms(64), 64);
        try (SiliconRunner silicon = new SiliconRunner(512)) {
            SnippetRunner falsified = new SnippetRunner() {
                private int count;

                @Override
                public void run(List<Snippet> snippets, List<Outcome> outcomes) {
                    silicon.run(snippets, outcomes);
                    for (int i = 0; i < snippets.size(); i++) {
                        falsify(outcomes.get(i), count++);
                    }
                }

                @Override
                public void close() {
                }
            };
            Campaign campaign = campaign(generator, silicon, falsified);
            campaign.tallies().forEach((form, tally) -> {
                boolean endless = tally.endings.containsKey("timeout");
                assertThat(tally.differing).as(form.toString()).isGreaterThanOrEqualTo(endless ? 0 : tally.instances);
            });
        }
    }

    private static void falsify(Outcome outcome, int choice) {
        switch (choice % 3) {
            case 0 -> outcome.registers.fsBase ^= 1L << choice % 47;
            case 1 -> outcome.registers.rflags ^= 1 << 10;
            default -> outcome.rip ^= 1;
        }
    }
}
