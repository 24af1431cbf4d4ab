package dev.xenolith.cpu.oracle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    private static final int BATCH = 512;
    private static final int DIFFERENCES_KEPT_PER_FORM = 3;

    private final SnippetGenerator generator;
    private final SnippetRunner silicon;
    private final SnippetRunner emulated;
    private final BiFunction<byte[], Long, String> disassembler;
    private final Map<InstructionForm, Tally> tallies = new LinkedHashMap<>();
    private final List<Snippet> snippets = new ArrayList<>();
    private final List<Outcome> expected = new ArrayList<>();
    private final List<Outcome> actual = new ArrayList<>();
    private final Comparison[] comparisons = new Comparison[BATCH];

    /** What became of the instances of one form. */
    static final class Tally {
        int instances;
        int differing;
        final Map<String, Integer> endings = new TreeMap<>();
        final List<String> differences = new ArrayList<>();
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
        generator.forms().forEach(form -> tallies.put(form, new Tally()));
    }

    /** Runs the instances of seeds {@code firstSeed} up to {@code firstSeed + instances - 1}. */
    void run(long firstSeed, long instances) {
        for (long done = 0; done < instances; done += BATCH) {
            int count = (int) Math.min(BATCH, instances - done);
            runBatch(firstSeed + done, count);
        }
    }

    private void runBatch(long firstSeed, int count) {
        for (int i = 0; i < count; i++) {
            comparisons[i] = generator.generate(firstSeed + i, snippets.get(i));
        }
        silicon.run(snippets.subList(0, count), expected.subList(0, count));
        emulated.run(snippets.subList(0, count), actual.subList(0, count));
        for (int i = 0; i < count; i++) {
            Snippet snippet = snippets.get(i);
            Tally tally = tallies.get(generator.formOf(firstSeed + i));
            if (tally == null) {
                throw new IllegalStateException("a form from nowhere");
            }
            tally.instances++;
            tally.endings.merge(ending(snippet, expected.get(i)), 1, Integer::sum);
            List<String> differences = comparisons[i].differences(snippet, expected.get(i), actual.get(i));
            if (!differences.isEmpty() && tally.differing++ < DIFFERENCES_KEPT_PER_FORM) {
                tally.differences.add(report(firstSeed + i, snippet, differences));
            }
        }
    }

    Map<InstructionForm, Tally> tallies() {
        return tallies;
    }

    /** All that differed, and how to see it again; empty if nothing did. */
    String differences() {
        StringBuilder text = new StringBuilder();
        tallies.forEach((form, tally) -> {
            if (tally.differing > 0) {
                text.append("\n%s: %d of %d instances differ%n".formatted(form, tally.differing, tally.instances));
                tally.differences.forEach(text::append);
            }
        });
        return text.toString();
    }

    private static String ending(Snippet snippet, Outcome outcome) {
        if (outcome.ending != Outcome.Ending.EXCEPTION) {
            return outcome.ending.toString().toLowerCase(Locale.ROOT);
        }
        return outcome.completed(snippet) ? "completed" : "#" + outcome.vector;
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

    /** Writes a table of all forms, with the reasons of those in {@code excluded}. */
    void writeCoverage(Path file, Map<InstructionForm, String> excluded) {
        StringBuilder text = new StringBuilder(
                "%-24s %-24s %9s %9s  %s%n".formatted("encoding", "instruction", "instances",
                        "differing", "endings on silicon, or why not run"));
        long total = 0;
        for (Map.Entry<InstructionForm, Tally> entry : tallies.entrySet()) {
            InstructionForm form = entry.getKey();
            Tally tally = entry.getValue();
            total += tally.instances;
            text.append("%-24s %-24s %9d %9d  %s%n".formatted(form.encoding, form.assembly, tally.instances,
                    tally.differing,
                    tally.endings));
        }
        excluded.forEach(
                (form, reason) -> text.append("%-24s %-24s %9s %9s  %s%n".formatted(form.encoding, form.assembly, "-",
                        "-", reason)));
        text.append("%d forms compared, %d not, %d instances%n".formatted(tallies.size(), excluded.size(), total));
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
