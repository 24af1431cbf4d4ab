package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A masked store that crosses into a page that is not writable reports the start of that page, whether alignment is checked or not. */
class MaskedStoreTest {
    private static final int RDI = 7;
    private static final int AC = 1 << 18;

    @ParameterizedTest
    @ValueSource(ints = {0x202, 0x202 | AC})
    void faultsAtTheStartOfThePage(int flags) {
        Snippet snippet = new Snippet();
        snippet.code = HexFormat.of().parseHex("c4e2d98e17"); // VPMASKMOVQ [RDI], XMM4, XMM2
        snippet.registers.rflags = flags;
        snippet.registers.gpr[RDI] = AddressMap.READ_ONLY_HIGH - 1;
        for (int i = 0; i < 16; i++) {
            snippet.fx[FxImage.XMM + 16 * 4 + i] = -1;
        }
        try (EmulatedRunner emulated = new EmulatedRunner()) {
            assertFaults(emulated, snippet);
        }
        if (SiliconRunner.unavailable().isEmpty()) {
            try (SiliconRunner silicon = new SiliconRunner(1)) {
                assertFaults(silicon, snippet);
            }
        }
    }

    private static void assertFaults(SnippetRunner runner, Snippet snippet) {
        Outcome outcome = new Outcome();
        runner.run(List.of(snippet), List.of(outcome));
        assertThat(outcome.vector).isEqualTo(Outcome.PAGE_FAULT);
        assertThat(outcome.cr2).isEqualTo(AddressMap.READ_ONLY_HIGH);
        assertThat(outcome.errorCode).isEqualTo(7);
    }
}
