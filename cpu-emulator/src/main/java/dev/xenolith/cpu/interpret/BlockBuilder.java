package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.emit.FrequentSequences;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Processor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Decodes blocks from memory and marks their bytes as code. */
final class BlockBuilder {
    private static final int FRAME_SIZE = PhysicalMemory.FRAME_SIZE;
    /** Enough for any block, as no instruction is longer than 15 bytes. */
    private static final int WINDOW = Block.MAX_OPS * 16;

    private final PhysicalMemory memory;
    private final Decoder decoder;
    private final OpFactory factory;
    private final Fuser fuser;
    private @Nullable BlockProfile profile;
    private final byte[] bytes = new byte[WINDOW + 16];
    private final DecodedInstruction[] instructions = new DecodedInstruction[Block.MAX_OPS];
    private final short[] offsets = new short[Block.MAX_OPS + 1];

    BlockBuilder(PhysicalMemory memory, Decoder decoder, OpFactory factory) {
        this.memory = memory;
        this.decoder = decoder;
        this.factory = factory;
        fuser = new Fuser(FrequentSequences.load(), factory);
    }

    /** Counts the executions of blocks built from now on. */
    void count(BlockProfile counts) {
        profile = counts;
    }

    /**
     * The block at linear address {@code rip}, physical address {@code address}. Null if its only instruction ends in a page
     * that is not memory. Throws the fault of fetching from the second page, if the first instruction crosses into it.
     */
    @Nullable
    Block build(Processor p, long rip, long address, int mode) {
        int offset = (int) address & FRAME_SIZE - 1;
        int limit = Math.min(WINDOW, FRAME_SIZE - offset);
        memory.copyOut(address, bytes, 0, limit);
        int position = 0;
        int count = 0;
        int memoryOperands = 0;
        while (count < Block.MAX_OPS) {
            DecodedInstruction instruction = decoder.decode(bytes, position, limit, offset + position, mode);
            if (instruction == null) {
                break;
            }
            offsets[count] = (short) (offset + position);
            instructions[count++] = instruction;
            if (profile != null) {
                memoryOperands += BlockProfile.memoryOperands(instruction);
            }
            position += instruction.length;
            if (instruction.row.semantic().endsBlock()) {
                break;
            }
        }
        if (count == 0) {
            return crossing(p, rip, address, mode, limit);
        }
        offsets[count] = (short) (offset + position);
        CountedOp counted = null;
        if (profile != null) {
            counted = profile.count(factory.make(instructions[0], mode), rip, address, mode,
                    Arrays.copyOf(bytes, position), count, memoryOperands);
        }
        int frame = (int) (address >>> PhysicalMemory.FRAME_SHIFT);
        memory.markCode(frame, PhysicalMemory.granules(address, position));
        short[] own = Arrays.copyOf(offsets, count + 1);
        Executable first = fuser.fuse(instructions, count, mode, counted);
        return new Block(first, fuser.length(), code(position, limit), own, FrameCode.key(offset, mode), frame,
                Block.NO_FRAME);
    }

    private @Nullable Block crossing(Processor p, long rip, long address, int mode, int inFirst) {
        long second = p.translateFetch(p.wrap(secondPage(rip)));
        if (second < 0) {
            return null;
        }
        memory.copyOut(second, bytes, inFirst, DecodedInstruction.MAX_LENGTH);
        int offset = FRAME_SIZE - inFirst;
        DecodedInstruction instruction = decoder.decode(bytes, 0, inFirst + DecodedInstruction.MAX_LENGTH, offset,
                mode);
        if (instruction == null) {
            throw new IllegalStateException("15 bytes are always an instruction or none");
        }
        int frame = (int) (address >>> PhysicalMemory.FRAME_SHIFT);
        int secondFrame = (int) (second >>> PhysicalMemory.FRAME_SHIFT);
        memory.markCode(frame, PhysicalMemory.granules(address, inFirst));
        memory.markCode(secondFrame, PhysicalMemory.granules(second, Math.max(1, instruction.length - inFirst)));
        Op op = factory.make(instruction, mode);
        if (profile != null) {
            op = profile.count(op, rip, address, mode, Arrays.copyOf(bytes, instruction.length), 1,
                    BlockProfile.memoryOperands(instruction));
        }
        return new Block(op, 1, code(instruction.length, inFirst + DecodedInstruction.MAX_LENGTH),
                new short[]{(short) offset, (short) (offset + instruction.length)},
                FrameCode.key(offset, mode), frame, secondFrame);
    }

    /** The bytes that have been decoded, {@code length} of at most {@code limit}, and those that had to be looked at for that. */
    private byte[] code(int length, int limit) {
        return Arrays.copyOf(bytes, Math.min(length + DecodedInstruction.MAX_LENGTH, limit));
    }

    /** The operations of {@code block}, one for each instruction. */
    Op[] operations(Block block) {
        Op[] ops = block.ops;
        if (ops == null && block.isStale()) {
            return block.staleOperations();
        }
        if (ops == null) {
            ops = new Op[block.count];
            for (int i = 0; i < ops.length; i++) {
                ops[i] = factory.make(instruction(block, i), block.mode());
            }
            if (block.first instanceof CountedOp counted) {
                ops[0] = counted;
            }
            block.ops = ops;
        }
        return ops;
    }

    /** Instruction {@code i} of {@code block}, as it was when the block was built. */
    DecodedInstruction instruction(Block block, int i) {
        DecodedInstruction instruction = decoder.decode(block.code, block.offsets[i] - block.start, block.code.length,
                block.offsets[i], block.mode());
        if (instruction == null) {
            throw new IllegalStateException("what could be decoded once can be decoded again");
        }
        return instruction;
    }

    /** Linear address of the page after that of {@code rip}. */
    static long secondPage(long rip) {
        return (rip | FRAME_SIZE - 1) + 1;
    }
}
