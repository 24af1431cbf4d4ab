package dev.xenolith.benchmark.soak;

import dev.xenolith.dom0.protocol.Places;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * Starts a host in a directory of its own and, round by round, creates domains in parallel, has each answer on its console, and
 * destroys them all. After a round there must be as much free memory as before, the same nodes in xenstore and Domain-0 alone; what
 * the daemon's process holds is printed, and must not grow. Ends with 0 if every round was so and the host left nothing behind.
 */
@CommandLine.Command(name = "soak", mixinStandardHelpOptions = true, description = "Rounds of domains that come, answer and go.")
final class Soak implements Callable<Integer> {
    /** The daemon serves 256 commands; a domain here needs two at a time, its console and what is done to it. */
    private static final int MAX_DOMAINS = 120;
    /** MiB for the host and for each domain, the hypervisor's own part included. */
    private static final int HOST_MIB = 128;
    private static final int DOMAIN_MIB = 10;

    /** After so many rounds everything has been used once. */
    private static final int WARM_UP = 2;

    private static final Pattern FREE = Pattern.compile("(?m)^free +: (\\d+) KiB$");
    private static final Pattern RESIDENT = Pattern.compile("(?m)^VmRSS:\\s+(\\d+) kB$");

    @Option(names = "--rounds", paramLabel = "N", description = "How many (default: ${DEFAULT-VALUE}).")
    private int rounds = 20;

    @Option(names = "--growth", paramLabel = "PERCENT", description = "How much more the host's process may hold after the last round "
            + "than after round " + WARM_UP + " (default: ${DEFAULT-VALUE}).")
    private int growth = 5;

    @Option(names = "--domains", paramLabel = "N", description = "Domains per round, 1 to " + MAX_DOMAINS
            + " (default: ${DEFAULT-VALUE}).")
    private int domains = 50;

    @Option(names = "--patience", paramLabel = "SECONDS", description = "For one round (default: ${DEFAULT-VALUE}).")
    private int patience = 300;

    private final Path home = Path.of(System.getProperty("xenolith.home", "."));
    private final Path config = home.resolve("guest-images/configs/minishell.cfg").toAbsolutePath();

    /** Runs with the options of the command line. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Soak()).setExecutionExceptionHandler((e, line, parsed) -> {
            System.err.println("soak: " + e.getMessage());
            return 1;
        }).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        if (rounds < 1 || domains < 1 || domains > MAX_DOMAINS || patience < 1) {
            System.err.println("soak: expected --rounds and --patience from 1 on, --domains from 1 to " + MAX_DOMAINS);
            return 2;
        }
        Path directory = Files.createTempDirectory("soak");
        Places places = new Places(directory.resolve("s"), directory.resolve("s.log"));
        boolean started = false;
        boolean clean = false;
        try {
            launch(places, "host", "start", "--memory=" + (HOST_MIB + domains * DOMAIN_MIB));
            started = true;
            long pid = Long.parseLong(Files.readString(places.lock()).strip());
            soak(places, directory, pid);
            launch(places, "host", "stop");
            started = false;
            if (ProcessHandle.of(pid).isPresent() || Files.exists(places.socket())) {
                throw new IOException("the host has stopped, but process " + pid + " or its socket is still there");
            }
            clean = true;
            System.out.println("soak: all went as it came");
            return 0;
        } finally {
            if (clean) {
                delete(directory);
            } else {
                if (started) {
                    launch(places, "host", "stop");
                }
                System.err.println("soak: the host's log is " + places.log());
            }
        }
    }

    private void soak(Places places, Path directory, long pid) throws Exception {
        State before = State.of(places, directory);
        System.out.printf(Locale.ROOT, "soak: process %d, free %d KiB, VmRSS %d kB%n", pid, before.freeKiB(),
                resident(pid));
        long settled = 0;
        for (int round = 1; round <= rounds; round++) {
            long start = System.nanoTime();
            round(places, directory, round);
            State after = State.of(places, directory);
            long resident = resident(pid);
            System.out.printf(Locale.ROOT, "round %3d: %d domains in %.1f s, free %d KiB, VmRSS %d kB%n", round,
                    domains, (System.nanoTime() - start) / 1e9, after.freeKiB(), resident);
            String difference = before.differenceTo(after);
            if (difference != null) {
                throw new IOException("after round " + round + " " + difference);
            }
            if (round == WARM_UP) {
                settled = resident;
            } else if (round == rounds && settled != 0) {
                checkGrowth(settled, resident);
            }
        }
    }

    private void checkGrowth(long settled, long last) throws IOException {
        double percent = 100.0 * (last - settled) / settled;
        System.out.printf(Locale.ROOT, "soak: VmRSS is %+.1f %% of what it was after round %d%n", percent, WARM_UP);
        if (percent > growth) {
            throw new IOException("the host's process grew by more than " + growth + " %");
        }
    }

    /** What must be the same before and after: free memory, nodes of xenstore, domains (by name and memory). */
    private record State(long freeKiB, String nodes, String domains) {
        static State of(Places places, Path directory) throws IOException {
            return new State(number(FREE, Command.run(places, directory, "host", "status")),
                    Command.run(places, directory, "xenolith", "xenstore", "ls", "-f", "-p", "/"),
                    Command.run(places, directory, "xl", "vm-list"));
        }

        @Nullable
        String differenceTo(State after) {
            if (!domains.equals(after.domains)) {
                return "these domains are there:\n" + after.domains;
            }
            if (!nodes.equals(after.nodes)) {
                return "xenstore was\n" + nodes + "and is\n" + after.nodes;
            }
            return freeKiB == after.freeKiB ? null : freeKiB + " KiB were free before, now " + after.freeKiB;
        }
    }

    private void round(Places places, Path directory, int round) throws Exception {
        List<Future<?>> lives = new ArrayList<>();
        List<Command> consoles = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 1; i <= domains; i++) {
                String name = "soak-" + round + "-" + i;
                Command console = Command.start(places, directory, "xl", "create", "-c", "-q", config.toString(),
                        "name=\"" + name + '"');
                consoles.add(console);
                lives.add(threads.submit(() -> answer(console, name)));
            }
            awaitAll(lives, consoles, round, "answer");
            lives.clear();
            for (int i = 1; i <= domains; i++) {
                String name = "soak-" + round + "-" + i;
                Command console = consoles.get(i - 1);
                lives.add(threads.submit(() -> {
                    Command.run(places, directory, "xl", "destroy", name);
                    return console.finish();
                }));
            }
            awaitAll(lives, consoles, round, "end");
        } finally {
            for (Command console : consoles) {
                console.close();
            }
        }
    }

    private static boolean answer(Command console, String name) throws IOException {
        console.await("Type help.");
        console.type("echo I am " + name);
        console.await("\nI am " + name);
        return true;
    }

    private void awaitAll(List<Future<?>> lives, List<Command> consoles, int round, String what) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(patience);
        try {
            for (Future<?> life : lives) {
                life.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            }
        } catch (TimeoutException | ExecutionException e) {
            // Whoever still waits for its console is let go.
            for (Command console : consoles) {
                console.close();
            }
            Throwable cause = e.getCause();
            throw new IOException("round " + round + ": "
                    + (cause == null ? "not all domains " + what + " within " + patience + " s" : cause.getMessage()),
                    e);
        }
    }

    private static long number(Pattern pattern, String text) throws IOException {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find()) {
            throw new IOException("no line " + pattern + " in:\n" + text);
        }
        return Long.parseLong(matcher.group(1));
    }

    /** Resident set of a process in KiB (proc(5)). */
    private static long resident(long pid) throws IOException {
        return number(RESIDENT, Files.readString(Path.of("/proc", Long.toString(pid), "status")));
    }

    private void launch(Places places, String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(home.resolve("xenolith").toString()));
        command.addAll(List.of(words));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("XENOLITH_SOCKET", places.socket().toString());
        Process process = builder.start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) {
            throw new IOException("xenolith " + String.join(" ", words) + ": " + said);
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
