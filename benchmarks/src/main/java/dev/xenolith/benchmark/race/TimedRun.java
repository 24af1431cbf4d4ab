package dev.xenolith.benchmark.race;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * A program that has run to its end: what it printed, and when.
 *
 * @param program what was run
 * @param exitCode what it ended with
 * @param seconds from its start to its end
 * @param lines what it printed, to standard error too
 */
record TimedRun(String program, int exitCode, double seconds, List<Line> lines) {
    /**
     * The output is looked at once a millisecond at most. What an emulator prints comes byte by byte; if each woke us, we would take
     * time from it where processors are few.
     */
    private static final long REST = 1_000_000;
    /** Characters of the output that are the reason for a failure, more or less. */
    private static final int REASON = 300;

    /**
     * A line of output.
     *
     * @param text without the line feed
     * @param seconds from the start of the program to when it was there, and as long as {@link #REST} late
     */
    record Line(String text, double seconds) {
    }

    /**
     * Runs {@code command}, without input, to its end.
     *
     * @param patience how long that may take, in seconds
     * @throws IOException if there is no such program, or it has not ended in time and was killed
     */
    static TimedRun of(List<String> command, int patience) throws IOException, InterruptedException {
        return of(command, Map.of(), patience);
    }

    /** As {@link #of(List, int)}, with more in its environment. */
    static TimedRun of(List<String> command, Map<String, String> environment, int patience)
            throws IOException, InterruptedException {
        String program = command.getFirst();
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile());
        builder.environment().putAll(environment);
        long start = System.nanoTime();
        Process process = builder.start();
        CompletableFuture<?> watch = CompletableFuture.runAsync(process::destroyForcibly,
                CompletableFuture.delayedExecutor(patience, TimeUnit.SECONDS));
        try {
            List<Line> lines = read(process.getInputStream(), start);
            int exitCode = process.waitFor();
            double seconds = since(start);
            if (seconds >= patience) {
                throw new IOException(program + " did not end within " + patience + " s");
            }
            return new TimedRun(program, exitCode, seconds, lines);
        } finally {
            watch.cancel(false);
            process.destroyForcibly();
        }
    }

    private static List<Line> read(InputStream in, long start) throws IOException {
        List<Line> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        byte[] buffer = new byte[8192];
        double now = 0;
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            now = since(start);
            for (int i = 0; i < count; i++) {
                char character = (char) (buffer[i] & 0xff);
                if (character == '\n') {
                    lines.add(new Line(line.toString(), now));
                    line.setLength(0);
                } else {
                    line.append(character);
                }
            }
            LockSupport.parkNanos(REST);
        }
        if (!line.isEmpty()) {
            lines.add(new Line(line.toString(), now));
        }
        return lines;
    }

    private static double since(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    String output() {
        return lines.stream().map(Line::text).collect(Collectors.joining("\n"));
    }

    /** Seconds from one line, the first with this text, to another. */
    double between(String from, String to) throws IOException {
        return line(to).seconds - line(from).seconds;
    }

    private Line line(String text) throws IOException {
        return lines.stream().filter(line -> line.text.equals(text)).findFirst()
                .orElseThrow(() -> failure("without the line " + text));
    }

    /** For the program's having ended not as it should have. */
    IOException failure(String how) {
        String output = output();
        return new IOException(program + " ended with " + exitCode + ", " + how + ": "
                + output.substring(Math.max(0, output.length() - REASON)));
    }
}
