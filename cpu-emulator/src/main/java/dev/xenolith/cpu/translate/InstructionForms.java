package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.interpret.UnitSource.Hot;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Decodes instructions for the translator. */
final class InstructionForms {
    private final Decoder decoder;
    /** By row, operand size and operand forms. */
    private final Map<Long, InstructionForm> forms = new HashMap<>();

    InstructionForms(Decoder decoder) {
        this.decoder = decoder;
    }

    /** The instruction at {@code offset} in the page of {@code hot}; null if it cannot be in a unit. */
    @Nullable
    Instruction decode(Hot hot, int offset) {
        DecodedInstruction decoded = decoder.decode(hot.page(), offset, hot.page().length, offset, hot.mode());
        if (decoded == null) {
            return null;
        }
        Instruction instruction = Instruction.of(offset, decoded, form(decoded));
        return instruction.kind() == InstructionForm.Kind.NONE ? null : instruction;
    }

    private InstructionForm form(DecodedInstruction decoded) {
        long key = (long) decoded.row.id() << 8 | decoded.operandBits;
        for (int i = 0; i < decoded.operands(); i++) {
            key = key << 4 | decoded.form(i).ordinal() + 1;
        }
        InstructionForm form = forms.get(key);
        if (form == null) {
            form = InstructionForm.of(decoded);
            forms.put(key, form);
        }
        return form;
    }
}
