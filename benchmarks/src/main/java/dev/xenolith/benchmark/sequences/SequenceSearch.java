package dev.xenolith.benchmark.sequences;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds the sequences whose fusing saves the most calls. Fuses the most frequent pairs in all blocks, and again pairs of what that
 * gives, until there are several times enough; then fuses as the interpreter does, the longest first, and leaves out what that saves the
 * least with, until so many are left as are wanted. Most of what led to a long sequence is then not needed any more.
 */
final class SequenceSearch {
    /** Pairs fused at a time. */
    private static final int STEP = 8;
    /** Executions, of a thousand million instructions, beyond which a block counts but a tenth: one hot loop is not everything. */
    private static final double HOT = 2e6;
    private static final double SCALE = 1e9;
    /** Candidates for each sequence that is wanted. */
    private static final int CANDIDATES = 4;
    /** What is kept of the candidates each time. */
    private static final double KEPT = 0.8;

    private record Block(double weight, List<List<String>> parts) {
    }

    private final int longest;
    private final List<Block> executed = new ArrayList<>();

    SequenceSearch(int longest) {
        this.longest = longest;
    }

    /** Adds what a workload has executed: operations of a block, and how often. Each workload weighs the same. */
    void add(Map<List<String>, Long> executions) {
        double instructions = 0;
        for (Map.Entry<List<String>, Long> block : executions.entrySet()) {
            instructions += (double) block.getKey().size() * block.getValue();
        }
        for (Map.Entry<List<String>, Long> block : executions.entrySet()) {
            double count = block.getValue() * SCALE / instructions;
            executed.add(new Block(Math.min(count, HOT) + count / 10, block.getKey().stream().map(List::of).toList()));
        }
    }

    /** The {@code most} best sequences, the best first. */
    List<List<String>> find(int most) {
        List<List<String>> found = candidates(CANDIDATES * most);
        while (true) {
            Map<List<String>, Double> savings = savings(new HashSet<>(found));
            found.sort(Comparator.<List<String>>comparingDouble(sequence -> -savings.getOrDefault(sequence, 0.0))
                    .thenComparing(List::toString));
            if (found.size() <= most) {
                return found;
            }
            found = found.subList(0, Math.max(most, (int) (found.size() * KEPT)));
        }
    }

    private List<List<String>> candidates(int most) {
        List<Block> blocks = executed;
        Set<List<String>> found = new LinkedHashSet<>();
        while (found.size() < most) {
            Collection<List<String>> best = best(blocks);
            if (best.isEmpty()) {
                break;
            }
            found.addAll(best);
            blocks = blocks.stream().map(block -> new Block(block.weight, fuse(block.parts, best))).toList();
        }
        return new ArrayList<>(found);
    }

    /** How many calls each of {@code sequences} saves if at every place the longest that fits is fused. */
    private Map<List<String>, Double> savings(Set<List<String>> sequences) {
        Map<List<String>, Double> savings = new HashMap<>();
        for (Block block : executed) {
            List<String> operations = block.parts.stream().map(List::getFirst).toList();
            for (int i = 0; i < operations.size();) {
                int length = Math.min(longest, operations.size() - i);
                while (length > 1 && !sequences.contains(operations.subList(i, i + length))) {
                    length--;
                }
                if (length > 1) {
                    savings.merge(List.copyOf(operations.subList(i, i + length)), (length - 1) * block.weight,
                            Double::sum);
                }
                i += length;
            }
        }
        return savings;
    }

    private Collection<List<String>> best(List<Block> blocks) {
        Map<List<String>, Double> weights = new HashMap<>();
        for (Block block : blocks) {
            for (int i = 0; i + 1 < block.parts.size(); i++) {
                List<String> pair = concatenate(block.parts.get(i), block.parts.get(i + 1));
                // Code of other modes has too little weight to be worth it, and other rules.
                if (pair.size() <= longest && pair.stream().noneMatch(name -> name.endsWith("Legacy"))) {
                    weights.merge(pair, block.weight, Double::sum);
                }
            }
        }
        return weights.entrySet().stream()
                .sorted(Map.Entry.<List<String>, Double>comparingByValue().reversed()
                        .thenComparing(entry -> entry.getKey().toString(), Comparator.naturalOrder()))
                .limit(STEP).map(Map.Entry::getKey).toList();
    }

    private static List<List<String>> fuse(List<List<String>> parts, Collection<List<String>> pairs) {
        List<List<String>> fused = new ArrayList<>();
        for (int i = 0; i < parts.size();) {
            List<String> pair = i + 1 < parts.size() ? concatenate(parts.get(i), parts.get(i + 1)) : List.of();
            boolean fuses = pairs.contains(pair);
            fused.add(fuses ? pair : parts.get(i));
            i += fuses ? 2 : 1;
        }
        return List.copyOf(fused);
    }

    private static List<String> concatenate(List<String> first, List<String> second) {
        List<String> both = new ArrayList<>(first);
        both.addAll(second);
        return List.copyOf(both);
    }
}
