package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.xenolith.dom0.protocol.Places;
import dev.xenolith.dom0.xl.FakeToolstack;
import dev.xenolith.dom0.xl.Toolstack;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The launchers as a user calls them, in front of a daemon in this process, or of none. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class LauncherIT {
    private static final Path HOME = Path.of(System.getProperty("xenolith.home"));

    @TempDir
    Path directory;

    private final FakeToolstack toolstack = new FakeToolstack();
    private Places places = new Places(Path.of("/"), Path.of("/"));

    private record Result(int exitCode, String out, String err) {
    }

    @BeforeEach
    void prepare() throws IOException {
        places = new Places(directory.resolve("s"), directory.resolve("s.log"));
        Files.writeString(directory.resolve("pv.cfg"), "name=\"pv1\"\nkernel=\"/dev/null\"\n");
    }

    @AfterEach
    void noStrayFiles() throws IOException {
        assertThat(Files.exists(HOME.resolve(".build.lock"))).isFalse();
    }

    private Daemon daemon() {
        return Daemon.start(options -> new RunningHost() {
            @Override
            public Toolstack toolstack() {
                return toolstack;
            }

            @Override
            public void close() {
                // Nothing runs.
            }
        }, HostOptions.DEFAULT, places);
    }

    private ProcessBuilder builder(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
        builder.environment().put("XENOLITH_SOCKET", places.socket().toString());
        builder.environment().put("XDG_CACHE_HOME", directory.resolve("cache").toString());
        return builder;
    }

    private Process start(List<String> command) throws IOException {
        return builder(command).start();
    }

    private Result run(String input, List<String> command) throws Exception {
        Process process = start(command);
        try (OutputStream in = process.getOutputStream()) {
            in.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // It did not want it.
        }
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), out, err);
    }

    private Result xl(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(HOME.resolve("xl").toString()));
        command.addAll(List.of(arguments));
        return run("", command);
    }

    private Result xenolith(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(HOME.resolve("xenolith").toString()));
        command.addAll(List.of(arguments));
        return run("", command);
    }

    private void awaitLog(String entry) {
        while (!toolstack.log().contains(entry)) {
            Thread.onSpinWait();
        }
    }

    @Test
    void withoutAHost() throws Exception {
        assertThat(xl("list")).isEqualTo(
                new Result(1, "", "xl: no host is running; start one with 'xenolith host start'\n"));
        assertThat(xl("help").out()).startsWith("Usage xl [-vfNtT] <subcommand> [args]\n");
        assertThat(xl("list", "--bad").exitCode()).isEqualTo(2);
        assertThat(xl("create", "none.cfg").exitCode()).isEqualTo(3);
        Result dry = xl("create", "-n", "pv.cfg");
        assertThat(dry.exitCode()).isZero();
        assertThat(dry.out()).startsWith("{\n    \"c_info\"");
        assertThat(xenolith("host", "status")).isEqualTo(new Result(3, "state    : stopped\n", ""));
        assertThat(xenolith("host", "stop").exitCode()).isEqualTo(1);
        assertThat(xenolith("host", "start", "--cpus=99")).isEqualTo(
                new Result(2, "", "xenolith: --cpus: expected 1 to 8, found 99\n"));
        assertThat(xenolith("--version").out()).startsWith("xenolith ");
        assertThat(xenolith("xenstore", "ls").exitCode()).isEqualTo(1);
        assertThat(xenolith("bogus").exitCode()).isEqualTo(2);
    }

    @Test
    void withAHost() throws Exception {
        try (Daemon daemon = daemon()) {
            assertThat(daemon).isNotNull();
            assertThat(xl("domid", "Domain-0")).isEqualTo(new Result(0, "0\n", ""));
            assertThat(xl("list", "nosuch")).isEqualTo(new Result(1, "", "xl: domain 'nosuch' does not exist\n"));
            assertThat(xl("create", "pv.cfg").exitCode()).isZero();
            assertThat(xenolith("xenstore", "write", "/a", "1").exitCode()).isZero();
            assertThat(xenolith("xenstore", "read", "/a").out()).isEqualTo("1\n");
            assertThat(xenolith("host", "status").exitCode()).isZero();
            Result again = xenolith("host", "start");
            assertThat(again.exitCode()).isEqualTo(1);
            assertThat(again.err()).startsWith("xenolith: a host is running already, with pid ");
        }
    }

    @Test
    void worksThroughLinksAndBlanks() throws Exception {
        Path blanks = Files.createDirectories(directory.resolve("with blanks"));
        Path link = Files.createSymbolicLink(blanks.resolve("first link"), HOME.resolve("xl"));
        Path second = Files.createSymbolicLink(directory.resolve("second"), Path.of("with blanks", "first link"));
        try (Daemon daemon = daemon()) {
            assertThat(daemon).isNotNull();
            assertThat(run("", List.of(link.toString(), "domid", "Domain-0")).out()).isEqualTo("0\n");
            assertThat(run("", List.of("./second", "domid", "Domain-0")).out()).isEqualTo("0\n");
            assertThat(second).isSymbolicLink();
        }
    }

    @Test
    void takesNoInputThatIsNotForIt() throws Exception {
        try (Daemon daemon = daemon()) {
            assertThat(daemon).isNotNull();
            Result loop = run("one\ntwo\n", List.of("sh", "-c",
                    "while read -r word; do '" + HOME.resolve("xl") + "' domid Domain-0; echo \"$word\"; done"));
            assertThat(loop.out()).isEqualTo("0\none\n0\ntwo\n");
            Result console = run("help\nbye", List.of(HOME.resolve("xl").toString(), "create", "-cq", "pv.cfg"));
            assertThat(console).isEqualTo(new Result(0, "hello from pv1\r\nHELP\nBYE", ""));
        }
    }

    @Test
    void deathAndInterruptOfAClientEndItsCommand() throws Exception {
        try (Daemon daemon = daemon()) {
            assertThat(daemon).isNotNull();
            assertThat(xl("create", "pv.cfg").exitCode()).isZero();
            Process killed = start(List.of(HOME.resolve("xl").toString(), "console", "pv1"));
            awaitLog("attach 4");
            killed.destroyForcibly();
            awaitLog("detach 4");
            int before = toolstack.log().size();
            // Who runs this in the background may have SIGINT ignored, and children inherit that.
            Process interrupted = start(
                    List.of("env", "--default-signal=INT", HOME.resolve("xl").toString(), "console", "pv1"));
            while (toolstack.log().size() == before) {
                Thread.onSpinWait();
            }
            assertThat(new ProcessBuilder("kill", "-INT", Long.toString(interrupted.pid())).start().waitFor()).isZero();
            assertThat(interrupted.waitFor()).isEqualTo(130);
            while (toolstack.log().size() < before + 2) {
                Thread.onSpinWait();
            }
            assertThat(toolstack.log()).endsWith("attach 4", "detach 4");
        }
    }

    @Test
    void restoresTheTerminal() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")),
                "script(1), which makes a terminal, is not installed");
        String xl = "'" + HOME.resolve("xl") + "'";
        try (Daemon daemon = daemon()) {
            assertThat(daemon).isNotNull();
            Process process = start(
                    List.of("script", "-qec", "stty -g >before; " + xl + " create -cq pv.cfg; echo rc=$?; "
                            + "stty -g >after", "/dev/null"));
            awaitLog("unpause 4");
            try (OutputStream keys = process.getOutputStream()) {
                keys.write("ls\u001d".getBytes(StandardCharsets.US_ASCII));
                keys.flush();
                awaitLog("detach 4");
                String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(process.waitFor()).isZero();
                assertThat(out).contains("hello from pv1").contains("LS").contains("rc=0");
            }
            assertThat(directory.resolve("after")).hasSameTextualContentAs(directory.resolve("before"));
        }
    }

    @Test
    void cacheForTheClientIsMadeOnceAndKeepsQuiet() throws Exception {
        Path cache = directory.resolve("cache/xenolith");
        try (Daemon daemon = daemon()) {
            assertThat(daemon).isNotNull();
            Result first = xl("domid", "Domain-0");
            while (!Files.isDirectory(cache) || !containsCache(cache)) {
                Thread.sleep(100);
            }
            assertThat(first).isEqualTo(new Result(0, "0\n", ""));
            assertThat(xl("domid", "Domain-0")).isEqualTo(first);
            try (var files = Files.list(cache)) {
                assertThat(files.filter(file -> file.toString().endsWith(".aot"))).hasSize(1);
            }
        }
    }

    /** The only test here with a host of its own: create starts one, a killed one blocks nothing, stop leaves nothing. */
    @Test
    void startsAndStopsAHost() throws Exception {
        String config = HOME.resolve("guest-images/configs/minishell.cfg").toString();
        assertThat(xl("create", "-q", config)).isEqualTo(new Result(0, "", ""));
        long first = DaemonLock.holder(places).orElseThrow();
        assertThat(xl("domid", "minishell").out()).isEqualTo("1\n");
        ProcessHandle killed = ProcessHandle.of(first).orElseThrow();
        killed.destroyForcibly();
        killed.onExit().join();
        assertThat(places.socket()).exists();
        assertThat(xl("list").exitCode()).isEqualTo(1);
        assertThat(xenolith("host", "status").exitCode()).isEqualTo(3);

        Result started = xenolith("host", "start", "--memory=256", "--clock=real", "--seed=7");
        assertThat(started.exitCode()).as(started.err()).isZero();
        ProcessHandle second = ProcessHandle.of(DaemonLock.holder(places).orElseThrow()).orElseThrow();
        try {
            assertThat(xl("create", "-q", config).exitCode()).isZero();
            assertThat(xl("shutdown", "-w", "minishell").exitCode()).isZero();
            assertThat(xenolith("host", "stop")).isEqualTo(new Result(0, "host stopped\n", ""));
            assertThat(second.isAlive()).isFalse();
            assertThat(places.socket()).doesNotExist();
            assertThat(xenolith("host", "status").exitCode()).isEqualTo(3);
        } finally {
            second.destroyForcibly();
        }
    }

    @Test
    void ofTwoStartsOneWinsAndAllStopsSucceed() throws Exception {
        List<String> start = List.of(HOME.resolve("xenolith").toString(), "host", "start", "--memory=128");
        List<Result> started = together(start, 2);
        try {
            assertThat(started).extracting(Result::exitCode).containsExactlyInAnyOrder(0, 1);
            assertThat(started).filteredOn(result -> result.exitCode() == 1).first().extracting(Result::err).asString()
                    .matches("xenolith: (the host did not start: )?a host is running already, with pid \\d+\n");
            ProcessHandle host = ProcessHandle.of(DaemonLock.holder(places).orElseThrow()).orElseThrow();
            List<Result> stopped = together(List.of(HOME.resolve("xenolith").toString(), "host", "stop"), 3);
            assertThat(stopped).allSatisfy(result -> assertThat(result)
                    .isIn(new Result(0, "host stopped\n", ""),
                            new Result(1, "", "xenolith: no host is running at " + places.socket() + "\n")));
            assertThat(stopped).contains(new Result(0, "host stopped\n", ""));
            assertThat(host.isAlive()).isFalse();
            assertThat(places.socket()).doesNotExist();
        } finally {
            xenolith("host", "stop");
        }
    }

    private List<Result> together(List<String> command, int count) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(count)) {
            List<Result> results = new ArrayList<>();
            for (Future<Result> result : threads
                    .invokeAll(Collections.<Callable<Result>>nCopies(count, () -> run("", command)))) {
                results.add(result.get());
            }
            return results;
        }
    }

    /** Output comes as it is said, the end of input ends nothing and costs nothing, and only the client ends with the client. */
    @Test
    void aConsoleWithoutInputGoesIntoAFile() throws Exception {
        String config = HOME.resolve("guest-images/configs/minishell.cfg").toString();
        assertThat(xl("create", "-q", config).exitCode()).isZero();
        try {
            Path file = directory.resolve("output");
            Process console = builder(List.of(HOME.resolve("xl").toString(), "console", "minishell"))
                    .redirectInput(Path.of("/dev/null").toFile()).redirectOutput(file.toFile()).start();
            awaitText(file, "Type help.");
            Duration before = console.info().totalCpuDuration().orElseThrow();
            Thread.sleep(1000);
            assertThat(console.isAlive()).isTrue();
            assertThat(console.info().totalCpuDuration().orElseThrow().minus(before))
                    .isLessThan(Duration.ofMillis(500));
            run("echo said-later\r\u001d", List.of(HOME.resolve("xl").toString(), "console", "minishell"));
            awaitText(file, "\nsaid-later");
            console.destroy();
            assertThat(console.waitFor()).isIn(143, 130);
            assertThat(xl("domid", "minishell").out()).isEqualTo("1\n");
        } finally {
            xenolith("host", "stop");
        }
    }

    @Test
    void aHostThatDiesLeavesTheTerminalAsItWas() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")),
                "script(1), which makes a terminal, is not installed");
        String config = HOME.resolve("guest-images/configs/minishell.cfg").toString();
        assertThat(xl("create", "-q", config).exitCode()).isZero();
        ProcessHandle host = ProcessHandle.of(DaemonLock.holder(places).orElseThrow()).orElseThrow();
        try {
            Process process = builder(List.of("script", "-qfec",
                    "stty -g >before; '" + HOME.resolve("xl") + "' console minishell; echo rc=$?; stty -g >after",
                    "typescript")).redirectOutput(Redirect.DISCARD).start();
            try (OutputStream keys = process.getOutputStream()) {
                keys.write("echo attached\r".getBytes(StandardCharsets.US_ASCII));
                keys.flush();
                awaitText(directory.resolve("typescript"), "\r\nattached\r\n");
                host.destroyForcibly();
                process.waitFor();
            }
            assertThat(Files.readString(directory.resolve("typescript")))
                    .contains("\r\nxl: the host ended before the command did\r\nrc=1\r\n");
            assertThat(directory.resolve("after")).hasSameTextualContentAs(directory.resolve("before"));
        } finally {
            host.destroyForcibly();
        }
    }

    private static void awaitText(Path file, String text) throws Exception {
        while (!Files.exists(file) || !Files.readString(file, StandardCharsets.ISO_8859_1).contains(text)) {
            Thread.sleep(10);
        }
    }

    private static boolean containsCache(Path cache) throws IOException {
        try (var files = Files.list(cache)) {
            return files.anyMatch(file -> file.toString().endsWith(".aot"));
        }
    }
}
