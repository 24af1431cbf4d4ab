package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The committed executable is what its sources say, wherever the compiler that built it is installed. */
class RunnerImageTest {
    @Test
    void isWhatItsSourcesBuild(@TempDir Path directory) throws Exception {
        String compiler;
        try {
            compiler = output(List.of("gcc", "--version")).lines().findFirst().orElse("");
        } catch (IOException e) {
            compiler = "";
        }
        assumeTrue(!compiler.isEmpty(), "no gcc here to rebuild the silicon runner with");
        assumeTrue(compiler.equals(RunnerImage.compiler()),
                "the silicon runner was built by " + RunnerImage.compiler() + ", here is " + compiler);

        Path built = directory.resolve("silicon-runner");
        output(List.of("src/test/native/oracle/build.sh", built.toString()));

        try (InputStream committed = RunnerImage.open()) {
            assertThat(committed.readAllBytes()).as("src/test/native/oracle/build.sh makes the committed image")
                    .isEqualTo(Files.readAllBytes(built));
        }
    }

    private static String output(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(text).isZero();
        return text;
    }
}
