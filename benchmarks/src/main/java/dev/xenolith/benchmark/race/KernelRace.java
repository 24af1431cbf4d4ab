package dev.xenolith.benchmark.race;

import dev.xenolith.guest.GuestImages;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * Runs compute kernels on a bare machine and under QEMU's TCG, in turns, and compares how fast they compute.
 *
 * <p>The time is that between two lines, which a kernel prints before its first round and after its last, by the clock of the host.
 * The difference between a run of few rounds and one of many would leave start-up out as well, but with the noise of two starts,
 * tenths of a second each, in a difference of a second; and it would hide that a translator warms up, in the short run as in the long
 * one, for which a user waits too. The lines come late by a few milliseconds: here with the end of a turn, which is
 * {@value dev.xenolith.device.board.Machine#MAX_QUANTUM} instructions, and as {@link TimedRun} looks for them.
 *
 * <p>Instructions are counted in runs of their own, for counting takes time. All rounds of a kernel are alike, so two short runs that
 * differ by one round tell how many it takes.
 */
@CommandLine.Command(name = "kernels", mixinStandardHelpOptions = true, sortOptions = false, description = "Runs compute kernels "
        + "here and under QEMU's TCG in turns, and prints how long they compute, without start and end of the emulators: medians of "
        + "the seconds, and of the ratios of QEMU's to ours, which are the speed here in terms of QEMU's. Fails if their geometric "
        + "mean is below the limit.")
final class KernelRace extends Race {
    private static final double TARGET = 0.70;
    private static final int MEMORY_MIB = 64;
    /** Seconds, of which lateness of the lines is some percent. */
    private static final double SHORTEST = 0.02;
    /** What either emulator ends with after a 0 at the debug-exit port. */
    private static final int SUCCESS = 1;
    private static final Pattern INSTRUCTIONS = Pattern.compile("(?m)^instructions ([\\d,]+)$");

    @Option(names = "--kernels", paramLabel = "KERNEL", split = ",", description = "Which: ${COMPLETION-CANDIDATES} (default: all).")
    private List<Kernel> kernels = List.of(Kernel.values());

    @Option(names = "--scale", paramLabel = "FACTOR", description = "Rounds of each kernel, as a multiple of those that take QEMU "
            + "about a second (default: ${DEFAULT-VALUE}).")
    private double scale = 1;

    @Option(names = "--limit", paramLabel = "RATIO", description = "Lowest mean that is a success (default: any is).")
    private @Nullable Double limit;

    private final GuestImages guests = GuestImages.ofHome();

    private KernelRace() {
        super(3);
    }

    /** Runs with the options of the command line. */
    public static void main(String[] args) {
        main(new KernelRace(), args);
    }

    @Override
    int race(int pairs) throws Exception {
        if (scale <= 0) {
            throw new IOException("expected a --scale above 0");
        }
        print("%-12s %9s %12s %9s %10s %11s %10s %7s%n", "kernel", "rounds", "M instr", "QEMU s", "M instr/s",
                "Xenolith s", "M instr/s", "ratio");
        double[] ratios = new double[kernels.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = race(kernels.get(i), pairs);
        }
        double mean = Average.geometricMean(ratios);
        print("geometric mean of the ratios: %.3f (target %.2f)%n", mean, TARGET);
        return limit == null || mean >= limit ? 0 : 1;
    }

    /** Prints a line of the table; returns the ratio. */
    private double race(Kernel kernel, int pairs) throws IOException, InterruptedException {
        long rounds = Math.max(1, Math.round(kernel.rounds * scale));
        double millions = rounds * (instructions(kernel, 2) - instructions(kernel, 1)) / 1e6;
        double[] peerTimes = new double[pairs];
        double[] ownTimes = new double[pairs];
        double[] ratios = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            peerTimes[i] = seconds(kernel, underQemu(kernel, rounds));
            ownTimes[i] = seconds(kernel, here(kernel, rounds, List.of()));
            ratios[i] = peerTimes[i] / ownTimes[i];
        }
        double peerTime = Average.median(peerTimes);
        double ownTime = Average.median(ownTimes);
        double ratio = Average.median(ratios);
        print("%-12s %9d %12.1f %9.3f %10.1f %11.3f %10.1f %7.3f%n", kernel, rounds, millions, peerTime,
                millions / peerTime, ownTime, millions / ownTime, ratio);
        return ratio;
    }

    private static double seconds(Kernel kernel, TimedRun run) throws IOException {
        double seconds = run.between("BEGIN", "END");
        if (seconds < SHORTEST) {
            throw new IOException(kernel + " ended too soon to be measured: more rounds are needed, see --scale");
        }
        return seconds;
    }

    private long instructions(Kernel kernel, long rounds) throws IOException, InterruptedException {
        TimedRun run = here(kernel, rounds, List.of("--stats"));
        Matcher matcher = INSTRUCTIONS.matcher(run.output());
        if (!matcher.find()) {
            throw run.failure("without a number of instructions");
        }
        return Long.parseLong(matcher.group(1).replace(",", ""));
    }

    private TimedRun here(Kernel kernel, long rounds, List<String> more) throws IOException, InterruptedException {
        List<String> options = new ArrayList<>(List.of("--kernel", image(kernel), "--append", "rounds=" + rounds,
                "--debug-exit"));
        options.addAll(more);
        return checked(kernel, xenolith(MEMORY_MIB, options));
    }

    private TimedRun underQemu(Kernel kernel, long rounds) throws IOException, InterruptedException {
        return checked(kernel, qemu(MEMORY_MIB, List.of("-kernel", image(kernel), "-append", "rounds=" + rounds,
                "-display", "none", "-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04")));
    }

    private String image(Kernel kernel) throws IOException {
        return guests.bareImage(kernel.toString()).toString();
    }

    private static TimedRun checked(Kernel kernel, TimedRun run) throws IOException {
        if (run.exitCode() != SUCCESS || !run.output().contains("VERDICT " + kernel + " PASS")) {
            throw run.failure("not with the verdict of a success");
        }
        return run;
    }
}
