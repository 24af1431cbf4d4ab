package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.interpret.UnitSource.Hot;
import dev.xenolith.cpu.translate.Region.BasicBlock;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the region of a hot block: what is reached from it in its page by branches that have been taken often, as long as it is not too
 * much. Every loop in it is entered at one place, as C2 wants it: a branch that would enter another way leaves the region.
 */
final class RegionBuilder {
    private final InstructionForms forms;

    RegionBuilder(Decoder decoder) {
        forms = new InstructionForms(decoder);
    }

    /** The region of {@code hot}, of at most {@code most} instructions; null if not even its first instruction can be translated. */
    @Nullable
    Region build(Hot hot, int most) {
        BasicBlock entry = new CodeFinder(forms, hot, most).find();
        if (entry == null) {
            return null;
        }
        List<BasicBlock> order = order(entry);
        cutSideEntries(order);
        // A cut may have left blocks that nothing leads to.
        order = order(entry);
        measure(order);
        return new Region(hot.entry(), hot.mode(), order);
    }

    // ---- flow --------------------------------------------------------------------------------------------------------

    /** The blocks that {@code entry} leads to in reverse postorder. */
    private static List<BasicBlock> order(BasicBlock entry) {
        List<BasicBlock> order = new ArrayList<>();
        visit(entry, new HashMap<>(), order);
        Collections.reverse(order);
        for (int i = 0; i < order.size(); i++) {
            order.get(i).number = i;
        }
        return order;
    }

    private static void visit(BasicBlock block, Map<BasicBlock, Boolean> seen, List<BasicBlock> order) {
        if (seen.put(block, true) != null) {
            return;
        }
        for (BasicBlock successor : block.successors()) {
            visit(successor, seen, order);
        }
        order.add(block);
    }

    /** Cuts the branches back to a block that does not dominate where they come from. */
    private static void cutSideEntries(List<BasicBlock> order) {
        List<BitSet> dominators = dominators(order);
        for (BasicBlock block : order) {
            if (block.next != null && isSideEntry(block, block.next, dominators)) {
                block.next = null;
            }
            if (block.target != null && isSideEntry(block, block.target, dominators)) {
                block.target = null;
            }
            block.others.removeIf(other -> isSideEntry(block, other, dominators));
        }
    }

    private static boolean isSideEntry(BasicBlock from, BasicBlock to, List<BitSet> dominators) {
        return to.number <= from.number && !dominators.get(from.number).get(to.number);
    }

    private static List<BitSet> dominators(List<BasicBlock> order) {
        List<BitSet> dominators = new ArrayList<>();
        for (BasicBlock block : order) {
            BitSet all = new BitSet();
            all.set(0, block.number == 0 ? 1 : order.size());
            dominators.add(all);
        }
        for (boolean changed = true; changed;) {
            changed = false;
            for (BasicBlock block : order) {
                BitSet own = (BitSet) dominators.get(block.number).clone();
                own.set(block.number);
                for (BasicBlock successor : block.successors()) {
                    changed |= narrow(successor, own, dominators);
                }
            }
        }
        return dominators;
    }

    private static boolean narrow(BasicBlock successor, BitSet from, List<BitSet> dominators) {
        if (successor.number == 0) {
            return false;
        }
        BitSet set = dominators.get(successor.number);
        int before = set.cardinality();
        boolean self = set.get(successor.number);
        set.and(from);
        if (self) {
            set.set(successor.number);
        }
        return set.cardinality() != before;
    }

    /** Finds how far it is from each block to the next branch back, and where the flags are needed. */
    private static void measure(List<BasicBlock> order) {
        for (BasicBlock block : order) {
            block.flagsNeeded = needsFlagsFirst(block);
        }
        for (int i = order.size() - 1; i >= 0; i--) {
            BasicBlock block = order.get(i);
            block.longest = block.instructions.size()
                    + block.successors().stream().mapToInt(next -> rest(block, next)).max().orElse(0);
        }
    }

    /** Whether {@code block} needs the flags as they are at its beginning; says yes where it does not know what follows it. */
    private static boolean needsFlagsFirst(BasicBlock block) {
        for (Instruction instruction : block.instructions) {
            FlagUse flags = instruction.flags();
            if (flags.mayLeave() || flags.readsForValue()) {
                return true;
            }
            if (flags.replaces()) {
                return false;
            }
        }
        return true;
    }

    private static int rest(BasicBlock from, BasicBlock to) {
        return isBack(from, to) ? 0 : to.longest;
    }

    /** Whether the branch leads back. */
    static boolean isBack(BasicBlock from, BasicBlock to) {
        return to.number <= from.number;
    }
}
