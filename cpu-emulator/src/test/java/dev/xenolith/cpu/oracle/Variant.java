package dev.xenolith.cpu.oracle;

import java.util.Arrays;
import java.util.List;

/**
 * A row of the opcode table at one operand size: what a campaign counts by.
 *
 * @param operandBits as in {@link InstructionForm#operandBits}, 0 for a row without one
 */
record Variant(InstructionForm form, int operandBits) {
    /** Those of {@code forms} in code of {@code codeBits}, 32 or 64. */
    static List<Variant> of(List<InstructionForm> forms, int codeBits) {
        return forms.stream().flatMap(form -> Arrays.stream(form.operandBits(codeBits)).mapToObj(
                bits -> new Variant(form, bits))).toList();
    }

    /** The operand size as tables show it. */
    String size() {
        return operandBits == 0 ? "-" : Integer.toString(operandBits);
    }

    @Override
    public String toString() {
        return form + (operandBits == 0 ? "" : " of " + operandBits + " bits");
    }
}
