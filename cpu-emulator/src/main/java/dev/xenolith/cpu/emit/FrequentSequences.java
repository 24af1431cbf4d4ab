package dev.xenolith.cpu.emit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which operations guests execute one after the other most often, so that the build fuses them. The list is measured: see
 * {@code sequences.txt}, which says how.
 */
public final class FrequentSequences {
    /** Operations of the longest sequence. */
    public static final int LONGEST = 12;

    private FrequentSequences() {}

    /** Simple names of the operations' classes, as {@link OperationName} gives them, for each sequence. */
    public static List<List<String>> load() {
        return Holder.SEQUENCES;
    }

    /** Read once: every interpreter wants them. */
    private static final class Holder {
        static final List<List<String>> SEQUENCES = read();
    }

    private static List<List<String>> read() {
        try (InputStream in = FrequentSequences.class.getResourceAsStream("sequences.txt")) {
            if (in == null) {
                throw new IllegalStateException("sequences.txt is missing from the build");
            }
            return parse(new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).lines().toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The sequences that {@code lines} name; errors name the line. */
    static List<List<String>> parse(List<String> lines) {
        List<List<String>> sequences = new ArrayList<>();
        Set<List<String>> known = new HashSet<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            List<String> sequence = List.of(line.split(" +"));
            if (sequence.size() < 2 || sequence.size() > LONGEST) {
                throw new IllegalArgumentException("sequences.txt, line " + (i + 1) + ": not 2 to " + LONGEST
                        + " operations: " + line);
            }
            if (!known.add(sequence)) {
                throw new IllegalArgumentException("sequences.txt, line " + (i + 1) + ": there already: " + line);
            }
            sequences.add(sequence);
        }
        return List.copyOf(sequences);
    }

    /** Simple name of the class that executes {@code sequence}. */
    public static String className(List<String> sequence) {
        return String.join("__", sequence);
    }
}
