package dev.xenolith.benchmark.race;

import dev.xenolith.dom0.xl.ToolstackException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * What the races have in common: their options, and how either emulator is run. The runs are pairs, for a computer is not equally
 * fast at all times; it is the ratio within a pair that counts.
 */
abstract class Race implements Callable<Integer> {
    @Option(names = "--pairs", paramLabel = "N", description = "How many (default: ${DEFAULT-VALUE}).")
    private int pairs;

    @Option(names = "--qemu", paramLabel = "COMMAND", description = "Peer (default: ${DEFAULT-VALUE}).")
    private String qemu = "qemu-system-x86_64";

    @Option(names = "--patience", paramLabel = "SECONDS", description = "For one run (default: ${DEFAULT-VALUE}).")
    private int patience = 600;

    @Option(names = "--xenolith-option", paramLabel = "OPTION", description = "For 'xenolith machine run', such as "
            + "--xenolith-option=--translate=on; may be repeated.")
    private List<String> xenolithOptions = List.of();

    private final Path home = Path.of(System.getProperty("xenolith.home", "."));

    Race(int pairs) {
        this.pairs = pairs;
    }

    /** Runs {@code race} with the options of the command line, and ends the process. */
    static void main(Race race, String[] args) {
        CommandLine commandLine = new CommandLine(race).setCaseInsensitiveEnumValuesAllowed(true);
        System.exit(commandLine.setExecutionExceptionHandler((e, line, parsed) -> {
            System.err.println(commandLine.getCommandName() + ": "
                    + (e instanceof ToolstackException failure ? failure.line() : e.getMessage()));
            return 1;
        }).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        if (pairs < 1 || patience < 1) {
            throw new IOException("expected --pairs and --patience from 1 on");
        }
        print("%s%n", qemuVersion());
        return race(pairs);
    }

    /** Returns the exit code. */
    abstract int race(int pairs) throws Exception;

    /** Asked before anything else is done, for without a peer there is no race. */
    private String qemuVersion() throws IOException, InterruptedException {
        try {
            TimedRun run = TimedRun.of(List.of(qemu, "--version"), patience);
            if (run.exitCode() != 0 || run.lines().isEmpty()) {
                throw run.failure("without its version");
            }
            return run.lines().getFirst().text();
        } catch (IOException e) {
            throw new IOException(qemu + " cannot be run: install Debian's package qemu-system-x86, or name another"
                    + " QEMU with --qemu", e);
        }
    }

    /** Runs a bare machine here, with options of {@code xenolith machine run}. */
    TimedRun xenolith(int memoryMiB, List<String> options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(home.resolve("xenolith").toString(), "machine", "run",
                "--memory", memoryMiB + "M"));
        command.addAll(xenolithOptions);
        command.addAll(options);
        return TimedRun.of(command, patience);
    }

    /** Runs one of our launchers, with more in its environment. */
    TimedRun tool(String name, List<String> arguments, Map<String, String> environment)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(home.resolve(name).toString()));
        command.addAll(arguments);
        return TimedRun.of(command, environment, patience);
    }

    /** Runs a machine of the peer, with options of QEMU. */
    TimedRun qemu(int memoryMiB, List<String> options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(qemu, "-accel", "tcg", "-cpu", "max", "-m",
                Integer.toString(memoryMiB), "-no-reboot"));
        command.addAll(options);
        return TimedRun.of(command, patience);
    }

    static void print(String format, Object... arguments) {
        System.out.print(String.format(Locale.ROOT, format, arguments));
        System.out.flush();
    }
}
