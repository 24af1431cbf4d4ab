package dev.xenolith.dom0.gdb;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket where a debugger finds a machine. One at a time: others are sent away. It outlives the resets of the machine, which give it
 * another {@link #target}.
 */
public final class GdbServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GdbServer.class);
    private static final long GRACE_MILLIS = 1000;

    private final Architecture architecture;
    private final boolean avx;
    private final EventLoopGroup events;
    private final Channel server;
    /** What is to be done on the thread of the target: some of it may have been posted to one that has ended since. */
    private final Queue<Runnable> work = new ConcurrentLinkedQueue<>();
    private volatile @Nullable GdbTarget target;
    private volatile Runnable left = () -> {};
    private volatile @Nullable Channel client;
    /** Belongs to the thread of the target. */
    private @Nullable GdbStub stub;

    /**
     * Listens at {@code address}.
     *
     * @param avx whether the processors have AVX registers
     * @throws IOException if that cannot be listened at
     */
    public GdbServer(InetSocketAddress address, Architecture architecture, boolean avx) throws IOException {
        this.architecture = architecture;
        this.avx = avx;
        events = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        ChannelFuture bound = new ServerBootstrap().group(events).channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true).childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.TCP_NODELAY, true).childOption(ChannelOption.AUTO_READ, false)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new Debugger());
                    }
                }).bind(address).awaitUninterruptibly();
        server = bound.channel();
        if (!bound.isSuccess()) {
            events.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
            throw new IOException("cannot listen at " + address + ": " + bound.cause().getMessage(), bound.cause());
        }
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return (InetSocketAddress) server.localAddress();
    }

    /** The machine as it is from now on, before it starts. A debugger that is there goes on with it. */
    public void target(GdbTarget next) {
        target = next;
        submit(() -> {
            GdbStub session = stub;
            if (session != null) {
                session.targetReplaced(next);
            }
        });
    }

    /** The machine has ended for good and its thread with it: tells the debugger, and waits until that is on its way. */
    public void exited(int exitCode) {
        drain();
        GdbStub session = stub;
        Channel channel = client;
        if (session != null && channel != null) {
            session.exited(exitCode);
            channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> channel.close());
            channel.closeFuture().awaitUninterruptibly(GRACE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /** As {@link GdbStub#targetEnded}; on the thread of the target. */
    public void targetEnded(boolean killed, int code) {
        GdbStub session = stub;
        if (session != null) {
            session.targetEnded(killed, code);
        }
    }

    /** {@code action} is called, by any thread, whenever a debugger has gone and all that it asked for has been done. */
    public void whenLeft(Runnable action) {
        left = action;
    }

    /** The target's thread has nothing more to do with this server; to be called on it, before {@link #close} if it goes on then. */
    public void forgetTarget() {
        target = null;
        stub = null;
        work.clear();
    }

    /** Whether a debugger is connected. */
    public boolean hasClient() {
        return client != null;
    }

    @Override
    public void close() {
        server.close().awaitUninterruptibly();
        events.shutdownGracefully(0, GRACE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void submit(Runnable each) {
        work.add(each);
        GdbTarget now = target;
        if (now != null) {
            now.execute(this::drain);
        }
    }

    private void drain() {
        Runnable each;
        while (target != null && (each = work.poll()) != null) {
            each.run();
        }
    }

    /** A connection. It is read from only when what it has brought has been dealt with and its answers have been taken. */
    private final class Debugger extends SimpleChannelInboundHandler<ByteBuf> {
        private volatile boolean wantsMore;

        @Override
        public void channelActive(ChannelHandlerContext context) {
            Channel channel = context.channel();
            if (client != null) {
                LOG.warn("a debugger is there already; {} is sent away", channel.remoteAddress());
                channel.close();
                return;
            }
            client = channel;
            submit(() -> {
                GdbTarget now = target;
                if (now != null) {
                    stub = new GdbStub(architecture, avx, now,
                            bytes -> channel.writeAndFlush(Unpooled.wrappedBuffer(bytes)));
                }
                channel.read();
            });
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf received) {
            byte[] bytes = new byte[received.readableBytes()];
            received.readBytes(bytes);
            Channel channel = context.channel();
            submit(() -> {
                GdbStub session = stub;
                if (session != null) {
                    session.received(bytes);
                }
                wantsMore = true;
                channel.eventLoop().execute(() -> readMore(channel));
            });
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            readMore(context.channel());
        }

        private void readMore(Channel channel) {
            if (wantsMore && channel.isWritable()) {
                wantsMore = false;
                channel.read();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (client == context.channel()) {
                submit(() -> {
                    GdbStub session = stub;
                    if (session != null) {
                        session.disconnected();
                    }
                    stub = null;
                    client = null;
                    left.run();
                });
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            LOG.debug("the debugger's connection broke", cause);
            context.close();
        }
    }
}
