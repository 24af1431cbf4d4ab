package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.interpret.UnitSource.Hot;
import dev.xenolith.cpu.translate.Region.BasicBlock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Finds the region of a hot block: what is reached from it in its page by branches that have been taken often, as long as it is not too
 * much. Every loop in it is entered at one place, as C2 wants it: a branch that would enter another way leaves the region.
 */
final class RegionBuilder {
    /** Most instructions of a region. */
    static final int MAX_INSTRUCTIONS = 50;
    /** Most instructions that are executed by calls. */
    private static final int MAX_CALLS = 12;

    private final Decoder decoder;
    /** By row, operand size and operand forms. */
    private final Map<Long, InstructionForm> forms = new HashMap<>();

    RegionBuilder(Decoder decoder) {
        this.decoder = decoder;
    }

    /** The region of {@code hot}; null if not even its first instruction can be translated. */
    @Nullable
    Region build(Hot hot) {
        Map<Integer, BasicBlock> blocks = decode(hot);
        BasicBlock entry = blocks.get(hot.entry());
        if (entry == null) {
            return null;
        }
        link(blocks);
        List<BasicBlock> order = order(entry);
        cutSideEntries(order);
        // A cut may have left blocks that nothing leads to.
        order = order(entry);
        measure(order);
        return new Region(hot.entry(), hot.mode(), order);
    }

    // ---- instructions ------------------------------------------------------------------------------------------------

    /** The blocks by their offsets. */
    private Map<Integer, BasicBlock> decode(Hot hot) {
        TreeMap<Integer, BasicBlock> blocks = new TreeMap<>();
        Deque<Integer> starts = new ArrayDeque<>();
        starts.add(hot.entry());
        int count = 0;
        int calls = 0;
        while (!starts.isEmpty() && count < MAX_INSTRUCTIONS) {
            int start = starts.remove();
            if (blocks.containsKey(start) || split(blocks, start)) {
                continue;
            }
            BasicBlock block = new BasicBlock(start);
            int offset = start;
            while (count < MAX_INSTRUCTIONS && (offset == start || !blocks.containsKey(offset))) {
                Instruction instruction = decode(hot, offset);
                if (instruction == null || instruction.kind() == InstructionForm.Kind.CALL && ++calls > MAX_CALLS) {
                    break;
                }
                block.instructions.add(instruction);
                count++;
                offset = instruction.next();
                if (instruction.kind() == InstructionForm.Kind.BRANCH) {
                    follow(hot, instruction, starts);
                    break;
                }
            }
            if (!block.instructions.isEmpty()) {
                blocks.put(start, block);
            }
        }
        return blocks;
    }

    private @Nullable Instruction decode(Hot hot, int offset) {
        DecodedInstruction decoded = decoder.decode(hot.page(), offset, hot.page().length, offset, hot.mode());
        if (decoded == null) {
            return null;
        }
        Instruction instruction = Instruction.of(offset, decoded, form(decoded));
        return instruction.kind() == InstructionForm.Kind.NONE ? null : instruction;
    }

    private InstructionForm form(DecodedInstruction decoded) {
        long key = (long) decoded.row.id() << 8 | decoded.operandBits;
        for (int i = 0; i < decoded.operands(); i++) {
            key = key << 4 | decoded.form(i).ordinal() + 1;
        }
        InstructionForm form = forms.get(key);
        if (form == null) {
            form = InstructionForm.of(decoded);
            forms.put(key, form);
        }
        return form;
    }

    private static void follow(Hot hot, Instruction branch, Deque<Integer> starts) {
        if (branch.hasTarget() && !branch.form().call()) {
            add(hot, branch.target(), starts);
        }
        if (branch.form().conditional()) {
            add(hot, branch.next(), starts);
        }
    }

    private static void add(Hot hot, long offset, Deque<Integer> starts) {
        if (offset >= 0 && offset < hot.page().length
                && (offset == hot.entry() || hot.executed().get((int) offset))) {
            starts.add((int) offset);
        }
    }

    /** Splits the block that has an instruction at {@code start} other than its first there; false if there is none. */
    private static boolean split(TreeMap<Integer, BasicBlock> blocks, int start) {
        Map.Entry<Integer, BasicBlock> before = blocks.lowerEntry(start);
        if (before == null || start >= before.getValue().end()) {
            return false;
        }
        List<Instruction> all = before.getValue().instructions;
        for (int i = 1; i < all.size(); i++) {
            if (all.get(i).offset() == start) {
                BasicBlock second = new BasicBlock(start);
                second.instructions.addAll(all.subList(i, all.size()));
                all.subList(i, all.size()).clear();
                blocks.put(start, second);
                return true;
            }
        }
        return false;
    }

    // ---- flow --------------------------------------------------------------------------------------------------------

    private static void link(Map<Integer, BasicBlock> blocks) {
        for (BasicBlock block : blocks.values()) {
            Instruction last = block.last();
            if (!block.branches() || last.form().conditional()) {
                block.next = blocks.get(block.end());
            }
            if (last.hasTarget() && !last.form().call()) {
                block.target = last.target() < 0 || last.target() > 4095 ? null : blocks.get((int) last.target());
            }
        }
    }

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
        // The target first, so that what follows without a branch comes right after its block.
        if (block.target != null) {
            visit(block.target, seen, order);
        }
        if (block.next != null) {
            visit(block.next, seen, order);
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
                changed |= narrow(block.next, own, dominators);
                changed |= narrow(block.target, own, dominators);
            }
        }
        return dominators;
    }

    private static boolean narrow(@Nullable BasicBlock successor, BitSet from, List<BitSet> dominators) {
        if (successor == null || successor.number == 0) {
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
            block.longest = block.instructions.size() + Math.max(rest(block, block.next), rest(block, block.target));
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

    private static int rest(BasicBlock from, @Nullable BasicBlock to) {
        return to == null || isBack(from, to) ? 0 : to.longest;
    }

    /** Whether the branch leads back. */
    static boolean isBack(BasicBlock from, BasicBlock to) {
        return to.number <= from.number;
    }
}
