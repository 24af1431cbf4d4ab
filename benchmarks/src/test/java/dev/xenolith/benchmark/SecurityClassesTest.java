package dev.xenolith.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What docs/security-classes.md says is tested is: each test that it names is there, and each class names one or says that none is. */
class SecurityClassesTest {
    private static final Path HOME = Path.of(System.getProperty("xenolith.home", ".."));
    private static final Path GUESTS = HOME.resolve("guest-images/src/main/guest");
    private static final Pattern JUNIT = Pattern.compile("`(\\w+Test)\\.(\\w+)`");
    private static final Pattern SECTION = Pattern.compile("`([a-z0-9]+): (?!case=)([^`]+)`");
    private static final Pattern CRASH = Pattern.compile("`hostile: case=(\\w+)`");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| ([0-9, ]+) \\| ([^|]+) \\| ([^|]+) \\|$");
    private static final List<String> SAID = List.of("no test", "no effect");

    private final String document = read(HOME.resolve("docs/security-classes.md"));

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void testsOfJunitExist() throws IOException {
        Map<String, String> sources = new HashMap<>();
        for (String module : List.of("cpu-emulator", "device-models", "hypervisor-core", "dom0-toolstack",
                "guest-images", "benchmarks")) {
            Path tests = HOME.resolve(module).resolve("src/test/java");
            if (Files.isDirectory(tests)) {
                try (Stream<Path> files = Files.walk(tests)) {
                    files.filter(file -> file.toString().endsWith("Test.java"))
                            .forEach(file -> sources.merge(file.getFileName().toString().replace(".java", ""),
                                    read(file), String::concat));
                }
            }
        }
        List<MatchResult> named = JUNIT.matcher(document).results().toList();
        assertThat(named).hasSizeGreaterThan(50);
        for (MatchResult test : named) {
            assertThat(sources).containsKey(test.group(1));
            assertThat(sources.get(test.group(1))).as(test.group(1)).contains("void " + test.group(2) + "(");
        }
    }

    @Test
    void sectionsOfGuestsExist() throws IOException {
        List<MatchResult> named = SECTION.matcher(document).results().toList();
        assertThat(named).hasSizeGreaterThan(30);
        for (MatchResult section : named) {
            StringBuilder sources = new StringBuilder();
            try (Stream<Path> files = Files.walk(GUESTS.resolve(section.group(1)))) {
                files.filter(file -> file.toString().endsWith(".c")).forEach(file -> sources.append(read(file)));
            }
            assertThat(sources.toString()).as(section.group(1)).contains("section(\"" + section.group(2) + "\")");
        }
    }

    @Test
    void endsOfTheHostileGuestExistAndAreRun() {
        String guest = read(GUESTS.resolve("hostile/x86_64/crash.c"));
        String runner = read(HOME.resolve(
                "dom0-toolstack/src/test/java/dev/xenolith/dom0/host/HostileClassesTest.java"));
        List<MatchResult> named = CRASH.matcher(document).results().toList();
        assertThat(named).isNotEmpty();
        for (MatchResult how : named) {
            assertThat(guest).contains("strcmp(how, \"" + how.group(1) + "\")");
            assertThat(runner).contains("\"" + how.group(1) + "\"");
        }
    }

    @Test
    void eachClassNamesItsTests() {
        List<MatchResult> rows = ROW.matcher(document).results().toList();
        assertThat(rows).hasSizeGreaterThan(60);
        Set<Integer> advisories = new HashSet<>();
        for (MatchResult row : rows) {
            assertThat(row.group(3)).as(row.group()).matches(tests -> JUNIT.matcher(tests).find()
                    || SECTION.matcher(tests).find() || CRASH.matcher(tests).find()
                    || SAID.stream().anyMatch(tests::contains));
            for (String number : row.group(1).split(", ")) {
                assertThat(advisories.add(Integer.parseInt(number))).as("XSA-%s is there once", number).isTrue();
            }
        }
    }
}
