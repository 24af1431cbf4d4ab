package dev.xenolith.dom0.image;

import dev.xenolith.dom0.xl.ToolstackException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A program of the host, run to its end without input. An interrupt of the thread that waits ends the program. */
final class ExternalCommand {
    private static final long LOOK_MILLIS = 200;

    /** What it said, in lines, and its exit code. */
    record Result(int exitCode, List<String> output, List<String> errors) {
    }

    private final List<String> words = new ArrayList<>();
    private @Nullable Path directory;
    private Runnable meanwhile = () -> {};

    ExternalCommand(Path program, String... arguments) {
        words.add(program.toString());
        words.addAll(List.of(arguments));
    }

    /** The program {@code name} on {@code PATH}. */
    static Optional<Path> find(String name, Map<String, String> environment) {
        for (String entry : environment.getOrDefault("PATH", "").split(":")) {
            Path program = Path.of(entry).resolve(name);
            if (program.isAbsolute() && Files.isExecutable(program) && !Files.isDirectory(program)) {
                return Optional.of(program);
            }
        }
        return Optional.empty();
    }

    /** Has it run in {@code working}. */
    ExternalCommand in(Path working) {
        directory = working;
        return this;
    }

    /** Has {@code look} run every now and then while it runs. */
    ExternalCommand meanwhile(Runnable look) {
        meanwhile = look;
        return this;
    }

    Result run() throws InterruptedException {
        try {
            // Files, not pipes: nobody has to read while it runs.
            Path output = Files.createTempFile("xenolith", ".out");
            Path errors = Files.createTempFile("xenolith", ".err");
            try {
                return run(output, errors);
            } finally {
                Files.delete(output);
                Files.delete(errors);
            }
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, words.getFirst() + ": " + e.getMessage(), e);
        }
    }

    private Result run(Path output, Path errors) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(words).redirectOutput(output.toFile())
                .redirectError(errors.toFile());
        builder.environment().put("LC_ALL", "C.UTF-8");
        if (directory != null) {
            builder.directory(directory.toFile());
        }
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            while (!process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                meanwhile.run();
            }
            return new Result(process.exitValue(), lines(output), lines(errors));
        } finally {
            process.destroy();
        }
    }

    private static List<String> lines(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8).lines().toList();
    }
}
