package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A TCP socket of the host. It reads only when it is asked to, at most {@link HostStream#MAX_READ} bytes, so that what is on its way
 * to the machine thread is bounded.
 */
final class SocketStream extends ChannelInboundHandlerAdapter implements HostStream {
    private final NetworkContext context;
    /** Changed on the machine thread only, as is everything that reads it. */
    private @Nullable Listener listener;
    private volatile @Nullable Channel channel;
    /** Belongs to the event loop, as does {@link #over}. */
    private boolean wanted;
    private boolean over;

    /** @param listener null if it is not known yet */
    SocketStream(NetworkContext context, @Nullable Listener listener) {
        this.context = context;
        this.listener = listener;
    }

    /** The socket, before anything is done with it. */
    void attach(Channel socket) {
        channel = socket;
    }

    /** Tells {@code newListener} what happens from now on. Machine thread. */
    void listen(Listener newListener) {
        listener = newListener;
    }

    // On the machine thread

    @Override
    public void read() {
        Channel socket = socket();
        socket.eventLoop().execute(() -> {
            wanted = true;
            if (over) {
                end();
            } else {
                socket.read();
            }
        });
    }

    @Override
    public void write(byte[] data) {
        socket().writeAndFlush(Unpooled.wrappedBuffer(data)).addListener(done -> {
            if (done.isSuccess()) {
                tell(Listener::written);
            } else {
                tell(l -> l.failed(done.cause()));
            }
        });
    }

    @Override
    public void shutdownOutput() {
        ((SocketChannel) socket()).shutdownOutput();
    }

    @Override
    public void close() {
        socket().close();
    }

    @Override
    public void reset() {
        Channel socket = socket();
        try {
            ((SocketChannel) socket).config().setSoLinger(0);
        } catch (ChannelException e) {
            // It has been closed already.
        }
        socket.close();
    }

    private Channel socket() {
        Channel socket = channel;
        if (socket == null) {
            throw new IllegalStateException("no socket yet");
        }
        return socket;
    }

    // On the event loop

    @Override
    public void channelRead(ChannelHandlerContext handler, Object message) {
        ByteBuf buffer = (ByteBuf) message;
        byte[] data = new byte[buffer.readableBytes()];
        buffer.readBytes(data);
        buffer.release();
        wanted = false;
        tell(l -> l.received(data));
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext handler) {
        if (wanted && !over && handler.channel().isActive()) {
            // Woken for nothing: what was asked for is still to come.
            handler.read();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext handler, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            end();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext handler) {
        end();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext handler, Throwable cause) {
        over = true;
        tell(l -> l.failed(cause instanceof IOException ? cause : new IOException(cause.toString(), cause)));
    }

    /** The stream has ended; its listener hears of it when it has asked for more. */
    private void end() {
        over = true;
        if (wanted) {
            wanted = false;
            tell(Listener::ended);
        }
    }

    private void tell(Consumer<Listener> event) {
        context.post(() -> {
            Listener current = listener;
            if (current != null) {
                event.accept(current);
            }
        });
    }
}
