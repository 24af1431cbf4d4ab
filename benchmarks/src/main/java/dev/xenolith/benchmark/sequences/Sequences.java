package dev.xenolith.benchmark.sequences;

import dev.xenolith.cpu.emit.FrequentSequences;
import dev.xenolith.cpu.interpret.BlockProfile;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;
import dev.xenolith.device.board.Outcome;
import dev.xenolith.device.board.PcBoard;
import dev.xenolith.device.boot.BootRequest;
import dev.xenolith.device.serial.StreamBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** Boots kernels on a bare machine until they power off, and prints the sequences of operations that they executed most. */
@CommandLine.Command(name = "sequences", mixinStandardHelpOptions = true, sortOptions = false, description = "Prints the sequences "
        + "of operations that kernels execute most while they boot and run to their power-off, as lines of sequences.txt.")
final class Sequences implements Callable<Integer> {
    private static final long MEMORY = 512L << 20;

    /** A kernel and what it is given. */
    static final class Workload {
        @Option(names = "--kernel", required = true, paramLabel = "FILE", description = "A kernel to boot; may be repeated, with "
                + "the options that follow.")
        private Path kernel = Path.of("");

        @Option(names = "--initrd", paramLabel = "FILE", description = "Its initial RAM disk.")
        private @Nullable Path initrd;

        @Option(names = "--append", paramLabel = "TEXT", description = "Its command line.")
        private String append = "console=ttyS0";
    }

    @ArgGroup(exclusive = false, multiplicity = "1..*")
    private List<Workload> workloads = new ArrayList<>();

    @Option(names = "--most", paramLabel = "N", description = "How many sequences (default: ${DEFAULT-VALUE}).")
    private int most = 400;

    /** Runs with the options of the command line. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Sequences()).setExecutionExceptionHandler((e, line, parsed) -> {
            System.err.println("sequences: " + e.getMessage());
            return 1;
        }).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        SequenceSearch search = new SequenceSearch(FrequentSequences.LONGEST);
        for (Workload workload : workloads) {
            System.err.println("sequences: " + workload.kernel + " " + workload.append);
            search.add(run(workload).operations());
        }
        search.find(most).forEach(sequence -> System.out.println(String.join(" ", sequence)));
        return 0;
    }

    private static BlockProfile run(Workload workload) throws Exception {
        BootRequest.File initrd = workload.initrd == null ? null : file(workload.initrd);
        BootRequest request = new BootRequest(file(workload.kernel), initrd, workload.append, List.of());
        PcBoard.Options options = new PcBoard.Options(MEMORY, 1, CpuModel.intel(),
                new Machine.Configuration(ClockMode.VIRTUAL, 1),
                machine -> new StreamBackend(System.err, machine, e -> {}),
                0, null, false, false, Long.MAX_VALUE);
        try (PcBoard board = new PcBoard(options)) {
            BlockProfile profile = board.machine().interpreter().profile();
            board.boot(request);
            board.start();
            Outcome outcome = board.outcome().get();
            if (outcome.kind() != Outcome.Kind.POWER_OFF) {
                throw new IllegalStateException(workload.kernel + " ended with " + outcome + ", not with power-off");
            }
            return profile;
        }
    }

    private static BootRequest.File file(Path path) throws IOException {
        return new BootRequest.File(path.toString(), Files.readAllBytes(path));
    }
}
