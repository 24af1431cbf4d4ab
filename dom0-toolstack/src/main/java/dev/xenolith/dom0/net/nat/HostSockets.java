package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.net.NetworkException;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The host's sockets for all NATs of a host: one event loop, whose thread only moves bytes between sockets and the machine's
 * inbox. What is not asked for is not read, so nobody outside can fill the inbox.
 */
public final class HostSockets implements AutoCloseable {
    static final int CONNECT_TIMEOUT_MILLIS = 30_000;

    private static final int BACKLOG = 128;

    private final NetworkContext context;
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("network", true),
            NioIoHandler.newFactory());

    public HostSockets(NetworkContext context) {
        this.context = context;
    }

    NetworkContext context() {
        return context;
    }

    EventLoopGroup group() {
        return group;
    }

    /** Something that accepts connections or datagrams. */
    interface Listening {
        /** Where it listens; the port is the host's choice if 0 was asked for. */
        InetSocketAddress address();

        void close();
    }

    /** Begins to connect; the listener hears the outcome. */
    HostStream connect(InetSocketAddress address, HostStream.Listener listener) {
        SocketStream stream = new SocketStream(context, listener);
        ChannelFuture future = new Bootstrap().group(group).channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS).handler(initializer(stream))
                .connect(address);
        stream.attach(future.channel());
        future.addListener(done -> context.post(() -> {
            if (done.isSuccess()) {
                listener.connected();
            } else {
                listener.connectFailed(done.cause());
            }
        }));
        return stream;
    }

    private static ChannelInitializer<SocketChannel> initializer(SocketStream stream) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(SocketChannel channel) {
                configure(channel, stream);
            }
        };
    }

    private static void configure(SocketChannel channel, SocketStream stream) {
        channel.config().setAutoRead(false).setAllowHalfClosure(true).setTcpNoDelay(true)
                .setRecvByteBufAllocator(new FixedRecvByteBufAllocator(HostStream.MAX_READ).maxMessagesPerRead(1));
        channel.pipeline().addLast(stream);
    }

    /** Makes the listener of a connection that has been accepted, on the machine thread; it gets the stream there. */
    @FunctionalInterface
    interface Acceptor {
        /** A client is there; the acceptor calls {@link SocketStream#listen}, or resets it. */
        void accepted(SocketStream stream);
    }

    /**
     * Listens for connections.
     *
     * @param maxPending so many may be on their way to the acceptor; more are reset
     * @return fails with {@link NetworkException} if the address cannot be had
     */
    CompletableFuture<Listening> listen(InetSocketAddress address, int maxPending, Acceptor acceptor) {
        AtomicInteger pending = new AtomicInteger();
        ChannelFuture future = new ServerBootstrap().group(group).channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG).option(ChannelOption.SO_REUSEADDR, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        SocketStream stream = new SocketStream(context, null);
                        configure(channel, stream);
                        stream.attach(channel);
                        if (pending.incrementAndGet() > maxPending) {
                            pending.decrementAndGet();
                            stream.reset();
                            return;
                        }
                        context.post(() -> {
                            pending.decrementAndGet();
                            acceptor.accepted(stream);
                        });
                    }
                }).bind(address);
        return listening("tcp", address, future);
    }

    static CompletableFuture<Listening> listening(String protocol, InetSocketAddress address, ChannelFuture future) {
        CompletableFuture<Listening> result = new CompletableFuture<>();
        Channel channel = future.channel();
        future.addListener(done -> {
            if (done.isSuccess()) {
                result.complete(new Listening() {
                    @Override
                    public InetSocketAddress address() {
                        return (InetSocketAddress) channel.localAddress();
                    }

                    @Override
                    public void close() {
                        channel.close();
                    }
                });
            } else {
                result.completeExceptionally(new NetworkException("cannot listen at " + protocol + " "
                        + address.getAddress().getHostAddress() + ":" + address.getPort() + ": "
                        + done.cause().getMessage(), done.cause()));
            }
        });
        return result;
    }

    /** Closes all sockets. Any thread; does not wait. */
    @Override
    public void close() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
