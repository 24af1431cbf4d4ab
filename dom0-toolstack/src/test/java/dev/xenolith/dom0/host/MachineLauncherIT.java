package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code xenolith machine run} as a process: signals, pipes that break, files that are closed, the terminal. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class MachineLauncherIT {
    /** Where reset vector and code of {@link #bios} are. */
    private static final int RESET_VECTOR = 0xfff0;
    /** In real mode: 8-bit characters from the serial port, and for ever mov al, 'A'; out dx, al. */
    private static final int[] CHATTER = {0xba, 0xfb, 0x03, 0xb0, 3, 0xee, 0xb2, 0xf8, 0xb0, 'A', 0xee, 0xeb, 0xfb};

    @TempDir
    private Path directory = Path.of("");

    private final List<Process> started = new ArrayList<>();

    private record Result(int exitCode, String out, String err) {
    }

    @BeforeEach
    void bios() throws IOException {
        byte[] image = new byte[0x1_0000];
        for (int i = 0; i < CHATTER.length; i++) {
            image[RESET_VECTOR + i] = (byte) CHATTER[i];
        }
        Files.write(directory.resolve("bios"), image);
    }

    /** A process whose output goes into files; {@code RUN} in its command line is the command under test. */
    private Process start(String... line) throws IOException {
        String run = "'" + Path.of(System.getProperty("xenolith.home")).resolve("xenolith")
                + "' machine run";
        Process process = new ProcessBuilder(Stream.of(line).map(word -> word.replace("RUN", run)).toList())
                .directory(directory.toFile()).redirectOutput(directory.resolve("out").toFile())
                .redirectError(directory.resolve("err").toFile()).start();
        started.add(process);
        return process;
    }

    /** A test that fails leaves nothing behind. */
    @AfterEach
    void end() {
        for (Process process : started) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private String read(String name) throws IOException {
        return Files.readString(directory.resolve(name), StandardCharsets.ISO_8859_1);
    }

    private Result result(String script) throws Exception {
        int exitCode = start("sh", "-c", script).waitFor();
        return new Result(exitCode, read("out"), read("err"));
    }

    @Test
    void aSignalEndsItInOrder() throws Exception {
        Process process = start("sh", "-c",
                "exec RUN --bios bios --memory 4 --stats --serial file:serial --trace devices"
                        + " --trace-count 100 --trace-file trace");
        while (!Files.exists(directory.resolve("serial")) || Files.size(directory.resolve("serial")) == 0) {
            assertThat(process.isAlive()).isTrue();
            Thread.sleep(20);
        }
        process.destroy();
        assertThat(process.waitFor()).isEqualTo(143);
        assertThat(Files.readAllLines(directory.resolve("trace"))).as("what was buffered is there").hasSize(100);
        assertThat(read("err")).contains("instructions ", "hottest blocks");
    }

    @Test
    void aPipeThatBreaksEndsIt() throws Exception {
        assertThat(result("{ RUN --bios bios --memory 4 </dev/null; echo $? >code; } | head -c 3"))
                .isEqualTo(new Result(0, "AAA", "xenolith: --serial: Broken pipe\n"));
        assertThat(read("code")).isEqualTo("1\n");
    }

    @Test
    void closedFilesAreNoOthers() throws Exception {
        assertThat(result("RUN --bios bios --memory 4 --deterministic --max-instructions 100000 <&-"))
                .satisfies(result -> {
                    assertThat(result.exitCode()).isEqualTo(MachineRun.INSTRUCTION_LIMIT);
                    assertThat(result.out()).matches("A+");
                    assertThat(result.err()).isEqualTo("xenolith: --max-instructions are used up\n");
                });
        assertThat(result("RUN --bios bios --memory 4 --deterministic </dev/null >&-"))
                .isEqualTo(new Result(1, "", "xenolith: --serial: Bad file descriptor\n"));
    }

    @Test
    void moreMemoryThanThereIsIsRefused() throws Exception {
        assertThat(result("RUN --bios bios --memory 1024G </dev/null")).satisfies(result -> {
            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.out()).isEmpty();
            assertThat(result.err()).startsWith("xenolith: --memory: there is no room for 1048576 MiB").hasLineCount(1);
        });
    }

    @Test
    void theTerminalIsRestored() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")),
                "script(1), which makes a terminal, is not installed");
        Process process = start("script", "-qfec",
                "stty -g >before; RUN --bios bios --memory 4 --screen; echo rc=$? >code; stty -g >after", "typescript");
        try (OutputStream keys = process.getOutputStream()) {
            while (!Files.exists(directory.resolve("typescript")) || !read("typescript").contains("AAA")) {
                Thread.sleep(20);
            }
            keys.write("\u0001x".getBytes(StandardCharsets.US_ASCII));
            keys.flush();
            assertThat(process.waitFor()).isZero();
        }
        assertThat(read("code")).isEqualTo("rc=0\n");
        assertThat(directory.resolve("after")).hasSameTextualContentAs(directory.resolve("before"));
    }
}
