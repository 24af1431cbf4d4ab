package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OpcodeTable;

/**
 * Which VEX encodings are instructions, and how long they are: every opcode of the three maps with every mandatory prefix, vector length
 * and W, with a register in VEX.vvvv and without, with an operand in a register and in memory. What is none raises #UD.
 */
class VexEncodingTest {
    private static final int BATCH = 512;
    private static final int UD = 6;
    private static final int RAX = 0;
    private static final OpcodeTable TABLE = OpcodeTable.load();

    /** Features with VEX encodings that the decoder does not know: where the host has them, it will call some of its none instructions. */
    private static final Set<String> UNKNOWN = Set.of("avx512f", "avx_vnni", "avx_ifma", "avx_vnni_int8",
            "avx_vnni_int16", "avx_ne_convert", "cmpccxadd", "amx_tile", "sha512", "sm3", "sm4");

    private final Exclusions exclusions = new Exclusions();
    /** All that this build has, whether the host has it or not. */
    private final Decoder decoder = new Decoder(TABLE);
    private final List<Snippet> snippets = new ArrayList<>();
    private final List<DecodedInstruction> decoded = new ArrayList<>();
    private final List<String> differences = new ArrayList<>();

    @BeforeEach
    void needsSilicon() {
        Optional<String> unavailable = SiliconRunner.unavailable();
        assumeTrue(unavailable.isEmpty(), () -> unavailable.orElseThrow());
        assumeTrue(exclusions.hostHas("avx2"), "the host has no AVX2");
        // Of the features that the decoder knows the host must have all, or it will call some instructions none.
        Set<String> features = Set.of("bmi1", "bmi2", "fma", "f16c", "vaes", "vpclmulqdq");
        assumeTrue(features.stream().allMatch(exclusions::hostHas), "the host has not all of " + features);
        assumeTrue(UNKNOWN.stream().noneMatch(exclusions::hostHas), "the host has one of " + UNKNOWN);
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 32})
    void whatIsReservedIsUndefined(int codeBits) {
        assumeTrue(HostCode.runs(codeBits), "the host's kernel runs no 32-bit code");
        int mode = (codeBits == 64 ? Mode.CODE_64 : Mode.CODE_32 | Mode.FLAT) | Mode.STACK_32;
        SplittableRandom random = new SplittableRandom(1);
        try (SiliconRunner silicon = new SiliconRunner(BATCH)) {
            for (int choice = 0; choice < 3 << 14; choice++) {
                int map = 1 + (choice >> 14);
                int opcode = choice >> 6 & 0xff;
                boolean wide = (choice & 1) != 0;
                if (map == 3 && opcode < 2 && !wide) {
                    continue; // VPERMQ and VPERMPD, whose W Zen 3 ignores; by both manuals it must be set.
                }
                int register = (choice & 2) != 0 ? random.nextInt(1, 8) : 0;
                int last = (wide ? 0x80 : 0) | (~register & 15) << 3 | choice >> 2 & 7;
                // A register, or [RAX + displacement], or through the SIB byte [RAX + index].
                int modRm = random.nextInt(8) << 3 | ((choice & 32) != 0 ? 0xc0 : random.nextBoolean() ? 0x40 : 0x44);
                byte[] code = {(byte) 0xc4, (byte) (0xe0 | map), (byte) last, (byte) opcode, (byte) modRm, 0x08, 0x08,
                    0, 0, 0, 0, 0, 0, 0, 0};
                add(code, mode);
                if (snippets.size() == BATCH) {
                    flush(silicon);
                }
            }
            flush(silicon);
        }
        assertThat(differences).isEmpty();
    }

    private void add(byte[] code, int mode) {
        DecodedInstruction instruction = Objects.requireNonNull(decoder.decode(code, 0, code.length, 0, mode));
        Snippet snippet = new Snippet();
        if ((mode & Mode.CODE_SIZE) != Mode.CODE_64) {
            snippet.registers.selector[Registers.CS] = AddressMap.CODE_SELECTOR_32;
            snippet.registers.selector[Registers.DS] = AddressMap.DATA_SELECTOR;
            snippet.registers.selector[Registers.ES] = AddressMap.DATA_SELECTOR;
        }
        snippet.registers.gpr[RAX] = AddressMap.WRITABLE + 64 - 8;
        snippet.registers.gpr[7] = AddressMap.WRITABLE;
        boolean invalid = instruction.row.equals(TABLE.invalid());
        snippet.code = invalid ? code : Arrays.copyOf(code, instruction.length);
        snippets.add(snippet);
        decoded.add(instruction);
    }

    private void flush(SiliconRunner silicon) {
        List<Outcome> outcomes = new ArrayList<>();
        snippets.forEach(snippet -> outcomes.add(new Outcome()));
        silicon.run(snippets, outcomes);
        for (int i = 0; i < snippets.size(); i++) {
            OpcodeRow row = decoded.get(i).row;
            Outcome outcome = outcomes.get(i);
            boolean undefined = outcome.ending == Outcome.Ending.EXCEPTION && outcome.vector == UD;
            boolean agrees = row.equals(TABLE.invalid()) ? undefined : outcome.completed(snippets.get(i));
            if (!agrees && differences.size() < 400) {
                differences.add("%s is %s, ends with %s %d at %d%n".formatted(
                        HexFormat.ofDelimiter(" ").formatHex(snippets.get(i).code), row, outcome.ending, outcome.vector,
                        outcome.rip - snippets.get(i).start()));
            }
        }
        snippets.clear();
        decoded.clear();
    }
}
