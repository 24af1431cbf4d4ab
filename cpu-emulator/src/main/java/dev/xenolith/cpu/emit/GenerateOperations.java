package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.decode.OperandSpec;
import dev.xenolith.cpu.decode.OperandType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes the interpreter's operations: a final subclass of {@code interpret.Op} per semantic, operand size and operand form that
 * the opcode table has. Run by the build after compilation; the same table gives the same bytes.
 */
public final class GenerateOperations {
    private GenerateOperations() {}

    /** Writes into the directory of classes {@code arguments[0]}. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0], OperationName.PACKAGE.split("\\."));
        Files.createDirectories(directory);
        Map<String, byte[]> classes = generate(OpcodeTable.load());
        try (var old = Files.list(directory)) {
            for (Path file : old.toList()) {
                if (!classes.containsKey(file.getFileName().toString().replace(".class", ""))) {
                    Files.delete(file);
                }
            }
        }
        for (Map.Entry<String, byte[]> entry : classes.entrySet()) {
            Files.write(directory.resolve(entry.getKey() + ".class"), entry.getValue());
        }
    }

    /** Class files of all operations by simple name. */
    static Map<String, byte[]> generate(OpcodeTable table) {
        SemanticMethods methods = new SemanticMethods(GenerateOperations.class.getClassLoader());
        Map<String, Operation> operations = new TreeMap<>();
        List<OpcodeRow> rows = new ArrayList<>(table.rows());
        rows.add(table.invalid());
        rows.add(table.overlong());
        for (OpcodeRow row : rows) {
            if (row.in64BitMode()) {
                addOperations(operations, row, false);
            }
            if (row.outside64BitMode()) {
                addOperations(operations, row, true);
            }
        }
        OperationEmitter emitter = new OperationEmitter(methods);
        Map<String, byte[]> classes = new TreeMap<>();
        operations.forEach((name, operation) -> classes.put(name, emitter.single(name, operation)));
        for (List<String> sequence : FrequentSequences.load()) {
            classes.put(FrequentSequences.className(sequence), fused(emitter, sequence, operations));
        }
        return classes;
    }

    private static byte[] fused(OperationEmitter emitter, List<String> sequence, Map<String, Operation> operations) {
        List<Operation> parts = new ArrayList<>();
        for (String name : sequence) {
            Operation part = operations.get(name);
            if (part == null) {
                throw new IllegalStateException("sequences.txt: there is no operation " + name);
            }
            if (part.effects().endsBlock() && parts.size() < sequence.size() - 1) {
                throw new IllegalStateException("sequences.txt: nothing follows " + name + " in a block");
            }
            parts.add(part);
        }
        return emitter.fused(FrequentSequences.className(sequence), parts);
    }

    private static void addOperations(Map<String, Operation> operations, OpcodeRow row, boolean legacy) {
        for (int bits : legacy ? row.size().sizesOutside64BitMode() : row.size().sizesIn64BitMode()) {
            if (!row.allowsSize(bits)) {
                continue;
            }
            for (List<OperandForm> forms : forms(row, legacy)) {
                operations.merge(OperationName.of(row, bits, forms, legacy), Operation.of(row, bits, forms, legacy),
                        Operation::or);
            }
        }
    }

    /** The combinations of operand forms that the decoder can give for {@code row} in 64-bit mode or, {@code legacy}, outside. */
    private static List<List<OperandForm>> forms(OpcodeRow row, boolean legacy) {
        OperandForm special = legacy ? OperandForm.SEGMENTED : OperandForm.BASE;
        List<List<OperandForm>> combinations = new ArrayList<>();
        combinations.add(List.of());
        boolean immediate = false;
        for (OperandSpec operand : row.operands()) {
            List<OperandForm> choices = switch (operand.type()) {
                case RM, VECTOR_RM, MMX_RM -> List.of(OperandForm.REGISTER, special, OperandForm.GENERAL);
                case RM_MEMORY, VECTOR_INDEXED, OFFSET -> List.of(special, OperandForm.GENERAL);
                case RM_REGISTER, REG, OPCODE_REGISTER, VEX_REGISTER, FIXED_REGISTER, VECTOR_REG,
                        VECTOR_RM_REGISTER, VECTOR_VEX, VECTOR_IMMEDIATE, VECTOR_FIXED, MMX_REG, MMX_RM_REGISTER,
                        STACK ->
                    List.of(OperandForm.REGISTER);
                case IMMEDIATE -> List.of(immediate ? OperandForm.SECOND_IMMEDIATE : OperandForm.IMMEDIATE);
                case CONSTANT -> List.of(OperandForm.IMMEDIATE);
                case RELATIVE -> List.of(OperandForm.RELATIVE);
                case SEGMENT, FIXED_SEGMENT -> List.of(OperandForm.SEGMENT);
                case CONTROL, DEBUG -> List.of(OperandForm.SPECIAL);
                case STRING_SOURCE, STRING_DESTINATION -> List.of(OperandForm.STRING);
            };
            immediate |= operand.type() == OperandType.IMMEDIATE;
            List<List<OperandForm>> longer = new ArrayList<>();
            for (List<OperandForm> combination : combinations) {
                for (OperandForm choice : choices) {
                    List<OperandForm> forms = new ArrayList<>(combination);
                    forms.add(choice);
                    longer.add(List.copyOf(forms));
                }
            }
            combinations = longer;
        }
        return combinations;
    }
}
