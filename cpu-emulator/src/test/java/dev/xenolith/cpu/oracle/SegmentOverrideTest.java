package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * In flat 32-bit code an operand that crosses 4 GiB faults by its segment: #SS for one in SS, also where the instruction implies it and
 * a prefix says SS; #GP for others. String destinations are in ES whatever the prefixes (SDM 1 7.3.9.2).
 */
class SegmentOverrideTest {
    private static final int SS = 12;
    private static final int GP = 13;
    private static final int RAX = 0;
    private static final int RSI = 6;
    private static final int RDI = 7;

    /** Instruction, whether only its source crosses, vector. */
    @ParameterizedTest
    @CsvSource({"36 ad, true, 12", "ad, true, 13", "36 66 ad, true, 12", "f3 36 ad, true, 12", "36 a5, true, 12",
        "36 a5, false, 13", "a5, true, 13", "36 a7, true, 12", "36 a7, false, 13", "36 ab, false, 13",
        "36 af, false, 13",
        "36 0f f7 c1, false, 12", "0f f7 c1, false, 13", "36 66 0f f7 c1, false, 12", "66 0f f7 c1, false, 13",
        "36 a1 ff ff ff ff, true, 12", "a1 ff ff ff ff, true, 13", "36 8b 00, true, 12", "8b 00, true, 13"})
    void faultsByItsSegment(String code, boolean source, int vector) {
        assertThat(vector).isIn(SS, GP);
        Snippet snippet = new Snippet();
        snippet.code = HexFormat.ofDelimiter(" ").parseHex(code);
        Registers registers = snippet.registers;
        registers.selector[Registers.CS] = AddressMap.CODE_SELECTOR_32;
        registers.selector[Registers.DS] = AddressMap.DATA_SELECTOR;
        registers.selector[Registers.ES] = AddressMap.DATA_SELECTOR;
        registers.gpr[RAX] = 0xffff_ffffL;
        registers.gpr[1] = 1;
        registers.gpr[RSI] = source ? 0xffff_ffffL : AddressMap.WRITABLE;
        registers.gpr[RDI] = source ? AddressMap.WRITABLE : 0xffff_ffffL;
        // Every byte of MM1 and XMM1 selects.
        for (int i = 0; i < 16; i++) {
            snippet.fx[FxImage.ST + 16 + i % 8] = -1;
            snippet.fx[FxImage.XMM + 16 + i] = -1;
        }
        try (EmulatedRunner emulated = new EmulatedRunner()) {
            assertFaults(emulated, snippet, vector);
        }
        if (SiliconRunner.unavailable().isEmpty() && HostCode.has32Bit()) {
            try (SiliconRunner silicon = new SiliconRunner(1)) {
                assertFaults(silicon, snippet, vector);
            }
        }
    }

    private static void assertFaults(SnippetRunner runner, Snippet snippet, int vector) {
        Outcome outcome = new Outcome();
        runner.run(List.of(snippet), List.of(outcome));
        assertThat(outcome.ending).isEqualTo(Outcome.Ending.EXCEPTION);
        assertThat(outcome.rip).isEqualTo(snippet.start());
        assertThat(outcome.vector).isEqualTo(vector);
        assertThat(outcome.errorCode).isZero();
    }
}
