package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OperandForm;
import java.util.List;

/**
 * Names of generated operations: semantic, operand size, then a letter per operand form with its width where that differs. {@code
 * Add32RM} adds memory (base plus displacement) to a register, {@code Mov64RX8} sign-extends a byte from general memory. Rows of
 * the same semantic share an operation if their operands have the same forms. What branches or uses the stack has operations of
 * its own for use outside 64-bit mode, {@code Push32RLegacy}.
 */
public final class OperationName {
    /** Package of the generated classes. */
    public static final String PACKAGE = "dev.xenolith.cpu.operation";

    private OperationName() {}

    /** Simple name of the class that executes {@code instruction}; {@code legacy}: outside 64-bit mode. */
    public static String of(DecodedInstruction instruction, boolean legacy) {
        OperandForm[] forms = new OperandForm[instruction.operands()];
        for (int i = 0; i < forms.length; i++) {
            forms[i] = instruction.form(i);
        }
        return of(instruction.row, instruction.operandBits, List.of(forms), legacy);
    }

    /** Simple name of the class for {@code row} with operand size {@code operandBits} and operands of {@code forms}. */
    public static String of(OpcodeRow row, int operandBits, List<OperandForm> forms, boolean legacy) {
        String semantic = row.semantic().name();
        StringBuilder name = new StringBuilder().append(Character.toUpperCase(semantic.charAt(0))).append(semantic, 1,
                semantic.length());
        if (row.condition() >= 0) {
            name.append('_').append(ProgramEmitter.condition(row.condition()));
        }
        name.append(operandBits);
        // Registers of the same numbers in other files, other upper halves and other alignment are other operations.
        if (row.hasVector(true)) {
            name.append('Q');
        }
        if (row.hasVector(false)) {
            name.append(row.encoding().vex() ? "V" : "");
        }
        if (row.isAligned(128)) {
            name.append('A');
        }
        for (int i = 0; i < forms.size(); i++) {
            int bits = row.operands().get(i).bits(operandBits);
            name.append(forms.get(i).letter);
            boolean data = forms.get(i) != OperandForm.IMMEDIATE && forms.get(i) != OperandForm.RELATIVE;
            if (data && bits != operandBits && bits != 0) {
                name.append(bits);
            }
        }
        return name.append(legacy && row.dependsOnMode() ? "Legacy" : "").toString();
    }
}
