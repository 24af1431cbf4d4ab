package dev.xenolith.dom0.testrun;

import dev.xenolith.dom0.testrun.RunResult.Outcome;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The results as people read them. */
public final class ResultTable {
    private ResultTable() {
    }

    /** A line per run: name, seed, processor model, result, seconds, first reason; then one about all. */
    public static String of(List<RunResult> results) {
        int names = results.stream().mapToInt(r -> r.run().test().name().length()).max().orElse(0);
        int seeds = results.stream().mapToInt(r -> Long.toString(r.run().seed()).length()).max().orElse(0);
        String row = "%-" + Math.max(names, 4) + "s %" + Math.max(seeds, 4) + "s %-5s %-11s %8s  %s";
        StringBuilder text = new StringBuilder();
        line(text, row, "Name", "Seed", "CPU", "Result", "Time(s)", "Reason");
        for (RunResult result : results) {
            line(text, row, result.run().test().name(), Long.toString(result.run().seed()), result.run().cpu(),
                    word(result.outcome()), String.format(Locale.ROOT, "%.2f", result.hostNanos() / 1e9),
                    result.reason());
        }
        return text.append('\n').append(summary(results)).append('\n').toString();
    }

    private static void line(StringBuilder text, String row, String... cells) {
        text.append(String.format(Locale.ROOT, row, (Object[]) cells).stripTrailing()).append('\n');
    }

    /** How many ended how, and how many audits there were. */
    static String summary(List<RunResult> results) {
        Map<Outcome, Integer> counts = new EnumMap<>(Outcome.class);
        results.forEach(result -> counts.merge(result.outcome(), 1, Integer::sum));
        StringBuilder text = new StringBuilder(results.size() + (results.size() == 1 ? " run: " : " runs: "));
        text.append(counts.getOrDefault(Outcome.PASSED, 0)).append(" passed");
        counts.forEach((outcome, count) -> {
            if (outcome != Outcome.PASSED) {
                text.append(", ").append(count).append(' ').append(word(outcome));
            }
        });
        return text.append("; audits run: ").append(results.stream().mapToInt(RunResult::audits).sum()).toString();
    }

    /** The word for an outcome. */
    public static String word(Outcome outcome) {
        return switch (outcome) {
            case PASSED -> "pass";
            case FAILED -> "FAIL";
            case TIMEOUT -> "TIMEOUT";
            case ERROR -> "ERROR";
            case SKIPPED -> "skipped";
            case INTERRUPTED -> "interrupted";
        };
    }
}
