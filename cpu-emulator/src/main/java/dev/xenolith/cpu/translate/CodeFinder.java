package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.interpret.UnitSource.Hot;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.translate.InstructionForm.Kind;
import dev.xenolith.cpu.translate.Region.BasicBlock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Finds the basic blocks that a hot block leads to in its page, and what follows each. A small function that calls nothing is there once for
 * each call of it, and returns to that call only: so it does not tie the loops of its callers into one that is entered at several places.
 * Other functions are there once, and return to whichever call their return address tells.
 */
final class CodeFinder {
    /** Most instructions that are executed by the interpreter's operations. */
    private static final int MAX_OPERATIONS = 12;
    /** Most places that one indirect branch or return may lead to. */
    private static final int MAX_OTHERS = 24;
    /** Most instructions of a function that is there once for each call. */
    private static final int LEAF = 24;

    /** Code that returns to one place: the hot one with what it calls, or a leaf with one caller. */
    private static final class Part {
        /** By offset. */
        final TreeMap<Integer, BasicBlock> blocks = new TreeMap<>();
        /** What is called by the instructions at these offsets, by the target's offset, if it is a part of its own. */
        final Map<Integer, Map<Integer, Part>> leaves = new HashMap<>();
        /** Where it returns to; null: to any call that is not to a leaf. */
        final @Nullable Part caller;
        final int returnsTo;

        Part(@Nullable Part caller, int returnsTo) {
            this.caller = caller;
            this.returnsTo = returnsTo;
        }
    }

    /** A place to go on from. */
    private record Start(Part part, int offset) {
    }

    private final InstructionForms forms;
    private final Hot hot;
    private final int most;
    private final List<Part> parts = new ArrayList<>();
    private final Deque<Start> starts = new ArrayDeque<>();
    private int count;
    private int operations;

    /** Finds at most {@code most} instructions. */
    CodeFinder(InstructionForms forms, Hot hot, int most) {
        this.forms = forms;
        this.hot = hot;
        this.most = most;
    }

    /** The hot block, with what follows it; null if not even its first instruction can be translated. */
    @Nullable
    BasicBlock find() {
        Part root = part(null, 0, hot.entry());
        while (!starts.isEmpty() && count < most) {
            Start start = starts.remove();
            if (!start.part.blocks.containsKey(start.offset) && !split(start.part.blocks, start.offset)) {
                decode(start.part, start.offset);
            }
        }
        parts.forEach(this::link);
        return root.blocks.get(hot.entry());
    }

    private Part part(@Nullable Part caller, int returnsTo, int start) {
        Part part = new Part(caller, returnsTo);
        parts.add(part);
        starts.add(new Start(part, start));
        return part;
    }

    // ---- instructions ------------------------------------------------------------------------------------------------

    private void decode(Part part, int start) {
        BasicBlock block = new BasicBlock(start, part.caller != null);
        int offset = start;
        while (count < most && (offset == start || !part.blocks.containsKey(offset))) {
            Instruction instruction = forms.decode(hot, offset);
            if (instruction == null || instruction.kind() == Kind.CALL && ++operations > MAX_OPERATIONS) {
                break;
            }
            block.instructions.add(instruction);
            count++;
            offset = instruction.next();
            if (instruction.kind() == Kind.BRANCH) {
                follow(part, instruction);
                break;
            }
        }
        if (!block.instructions.isEmpty()) {
            part.blocks.put(start, block);
        }
    }

    private void follow(Part part, Instruction branch) {
        if (branch.hasTarget()) {
            follow(part, branch, branch.target());
        } else if (!branch.form().returns()) {
            hot.targets().stream().limit(MAX_OTHERS).forEach(target -> follow(part, branch, target));
        }
        if (branch.form().conditional() || branch.form().call()) {
            add(part, branch.next());
        }
    }

    private void follow(Part part, Instruction branch, long target) {
        if (branch.form().call() && isHot(target) && isLeaf((int) target)) {
            part.leaves.computeIfAbsent(branch.offset(), offset -> new HashMap<>()).computeIfAbsent((int) target,
                    start -> part(part, branch.next(), start));
        } else {
            add(part, target);
        }
    }

    private void add(Part part, long offset) {
        if (isHot(offset)) {
            starts.add(new Start(part, (int) offset));
        }
    }

    private boolean isHot(long offset) {
        return offset == hot.entry()
                || offset >= 0 && offset < hot.page().length && hot.executed().get((int) offset);
    }

    /** Whether the function at {@code start} is small, calls nothing and jumps nowhere that it does not name. */
    private boolean isLeaf(int start) {
        BitSet seen = new BitSet();
        Deque<Integer> left = new ArrayDeque<>(List.of(start));
        boolean returns = false;
        while (!left.isEmpty()) {
            int offset = left.remove();
            if (offset < 0 || offset >= hot.page().length) {
                return false;
            }
            if (seen.get(offset)) {
                continue;
            }
            seen.set(offset);
            Instruction instruction = forms.decode(hot, offset);
            if (instruction == null || seen.cardinality() > LEAF) {
                return false;
            }
            if (instruction.kind() != Kind.BRANCH) {
                left.add(instruction.next());
            } else if (instruction.form().returns()) {
                returns = true;
            } else {
                if (instruction.form().call() || !instruction.hasTarget()) {
                    return false;
                }
                left.add(Math.clamp(instruction.target(), -1, hot.page().length));
                if (instruction.form().conditional()) {
                    left.add(instruction.next());
                }
            }
        }
        return returns;
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
                BasicBlock second = new BasicBlock(start, before.getValue().leaf);
                second.instructions.addAll(all.subList(i, all.size()));
                all.subList(i, all.size()).clear();
                blocks.put(start, second);
                return true;
            }
        }
        return false;
    }

    // ---- what follows ------------------------------------------------------------------------------------------------

    private void link(Part part) {
        List<BasicBlock> returnsTo = new ArrayList<>();
        if (part.caller != null && part.caller.blocks.get(part.returnsTo) instanceof BasicBlock after) {
            returnsTo.add(after);
        }
        for (BasicBlock block : part.blocks.values()) {
            Instruction last = block.last();
            if (!block.branches() || last.form().conditional()) {
                block.next = part.blocks.get(block.end());
            }
            if (last.hasTarget()) {
                block.target = target(part, last, last.target());
            } else if (block.branches() && !last.form().returns()) {
                hot.targets().stream().limit(MAX_OTHERS).forEach(offset -> {
                    BasicBlock target = target(part, last, offset);
                    if (target != null) {
                        block.others.add(target);
                    }
                });
            }
            if (isShared(block) && part.blocks.get(block.end()) instanceof BasicBlock after
                    && returnsTo.size() < MAX_OTHERS) {
                returnsTo.add(after);
            }
        }
        for (BasicBlock block : part.blocks.values()) {
            if (block.last().form().returns()) {
                block.others.addAll(returnsTo);
            }
        }
    }

    private static @Nullable BasicBlock target(Part part, Instruction branch, long offset) {
        if (offset < 0 || offset >= PhysicalMemory.FRAME_SIZE) {
            return null;
        }
        Part leaf = part.leaves.getOrDefault(branch.offset(), Map.of()).get((int) offset);
        return (leaf == null ? part : leaf).blocks.get((int) offset);
    }

    /** Whether {@code block} calls something that returns to whichever call its return address tells. */
    private static boolean isShared(BasicBlock block) {
        return block.last().form().call() && (block.target != null && !block.target.leaf
                || block.others.stream().anyMatch(other -> !other.leaf));
    }
}
