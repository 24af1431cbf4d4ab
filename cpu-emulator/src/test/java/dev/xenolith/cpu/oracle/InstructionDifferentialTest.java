package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Disassembler;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeTable;

/**
 * The emulated processor does what silicon does. {@code -Doracle.instances=N} and {@code -Doracle.seed=S} make long runs and
 * repeat failures, {@code -Doracle.only=REGEX} those of forms whose feature and instruction begin like that; the tables of what was compared are {@code target/oracle-*.txt}.
 */
class InstructionDifferentialTest {
    private static final long SEED = Long.getLong("oracle.seed", 1);
    private static final long INSTANCES_PER_FORM = 40;

    private final Exclusions exclusions = new Exclusions();
    private final Decoder decoder = new Decoder(OpcodeTable.load());

    @BeforeEach
    void needsSilicon() {
        Optional<String> unavailable = SiliconRunner.unavailable();
        assumeTrue(unavailable.isEmpty(), () -> unavailable.orElseThrow());
    }

    @Test
    void instructionsOf64BitMode() {
        compare(new InstructionGenerator(forms(64), 64), 64, "64-bit");
    }

    @Test
    void sequencesOf64BitMode() {
        compare(new SequenceGenerator(forms(64)), 64, "sequences");
    }

    @Test
    void instructionsOfCompatibilityMode() {
        compare(new InstructionGenerator(forms(32), 32), 32, "32-bit");
    }

    private List<InstructionForm> forms(int codeBits) {
        String only = System.getProperty("oracle.only", "");
        return InstructionForm.table().stream().filter(form -> exclusions.reason(form, codeBits).isEmpty())
                .filter(form -> (form.feature + " " + form.assembly).matches(only + ".*")).toList();
    }

    private void compare(SnippetGenerator generator, int codeBits, String name) {
        int mode = (codeBits == 64 ? Mode.CODE_64 : Mode.CODE_32 | Mode.FLAT) | Mode.STACK_32;
        try (SiliconRunner silicon = new SiliconRunner(512); EmulatedRunner emulated = new EmulatedRunner()) {
            Campaign campaign = new Campaign(generator, silicon, emulated, (code, address) -> disassemble(code, address,
                    mode));
            campaign.run(SEED, Long.getLong("oracle.instances", INSTANCES_PER_FORM * generator.forms().size()));
            campaign.writeCoverage(Path.of("target", "oracle-" + name + ".txt"), excluded(codeBits));
            assertThat(campaign.differences()).isEmpty();
        }
    }

    private Map<InstructionForm, String> excluded(int codeBits) {
        Map<InstructionForm, String> excluded = new LinkedHashMap<>();
        for (InstructionForm form : InstructionForm.table()) {
            exclusions.reason(form, codeBits).ifPresent(reason -> excluded.put(form, reason));
        }
        return excluded;
    }

    private String disassemble(byte[] code, long address, int mode) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < code.length;) {
            byte[] rest = Arrays.copyOfRange(code, at, at + 16);
            var instruction = Objects
                    .requireNonNull(decoder.decode(rest, 0, rest.length, (int) (address & 0xfff), mode));
            text.append(at == 0 ? "" : "; ").append(Disassembler.format(instruction, address));
            at += instruction.length;
            address += instruction.length;
        }
        return text.toString();
    }
}
