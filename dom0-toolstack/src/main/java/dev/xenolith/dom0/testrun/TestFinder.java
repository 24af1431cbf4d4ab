package dev.xenolith.dom0.testrun;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.xl.ConfigFile;
import dev.xenolith.dom0.xl.FileProblem;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/** Makes tests of configuration files and of directories of them. */
public final class TestFinder {
    private static final String SUFFIX = ".cfg";
    /** A comment that is for us: {@code # xenolith test: ...}. */
    private static final Pattern DIRECTIVE = Pattern.compile("(?m)^[ \\t]*#[ \\t]*xenolith test:(.*)$");

    private final Path directory;
    private final Map<String, String> environment;
    private final Consumer<String> warnings;

    /**
     * Makes a finder.
     *
     * @param directory that relative names are relative to
     * @param environment in which pulled images are looked for
     * @param warnings gets lines about keys that are not acted on
     */
    public TestFinder(Path directory, Map<String, String> environment, Consumer<String> warnings) {
        this.directory = directory;
        this.environment = environment;
        this.warnings = warnings;
    }

    /**
     * Finds the tests of files, and of directories and those below them, in the order of the arguments and then of names.
     *
     * @throws ToolstackException with the file and what is wrong with it
     */
    public List<GuestTest> find(List<String> arguments) {
        Set<Path> files = new LinkedHashSet<>();
        for (String argument : arguments) {
            Path path;
            try {
                path = directory.resolve(argument).normalize();
            } catch (InvalidPathException e) {
                throw usage("'" + argument + "' is no name of a file");
            }
            if (!Files.isDirectory(path)) {
                files.add(path);
                continue;
            }
            try (Stream<Path> below = Files.walk(path)) {
                List<Path> found = below.filter(file -> Files.isRegularFile(file) && file.toString().endsWith(SUFFIX))
                        .sorted().toList();
                if (found.isEmpty()) {
                    throw usage("no " + SUFFIX + " file in " + argument);
                }
                files.addAll(found);
            } catch (IOException | UncheckedIOException e) {
                throw usage(argument + ": " + FileProblem.of(e));
            }
        }
        return distinct(files.stream().map(this::read).toList());
    }

    /**
     * Returns the tests whose names match one of the patterns, globs with commas between them.
     *
     * @throws ToolstackException if a pattern is none
     */
    public static List<GuestTest> filter(List<GuestTest> tests, String globs) {
        List<PathMatcher> matchers = new ArrayList<>();
        for (String glob : globs.split(",", -1)) {
            try {
                matchers.add(FileSystems.getDefault().getPathMatcher("glob:" + glob.strip()));
            } catch (PatternSyntaxException e) {
                throw usage("--filter: '" + glob + "': " + e.getDescription());
            }
        }
        return tests.stream().filter(test -> matchers.stream().anyMatch(m -> m.matches(Path.of(test.name()))))
                .toList();
    }

    private GuestTest read(Path file) {
        DomainConfig config;
        Expectation expectation;
        try {
            ConfigFile.Contents contents = ConfigFile.read(file, directory, environment);
            contents.warnings().forEach(warnings);
            expectation = expectation(file, Files.readString(file, StandardCharsets.UTF_8));
            // What is skipped may want what is not there, such as an image that has not been pulled.
            if (!contents.missing().isEmpty() && !(expectation instanceof Expectation.Skip)) {
                throw usage(contents.missing().getFirst());
            }
            config = contents.config();
        } catch (IOException e) {
            throw usage(file + ": " + FileProblem.of(e));
        } catch (ToolstackException e) {
            throw usage(e.line());
        }
        Path last = file.getFileName();
        String name = last == null ? file.toString() : last.toString();
        if (name.endsWith(SUFFIX) && name.length() > SUFFIX.length()) {
            name = name.substring(0, name.length() - SUFFIX.length());
        }
        return new GuestTest(name, file, config, expectation);
    }

    private static Expectation expectation(Path file, String text) {
        Matcher directive = DIRECTIVE.matcher(text);
        if (!directive.find()) {
            return new Expectation.Verdict();
        }
        String words = directive.group(1);
        if (directive.find()) {
            throw usage(file + ": more than one line '# xenolith test:'");
        }
        try {
            return Expectation.parse(words);
        } catch (IllegalArgumentException e) {
            throw usage(file + ": # xenolith test: " + e.getMessage());
        }
    }

    /** Tests of the same name get that of their directory in front, or else numbers. */
    private static List<GuestTest> distinct(List<GuestTest> tests) {
        Map<String, Integer> uses = new HashMap<>();
        tests.forEach(test -> uses.merge(test.name(), 1, Integer::sum));
        Set<String> taken = new LinkedHashSet<>();
        List<GuestTest> named = new ArrayList<>();
        for (GuestTest test : tests) {
            Path parent = test.file().toAbsolutePath().getParent();
            Path place = parent == null ? null : parent.getFileName();
            String base = uses.getOrDefault(test.name(), 0) > 1 && place != null
                    ? place + "/" + test.name()
                    : test.name();
            String name = base;
            for (int i = 2; !taken.add(name); i++) {
                name = base + "-" + i;
            }
            named.add(test.named(name));
        }
        return named;
    }

    private static ToolstackException usage(String problem) {
        return new ToolstackException(ToolstackException.USAGE, problem);
    }
}
