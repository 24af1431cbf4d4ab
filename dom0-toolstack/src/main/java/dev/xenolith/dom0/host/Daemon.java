package dev.xenolith.dom0.host;

import dev.xenolith.dom0.protocol.Frames;
import dev.xenolith.dom0.protocol.Hello;
import dev.xenolith.dom0.protocol.Places;
import dev.xenolith.dom0.xl.Toolstack;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.Xenolith;
import dev.xenolith.dom0.xl.Xl;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A host behind a Unix domain socket that only its owner can open. Each connection is one command, which runs on a virtual
 * thread with warm classes; see {@link Frames} for what is said on it.
 */
public final class Daemon implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

    /** More clients than this at once are sent away. */
    static final int MAX_CLIENTS = 256;

    private static final long GRACE_MILLIS = 5000;

    private final Places places;
    private final HostOptions options;
    private final DaemonLock lock;
    private final RunningHost host;
    private final EventLoopGroup events;
    private final Channel server;
    private final long startedNanos = System.nanoTime();
    private final Set<Thread> commands = ConcurrentHashMap.newKeySet();
    private final Set<RemoteClient> clients = ConcurrentHashMap.newKeySet();
    private final CountDownLatch stopRequested = new CountDownLatch(1);
    /** Who asked for the end of the host, to be told of it last. */
    private final Set<RemoteClient> stoppers = ConcurrentHashMap.newKeySet();

    private Daemon(Places places, HostOptions options, DaemonLock lock, RunningHost host) throws IOException {
        this.places = places;
        this.options = options;
        this.lock = lock;
        this.host = host;
        events = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        try {
            server = listen();
        } catch (IOException | RuntimeException e) {
            events.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
            throw e;
        }
    }

    /**
     * Starts a host and its socket.
     *
     * @throws ToolstackException another daemon is there already, the paths cannot be used, or the host does not start
     */
    public static Daemon start(HostFactory factory, HostOptions options, Places places) {
        checkLength(places.socket());
        try {
            prepareDirectory(places.socket());
            DaemonLock lock = DaemonLock.acquire(places);
            if (lock == null) {
                throw ToolstackException
                        .failure("a host is running already, with pid " + DaemonLock.holder(places).orElse(0));
            }
            RunningHost host = null;
            try {
                host = factory.start(options);
                return new Daemon(places, options, lock, host);
            } catch (IOException | RuntimeException e) {
                if (host != null) {
                    host.close();
                }
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, "cannot listen at " + places.socket() + ": " + e,
                    e);
        }
    }

    private static void checkLength(Path socket) {
        int length = socket.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > Places.MAX_SOCKET_PATH) {
            throw ToolstackException.failure("cannot listen at " + socket + ": a socket's path has at most "
                    + Places.MAX_SOCKET_PATH + " bytes, this one " + length + "; set XENOLITH_SOCKET to a shorter one");
        }
    }

    private static void prepareDirectory(Path socket) throws IOException {
        Path directory = socket.toAbsolutePath().getParent();
        if (directory != null && !Files.isDirectory(directory)) {
            Files.createDirectories(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
    }

    /**
     * Binds in a private directory, makes the socket the owner's, and moves it into place: nobody else can open it even for
     * a moment, and a stale one is replaced at once. We hold the lock, so what is there is stale.
     */
    private Channel listen() throws IOException {
        Path socket = places.socket();
        Path birthplace = socket
                .resolveSibling("." + Long.toString(ProcessHandle.current().pid(), Character.MAX_RADIX));
        Path newborn = birthplace.resolve("s");
        try {
            Files.createDirectory(birthplace,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            checkLength(newborn);
            Channel channel = new ServerBootstrap().group(events).channel(NioServerDomainSocketChannel.class)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel client) {
                            client.pipeline().addLast(new LengthFieldBasedFrameDecoder(
                                    Frames.HEADER_SIZE + Frames.MAX_PAYLOAD, 1, 4),
                                    new ClientHandler(Daemon.this::command));
                        }
                    }).bind(UnixDomainSocketAddress.of(newborn)).syncUninterruptibly().channel();
            Files.setPosixFilePermissions(newborn, PosixFilePermissions.fromString("rw-------"));
            Files.move(newborn, socket, StandardCopyOption.REPLACE_EXISTING);
            return channel;
        } finally {
            Files.deleteIfExists(newborn);
            Files.deleteIfExists(birthplace);
        }
    }

    private @Nullable Thread command(RemoteClient client) {
        Hello hello = client.hello();
        clients.add(client);
        client.closed().addListener(_ -> clients.remove(client));
        if (hello.program().equals(Hello.HOST_CONTROL) && hello.arguments().contains("stop")) {
            stoppers.add(client);
            stopRequested.countDown();
            return null;
        }
        if (commands.size() >= MAX_CLIENTS || stopRequested.getCount() == 0) {
            Thread.ofVirtual().start(() -> refuse(client));
            return null;
        }
        Thread thread = Thread.ofVirtual().name(hello.program() + " " + String.join(" ", hello.arguments()))
                .unstarted(() -> run(client));
        commands.add(thread);
        thread.start();
        return thread;
    }

    private void refuse(RemoteClient client) {
        print(client, stopRequested.getCount() == 0 ? "the host is stopping" : "more than " + MAX_CLIENTS + " clients");
        client.exit(ToolstackException.FAILURE);
    }

    private static void print(RemoteClient client, String line) {
        try {
            client.err().write(("xenolith: " + line + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            LOG.debug("nobody to tell: {}", line);
        }
    }

    private void run(RemoteClient client) {
        int exitCode = ToolstackException.FAILURE;
        try {
            Hello hello = client.hello();
            exitCode = switch (hello.program()) {
                case "xl" -> Xl.run(hello.arguments(), client, host::toolstack);
                case "xenolith" -> Xenolith.run(hello.arguments(), client, host::toolstack, Map.of());
                case Hello.HOST_CONTROL -> status(client);
                default -> {
                    print(client, "no program " + hello.program());
                    yield ToolstackException.FAILURE;
                }
            };
        } catch (RuntimeException | Error e) {
            LOG.error("BUG: {} failed", client.hello(), e);
            print(client, "BUG: " + e);
        } finally {
            // In this order: close() takes a command that is not in the set to have said its last word.
            client.exit(exitCode);
            commands.remove(Thread.currentThread());
        }
    }

    private int status(RemoteClient client) {
        Toolstack toolstack = host.toolstack();
        Duration up = Duration.ofNanos(System.nanoTime() - startedNanos);
        String text = """
                state    : running
                pid      : %d
                uptime   : %d:%02d:%02d
                cpus     : %d %s
                memory   : %d MiB
                free     : %d KiB
                clock    : %s
                domains  : %d
                socket   : %s
                log      : %s
                """.formatted(ProcessHandle.current().pid(), up.toHours(), up.toMinutesPart(), up.toSecondsPart(),
                options.cpus(), options.cpuModel().key(), options.memoryMiB(),
                toolstack.hostInfo().physical().freeKiB(), options.clockKey(),
                toolstack.domains().size(), places.socket(), places.log());
        try {
            client.out().write(text.getBytes(StandardCharsets.UTF_8));
            return 0;
        } catch (IOException e) {
            return ToolstackException.FAILURE;
        }
    }

    /** Waits until a client asks for the end of the host. */
    public void awaitStopRequest() throws InterruptedException {
        stopRequested.await();
    }

    /** Asks for the end of the host, from any thread. */
    public void requestStop() {
        stopRequested.countDown();
    }

    /**
     * Stops everything: no new clients, commands cancelled, domains destroyed, machine stopped, socket gone; then tells the
     * clients that asked for it. A second call does nothing.
     */
    @Override
    public synchronized void close() {
        stopRequested.countDown();
        if (!server.isOpen()) {
            return;
        }
        server.close().syncUninterruptibly();
        try {
            Files.deleteIfExists(places.socket());
        } catch (IOException e) {
            LOG.warn("cannot remove {}", places.socket(), e);
        }
        // Fails the calls that commands wait in, so that each can say why; what waits for its client is interrupted.
        host.close();
        awaitCommands(GRACE_MILLIS / 10);
        commands.forEach(Thread::interrupt);
        awaitCommands(GRACE_MILLIS);
        for (RemoteClient client : stoppers) {
            client.exit(0);
        }
        awaitClients();
        events.shutdownGracefully(50, 1000, TimeUnit.MILLISECONDS).syncUninterruptibly();
        try {
            lock.close();
        } catch (IOException e) {
            LOG.warn("cannot release {}", places.lock(), e);
        }
    }

    /** Waits until all have their exit code: an event loop that shuts down closes connections before it writes. */
    private void awaitClients() {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(GRACE_MILLIS);
        for (RemoteClient client : clients) {
            client.closed().awaitUninterruptibly(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
    }

    private void awaitCommands(long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (Thread command : commands) {
            try {
                command.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
