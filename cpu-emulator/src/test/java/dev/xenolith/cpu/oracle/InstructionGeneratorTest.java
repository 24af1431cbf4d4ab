package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeTable;

/** What is generated from a row decodes to that row, with the operands it was generated with. */
class InstructionGeneratorTest {
    private static final int INSTANCES_PER_VARIANT = 60;

    @ParameterizedTest
    @ValueSource(ints = {32, 64})
    void encodingsDecodeToTheirRow(int codeBits) {
        List<InstructionForm> forms = InstructionForm.table().stream().filter(form -> form.existsIn(codeBits)).toList();
        InstructionGenerator generator = new InstructionGenerator(forms, codeBits);
        int mode = (codeBits == 64 ? Mode.CODE_64 : Mode.CODE_32 | Mode.FLAT) | Mode.STACK_32;
        Decoder decoder = new Decoder(OpcodeTable.load());
        Snippet snippet = new Snippet();
        for (long seed = 0; seed < (long) generator.variants().size() * INSTANCES_PER_VARIANT; seed++) {
            generator.generate(seed, snippet);
            if (generator.stopped()) {
                continue; // invalid by intent, or cut off
            }
            InstructionForm form = generator.form;
            EncodedInstruction encoded = generator.encoded;
            DecodedInstruction decoded = Objects
                    .requireNonNull(decoder.decode(snippet.code, 0, snippet.code.length, 0, mode));
            String what = "seed %d: %s, %s".formatted(seed, form, HexFormat.of().formatHex(snippet.code));
            if (form.semantic.equals("ud")
                    || form.mnemonic.equals("XCHG") && encoded.rmRegister == 0
                    || form.hasOperand('S')) {
                continue; // undefined by intent, or another with the same bytes (NOP), or an invalid segment register
            }
            assertThat(decoded.length).as(what).isEqualTo(snippet.code.length);
            if (form.conditionInOpcode) {
                assertThat(decoded.row.mnemonic()).as(what).startsWith(form.mnemonic.replace("cc", ""));
            } else if (!form.mnemonic.equals("NOP")) {
                assertThat(decoded.row.mnemonic()).as(what).isEqualTo(form.mnemonic);
            }
            if (encoded.operandBits != 0) {
                assertThat(decoded.operandBits).as(what).isEqualTo(encoded.operandBits);
            }
            assertThat(decoded.locked).as(what).isEqualTo(encoded.lock);
            assertThat(decoded.repeat != 0).as(what).isEqualTo(encoded.repeat != 0);
            if (encoded.memory && !encoded.ripRelative && decoded.memoryOperand() >= 0 && encoded.addressBits > 16) {
                assertThat(decoded.addressBits).as(what).isEqualTo(encoded.addressBits);
                assertThat(decoded.base).as(what).isEqualTo(encoded.base < 0 ? DecodedInstruction.ZERO : encoded.base);
                assertThat(decoded.index).as(what)
                        .isEqualTo(encoded.index < 0 ? DecodedInstruction.ZERO : encoded.index);
                if (codeBits == 64) {
                    assertThat(decoded.segment).as(what)
                            .isEqualTo(encoded.segment < 0 ? DecodedInstruction.FLAT : encoded.segment);
                }
            }
        }
    }
}
