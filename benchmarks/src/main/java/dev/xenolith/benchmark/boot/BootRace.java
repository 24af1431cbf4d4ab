package dev.xenolith.benchmark.boot;

import dev.xenolith.dom0.image.Image;
import dev.xenolith.dom0.image.ImageStore;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * Boots the image linux on a bare machine and under QEMU's TCG, in turns, and compares the times from process start to power-off. The
 * two are pairs, for a computer is not equally fast at all times; the median of their ratios is the result.
 */
@CommandLine.Command(name = "boot", mixinStandardHelpOptions = true, sortOptions = false, description = "Boots the image linux, see "
        + "'xenolith image pull', here and under QEMU's TCG in turns, from process start to power-off; prints the times and the "
        + "median of their ratios, and fails if it is above the limit.")
final class BootRace implements Callable<Integer> {
    private static final String POWER_OFF = "reboot: Power down";

    @Option(names = "--pairs", paramLabel = "N", description = "How many (default: ${DEFAULT-VALUE}).")
    private int pairs = 5;

    @Option(names = "--limit", paramLabel = "RATIO", description = "Highest median that is a success (default: ${DEFAULT-VALUE}).")
    private double limit = 4.0;

    @Option(names = "--memory", paramLabel = "MIB", description = "For either (default: ${DEFAULT-VALUE}).")
    private int memory = 512;

    @Option(names = "--run", paramLabel = "WORDS", description = "What Linux runs before it powers off (default: ${DEFAULT-VALUE}).")
    private String words = "true";

    @Option(names = "--qemu", paramLabel = "COMMAND", description = "Peer (default: ${DEFAULT-VALUE}).")
    private String qemu = "qemu-system-x86_64";

    @Option(names = "--patience", paramLabel = "SECONDS", description = "For one boot (default: ${DEFAULT-VALUE}).")
    private int patience = 600;

    private final Path home = Path.of(System.getProperty("xenolith.home", "."));

    /** Runs with the options of the command line. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new BootRace()).setExecutionExceptionHandler((e, line, parsed) -> {
            System.err.println("boot: " + (e instanceof ToolstackException failure ? failure.line() : e.getMessage()));
            return 1;
        }).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        Image image = ImageStore.of(System.getenv()).get("linux");
        String commandLine = image.commandLine() + " -- " + words;
        String kernel = image.kernel().toString();
        String initrd = image.initrd().toString();
        List<String> own = List.of(home.resolve("xenolith").toString(), "machine", "run", "--kernel", kernel,
                "--initrd",
                initrd, "--memory", memory + "M", "--append", commandLine);
        List<String> peer = List.of(qemu, "-accel", "tcg", "-cpu", "max", "-m", Integer.toString(memory), "-nographic",
                "-no-reboot", "-kernel", kernel, "-initrd", initrd, "-append", commandLine);
        double[] ratios = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            double peerTime = seconds(peer);
            double ownTime = seconds(own);
            ratios[i] = ownTime / peerTime;
            print("pair %d: Xenolith %.2f s, QEMU %.2f s, ratio %.2f%n", i + 1, ownTime, peerTime, ratios[i]);
        }
        Arrays.sort(ratios);
        double median = (ratios[(pairs - 1) / 2] + ratios[pairs / 2]) / 2;
        print("median of the ratios: %.2f (limit %.2f)%n", median, limit);
        return median <= limit ? 0 : 1;
    }

    private static void print(String format, Object... arguments) {
        System.out.print(String.format(Locale.ROOT, format, arguments));
        System.out.flush();
    }

    /** Runs {@code command} to its end and returns how long that took, in seconds. */
    private double seconds(List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("boot", ".txt");
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectInput(Path.of("/dev/null").toFile()).redirectOutput(output.toFile());
            long start = System.nanoTime();
            Process process = builder.start();
            try {
                if (!process.waitFor(patience, TimeUnit.SECONDS)) {
                    throw new IOException(command.getFirst() + " did not end within " + patience + " s");
                }
            } finally {
                process.destroyForcibly();
            }
            double time = (System.nanoTime() - start) / 1e9;
            String text = Files.readString(output, StandardCharsets.ISO_8859_1);
            if (process.exitValue() != 0 || !text.contains(POWER_OFF)) {
                throw new IOException(
                        command.getFirst() + " ended with " + process.exitValue() + ", not with power-off: "
                                + text.substring(Math.max(0, text.length() - 300)));
            }
            return time;
        } finally {
            Files.delete(output);
        }
    }
}
