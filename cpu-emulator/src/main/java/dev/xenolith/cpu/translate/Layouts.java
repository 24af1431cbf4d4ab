package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.interpret.Op;
import dev.xenolith.cpu.interpret.OpFactory;
import dev.xenolith.cpu.interpret.Unit;
import dev.xenolith.cpu.translate.Region.BasicBlock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** Describes regions as units. */
final class Layouts {
    private Layouts() {}

    static Unit.Layout of(Region region, byte[] page, int links, OpFactory factory) {
        int count = region.instructions();
        short[] offsets = new short[count];
        DecodedInstruction[] instructions = new DecodedInstruction[count];
        Op[] ops = new Op[count];
        BitSet bytes = new BitSet();
        int i = 0;
        for (BasicBlock block : region.blocks) {
            for (Instruction instruction : block.instructions) {
                offsets[i] = (short) instruction.offset();
                instructions[i] = instruction.decoded();
                if (instruction.kind() == InstructionForm.Kind.CALL) {
                    ops[i] = factory.make(instruction.decoded(), region.mode);
                }
                bytes.set(instruction.offset(), instruction.next());
                i++;
            }
        }
        List<Integer> starts = new ArrayList<>();
        List<byte[]> code = new ArrayList<>();
        for (int start = bytes.nextSetBit(0); start >= 0;) {
            int end = bytes.nextClearBit(start);
            starts.add(start);
            code.add(Arrays.copyOfRange(page, start, end));
            start = bytes.nextSetBit(end);
        }
        return new Unit.Layout(region.entry, region.mode, region.blocks.getFirst().longest,
                links, starts.stream().mapToInt(Integer::intValue).toArray(), code.toArray(byte[][]::new), offsets,
                instructions, ops);
    }
}
