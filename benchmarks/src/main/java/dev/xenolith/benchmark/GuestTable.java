package dev.xenolith.benchmark;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs the benchmarks of PV guests and prints their results as tables in Markdown, each relative to what the computer does anyway: calls
 * to a null hypercall, data to a plain copy, of the same run. Options are JMH's, such as {@code -wi} and {@code -i}.
 */
public final class GuestTable {
    private static final List<Class<?>> BENCHMARKS = List.of(GuestBenchmark.class, NativeCopyBenchmark.class,
            BlockBenchmark.class, NetworkBenchmark.class);

    private final Collection<RunResult> results;

    private GuestTable(Collection<RunResult> results) {
        this.results = results;
    }

    /** Measures and prints. */
    public static void main(String[] args) throws RunnerException {
        try {
            new GuestTable(new Runner(options(args)).run()).print();
        } catch (CommandLineOptionException e) {
            System.err.println("benchmarks/guest: " + e.getMessage());
            System.exit(1);
        }
    }

    private static Options options(String[] args) throws CommandLineOptionException {
        CommandLineOptions given = new CommandLineOptions(args);
        if (!given.getIncludes().isEmpty()) {
            throw new CommandLineOptionException(
                    "expected options only, found '" + given.getIncludes().getFirst()
                            + "'; benchmarks/run takes names");
        }
        OptionsBuilder options = new OptionsBuilder();
        options.parent(given).shouldFailOnError(true);
        BENCHMARKS.forEach(each -> options.include('^' + Pattern.quote(each.getName() + '.')));
        return options.build();
    }

    private void print() {
        double call = of(GuestBenchmark.class)
                .filter(each -> GuestOperation.NULL_HYPERCALL.name().equals(parameter(each, "operation")))
                .mapToDouble(GuestTable::score).findAny().orElse(Double.NaN);
        print("%n| operation | ns | null hypercalls |%n|---|---:|---:|%n");
        of(GuestBenchmark.class).forEach(each -> print("| %s | %.0f | %.2f |%n", parameter(each, "operation"),
                score(each), score(each) / call));

        double copy = of(NativeCopyBenchmark.class).mapToDouble(GuestTable::megabytes).findAny().orElse(Double.NaN);
        print("%n| data | a second | MB/s | of a plain copy |%n|---|---:|---:|---:|%n");
        of(NativeCopyBenchmark.class).forEach(each -> printData("plain copy by pages", each, copy));
        of(BlockBenchmark.class).forEach(each -> printData("disk, " + parameter(each, "pattern"), each, copy));
        of(NetworkBenchmark.class)
                .forEach(each -> printData("network, frames of " + parameter(each, "bytes") + " bytes", each, copy));
    }

    private static void printData(String what, RunResult result, double copy) {
        print("| %s | %.0f | %.1f | %.4f |%n", what, score(result), megabytes(result), megabytes(result) / copy);
    }

    private Stream<RunResult> of(Class<?> benchmark) {
        return results.stream().filter(each -> each.getParams().getBenchmark().startsWith(benchmark.getName() + '.'));
    }

    private static String parameter(RunResult result, String name) {
        return result.getParams().getParam(name);
    }

    private static double score(RunResult result) {
        return result.getPrimaryResult().getScore();
    }

    private static double megabytes(RunResult result) {
        Result<?> found = result.getSecondaryResults().get("megabytes");
        return found == null ? Double.NaN : found.getScore();
    }

    private static void print(String format, Object... arguments) {
        System.out.print(String.format(Locale.ROOT, format, arguments));
        System.out.flush();
    }
}
