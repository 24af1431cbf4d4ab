package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.decode.OperandSpec;
import dev.xenolith.cpu.decode.OperandType;
import dev.xenolith.cpu.decode.RowEncoder;
import dev.xenolith.cpu.emit.FrequentSequences;
import dev.xenolith.cpu.emit.OperationName;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Every sequence that is executed by one call does what its instructions do one by one, wherever it is left. */
class FusedTest {
    private static final int MODE = Mode.CODE_64 | Mode.STACK_32 | Mode.FLAT;
    private static final int BASE = Processor.RSI;
    private static final int INDEX = Processor.RDI;
    private static final int TRIES = 12;

    /** A row with an operand size, which has an operation's name under some operands. */
    private record Sized(OpcodeRow row, int bits) {
    }

    private final Decoder decoder = new Decoder(OpcodeTable.load(), feature -> true);
    private final Map<String, List<Sized>> rows = rows();

    /** Rows by the names that operations of theirs may have, less the letters of the operands. */
    private static Map<String, List<Sized>> rows() {
        Map<String, List<Sized>> rows = new HashMap<>();
        for (OpcodeRow row : OpcodeTable.load().rows()) {
            if (row.in64BitMode()) {
                for (int bits : row.size().sizesIn64BitMode()) {
                    if (row.allowsSize(bits)) {
                        rows.computeIfAbsent(OperationName.of(row, bits, List.of(), false), name -> new ArrayList<>())
                                .add(new Sized(row, bits));
                    }
                }
            }
        }
        return rows;
    }

    /**
     * Registers are random, so memory operands fault at times: the last of the sequence, or one before. In every other try addresses
     * are good and stay so, for of a long sequence one would nearly always fault.
     */
    @Test
    void everySequenceIsItsInstructions() {
        Set<String> faulted = new HashSet<>();
        Set<String> completed = new HashSet<>();
        for (List<String> sequence : FrequentSequences.load()) {
            Random random = new Random(sequence.hashCode());
            for (int i = 0; i < TRIES; i++) {
                boolean good = i % 2 == 0;
                List<byte[]> code = new ArrayList<>();
                for (String operation : sequence) {
                    code.add(instruction(operation, random, good));
                }
                long seed = random.nextLong();
                String together = run(code, seed, good, Integer.MAX_VALUE);
                assertThat(together).as("%s, %s", sequence, seed).isEqualTo(run(code, seed, good, 1));
                (together.contains("vector") ? faulted : completed).add(FrequentSequences.className(sequence));
            }
        }
        int all = FrequentSequences.load().size();
        assertThat(completed.size()).isGreaterThan(all * 9 / 10);
        assertThat(faulted.size()).isGreaterThan(all / 4);
    }

    /** An instruction that {@code operation} executes, with random operands. */
    private byte[] instruction(String operation, Random random, boolean good) {
        List<Sized> candidates = rows.entrySet().stream().filter(entry -> operation.startsWith(entry.getKey()))
                .flatMap(entry -> entry.getValue().stream()).toList();
        for (int i = 0; i < 20_000; i++) {
            Sized sized = candidates.get(random.nextInt(candidates.size()));
            byte[] bytes = encode(sized.row, sized.bits, random, good);
            DecodedInstruction instruction = decoder.decode(bytes, 0, bytes.length, 0, MODE);
            if (instruction != null && OperationName.of(instruction, false).equals(operation)) {
                return bytes;
            }
        }
        throw new AssertionError("found no instruction for " + operation);
    }

    private static byte[] encode(OpcodeRow row, int bits, Random random, boolean good) {
        RowEncoder encoder = new RowEncoder(row, bits);
        boolean branch = row.operands().stream().anyMatch(operand -> operand.type() == OperandType.RELATIVE);
        boolean absolute = row.operands().stream().anyMatch(operand -> operand.type() == OperandType.OFFSET);
        encoder.immediate(branch
                ? random.nextInt(16)
                : good && absolute ? TestMachine.DATA + random.nextInt(0x1800) : random.nextLong());
        int rm = row.rmOperand();
        boolean memory = rm >= 0 && row.operands().get(rm).type() != OperandType.RM_REGISTER && random.nextBoolean();
        if (memory) {
            boolean indexed = random.nextBoolean();
            // At times a register that is an address to nowhere.
            encoder.memory(!good && random.nextInt(4) == 0 ? Processor.RBX : BASE,
                    indexed ? INDEX : DecodedInstruction.ZERO,
                    indexed ? random.nextInt(4) : 0, random.nextInt(256));
        }
        for (int i = 0; i < row.operands().size(); i++) {
            OperandSpec spec = row.operands().get(i);
            if (spec.type() != OperandType.SEGMENT && (!memory || i != rm)) {
                encoder.register(i, register(random, good));
            }
        }
        return encoder.bytes();
    }

    /** Number of a register, one with no part in an address if those are to stay good. */
    private static int register(Random random, boolean good) {
        if (!good) {
            return random.nextInt(8) == 0 ? BASE : random.nextInt(16);
        }
        int number = random.nextInt(16);
        return number == BASE || number == INDEX || number == Processor.RSP ? Processor.RBP : number;
    }

    /** State after the code in pieces of {@code budget} instructions; what has faulted is left out from there on. */
    private static String run(List<byte[]> code, long seed, boolean good, int budget) {
        Random random = new Random(seed);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        code.forEach(bytes::writeBytes);
        try (TestMachine machine = new TestMachine()) {
            Processor cpu = machine.cpu;
            machine.memory.copyIn(bytes.toByteArray(), 0, TestMachine.CODE, bytes.size());
            machine.protect(TestMachine.DATA + 0x2000);
            for (int i = 0; i < 16; i++) {
                cpu.gpr[i] = random.nextInt(3) == 0 ? random.nextInt(300) - 150 : random.nextLong();
            }
            cpu.gpr[BASE] = TestMachine.DATA + random.nextInt(good ? 0x1800 : 0x2400);
            cpu.gpr[INDEX] = random.nextInt(64);
            cpu.gpr[Processor.RBX] = random.nextBoolean() ? TestMachine.MEMORY + random.nextInt(64) : 1L << 62;
            cpu.gpr[Processor.RSP] = TestMachine.STACK - random.nextInt(3) * 8L;
            if (!good && random.nextInt(4) == 0) {
                cpu.gpr[Processor.RSP] = random.nextBoolean() ? TestMachine.DATA + 0x2ff8 : TestMachine.DATA + 0x3000;
            }
            StringBuilder state = new StringBuilder();
            for (int left = code.size(); left > 0;) {
                Stop stop = machine.run(Math.min(left, budget));
                left = code.size() - (int) cpu.retired;
                if (stop.kind == Stop.Kind.EXCEPTION) {
                    state.append(" vector ").append(stop.vector).append(" code ").append(stop.errorCode).append(" at ")
                            .append(Long.toHexString(stop.address)).append(" length ").append(stop.instructionLength);
                    break;
                }
                assertThat(stop.kind).isEqualTo(Stop.Kind.BUDGET);
            }
            return state + " " + cpu.retired + " " + Long.toHexString(cpu.rip) + " " + Long.toHexString(cpu.rflags())
                    + " " + Arrays.toString(Arrays.copyOf(cpu.gpr, 16)) + " memory "
                    + machine.memory.digest(TestMachine.DATA, 0x4000)
                    + machine.memory.digest(TestMachine.STACK - 0x100, 0x200);
        }
    }

    @Test
    void aPartThatChangesTheNextPartIsFollowedByTheChangedOne() {
        assertThat(FrequentSequences.load()).as("what this test is about").contains(List.of("Push64R", "Push64R"));
        try (TestMachine machine = new TestMachine()) {
            // The first push puts inc rax; nop where the second is.
            machine.code(TestMachine.CODE, "55  51  90 90 90 90 90 90 90 0f 0b");
            machine.cpu.gpr[Processor.RBP] = 0x9090_9090_90c0_ff48L;
            machine.cpu.gpr[Processor.RSP] = TestMachine.CODE + 9;
            machine.cpu.gpr[Processor.RAX] = 41;
            Stop stop = machine.run(100);
            assertThat(stop.kind).isEqualTo(Stop.Kind.EXCEPTION);
            assertThat(machine.cpu.gpr[Processor.RSP]).isEqualTo(TestMachine.CODE + 1);
            assertThat(machine.cpu.gpr[Processor.RAX]).isEqualTo(42);
            assertThat(machine.cpu.rip).isEqualTo(TestMachine.CODE + 9);
            assertThat(machine.cpu.retired).isEqualTo(7);
        }
    }

    @Test
    void blocksUseTheLongestSequence() {
        List<String> pops = List.of("Pop64R", "Pop64R", "Pop64R", "Pop64R");
        assertThat(FrequentSequences.load()).as("what this test is about").contains(pops);
        DecodedInstruction[] instructions = new DecodedInstruction[5];
        Arrays.setAll(instructions, i -> {
            DecodedInstruction pop = decoder.decode(new byte[]{0x5b}, 0, 1, 0, MODE);
            if (pop == null) {
                throw new AssertionError("pop rbx");
            }
            return pop;
        });
        Fuser fuser = new Fuser(FrequentSequences.load(), new OpFactory(OpcodeTable.load()));
        Executable first = fuser.fuse(instructions, 5, MODE, null);
        assertThat(fuser.length()).isEqualTo(2);
        assertThat(first.instructions()).isEqualTo(4);
        assertThat(first.next).isNotNull().extracting(Executable::instructions).isEqualTo(1);
    }
}
