package dev.xenolith.cpu.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class OpcodeTableTest {
    private static final OpcodeTable TABLE = OpcodeTable.load();
    private final Decoder decoder = new Decoder(TABLE);

    @Test
    void rowsAreNumberedInOrderAndShareNoCondition() {
        List<OpcodeRow> rows = TABLE.rows();
        assertThat(rows).hasSizeGreaterThan(400);
        for (int i = 0; i < rows.size(); i++) {
            assertThat(rows.get(i).id()).isEqualTo(i);
        }
        assertThat(rows.stream().filter(row -> row.semantic().readsCondition()).map(OpcodeRow::condition))
                .doesNotContain(-1);
        assertThat(rows.stream().filter(row -> !row.semantic().readsCondition()).map(OpcodeRow::condition))
                .containsOnly(-1);
    }

    @Test
    void everySemanticIsUsedAndWritesOnlyOperandsThatExist() {
        for (Semantic semantic : TABLE.semantics().values()) {
            List<OpcodeRow> users = TABLE.rows().stream().filter(row -> row.semantic().equals(semantic)).toList();
            if (!semantic.equals(TABLE.overlong().semantic())) {
                assertThat(users).as(semantic.name()).isNotEmpty();
            }
            for (OpcodeRow row : users) {
                assertThat(row.operands().size()).as(row.toString())
                        .isGreaterThanOrEqualTo(32 - Integer.numberOfLeadingZeros(semantic.writes()));
            }
        }
    }

    @TestFactory
    List<DynamicTest> everyRowDecodesBackFromItsEncodings() {
        List<DynamicTest> tests = new ArrayList<>();
        for (OpcodeRow row : TABLE.rows()) {
            if (row.in64BitMode()) {
                tests.add(DynamicTest.dynamicTest(row.toString(), () -> roundTrip(row)));
            }
        }
        return tests;
    }

    private void roundTrip(OpcodeRow row) {
        for (int bits : row.size().sizesIn64BitMode()) {
            if (!row.allowsSize(bits)) {
                continue;
            }
            int rm = row.rmOperand();
            OperandType type = rm < 0 ? OperandType.CONSTANT : row.operands().get(rm).type();
            boolean indexed = type == OperandType.VECTOR_INDEXED;
            if (type != OperandType.RM_MEMORY && !indexed) {
                for (int[] registers : new int[][]{{0, 3, 5, 6}, {9, 14, 2, 6}, {7, 6, 11, 6},
                    {5, 4, 15, 6}}) {
                    registerForm(row, bits, registers);
                }
            }
            if (type.isRegisterOrMemory() || type == OperandType.RM_MEMORY || indexed) {
                for (int[] memory : new int[][]{{0, 16, 0, 0}, {5, 16, 0, 0}, {4, 16, 0, 8}, {12, 16, 0, -0x1000},
                    {13, 9, 3, 0x7f},
                    {16, 16, 0, 0x12345678}, {16, 15, 2, -4}, {17, 16, 0, 0x200}, {17, 16, 0, Integer.MAX_VALUE},
                    {3, 5, 1, 1}}) {
                    if (!indexed) {
                        memoryForm(row, bits, memory);
                    } else if (memory[0] != 17) {
                        indexedForm(row, bits, memory);
                    }
                }
            }
        }
    }

    private void registerForm(OpcodeRow row, int bits, int[] registers) {
        RowEncoder encoder = new RowEncoder(row, bits).immediate(0x1122_3344_5566_7788L).secondImmediate(0x11);
        int[] expected = new int[row.operands().size()];
        for (int i = 0; i < expected.length; i++) {
            OperandSpec spec = row.operands().get(i);
            expected[i] = switch (spec.type()) {
                case SEGMENT -> 3;
                case CONTROL -> 4;
                case DEBUG -> 7;
                case FIXED_REGISTER, FIXED_SEGMENT -> spec.fixed();
                case STACK, MMX_REG, MMX_RM, MMX_RM_REGISTER -> registers[i] & 7;
                case VECTOR_VEX -> row.encoding().vex() ? registers[i] : expected[0];
                case VECTOR_FIXED -> 0;
                case VECTOR_IMMEDIATE -> 6;
                default -> row.encoding().notRexB() ? 0 : registers[i];
            };
            encoder.register(i, expected[i]);
        }
        byte[] code = encoder.bytes();
        DecodedInstruction instruction = decode(code);
        // Short encodings win over long ones with the same bytes: 90 is NOP before it is XCHG.
        if (row.encoding().opcodeRegister() && instruction.row.encoding().notRexB()) {
            return;
        }
        assertThat(instruction.row).as(hex(code)).isEqualTo(row);
        assertThat(instruction.length).as(hex(code)).isEqualTo(code.length);
        assertThat(instruction.operandBits).isEqualTo(bits);
        for (int i = 0; i < expected.length; i++) {
            switch (instruction.form(i)) {
                case REGISTER, SEGMENT, SPECIAL ->
                    assertThat(instruction.register(i)).as(hex(code)).isEqualTo(expected[i]);
                case IMMEDIATE, RELATIVE -> {
                    int unused = 64 - instruction.bits(i);
                    boolean constant = row.operands().get(i).type() == OperandType.CONSTANT;
                    assertThat(instruction.immediate)
                            .isEqualTo(constant ? 1 : 0x1122_3344_5566_7788L << unused >> unused);
                }
                case SECOND_IMMEDIATE -> assertThat(instruction.displacement).isEqualTo(0x11);
                default -> {
                }
            }
        }
        disassembles(instruction);
    }

    private void memoryForm(OpcodeRow row, int bits, int[] memory) {
        int rm = row.rmOperand();
        RowEncoder encoder = new RowEncoder(row, bits).immediate(-2).memory(memory[0], memory[1], memory[2], memory[3]);
        for (int i = 0; i < row.operands().size(); i++) {
            if (i != rm) {
                encoder.register(i, 3);
            }
        }
        byte[] code = encoder.bytes();
        DecodedInstruction instruction = decode(code);
        assertThat(instruction.row).as(hex(code)).isEqualTo(row);
        assertThat(instruction.length).as(hex(code)).isEqualTo(code.length);
        assertThat(instruction.memoryOperand()).isEqualTo(rm);
        assertThat(instruction.base).isEqualTo(memory[0]);
        assertThat(instruction.index).isEqualTo(memory[1]);
        assertThat(instruction.scale).isEqualTo(memory[2]);
        long displacement = memory[0] == 17 ? memory[3] + 0x10L + code.length : memory[3];
        if (row.semantic().addressAfterRsp() && memory[0] == 4) {
            displacement += bits / 8;
        }
        boolean base = memory[1] == 16 && (int) displacement == displacement;
        assertThat(instruction.form(rm)).isEqualTo(base ? OperandForm.BASE : OperandForm.GENERAL);
        assertThat(instruction.displacement).isEqualTo(displacement);
        disassembles(instruction);
        for (int length = 0; length < code.length; length++) {
            assertThat(decoder.decode(code, 0, length, 0x10, Mode.CODE_64)).as("%s, %d bytes", hex(code), length)
                    .isNull();
        }
        if (row.lockable()) {
            assertThat(decode(encoder.lock().bytes()).row).isEqualTo(row);
        } else {
            assertThat(decode(encoder.lock().bytes()).row).isEqualTo(TABLE.invalid());
        }
    }

    /** With a vector register of indices, 4 among them, and three that are different. */
    private void indexedForm(OpcodeRow row, int bits, int[] memory) {
        int index = memory[1] == 16 ? 4 : memory[1];
        byte[] code = new RowEncoder(row, bits).register(0, 3).register(1, index).register(2, 7)
                .memory(memory[0], 16, memory[2], memory[3]).bytes();
        DecodedInstruction instruction = decode(code);
        assertThat(instruction.row).as(hex(code)).isEqualTo(row);
        assertThat(instruction.length).as(hex(code)).isEqualTo(code.length);
        assertThat(instruction.register(1)).isEqualTo(index);
        assertThat(instruction.index).isEqualTo(DecodedInstruction.ZERO);
        assertThat(instruction.base).isEqualTo(memory[0]);
        assertThat(instruction.scale).isEqualTo(memory[2]);
        assertThat(instruction.displacement).isEqualTo(memory[3]);
        disassembles(instruction);
        for (int[] same : new int[][]{{3, 3, 7}, {3, 6, 3}, {7, 6, 6}}) {
            byte[] invalid = new RowEncoder(row, bits).register(0, same[0]).register(1, same[1]).register(2, same[2])
                    .memory(memory[0], 16, memory[2], memory[3]).bytes();
            assertThat(decode(invalid).row).as(hex(invalid)).isEqualTo(TABLE.invalid());
        }
    }

    private static void disassembles(DecodedInstruction instruction) {
        String text = Disassembler.format(instruction, 0x40_0010);
        assertThat(text).doesNotContain("null").doesNotContain("--").isEqualTo(text.strip()).isLowerCase();
    }

    private DecodedInstruction decode(byte[] code) {
        return Objects.requireNonNull(decoder.decode(Arrays.copyOf(code, 32), 0, 32, 0x10, Mode.CODE_64));
    }

    private static String hex(byte[] code) {
        StringBuilder text = new StringBuilder();
        for (byte b : code) {
            text.append(String.format("%02x ", b));
        }
        return text.toString();
    }
}
