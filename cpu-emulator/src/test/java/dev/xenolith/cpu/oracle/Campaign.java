package dev.xenolith.cpu.oracle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;

/** Runs generated instances on two processors, batch by batch, and keeps count of what happened and what differed. */
final class Campaign {
    /** Snippets that the processors are given at a time. */
    static final int BATCH = 512;

    /** What a whole campaign has of each variant at least: instances, of them with an operand at an edge, and with an exception. */
    static final int INSTANCES = 2_000;
    static final int EDGES = 200;
    static final int FAULTS = 100;

    private static final int DIFFERENCES_KEPT_PER_FORM = 3;

    private final SnippetGenerator generator;
    private final SnippetRunner silicon;
    private final SnippetRunner emulated;
    private final BiFunction<byte[], Long, String> disassembler;
    private final Map<Variant, Tally> tallies = new LinkedHashMap<>();
    private final List<Snippet> snippets = new ArrayList<>();
    private final List<Outcome> expected = new ArrayList<>();
    private final List<Outcome> actual = new ArrayList<>();
    private final Comparison[] comparisons = new Comparison[BATCH];

    private final boolean[] stopped = new boolean[BATCH];
    private final SourceValues.Kind[] sources = new SourceValues.Kind[BATCH];

    /** What became of the instances of one variant. */
    static final class Tally {
        int instances;
        /** Those that began to execute with an operand at an edge of its range. */
        int edges;
        /** Those that read an operand at all. */
        int reading;
        /** Exceptions of the operation itself. */
        int faults;
        /** Exceptions in the fetch, or for a prefix that makes the instruction invalid. */
        int stops;
        int differing;
        /** How silicon ended them; "elsewhere" is where a transfer of control led. */
        final Map<String, Integer> endings = new TreeMap<>();
        final List<String> differences = new ArrayList<>();

        private void add(Tally other) {
            instances += other.instances;
            edges += other.edges;
            reading += other.reading;
            faults += other.faults;
            stops += other.stops;
            differing += other.differing;
            other.endings.forEach((ending, count) -> endings.merge(ending, count, Integer::sum));
            differences.addAll(other.differences);
        }

        /** Those that ended without an exception. */
        int working() {
            return instances - faults - stops;
        }
    }

    /** @param disassembler code bytes and their address to text */
    Campaign(SnippetGenerator generator, SnippetRunner silicon, SnippetRunner emulated,
            BiFunction<byte[], Long, String> disassembler) {
        this.generator = generator;
        this.silicon = silicon;
        this.emulated = emulated;
        this.disassembler = disassembler;
        for (int i = 0; i < BATCH; i++) {
            snippets.add(new Snippet());
            expected.add(new Outcome());
            actual.add(new Outcome());
        }
        generator.variants().forEach(variant -> tallies.put(variant, new Tally()));
    }

    /** Runs the instances of seeds {@code firstSeed} up to {@code firstSeed + instances - 1}. */
    void run(long firstSeed, long instances) {
        for (long done = 0; done < instances; done += BATCH) {
            int count = (int) Math.min(BATCH, instances - done);
            runBatch(firstSeed + done, count);
        }
    }

    /** As {@link #run}, but only up to the first batch with a difference, of which it returns the first; empty if there is none. */
    String firstDifference(long firstSeed, long instances) {
        for (long done = 0; done < instances; done += BATCH) {
            runBatch(firstSeed + done, (int) Math.min(BATCH, instances - done));
            for (Tally tally : tallies.values()) {
                if (tally.differing > 0) {
                    return tally.differences.getFirst();
                }
            }
        }
        return "";
    }

    private void runBatch(long firstSeed, int count) {
        for (int i = 0; i < count; i++) {
            comparisons[i] = generator.generate(firstSeed + i, snippets.get(i));
            stopped[i] = generator.stopped();
            sources[i] = generator.sources();
        }
        silicon.run(snippets.subList(0, count), expected.subList(0, count));
        emulated.run(snippets.subList(0, count), actual.subList(0, count));
        for (int i = 0; i < count; i++) {
            Snippet snippet = snippets.get(i);
            Tally tally = tallies.get(generator.variantOf(firstSeed + i));
            if (tally == null) {
                throw new IllegalStateException("a variant from nowhere");
            }
            count(tally, snippet, expected.get(i), stopped[i], sources[i]);
            List<String> differences = comparisons[i].differences(snippet, expected.get(i), actual.get(i));
            if (!differences.isEmpty()) {
                // Once more, for the runner's timer may have come between POPF and INT3: the kernel's return from a signal loses NT and ID
                // (linux/arch/x86/kernel/signal_64.c, FIX_EFLAGS). What silicon does not do again is not its doing.
                silicon.run(snippets.subList(i, i + 1), expected.subList(i, i + 1));
                differences = comparisons[i].differences(snippet, expected.get(i), actual.get(i));
            }
            if (!differences.isEmpty() && tally.differing++ < DIFFERENCES_KEPT_PER_FORM) {
                tally.differences.add(report(firstSeed + i, snippet, differences));
            }
        }
    }

    /** Adds what {@code other}, of the same variants, has counted. */
    synchronized void add(Campaign other) {
        other.tallies.forEach((variant, tally) -> tallies.computeIfAbsent(variant, key -> new Tally()).add(tally));
    }

    private static void count(Tally tally, Snippet snippet, Outcome outcome, boolean stopped,
            SourceValues.Kind sources) {
        tally.instances++;
        tally.endings.merge(ending(snippet, outcome), 1, Integer::sum);
        boolean fault = outcome.faulted(snippet);
        boolean inFetch = fault && outcome.vector == Outcome.PAGE_FAULT && outcome.errorCode >> 4 != 0
                && outcome.rip == snippet.start();
        if (fault && (stopped || inFetch)) {
            tally.stops++;
            return;
        }
        tally.faults += fault ? 1 : 0;
        tally.reading += sources == SourceValues.Kind.NONE ? 0 : 1;
        tally.edges += sources == SourceValues.Kind.EDGE ? 1 : 0;
    }

    Map<Variant, Tally> tallies() {
        return tallies;
    }

    /**
     * Variants that were not put to the test enough: fewer instances than there must be; fewer that end without an exception, unless
     * silicon refuses them all, and of those that read operands fewer with one at an edge; fewer that raise an exception. What works on
     * registers and flags alone must never raise one but in the fetch or for a prefix, and as often.
     */
    String shortfalls(int instances, int edges, int faults) {
        StringBuilder text = new StringBuilder();
        tallies.forEach((variant, tally) -> {
            boolean able = variant.form().canFault(variant.operandBits());
            boolean refused = tally.working() == 0 && Exclusions.isRefused(variant.form());
            boolean few = tally.working() < faults || tally.reading > 0 && tally.edges < edges;
            if (tally.instances < instances || !refused && few || (able ? tally.faults : tally.stops) < faults
                    || !able && tally.faults > 0) {
                text.append("%s: %d instances, %d at edges, %d%s faults, %d stops, %s%n".formatted(variant,
                        tally.instances,
                        tally.edges, tally.faults, able ? "" : " (of none possible)", tally.stops, tally.endings));
            }
        });
        return text.toString();
    }

    /** All that differed, and how to see it again; empty if nothing did. */
    String differences() {
        StringBuilder text = new StringBuilder();
        tallies.forEach((variant, tally) -> {
            if (tally.differing > 0) {
                text.append("\n%s: %d of %d instances differ%n".formatted(variant, tally.differing, tally.instances));
                tally.differences.forEach(text::append);
            }
        });
        return text.toString();
    }

    private static String ending(Snippet snippet, Outcome outcome) {
        if (outcome.ending != Outcome.Ending.EXCEPTION) {
            return outcome.ending.toString().toLowerCase(Locale.ROOT);
        }
        return outcome.faulted(snippet) ? "#" + outcome.vector : outcome.completed(snippet) ? "completed" : "elsewhere";
    }

    private String report(long seed, Snippet snippet, List<String> differences) {
        StringBuilder text = new StringBuilder();
        text.append("  -Doracle.seed=%d -Doracle.instances=1:  %s  (%s at 0x%x)%n".formatted(seed,
                disassembler.apply(snippet.code,
                        snippet.start()),
                HexFormat.ofDelimiter(" ").formatHex(snippet.code), snippet.start()));
        Registers registers = snippet.registers;
        for (int i = 0; i < 16; i++) {
            text.append("%s%s=%016x".formatted(i % 4 == 0 ? "      " : " ", Registers.NAMES[i], registers.gpr[i]));
            text.append(i % 4 == 3 ? "\n" : "");
        }
        text.append("      rflags=%x fs=%x gs=%x selectors=%s%n".formatted(registers.rflags, registers.fsBase,
                registers.gsBase,
                Arrays.toString(registers.selector)));
        differences.forEach(difference -> text.append("    ").append(difference).append('\n'));
        return text.toString();
    }
}
