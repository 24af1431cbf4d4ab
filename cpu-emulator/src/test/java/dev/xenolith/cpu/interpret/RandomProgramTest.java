package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.decode.OperandSpec;
import dev.xenolith.cpu.decode.OperandType;
import dev.xenolith.cpu.decode.RowEncoder;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs of random instructions: however a run is cut into budgets, traced or stepped, the outcome is the same. */
class RandomProgramTest {
    private static final int LENGTH = 60;
    private static final int STEPS = 3000;
    private static final Set<String> LEFT_OUT = Set.of("ud", "call", "calli", "ret", "reti", "jmp", "jmpi", "jmpf",
            "callf", "retf",
            "retfi", "iret", "int", "int1", "int3", "syscall", "sysret", "sysenter", "sysexit", "popf", "leave",
            "enter", "popseg",
            "movsr", "lss", "lfs", "lgs");

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void budgetsDoNotChangeTheOutcome(long seed) {
        byte[] program = program(new Random(seed));
        List<String> whole = run(program, seed, Cut.WHOLE);
        for (Cut cut : Cut.values()) {
            assertThat(run(program, seed, cut)).as("seed %d, %s", seed, cut).isEqualTo(whole);
        }
    }

    private enum Cut {
        WHOLE, ONE, RANDOM, TRACED, SMALL
    }

    /** The processor's state at each exception and at the end. */
    private static List<String> run(byte[] program, long seed, Cut cut) {
        Random random = new Random(seed + 1);
        Random cuts = new Random(seed + 2);
        List<String> states = new ArrayList<>();
        try (TestMachine machine = new TestMachine()) {
            Processor cpu = machine.cpu;
            machine.memory.copyIn(program, 0, TestMachine.CODE, program.length);
            for (int i = 0; i < 16; i++) {
                cpu.gpr[i] = random.nextLong();
            }
            if (cut == Cut.TRACED) {
                machine.interpreter.trace((p, rip, bytes, text, before) -> {});
            }
            addresses(cpu);
            while (cpu.retired < STEPS) {
                long left = STEPS - cpu.retired;
                long budget = switch (cut) {
                    case WHOLE, TRACED -> left;
                    case ONE -> 1;
                    case RANDOM -> Math.min(left, cuts.nextInt(1, 100));
                    case SMALL -> Math.min(left, cuts.nextInt(1, 5));
                };
                Stop stop = machine.run(budget);
                if (stop.kind == Stop.Kind.EXCEPTION) {
                    states.add(state(cpu) + " vector " + stop.vector);
                    cpu.rip += stop.instructionLength;
                    addresses(cpu);
                    // So that a program which faults everywhere ends.
                    cpu.retired++;
                } else {
                    assertThat(stop.kind).isEqualTo(Stop.Kind.BUDGET);
                }
            }
            states.add(state(cpu) + " memory " + machine.memory.digest(TestMachine.DATA - 0x1000, 0x3000));
        }
        return states;
    }

    private static void addresses(Processor cpu) {
        cpu.gpr[Processor.RSI] = TestMachine.DATA + 0x100;
        cpu.gpr[Processor.RDI] = TestMachine.DATA + 0x800;
        cpu.gpr[Processor.RSP] = TestMachine.STACK;
        cpu.gpr[Processor.RCX] &= 0x3f;
    }

    private static String state(Processor cpu) {
        return cpu.retired + " " + Long.toHexString(cpu.rip) + " " + Long.toHexString(cpu.rflags()) + " "
                + Arrays.toString(cpu.gpr);
    }

    /** Random instructions, among them short branches, with a jump back to the first at the end. */
    private static byte[] program(Random random) {
        List<OpcodeRow> rows = OpcodeTable.load().rows().stream()
                .filter(row -> row.in64BitMode() && row.intercept().isEmpty()
                        && !LEFT_OUT.contains(row.semantic().name()))
                .toList();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < LENGTH; i++) {
            OpcodeRow row = rows.get(random.nextInt(rows.size()));
            int[] sizes = Arrays.stream(row.size().sizesIn64BitMode()).filter(row::allowsSize).toArray();
            int bits = sizes[random.nextInt(sizes.length)];
            // A branch skips at most one NOP, so that it lands on an instruction.
            boolean branch = row.operands().stream().anyMatch(operand -> operand.type() == OperandType.RELATIVE);
            out.writeBytes(instruction(row, bits, branch, random));
            if (branch) {
                out.write(0x90);
            }
            if (random.nextInt(8) == 0) {
                // REP STOSB of a few bytes, from wherever RDI is.
                out.writeBytes(new byte[]{(byte) 0xb1, (byte) random.nextInt(64), 0x0f, (byte) 0xb6, (byte) 0xc9,
                    (byte) 0xbf, 0, 8, 0x20, 0,
                    (byte) 0xf3, (byte) 0xaa});
            }
        }
        int back = -(out.size() + 5);
        out.write(0xe9);
        for (int i = 0; i < 4; i++) {
            out.write(back >> 8 * i);
        }
        return out.toByteArray();
    }

    private static byte[] instruction(OpcodeRow row, int bits, boolean branch, Random random) {
        RowEncoder encoder = new RowEncoder(row, bits);
        boolean offset = row.operands().stream().anyMatch(operand -> operand.type() == OperandType.OFFSET);
        encoder.immediate(
                branch ? random.nextInt(2) : offset ? TestMachine.DATA + random.nextInt(64) : random.nextLong());
        int rm = row.rmOperand();
        boolean memory = rm >= 0 && row.operands().get(rm).type() != OperandType.RM_REGISTER
                && (row.operands().get(rm).type() == OperandType.RM_MEMORY
                        || row.operands().get(rm).type() == OperandType.VECTOR_INDEXED || random.nextInt(3) == 0);
        if (memory) {
            encoder.memory(random.nextBoolean() ? Processor.RSI : Processor.RDI, DecodedInstruction.ZERO, 0,
                    random.nextInt(256));
        }
        for (int i = 0; i < row.operands().size(); i++) {
            OperandSpec spec = row.operands().get(i);
            if (spec.type() == OperandType.SEGMENT) {
                encoder.register(i, Processor.DS);
            } else if (!memory || i != rm || spec.type() == OperandType.VECTOR_INDEXED) {
                // Not RSI, RDI and RSP, which hold addresses.
                int[] free = {0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15};
                encoder.register(i, free[random.nextInt(free.length)]);
            }
        }
        return encoder.bytes();
    }
}
