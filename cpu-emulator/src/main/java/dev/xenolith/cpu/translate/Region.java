package dev.xenolith.cpu.translate;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What becomes one unit: basic blocks of one page that are entered at the first of them. */
final class Region {
    /** A run of instructions that is entered at its first and left after its last. */
    static final class BasicBlock {
        final int start;
        /** Whether it is in a function that is there once for each call of it. */
        final boolean leaf;
        final List<Instruction> instructions = new ArrayList<>();
        /** What follows if it does not branch; null: not in the region. */
        @Nullable
        BasicBlock next;
        /** What follows if it branches to a place that it names; null: not in the region. */
        @Nullable
        BasicBlock target;
        /** What may follow if it branches to a place that it does not name, or returns: what of that is in the region. */
        final List<BasicBlock> others = new ArrayList<>();
        /** Most instructions from its beginning to the next branch back, or out of the region. */
        int longest;
        /** Whether the flags are needed as they are at its beginning. */
        boolean flagsNeeded;
        /** Number in the order in which blocks are written. */
        int number;

        BasicBlock(int start, boolean leaf) {
            this.start = start;
            this.leaf = leaf;
        }

        Instruction last() {
            return instructions.getLast();
        }

        /** Offset of the instruction after the last. */
        int end() {
            return last().next();
        }

        /** All that may follow it in the region. */
        List<BasicBlock> successors() {
            // What follows without a branch is last: visited last, it is written right after the block.
            List<BasicBlock> all = new ArrayList<>(others);
            if (target != null) {
                all.add(target);
            }
            if (next != null) {
                all.add(next);
            }
            return all;
        }

        /** Whether it ends in a branch. */
        boolean branches() {
            return last().kind() == InstructionForm.Kind.BRANCH;
        }
    }

    /** All blocks, the entry first, each before those that follow it, but for those that branch back. */
    final List<BasicBlock> blocks;
    /** Offset of the entry. */
    final int entry;
    /** The decoder's bits of the mode word. */
    final int mode;

    Region(int entry, int mode, List<BasicBlock> blocks) {
        this.entry = entry;
        this.mode = mode;
        this.blocks = List.copyOf(blocks);
    }

    /** Number of instructions. */
    int instructions() {
        return blocks.stream().mapToInt(block -> block.instructions.size()).sum();
    }
}
