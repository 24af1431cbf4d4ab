package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.decode.OperandType;
import java.util.List;

/**
 * An operation of the interpreter: what instructions of one row, operand size and choice of operand forms do, and those of other rows
 * whose operations have the same name.
 *
 * @param row one of those rows
 * @param bits operand size
 * @param forms of the operands
 * @param legacy whether it is for use outside 64-bit mode
 * @param longImmediate whether an instruction of it may have an immediate that is not the sign extension of 32 bits
 * @param effects what it may do besides computing
 */
record Operation(OpcodeRow row, int bits, List<OperandForm> forms, boolean legacy, boolean longImmediate,
        Effects effects) {
    static Operation of(OpcodeRow row, int bits, List<OperandForm> forms, boolean legacy) {
        boolean longImmediate = forms.contains(OperandForm.SECOND_IMMEDIATE);
        for (int i = 0; i < forms.size(); i++) {
            longImmediate |= row.operands().get(i).type() == OperandType.IMMEDIATE
                    && row.operands().get(i).bits(bits) > 32;
        }
        return new Operation(row, bits, forms, legacy, longImmediate, Effects.of(row, forms, legacy));
    }

    /** The operation for instructions of either. */
    Operation or(Operation other) {
        return new Operation(row, bits, forms, legacy, longImmediate || other.longImmediate, effects.or(other.effects));
    }
}
