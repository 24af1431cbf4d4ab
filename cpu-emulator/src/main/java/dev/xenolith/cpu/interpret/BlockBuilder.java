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
    private final Fuser fuser = new Fuser(FrequentSequences.load());
    private @Nullable BlockProfile profile;
    private final byte[] bytes = new byte[WINDOW + 16];
    private final Op[] ops = new Op[Block.MAX_OPS];
    private final short[] offsets = new short[Block.MAX_OPS + 1];

    BlockBuilder(PhysicalMemory memory, Decoder decoder, OpFactory factory) {
        this.memory = memory;
        this.decoder = decoder;
        this.factory = factory;
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
            ops[count++] = factory.make(instruction, mode);
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
        if (profile != null) {
            ops[0] = profile.count(ops[0], rip, address, mode, Arrays.copyOf(bytes, position), count, memoryOperands);
        }
        int frame = (int) (address >>> PhysicalMemory.FRAME_SHIFT);
        memory.markCode(frame, PhysicalMemory.granules(address, position));
        Op[] own = Arrays.copyOf(ops, count);
        return new Block(own, fuser.fuse(own), Arrays.copyOf(offsets, count + 1), FrameCode.key(offset, mode), frame,
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
        Op[] own = {op};
        return new Block(own, own, new short[]{(short) offset, (short) (offset + instruction.length)},
                FrameCode.key(offset, mode), frame, secondFrame);
    }

    /** Linear address of the page after that of {@code rip}. */
    static long secondPage(long rip) {
        return (rip | FRAME_SIZE - 1) + 1;
    }
}
