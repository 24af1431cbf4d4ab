package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.nio.NioDatagramChannel;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A UDP socket of the host. In either direction only so many datagrams may be on their way between it and the machine thread; more
 * are dropped and counted, as UDP allows.
 */
final class HostDatagrams {
    private static final int MAX_IN_FLIGHT = 64;
    private static final int MAX_DATAGRAM = 65_535;

    /** Hears of datagrams on the machine thread. */
    interface Listener {
        /** A datagram has come; the bytes are the listener's. */
        void received(byte[] data, InetSocketAddress from);

        /** The socket cannot be used. */
        void failed(Throwable cause);
    }

    private final NetworkContext context;
    private final Listener listener;
    private final ChannelFuture bound;
    private final AtomicInteger sending = new AtomicInteger();
    private final AtomicInteger receiving = new AtomicInteger();
    /** Counted on the machine thread. */
    private long dropped;
    /** Counted on the event loop. */
    private volatile long overrun;

    private HostDatagrams(HostSockets sockets, InetSocketAddress address, Listener listener) {
        context = sockets.context();
        this.listener = listener;
        bound = new Bootstrap().group(sockets.group()).channel(NioDatagramChannel.class).handler(initializer())
                .bind(address);
    }

    private ChannelInitializer<Channel> initializer() {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(MAX_DATAGRAM));
                channel.pipeline().addLast(new Handler());
            }
        };
    }

    /** Opens a socket at a port of the host's choice; {@link Listener#failed} says if it cannot be. */
    static HostDatagrams open(HostSockets sockets, Listener listener) {
        HostDatagrams datagrams = new HostDatagrams(sockets, new InetSocketAddress(0), listener);
        datagrams.bound.addListener(done -> {
            if (!done.isSuccess()) {
                datagrams.context.post(() -> listener.failed(done.cause()));
            }
        });
        return datagrams;
    }

    /** A socket at an address that others know, and whether it could be had. */
    record Bound(HostDatagrams datagrams, CompletableFuture<HostSockets.Listening> listening) {
    }

    static Bound listen(HostSockets sockets, InetSocketAddress address, Listener listener) {
        HostDatagrams datagrams = new HostDatagrams(sockets, address, listener);
        return new Bound(datagrams, HostSockets.listening("udp", address, datagrams.bound));
    }

    /** Sends a datagram, or drops it if too many are on their way; the bytes are the socket's. Errors of single datagrams are lost. */
    void send(byte[] data, InetSocketAddress to) {
        if (sending.get() >= MAX_IN_FLIGHT) {
            dropped++;
            return;
        }
        sending.incrementAndGet();
        DatagramPacket packet = new DatagramPacket(Unpooled.wrappedBuffer(data), to);
        if (bound.isDone()) {
            write(packet);
        } else {
            bound.addListener(_ -> write(packet));
        }
    }

    private void write(DatagramPacket packet) {
        bound.channel().writeAndFlush(packet).addListener(_ -> sending.decrementAndGet());
    }

    /** Datagrams dropped so far in either direction. */
    long dropped() {
        return dropped + overrun;
    }

    void close() {
        bound.channel().close();
    }

    private final class Handler extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext handler, Object message) {
            DatagramPacket packet = (DatagramPacket) message;
            try {
                if (receiving.get() >= MAX_IN_FLIGHT) {
                    overrun = overrun + 1;
                    return;
                }
                receiving.incrementAndGet();
                byte[] data = new byte[packet.content().readableBytes()];
                packet.content().readBytes(data);
                InetSocketAddress from = packet.sender();
                context.post(() -> {
                    receiving.decrementAndGet();
                    listener.received(data, from);
                });
            } finally {
                packet.release();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext handler, Throwable cause) {
            // Such as an ICMP error for an earlier datagram: UDP goes on.
        }
    }
}
