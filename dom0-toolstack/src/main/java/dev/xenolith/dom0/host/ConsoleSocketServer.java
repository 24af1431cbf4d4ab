package dev.xenolith.dom0.host;

import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.backend.HostWork;
import dev.xenolith.dom0.console.ConsoleAttachment;
import dev.xenolith.dom0.console.ConsoleClient;
import dev.xenolith.dom0.console.ConsoleSockets;
import dev.xenolith.hypervisor.operations.DomainHandle;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Unix sockets behind which consoles of domains are: one event loop, whose thread moves bytes between them and the machine. */
final class ConsoleSocketServer implements ConsoleSockets, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ConsoleSocketServer.class);

    /** Connections of one console; more are closed at once. */
    private static final int MAX_CONNECTIONS = 16;
    /** Modelled time of opening and closing a socket, in ns. */
    private static final long OPEN_TIME = 1_000_000;

    private final Machine machine;
    private final DomainHandle dom0;
    private final Set<Listening> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong births = new AtomicLong();
    private @Nullable EventLoopGroup group;

    ConsoleSocketServer(Machine machine, DomainHandle dom0) {
        this.machine = machine;
        this.dom0 = dom0;
    }

    @Override
    public void listen(Path path, Function<ConsoleClient, ConsoleAttachment> attach,
            HostWork.Completion<? super Listener> completion) {
        machine.submit(OPEN_TIME, () -> new Listening(path, attach), completion::completed);
    }

    /** Closes what is open. The machine has ended. */
    @Override
    public void close() {
        open.forEach(Listening::closeNow);
        synchronized (this) {
            if (group != null) {
                group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            }
        }
    }

    private synchronized EventLoopGroup group() {
        EventLoopGroup made = group;
        if (made == null) {
            made = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("consoles", true),
                    NioIoHandler.newFactory());
            group = made;
        }
        return made;
    }

    /** What was left behind by somebody who is gone makes room; all else stays. */
    private static void makeRoom(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        if (Files.isRegularFile(path) || Files.isDirectory(path)) {
            throw new IOException(path + ": there is a file that is no socket");
        }
        boolean answers;
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            answers = probe.isConnected();
        } catch (IOException e) {
            answers = false;
        }
        if (answers) {
            throw new IOException(path + ": somebody listens there already");
        }
        Files.delete(path);
    }

    /** One socket. */
    private final class Listening implements Listener {
        private final Path path;
        private final Channel server;
        private final Set<Channel> connections = ConcurrentHashMap.newKeySet();

        /**
         * Opens it; blocks, not on the machine thread. It is bound in a private directory and moved to its place when it is the owner's,
         * so that nobody else can open it even for a moment.
         */
        Listening(Path path, Function<ConsoleClient, ConsoleAttachment> attach) throws IOException {
            this.path = path;
            makeRoom(path);
            Path birthplace = path
                    .resolveSibling("." + Long.toString(ProcessHandle.current().pid(), Character.MAX_RADIX)
                            + '-' + Long.toString(births.getAndIncrement(), Character.MAX_RADIX));
            Path newborn = birthplace.resolve("s");
            Channel bound = null;
            try {
                Files.createDirectory(birthplace,
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
                bound = bind(newborn, attach);
                Files.setPosixFilePermissions(newborn, PosixFilePermissions.fromString("rw-------"));
                Files.move(newborn, path);
            } catch (IOException e) {
                if (bound != null) {
                    bound.close();
                }
                throw new IOException(path + ": cannot listen there: " + e, e);
            } finally {
                Files.deleteIfExists(newborn);
                Files.deleteIfExists(birthplace);
            }
            server = bound;
            open.add(this);
        }

        private Channel bind(Path address, Function<ConsoleClient, ConsoleAttachment> attach) throws IOException {
            ChannelFuture bound = new ServerBootstrap().group(group()).channel(NioServerDomainSocketChannel.class)
                    .childOption(ChannelOption.AUTO_READ, false).childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            accept(channel, attach);
                        }
                    }).bind(UnixDomainSocketAddress.of(address)).awaitUninterruptibly();
            if (!bound.isSuccess()) {
                throw new IOException(bound.cause().getMessage(), bound.cause());
            }
            return bound.channel();
        }

        private void accept(Channel channel, Function<ConsoleClient, ConsoleAttachment> attach) {
            connections.add(channel);
            channel.closeFuture().addListener(_ -> connections.remove(channel));
            if (connections.size() > MAX_CONNECTIONS) {
                LOG.warn("{}: {} connections are there already", path, MAX_CONNECTIONS);
                channel.close();
            } else {
                channel.pipeline().addLast(
                        new SocketConsole(channel, attach, errand -> machine.post(() -> dom0.post(errand))));
            }
        }

        @Override
        public void close(Runnable whenClosed) {
            machine.submit(OPEN_TIME, () -> {
                closeNow();
                return path;
            }, (closed, failure) -> {
                if (failure != null) {
                    LOG.error("BUG: {}: closing it failed", path, failure);
                }
                whenClosed.run();
            });
        }

        /** Closes the socket; connections close when the last output is on its way. */
        void closeNow() {
            open.remove(this);
            server.close().awaitUninterruptibly();
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                LOG.warn("cannot remove {}: {}", path, e.getMessage());
            }
        }
    }
}
