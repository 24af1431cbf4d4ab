package dev.xenolith.dom0.gdb;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The gdb of this computer; a test that needs it is skipped where there is none. */
public final class RealGdb {
    private static final long WAIT_SECONDS = 90;

    private RealGdb() {}

    private static boolean exists() throws InterruptedException {
        try {
            Process gdb = new ProcessBuilder("gdb", "--version").redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            return gdb.waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Lets gdb connect to a port of this computer and do {@code commands}; returns what it prints.
     *
     * @param directory for its output, and instead of a home directory
     */
    public static String run(Path directory, int port, String... commands) throws IOException, InterruptedException {
        assumeTrue(exists(), "there is no gdb on this computer");
        List<String> line = new ArrayList<>(List.of("gdb", "-nx", "-nh", "-batch"));
        for (String command : List.of("set confirm off", "set width 0", "set pagination off",
                "target remote 127.0.0.1:" + port)) {
            line.addAll(List.of("-ex", command));
        }
        for (String command : commands) {
            line.addAll(List.of("-ex", command));
        }
        Path output = directory.resolve("gdb.log");
        ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put("HOME", directory.toString());
        Process gdb = builder.start();
        gdb.getOutputStream().close();
        if (!gdb.waitFor(WAIT_SECONDS, TimeUnit.SECONDS)) {
            gdb.destroyForcibly();
            throw new AssertionError("gdb does not end: " + Files.readString(output, StandardCharsets.ISO_8859_1));
        }
        return Files.readString(output, StandardCharsets.ISO_8859_1);
    }
}
