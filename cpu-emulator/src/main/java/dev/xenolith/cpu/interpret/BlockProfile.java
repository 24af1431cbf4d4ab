package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Disassembler;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.emit.OperationName;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ObjIntConsumer;

/**
 * How often each block has been executed. Counted only by an interpreter that has been asked to, see {@link Interpreter#profile}; a block
 * that is left early counts as a whole.
 */
public final class BlockProfile {
    /** Semantics whose memory operand is not accessed. */
    private static final Set<String> ADDRESS_ONLY = Set.of("lea", "nop");

    /** What a block is: its place, how it is decoded, and its bytes. */
    private record Key(long address, int mode, int hash) {
    }

    /** A block's count. */
    static final class Entry {
        final long rip;
        final long address;
        final int mode;
        final byte[] bytes;
        final int instructions;
        final int memoryOperands;
        long executions;

        Entry(long rip, long address, int mode, byte[] bytes, int instructions, int memoryOperands) {
            this.rip = rip;
            this.address = address;
            this.mode = mode;
            this.bytes = bytes;
            this.instructions = instructions;
            this.memoryOperands = memoryOperands;
        }

        long retired() {
            return executions * instructions;
        }
    }

    /**
     * A block that was executed.
     *
     * @param rip linear address at which it was first executed
     * @param address its physical address
     * @param executions how often it was executed
     * @param instructions how many it has
     * @param lines its instructions in Intel syntax
     */
    public record HotBlock(long rip, long address, long executions, int instructions, List<String> lines) {
        /** Instructions that were executed in it. */
        public long retired() {
            return executions * instructions;
        }
    }

    private final Decoder decoder;
    private final Map<Key, Entry> entries = new HashMap<>();

    BlockProfile(Decoder decoder) {
        this.decoder = decoder;
    }

    static int memoryOperands(DecodedInstruction instruction) {
        boolean accesses = instruction.memoryOperand() >= 0
                && !ADDRESS_ONLY.contains(instruction.row.semantic().name());
        return (accesses ? 1 : 0) + (instruction.row.semantic().usesStack() ? 1 : 0);
    }

    /** {@code first} with a counter in front; blocks that are decoded again, for what they were, go on counting. */
    CountedOp count(Op first, long rip, long address, int mode, byte[] bytes, int instructions, int memoryOperands) {
        Entry entry = entries.computeIfAbsent(new Key(address, mode, Arrays.hashCode(bytes)),
                key -> new Entry(rip, address, mode, bytes, instructions, memoryOperands));
        return new CountedOp(first, entry);
    }

    /** Blocks executed. */
    public long executions() {
        return entries.values().stream().mapToLong(entry -> entry.executions).sum();
    }

    /** Instructions executed in blocks, without further iterations of repeated ones. */
    public long retired() {
        return entries.values().stream().mapToLong(Entry::retired).sum();
    }

    /** Operands in memory that those instructions had, the stack of PUSH and its kin included. */
    public long memoryOperands() {
        return entries.values().stream().mapToLong(entry -> entry.executions * entry.memoryOperands).sum();
    }

    /** The {@code most} blocks in which the most instructions were executed, the hottest first. */
    public List<HotBlock> hottest(int most) {
        return entries.values().stream().filter(entry -> entry.executions > 0)
                .sorted(Comparator.comparingLong(Entry::retired).reversed().thenComparingLong(entry -> entry.address))
                .limit(most).map(this::describe).toList();
    }

    /** How often each run of operations, named by their generated classes, has been executed as a block. */
    public Map<List<String>, Long> operations() {
        Map<List<String>, Long> operations = new HashMap<>();
        for (Entry entry : entries.values()) {
            boolean legacy = (entry.mode & Mode.CODE_SIZE) != Mode.CODE_64;
            List<String> names = new ArrayList<>();
            decode(entry, (instruction, position) -> names.add(OperationName.of(instruction, legacy)));
            operations.merge(names, entry.executions, Long::sum);
        }
        return operations;
    }

    /** Shows {@code visitor} each instruction of a block and its offset in it. */
    private void decode(Entry entry, ObjIntConsumer<DecodedInstruction> visitor) {
        int position = 0;
        while (position < entry.bytes.length) {
            int offset = (int) (entry.address + position) & 0xfff;
            DecodedInstruction instruction = decoder.decode(entry.bytes, position, entry.bytes.length, offset,
                    entry.mode);
            if (instruction == null) {
                break;
            }
            visitor.accept(instruction, position);
            position += instruction.length;
        }
    }

    private HotBlock describe(Entry entry) {
        List<String> lines = new ArrayList<>();
        decode(entry, (instruction, position) -> lines.add(Disassembler.format(instruction, entry.rip + position)));
        return new HotBlock(entry.rip, entry.address, entry.executions, entry.instructions, lines);
    }
}
