package dev.xenolith.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;
import dev.xenolith.device.board.Outcome;
import dev.xenolith.device.board.PcBoard;
import dev.xenolith.device.boot.BootRequest;
import dev.xenolith.device.serial.StreamBackend;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs each bare guest on a bare machine of each model, and wants its verdict. */
class BareGuestsTest {
    private static final long INSTRUCTIONS = 50_000_000;
    private static final GuestImages GUESTS = GuestImages.ofHome();

    static Stream<Arguments> guests() {
        return GUESTS.bareNames().stream()
                .flatMap(name -> Stream.of("intel", "amd").map(model -> Arguments.of(name, model)));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("guests")
    void passes(String name, String model) throws Exception {
        Run run = run(name, model, "");
        assertThat(run.said).isEqualTo((isKernel(name) ? "BEGIN\nEND\n" : "") + "VERDICT " + name + " PASS\n");
        assertThat(run.outcome).isEqualTo(new Outcome(Outcome.Kind.DEBUG_EXIT, 1, ""));
    }

    private static boolean isKernel(String name) {
        return Files.exists(GUESTS.directory().resolve("src/main/guest/bare/kernels/" + name + ".c"));
    }

    /** Whether or not the boot loader puts the image's name in front, each round takes the same instructions. */
    @Test
    void kernelTakesItsRoundsFromTheCommandLine() throws Exception {
        long none = run("chase", "intel", "rounds=0").instructions;
        long one = run("chase", "intel", "rounds=1").instructions;
        assertThat(one).isGreaterThan(none + 100_000);
        Run three = run("chase", "intel", "rounds/chase.elf rounds=3");
        assertThat(three.said).isEqualTo("BEGIN\nEND\nVERDICT chase PASS\n");
        // To read a longer command line takes some more.
        assertThat(three.instructions - none).isCloseTo(3 * (one - none), within(1000L));
    }

    /** How a machine ended, and what it had done by then. */
    private record Run(String said, Outcome outcome, long instructions) {
    }

    private static Run run(String name, String model, String commandLine) throws Exception {
        ByteArrayOutputStream serial = new ByteArrayOutputStream();
        PcBoard.Options options = new PcBoard.Options(64 << 20, 1, CpuModel.named(model),
                new Machine.Configuration(ClockMode.VIRTUAL, 1), machine -> new StreamBackend(serial, machine, e -> {}),
                0, null,
                true, true, INSTRUCTIONS);
        try (PcBoard board = new PcBoard(options)) {
            byte[] image = Files.readAllBytes(GUESTS.bareImage(name));
            board.boot(new BootRequest(new BootRequest.File(name, image), null, commandLine, List.of()));
            board.start();
            Outcome outcome = board.outcome().get(60, TimeUnit.SECONDS);
            return new Run(serial.toString(StandardCharsets.US_ASCII), outcome, board.retired());
        }
    }
}
