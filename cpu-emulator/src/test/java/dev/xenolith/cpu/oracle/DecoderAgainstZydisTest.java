package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Disassembler;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.decode.OperandForm;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The decoder finds the same instructions as an independent one in every code size: the same byte strings are none, and the others
 * have the same length and the same operands.
 */
class DecoderAgainstZydisTest {
    /** In each code size. A campaign takes millions. */
    private static final int INSTANCES = Integer.getInteger("oracle.decodings", 100_000);
    private static final long SEED = Long.getLong("oracle.seed", 1);

    @ParameterizedTest
    @ValueSource(ints = {16, 32, 64})
    void agreesOnInstructionsLengthsAndOperands(int bits) {
        assumeTrue(Zydis.unavailable().isEmpty(), () -> Zydis.unavailable().orElseThrow());
        Tally tally = new Tally(bits);
        for (int i = 0; i < INSTANCES; i++) {
            tally.compare(SEED + i);
        }
        assertThat(tally.differences.values()).isEmpty();
        if (INSTANCES >= 1000) {
            assertThat(tally.both).as("instructions known to both").isGreaterThan(INSTANCES / 3);
            assertThat(tally.neither).as("byte strings that are none to both").isGreaterThan(INSTANCES / 20);
        }
    }

    /** Compares byte strings and keeps the first difference of each kind. */
    static final class Tally {
        final Map<String, String> differences = new TreeMap<>();
        int both;
        int neither;

        private final OpcodeTable table = OpcodeTable.load();
        private final Decoder decoder = new Decoder(table);
        private final Zydis zydis;
        private final CodeBytes source;
        private final int mode;
        private final byte[] code = new byte[16];

        Tally(int bits) {
            zydis = new Zydis(bits);
            source = new CodeBytes(table, bits);
            mode = switch (bits) {
                case 16 -> Mode.CODE_16;
                case 32 -> Mode.CODE_32 | Mode.STACK_32;
                default -> Mode.CODE_64 | Mode.STACK_32;
            };
        }

        void compare(long seed) {
            source.fill(new SplittableRandom(seed), code);
            DecodedInstruction ours = decoder.decode(code, 0, DecodedInstruction.MAX_LENGTH, 0, mode);
            if (ours != null && (ours.row == table.invalid() || ours.row == table.overlong())) {
                ours = null;
            }
            int length = zydis.decode(code);
            String difference = ours == null
                    ? length == 0 ? neither() : onlyTheirs()
                    : length == 0 ? onlyOurs(ours) : difference(ours, length);
            if (difference != null && !differences.containsKey(difference)) {
                differences.put(difference,
                        "%s: %s: ours %s; theirs %s; -Doracle.seed=%d -Doracle.decodings=1".formatted(
                                difference,
                                HexFormat.ofDelimiter(" ").formatHex(code, 0, DecodedInstruction.MAX_LENGTH),
                                ours == null
                                        ? "none"
                                        : ours.length + ", " + Disassembler.format(ours, 0) + " "
                                                + OperandText.of(ours),
                                length == 0 ? "none" : length + ", " + zydis.text() + " " + zydis.operands(), seed));
            }
        }

        private @Nullable String neither() {
            neither++;
            return null;
        }

        private @Nullable String onlyTheirs() {
            return DecoderQuirks.absent(zydis) ? null : "only theirs, " + zydis.extension() + " " + zydis.mnemonic();
        }

        private static @Nullable String onlyOurs(DecodedInstruction ours) {
            return DecoderQuirks.decidedLater(ours) ? null : "only ours, " + ours.row.mnemonic();
        }

        private @Nullable String difference(DecodedInstruction ours, int length) {
            both++;
            if (ours.length != length) {
                return "length, " + ours.row.mnemonic();
            }
            List<OperandText> mine = OperandText.of(ours);
            List<OperandText> others = zydis.operands();
            if (mine.size() < others.size() && mine.stream().anyMatch(OperandText::onStack)) {
                others.remove(others.getFirst().top() ? 0 : 1);
            }
            boolean string = IntStream.range(0, ours.operands()).anyMatch(i -> ours.form(i) == OperandForm.STRING);
            if (string && others.isEmpty() || DecoderQuirks.named(ours, zydis)) {
                return null;
            }
            if (mine.size() != others.size()) {
                return "number of operands, " + ours.row.mnemonic();
            }
            for (int i = 0; i < mine.size(); i++) {
                if (!mine.get(i).same(others.get(i))
                        && DecoderQuirks.operand(ours, mine.get(i), others.get(i)) == null) {
                    return "operand %d, %s: %s for %s".formatted(i + 1, ours.row.mnemonic(), mine.get(i).kind(),
                            others.get(i).kind());
                }
            }
            return null;
        }
    }
}
