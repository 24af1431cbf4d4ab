package dev.xenolith.benchmark.race;

import dev.xenolith.dom0.image.Image;
import dev.xenolith.dom0.image.ImageStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * Boots the image debian as a PV domain where no host runs yet, and the same kernel bare under QEMU's TCG, in turns; says what the time to
 * the shell went into.
 */
@CommandLine.Command(name = "pvboot", mixinStandardHelpOptions = true, sortOptions = false, description = "Boots the image debian, see "
        + "'xenolith image pull', with 'xl create -c' and no host running, and the same kernel on a bare machine of QEMU's TCG, in turns, "
        + "from process start to the shell; prints the times, what ours went into, and the medians, and fails above the limit.")
final class PvBootRace extends Race {
    private static final String SHELL = "the shell is here";
    private static final String KERNEL = "Linux version";
    private static final String INIT = "Run /init as init process";
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS", Locale.ROOT);
    private static final int TIME_LENGTH = 23;

    @Option(names = "--limit", paramLabel = "SECONDS", description = "Highest median of ours that is a success (default: "
            + "${DEFAULT-VALUE}).")
    private double limit = 12.0;

    @Option(names = "--memory", paramLabel = "MIB", description = "Of the domain, and of QEMU's machine (default: ${DEFAULT-VALUE}).")
    private int memory = 256;

    @Option(names = "--vcpus", paramLabel = "NUMBER", description = "Of the domain (default: ${DEFAULT-VALUE}).")
    private int vcpus = 1;

    private PvBootRace() {
        super(3);
    }

    /** Runs with the options of the command line. */
    public static void main(String[] args) {
        main(new PvBootRace(), args);
    }

    /** Seconds from process start: the daemon's JVM has started, the host serves, the domain is complete, its kernel speaks, init, the shell. */
    private record Boot(double jvm, double host, double builder, double kernel, double init, double shell) {
        void describe(int number) {
            print("pair %d: Xenolith %.2f s (client and JVM %.2f, host %.2f, builder %.2f, kernel's first line %.2f, kernel %.2f,"
                    + " init %.2f)%n", number, shell, jvm, host - jvm, builder - host, kernel - builder, init - kernel,
                    shell - init);
        }
    }

    @Override
    int race(int pairs) throws Exception {
        Image image = ImageStore.of(System.getenv()).get("debian");
        double[] own = new double[pairs];
        double[] peer = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            peer[i] = secondsTo(SHELL,
                    qemu(memory, List.of("-nographic", "-kernel", image.kernel().toString(), "-initrd",
                            image.initrd().toString(), "-append", "console=ttyS0 -- echo " + SHELL)));
            Boot boot = boot();
            own[i] = boot.shell;
            boot.describe(i + 1);
            print("        QEMU's bare machine %.2f s%n", peer[i]);
        }
        double median = Average.median(own);
        print("median: %.2f s (limit %.2f), QEMU's bare machine %.2f s%n", median, limit, Average.median(peer));
        return median <= limit ? 0 : 1;
    }

    private Boot boot() throws Exception {
        Path scratch = Files.createTempDirectory("pvboot");
        try {
            Map<String, String> environment = Map.of("XDG_RUNTIME_DIR",
                    Files.createDirectory(scratch.resolve("run")).toString(),
                    "XDG_STATE_HOME", Files.createDirectory(scratch.resolve("state")).toString());
            Path config = Files.writeString(scratch.resolve("debian.cfg"), """
                    name="debian"
                    kernel="image:debian"
                    memory=%d
                    vcpus=%d
                    extra="-- echo %s"
                    """.formatted(memory, vcpus, SHELL));
            LocalDateTime start = LocalDateTime.now(ZoneId.systemDefault());
            TimedRun run = tool("xl", List.of("create", "-c", config.toString()), environment);
            tool("xenolith", List.of("host", "stop"), environment);
            List<String> log = Files.readAllLines(scratch.resolve("state/xenolith/host.log"));
            return new Boot(logged(log, start, "DaemonMain: starting"), logged(log, start, "DaemonMain: listening"),
                    logged(log, start, "is complete"), secondsTo(KERNEL, run), secondsTo(INIT, run),
                    secondsTo(SHELL, run));
        } finally {
            try (Stream<Path> files = Files.walk(scratch)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /** When a line that ends with, or holds, {@code text} was there. What the command line repeats does not count. */
    private static double secondsTo(String text, TimedRun run) throws IOException {
        return run.lines().stream()
                .filter(line -> line.text().contains(text) && !line.text().contains("ommand line:")).findFirst()
                .orElseThrow(() -> run.failure("without \"" + text + '"')).seconds();
    }

    private static double logged(List<String> log, LocalDateTime start, String text) throws IOException {
        String line = log.stream().filter(l -> l.contains(text)).findFirst()
                .orElseThrow(() -> new IOException("the host's log does not say \"" + text + '"'));
        return Duration.between(start, LocalDateTime.parse(line.substring(0, TIME_LENGTH), TIME)).toMillis() / 1e3;
    }
}
