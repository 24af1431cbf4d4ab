package dev.xenolith.benchmark.race;

import dev.xenolith.dom0.image.Image;
import dev.xenolith.dom0.image.ImageStore;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * Boots the image linux on a bare machine and under QEMU's TCG, in turns, and compares the times from process start to power-off. The
 * median of the pairs' ratios is the result.
 */
@CommandLine.Command(name = "boot", mixinStandardHelpOptions = true, sortOptions = false, description = "Boots the image linux, see "
        + "'xenolith image pull', here and under QEMU's TCG in turns, from process start to power-off; prints the times and the "
        + "median of their ratios, and fails if it is above the limit.")
final class BootRace extends Race {
    private static final String POWER_OFF = "reboot: Power down";

    @Option(names = "--limit", paramLabel = "RATIO", description = "Highest median that is a success (default: ${DEFAULT-VALUE}).")
    private double limit = 4.0;

    @Option(names = "--memory", paramLabel = "MIB", description = "For either (default: ${DEFAULT-VALUE}).")
    private int memory = 512;

    @Option(names = "--run", paramLabel = "WORDS", description = "What Linux runs before it powers off (default: ${DEFAULT-VALUE}).")
    private String words = "true";

    private BootRace() {
        super(5);
    }

    /** Runs with the options of the command line. */
    public static void main(String[] args) {
        main(new BootRace(), args);
    }

    @Override
    int race(int pairs) throws Exception {
        Image image = ImageStore.of(System.getenv()).get("linux");
        String commandLine = image.commandLine() + " -- " + words;
        String kernel = image.kernel().toString();
        String initrd = image.initrd().toString();
        List<String> own = List.of("--kernel", kernel, "--initrd", initrd, "--append", commandLine);
        List<String> peer = List.of("-nographic", "-kernel", kernel, "-initrd", initrd, "-append", commandLine);
        double[] ratios = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            double peerTime = secondsToPowerOff(qemu(memory, peer));
            double ownTime = secondsToPowerOff(xenolith(memory, own));
            ratios[i] = ownTime / peerTime;
            print("pair %d: Xenolith %.2f s, QEMU %.2f s, ratio %.2f%n", i + 1, ownTime, peerTime, ratios[i]);
        }
        double median = Average.median(ratios);
        print("median of the ratios: %.2f (limit %.2f)%n", median, limit);
        return median <= limit ? 0 : 1;
    }

    private static double secondsToPowerOff(TimedRun run) throws IOException {
        if (run.exitCode() != 0 || !run.output().contains(POWER_OFF)) {
            throw run.failure("not with power-off");
        }
        return run.seconds();
    }
}
