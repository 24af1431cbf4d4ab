package dev.xenolith.dom0.host;

import dev.xenolith.dom0.host.HostOptions.CpuVendor;
import dev.xenolith.dom0.testrun.Expectation;
import dev.xenolith.dom0.testrun.GuestTest;
import dev.xenolith.dom0.testrun.JunitReport;
import dev.xenolith.dom0.testrun.ResultTable;
import dev.xenolith.dom0.testrun.RunResult;
import dev.xenolith.dom0.testrun.Seeds;
import dev.xenolith.dom0.testrun.TestFinder;
import dev.xenolith.dom0.testrun.TestLimits;
import dev.xenolith.dom0.testrun.TestRun;
import dev.xenolith.dom0.testrun.TestRunner;
import dev.xenolith.dom0.xl.Client;
import dev.xenolith.dom0.xl.FileProblem;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.VersionProvider;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenolith test}, which runs in the client's own process. */
@Command(name = "test", description = "Run guests that test something, each on a host of its own in this process, and report.", mixinStandardHelpOptions = true, versionProvider = VersionProvider.class, footer = {
    "",
    "A test is an xl.cfg file. A line in it says how it is judged:",
    "  # xenolith test: verdict      it says last VERDICT name PASS, and powers off",
    "  # xenolith test: says REGEX   a line on its console has a match",
    "  # xenolith test: ends REASON  it stops by poweroff, reboot, crash, watchdog",
    "  # xenolith test: skip WHY     it is not run",
    "Without one it is verdict. Hosts have a virtual clock: with one seed runs are",
    "identical. When its domain has gone the hypervisor is audited; what that",
    "finds, memory that was not given back, and defects that the host logs (BUG)",
    "fail the test. What a domain writes to its disks goes with the run.",
    "",
    "Ends with 0 if nothing failed, 1 if something did, 2 if the command line or",
    "a configuration is wrong. A signal such as SIGINT ends the runs in order;",
    "what was run is reported, and it gives 128 + its number."})
final class TestCommand implements Callable<Integer> {
    private static final String CONFIGS = "guest-images/configs";
    private static final String DEFAULT_XEN = "loglvl=all guest_loglvl=all";
    private static final long DEFAULT_TIMEOUT = 300;
    private static final long DEFAULT_MACHINE_TIMEOUT = 3600;
    private static final int MAX_CPUS = 8;
    private static final int MAX_JOBS = 64;
    private static final long MAX_SECONDS = 10_000_000;
    private static final int TAIL_LINES = 20;

    private final Client client;
    private final BootHooks hooks;

    @Parameters(paramLabel = "CONFIG", arity = "0..*", description = "Configuration files, and directories of such (*.cfg).")
    private List<String> files = new ArrayList<>();

    @Option(names = "--all", description = "Run the tests that come with Xenolith.")
    private boolean all;

    @Option(names = "--filter", paramLabel = "GLOB", description = "Only tests whose names match, such as 'grant*'; several with commas.")
    private @Nullable String filter;

    @Option(names = "--list", description = "Print the tests and how they are judged; run nothing.")
    private boolean list;

    @Option(names = "--expect", paramLabel = "REGEX", description = "Judge all by a match on a line of their consoles, whatever their files say.")
    private @Nullable String expect;

    @Option(names = "--expect-end", paramLabel = "REASON", description = "Judge all by how they stop, such as poweroff.")
    private @Nullable String expectEnd;

    @Option(names = "--seeds", paramLabel = "N|LIST", description = "Run each with seeds 1 to N, or with those of a list such as 1,5,10-20 (default: 1).")
    private String seeds = "1";

    @Option(names = "--seed", paramLabel = "N", description = "Run each with this seed.")
    private @Nullable Long seed;

    @Option(names = "--jobs", paramLabel = "N", description = "How many hosts there are at a time (default: as many as this computer has processors).")
    private int jobs = Math.min(Runtime.getRuntime().availableProcessors(), MAX_JOBS);

    @Option(names = "--timeout", paramLabel = "SECONDS", description = "What is not at its end after so much host time is ended (default: 300).")
    private long timeout = DEFAULT_TIMEOUT;

    @Option(names = "--machine-timeout", paramLabel = "SECONDS", description = "The same in machine time, of which an idle guest uses much in no time (default: 3600).")
    private long machineTimeout = DEFAULT_MACHINE_TIMEOUT;

    @Option(names = "--junit", paramLabel = "FILE", description = "Write a JUnit XML report, as Maven Surefire does.")
    private @Nullable String junit;

    @Option(names = "--logs", paramLabel = "DIRECTORY", description = "Where consoles of failed runs are put (default: beside the report, else xenolith-test).")
    private @Nullable String logs;

    @Option(names = "--cpus", paramLabel = "N", description = "Processors of the machines, 1 to 8 (default: 1).")
    private int cpus = 1;

    @Option(names = "--cpu", paramLabel = "VENDOR", description = "Model of the processors: intel, amd or both, one after the other (default: intel).")
    private String cpu = "intel";

    @Option(names = "--translate", paramLabel = "MODE", description = TranslationModes.DESCRIPTION + " (default: on).")
    private String translate = "on";

    @Option(names = "--xen", paramLabel = "\"OPTIONS\"", description = "Command line of the hypervisors (default: \"loglvl=all guest_loglvl=all\").")
    private String xen = DEFAULT_XEN;

    TestCommand(Client client) {
        this(client, BootHooks.NONE);
    }

    /** With hosts in which a test makes something different. */
    TestCommand(Client client, BootHooks hooks) {
        this.client = client;
        this.hooks = hooks;
    }

    @Override
    public Integer call() throws InterruptedException {
        require("--cpus", cpus, MAX_CPUS);
        require("--jobs", jobs, MAX_JOBS);
        require("--timeout", timeout, MAX_SECONDS);
        require("--machine-timeout", machineTimeout, MAX_SECONDS);
        HostOptions options = new HostOptions(cpus, HostOptions.DEFAULT.memoryMiB(), CpuVendor.INTEL,
                HostOptions.DEFAULT.clock(), OptionalLong.empty(), xen, TranslationModes.named(translate),
                NetworkOptions.DEFAULT);
        List<String> models = switch (cpu) {
            case "intel", "amd" -> List.of(cpu);
            case "both" -> List.of("intel", "amd");
            default -> throw usage("--cpu: expected intel, amd or both, found '" + cpu + "'");
        };
        List<Long> chosenSeeds = seeds();
        Path report = junit == null ? null : path("--junit", junit);
        Path logDirectory = logDirectory(report);
        PrintStream out = new PrintStream(client.out(), true, StandardCharsets.UTF_8);
        List<GuestTest> tests = tests();
        if (list) {
            print(tests, out);
            return 0;
        }
        List<TestRun> runs = new ArrayList<>();
        for (GuestTest test : tests) {
            if (test.expectation() instanceof Expectation.Skip) {
                runs.add(new TestRun(test, chosenSeeds.getFirst(), models.getFirst()));
                continue;
            }
            for (String model : models) {
                chosenSeeds.forEach(each -> runs.add(new TestRun(test, each, model)));
            }
        }
        long start = System.nanoTime();
        List<RunResult> results = run(runs, options, out, report, logDirectory, start);
        return results.stream().anyMatch(RunResult::isBad) ? ToolstackException.FAILURE : 0;
    }

    private List<RunResult> run(List<TestRun> runs, HostOptions options, PrintStream out,
            @Nullable Path report, Path logDirectory, long start) throws InterruptedException {
        Progress progress = new Progress(runs.size(), client.outIsTerminal() ? out : null);
        try (BugWatch bugs = BugWatch.listen()) {
            TestRunner runner = new TestRunner(InProcessHost.factory(options, bugs, hooks),
                    new TestLimits(timeout, machineTimeout), jobs, progress);
            OrderlyEnd orderlyEnd = new OrderlyEnd(runner::interrupt);
            try {
                List<RunResult> results = runner.run(runs);
                progress.clear();
                report(results, out, report, logDirectory, System.nanoTime() - start);
                return results;
            } finally {
                orderlyEnd.done();
            }
        }
    }

    private void report(List<RunResult> results, PrintStream out, @Nullable Path report, Path logDirectory,
            long nanos) {
        out.print(ResultTable.of(results));
        try {
            for (RunResult result : results) {
                if (result.isBad()) {
                    explain(result, out, logDirectory);
                }
            }
            if (report != null) {
                Path parent = report.toAbsolutePath().getParent();
                if (parent != null) {
                    Files.createDirectories(parent);
                }
                JunitReport.write(report, results, nanos);
            }
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE,
                    "cannot write the report: " + e.getMessage() + ": " + FileProblem.of(e), e);
        }
    }

    /** Saves what a failed run has left, and prints its end and how to have it again. */
    private void explain(RunResult result, PrintStream out, Path logDirectory) throws IOException {
        Files.createDirectories(logDirectory);
        Path console = logDirectory.resolve(result.run().id() + ".console.log");
        Files.writeString(console, result.console());
        Files.writeString(logDirectory.resolve(result.run().id() + ".xen.log"), result.log());
        out.println();
        out.println("== " + result.run().id() + ": " + ResultTable.word(result.outcome()) + ": " + result.reason());
        List<String> lines = result.console().lines().toList();
        lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size())
                .forEach(line -> out.println("  | " + printable(line)));
        out.println("  console: " + console + ", and beside it that of the hypervisor");
        out.println("  again:   " + again(result.run()));
    }

    /** A guest has nothing to say to the terminal itself. */
    private static String printable(String line) {
        return line.replaceAll("\\p{Cntrl}", "?");
    }

    /** The command line that repeats a run. */
    private String again(TestRun run) {
        StringBuilder command = new StringBuilder("xenolith test --seed " + run.seed() + " --cpu " + run.cpu());
        if (timeout != DEFAULT_TIMEOUT) {
            command.append(" --timeout ").append(timeout);
        }
        if (machineTimeout != DEFAULT_MACHINE_TIMEOUT) {
            command.append(" --machine-timeout ").append(machineTimeout);
        }
        if (cpus != 1) {
            command.append(" --cpus ").append(cpus);
        }
        if (!translate.equals("on")) {
            command.append(" --translate ").append(translate);
        }
        if (expect != null) {
            command.append(" --expect ").append(quoted(expect));
        }
        if (expectEnd != null) {
            command.append(" --expect-end ").append(expectEnd);
        }
        if (!xen.equals(DEFAULT_XEN)) {
            command.append(" --xen ").append(quoted(xen));
        }
        return command.append(' ').append(quoted(run.test().file().toString())).toString();
    }

    private static String quoted(String word) {
        return word.matches("[A-Za-z0-9_./:=,@%+-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }

    private List<GuestTest> tests() {
        List<String> arguments = new ArrayList<>(files);
        if (all) {
            Path bundled = Path.of(System.getProperty("xenolith.home", ".")).toAbsolutePath().resolve(CONFIGS);
            if (!Files.isDirectory(bundled)) {
                throw usage("--all: " + bundled + " is missing; run it from a complete checkout");
            }
            arguments.add(bundled.normalize().toString());
        }
        if (arguments.isEmpty()) {
            throw usage("test: expected configuration files, directories or --all; see 'xenolith test --help'");
        }
        List<GuestTest> tests = new TestFinder(client.directory(), client.environment(), this::warn).find(arguments);
        if (filter != null) {
            tests = TestFinder.filter(tests, filter);
            if (tests.isEmpty()) {
                throw usage("--filter: no test is called '" + filter + "'; --list shows them");
            }
        }
        Expectation expectation = expectation();
        return expectation == null
                ? tests
                : tests.stream().map(test -> new GuestTest(test.name(), test.file(),
                        test.config(), expectation)).toList();
    }

    private @Nullable Expectation expectation() {
        if (expect != null && expectEnd != null) {
            throw usage("--expect and --expect-end do not go together");
        }
        try {
            return expect != null
                    ? Expectation.says(expect)
                    : expectEnd != null ? Expectation.parse("ends " + expectEnd) : null;
        } catch (IllegalArgumentException e) {
            throw usage((expect == null ? "--expect-end: " : "--expect: ") + e.getMessage());
        }
    }

    private List<Long> seeds() {
        if (seed != null) {
            if (seed < 0) {
                throw usage("--seed: expected 0 or more, found " + seed);
            }
            return List.of(seed);
        }
        try {
            return Seeds.parse(seeds);
        } catch (IllegalArgumentException e) {
            throw usage("--seeds: " + e.getMessage());
        }
    }

    private Path logDirectory(@Nullable Path report) {
        if (logs != null) {
            return path("--logs", logs);
        }
        Path beside = report == null ? null : report.toAbsolutePath().getParent();
        return beside == null ? client.directory().resolve("xenolith-test") : beside;
    }

    private Path path(String option, String name) {
        try {
            return client.directory().resolve(name);
        } catch (InvalidPathException e) {
            throw usage(option + ": '" + name + "' is no name of a file");
        }
    }

    private void warn(String line) {
        new PrintStream(client.err(), true, StandardCharsets.UTF_8).println(line);
    }

    private static void print(List<GuestTest> tests, PrintStream out) {
        int names = tests.stream().mapToInt(test -> test.name().length()).max().orElse(0);
        tests.forEach(test -> out.println(String.format(Locale.ROOT, "%-" + Math.max(1, names) + "s  %s  (%s)",
                test.name(), test.expectation().words(), test.file())));
    }

    private static void require(String option, long value, long most) {
        if (value < 1 || value > most) {
            throw usage(option + ": expected 1 to " + most + ", found " + value);
        }
    }

    private static ToolstackException usage(String problem) {
        return new ToolstackException(ToolstackException.USAGE, problem);
    }

    /** One line on a terminal that is written over; nothing elsewhere. */
    private static final class Progress implements TestRunner.Listener {
        private static final String CLEAR = "\r\033[K";

        private final int all;
        private final @Nullable PrintStream terminal;
        private int ended;
        private int bad;

        Progress(int all, @Nullable PrintStream terminal) {
            this.all = all;
            this.terminal = terminal;
        }

        @Override
        public void started(TestRun run) {
            show(run);
        }

        @Override
        public void ended(RunResult result) {
            ended++;
            bad += result.isBad() ? 1 : 0;
            show(result.run());
        }

        private void show(TestRun run) {
            if (terminal != null) {
                terminal.print(
                        CLEAR + ended + " of " + all + (bad == 0 ? "" : ", " + bad + " failed") + ": " + run.id());
                terminal.flush();
            }
        }

        void clear() {
            if (terminal != null) {
                terminal.print(CLEAR);
                terminal.flush();
            }
        }
    }
}
