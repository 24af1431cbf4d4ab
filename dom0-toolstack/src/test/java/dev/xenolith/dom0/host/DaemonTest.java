package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.protocol.Connection;
import dev.xenolith.dom0.protocol.Frames;
import dev.xenolith.dom0.protocol.Hello;
import dev.xenolith.dom0.protocol.Places;
import dev.xenolith.dom0.xl.FakeToolstack;
import dev.xenolith.dom0.xl.Toolstack;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class DaemonTest {
    private static final String CONFIG = "name=\"pv1\"\nkernel=\"/dev/null\"\n";

    @TempDir
    Path directory;

    private final FakeToolstack toolstack = new FakeToolstack();
    private final AtomicInteger closed = new AtomicInteger();
    private Places places = new Places(Path.of("/"), Path.of("/"));
    private Daemon daemon;

    @BeforeEach
    void start() throws IOException {
        Files.writeString(directory.resolve("pv.cfg"), CONFIG);
        places = new Places(directory.resolve("s"), directory.resolve("log"));
        daemon = startDaemon();
    }

    @AfterEach
    void stop() {
        daemon.close();
    }

    private Daemon startDaemon() {
        return Daemon.start(options -> new RunningHost() {
            @Override
            public Toolstack toolstack() {
                return toolstack;
            }

            @Override
            public void close() {
                closed.incrementAndGet();
            }
        }, HostOptions.DEFAULT, places);
    }

    private record Result(int exitCode, String out, String err, List<Integer> raw) {
    }

    private Connection greet(String program, String... arguments) throws IOException {
        Connection connection = Connection.open(places);
        byte[] hello = new Hello(program, List.of(arguments), directory.toString(), Map.of(), true, false, 0, 0)
                .encode();
        connection.send(Frames.HELLO, hello, 0, hello.length);
        return connection;
    }

    /** Reads to the exit code, answering requests for input from {@code input}, then its end. */
    private static Result finish(Connection connection, String input) throws IOException {
        try (connection) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            List<Integer> raw = new ArrayList<>();
            byte[] bytes = input.getBytes(StandardCharsets.UTF_8);
            int sent = 0;
            while (true) {
                switch (connection.receive()) {
                    case Frames.STDOUT -> out.write(connection.payload(), 0, connection.length());
                    case Frames.STDERR -> err.write(connection.payload(), 0, connection.length());
                    case Frames.RAW -> raw.add(connection.number());
                    case Frames.WANT_STDIN -> {
                        int count = Math.min(connection.number(), bytes.length - sent);
                        try {
                            connection.send(Frames.STDIN, bytes, sent, count);
                            sent += count;
                            if (sent == bytes.length) {
                                connection.send(Frames.STDIN_END, bytes, 0, 0);
                            }
                        } catch (IOException e) {
                            // The daemon has ended the session; what it said before is still to be read.
                        }
                    }
                    case Frames.EXIT -> {
                        return new Result(connection.number(), out.toString(StandardCharsets.UTF_8),
                                err.toString(StandardCharsets.UTF_8), raw);
                    }
                    default -> throw new AssertionError("no exit code");
                }
            }
        }
    }

    private Result run(String program, String... arguments) throws IOException {
        return finish(greet(program, arguments), "");
    }

    private void awaitLog(String entry) {
        while (!toolstack.log().contains(entry)) {
            Thread.onSpinWait();
        }
    }

    @Test
    void runsCommandsWhereTheClientIs() throws Exception {
        assertThat(run("xl", "domid", "Domain-0")).isEqualTo(new Result(0, "0\n", "", List.of()));
        assertThat(run("xl", "create", "pv.cfg").err()).isEqualTo("Parsing config from pv.cfg\n");
        assertThat(run("xl", "domid", "pv1").out()).isEqualTo("4\n");
        assertThat(run("xl", "list", "nosuch").exitCode()).isEqualTo(1);
        assertThat(run("xenolith", "xenstore", "list", "/").exitCode()).isZero();
        assertThat(run("rm", "-rf").err()).isEqualTo("xenolith: no program rm\n");
        Result status = run(Hello.HOST_CONTROL, "status");
        assertThat(status.exitCode()).isZero();
        assertThat(status.out()).startsWith("state    : running\npid      : " + ProcessHandle.current().pid() + "\n")
                .contains("domains  : 2\n");
    }

    @Test
    void consoleCopiesBothWaysAndAsksForRawMode() throws Exception {
        Result result = finish(greet("xl", "create", "-c", "-q", "pv.cfg"), "help\nbye");
        assertThat(result).isEqualTo(new Result(0, "hello from pv1\r\nHELP\nBYE", "", List.of(1, 0)));
    }

    @Test
    void killedClientLetsGoOfTheConsole() throws Exception {
        run("xl", "create", "pv.cfg");
        Connection connection = greet("xl", "console", "pv1");
        awaitLog("attach 4");
        connection.close();
        awaitLog("detach 4");
        assertThat(toolstack.domain(4)).isPresent();
    }

    @Test
    void signalCancelsTheCommand() throws Exception {
        run("xl", "create", "pv.cfg");
        Connection connection = greet("xl", "console", "pv1");
        awaitLog("attach 4");
        connection.send(Frames.SIGNAL, new byte[]{2}, 0, 1);
        assertThat(finish(connection, "").exitCode()).isEqualTo(130);
        awaitLog("detach 4");
    }

    @Test
    void servesEightClientsAtOnce() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<Integer>> results = new ArrayList<>();
            for (int client = 0; client < 8; client++) {
                String name = "d" + client;
                Callable<Integer> work = () -> {
                    int failures = 0;
                    for (int round = 0; round < 20; round++) {
                        failures += run("xl", "create", "-q", "pv.cfg", "name=" + name).exitCode();
                        failures += run("xl", "list", name).exitCode();
                        failures += run("xl", "destroy", name).exitCode();
                    }
                    return failures;
                };
                results.add(threads.submit(work));
            }
            for (Future<Integer> result : results) {
                assertThat(result.get()).isZero();
            }
        }
        assertThat(toolstack.domains()).hasSize(1);
    }

    @Test
    void hostileFramesOnlyHurtTheirSender() throws Exception {
        Random random = new Random(1);
        byte[] hello = new Hello("xl", List.of("list"), "/", Map.of(), false, false, 0, 0).encode();
        List<byte[]> attacks = new ArrayList<>(
                List.of(frame(Frames.STDIN, 0), frame((byte) 99, 0), frame(Frames.HELLO, 0),
                        frame(Frames.HELLO, -1), frame(Frames.HELLO, Integer.MAX_VALUE),
                        frame(Frames.HELLO, Frames.MAX_PAYLOAD + 1),
                        new byte[]{1}, new byte[0]));
        for (int i = 0; i < 100; i++) {
            byte[] noise = new byte[random.nextInt(200)];
            random.nextBytes(noise);
            attacks.add(noise);
            byte[] damaged = concatenate(frame(Frames.HELLO, hello.length), hello);
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            attacks.add(damaged);
        }
        for (byte[] attack : attacks) {
            try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(places.socket()))) {
                channel.write(ByteBuffer.wrap(attack));
                channel.shutdownOutput();
                ByteBuffer answer = ByteBuffer.allocate(4096);
                while (channel.read(answer) > 0) {
                    answer.clear();
                }
            } catch (IOException e) {
                // Cut off while we were still talking: fine.
            }
        }
        assertThat(run("xl", "domid", "Domain-0").out()).isEqualTo("0\n");
    }

    @Test
    void inputThatNobodyAskedForEndsTheConnection() throws Exception {
        run("xl", "create", "pv.cfg");
        try (Connection connection = greet("xl", "console", "pv1")) {
            awaitLog("attach 4");
            byte[] flood = new byte[RemoteClient.INPUT_WINDOW + 1];
            connection.send(Frames.STDIN, flood, 0, flood.length);
            awaitLog("detach 4");
        }
    }

    @Test
    void strangersHearWhy() throws Exception {
        try (Connection connection = Connection.open(places)) {
            byte[] hello = new Hello("xl", List.of(), "/", Map.of(), false, false, 0, 0).encode();
            hello[5] = 77;
            connection.send(Frames.HELLO, hello, 0, hello.length);
            Result result = finish(connection, "");
            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.err()).contains("this client 77: restart the host");
        }
    }

    @Test
    void clientThatDoesNotReadBlocksOnlyItself() throws Exception {
        StringBuilder value = new StringBuilder("x".repeat(2000));
        for (int i = 0; i < 2000; i++) {
            toolstack.xenstore().write("/big/" + i, value.toString().getBytes(StandardCharsets.US_ASCII));
        }
        try (Connection slow = greet("xenolith", "xenstore", "ls", "-f", "/big")) {
            assertThat(run("xl", "domid", "Domain-0").out()).isEqualTo("0\n");
            assertThat(finish(slow, "").out()).hasSizeGreaterThan(4_000_000).endsWith("\"\n");
        }
        greet("xenolith", "xenstore", "ls", "-f", "/big").close();
        assertThat(run("xl", "domid", "Domain-0").out()).isEqualTo("0\n");
    }

    @Test
    void socketAndLockAreTheOwnersAlone() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(places.socket())))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(places.lock()))).isEqualTo("rw-------");
        assertThat(DaemonLock.holder(places)).hasValue(ProcessHandle.current().pid());
    }

    @Test
    void secondDaemonIsRefused() {
        assertThatThrownBy(this::startDaemon).isInstanceOf(ToolstackException.class)
                .hasMessage("a host is running already, with pid " + ProcessHandle.current().pid());
        assertThat(closed).hasValue(0);
    }

    @Test
    void staleSocketIsReplaced() throws Exception {
        daemon.close();
        assertThat(places.socket()).doesNotExist();
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(places.socket()));
        }
        assertThat(places.socket()).exists();
        assertThat(DaemonLock.holder(places)).isEmpty();
        daemon = startDaemon();
        assertThat(run("xl", "domid", "Domain-0").out()).isEqualTo("0\n");
        try (var files = Files.list(directory)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder("pv.cfg", "s",
                    "s.lock");
        }
    }

    @Test
    void stopEndsCommandsAndTellsWhoAsked() throws Exception {
        run("xl", "create", "pv.cfg");
        Connection console = greet("xl", "console", "pv1");
        awaitLog("attach 4");
        Connection stopper = greet(Hello.HOST_CONTROL, "stop");
        daemon.awaitStopRequest();
        daemon.close();
        assertThat(finish(console, "").exitCode()).isEqualTo(130);
        assertThat(finish(stopper, "").exitCode()).isZero();
        assertThat(closed).hasValue(1);
        assertThat(places.socket()).doesNotExist();
        assertThat(DaemonLock.holder(places)).isEmpty();
        assertThatThrownBy(() -> greet("xl", "list")).isInstanceOf(IOException.class);
    }

    @Test
    void pathsThatCannotBeAreNamed() {
        Path longName = directory.resolve("x".repeat(120));
        assertThatThrownBy(() -> Daemon.start(options -> {
            throw new AssertionError("too early");
        }, HostOptions.DEFAULT, new Places(longName, directory.resolve("log"))))
                .hasMessageContaining("a socket's path has at most 107 bytes");
        assertThatThrownBy(() -> Daemon.start(options -> {
            throw new AssertionError("too early");
        }, HostOptions.DEFAULT, new Places(directory.resolve("pv.cfg/s"), directory.resolve("log"))))
                .isInstanceOf(ToolstackException.class).hasMessageContaining("cannot listen at ");
    }

    @Test
    void hostThatDoesNotStartLeavesNothing() {
        daemon.close();
        assertThatThrownBy(() -> Daemon.start(options -> {
            throw ToolstackException.failure("--memory: too much");
        }, HostOptions.DEFAULT, places)).hasMessage("--memory: too much");
        assertThat(places.socket()).doesNotExist();
        daemon = startDaemon();
    }

    private static byte[] frame(byte type, int length) {
        return ByteBuffer.allocate(Frames.HEADER_SIZE).put(type).putInt(length).array();
    }

    private static byte[] concatenate(byte[] first, byte[] second) {
        return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
    }
}
