package dev.xenolith.dom0.host;

import dev.xenolith.dom0.console.ConsoleAttachment;
import dev.xenolith.dom0.console.ConsoleClient;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A connection of a Unix socket as a client of a console. Neither end fills memory: output waits with the console when the peer does not
 * read, input with the peer when the domain does not.
 */
final class SocketConsole extends SimpleChannelInboundHandler<ByteBuf> implements ConsoleClient {
    /** Bytes that may be on their way to the peer. */
    private static final int OUTPUT_LIMIT = 1 << 16;
    private static final byte[] NOTHING = {};

    private final Channel channel;
    private final Function<ConsoleClient, ConsoleAttachment> attach;
    private final Executor dom0;
    private final AtomicInteger onTheirWay = new AtomicInteger();
    /** Belong to the machine thread, like all below. */
    private @Nullable ConsoleAttachment attachment;
    private byte[] input = NOTHING;
    private int inputTaken;

    /**
     * @param attach attaches this to the console
     * @param dom0 runs errands as handlers of dom0
     */
    SocketConsole(Channel channel, Function<ConsoleClient, ConsoleAttachment> attach, Executor dom0) {
        this.channel = channel;
        this.attach = attach;
        this.dom0 = dom0;
    }

    // ---- the peer, on the event loop ----

    @Override
    public void channelActive(ChannelHandlerContext context) {
        dom0.execute(() -> {
            attachment = attach.apply(this);
            channel.read();
        });
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf received) {
        byte[] bytes = new byte[received.readableBytes()];
        received.readBytes(bytes);
        dom0.execute(() -> {
            input = bytes;
            inputTaken = 0;
            inputHasRoom();
        });
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        dom0.execute(() -> {
            if (attachment != null) {
                attachment.detach();
            }
        });
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }

    // ---- the console, on the machine thread ----

    @Override
    public int offer(byte[] bytes, int offset, int length) {
        int taken = Math.min(length, OUTPUT_LIMIT - onTheirWay.get());
        if (taken > 0) {
            onTheirWay.addAndGet(taken);
            channel.writeAndFlush(Unpooled.copiedBuffer(bytes, offset, taken)).addListener(_ -> {
                onTheirWay.addAndGet(-taken);
                dom0.execute(() -> {
                    if (attachment != null) {
                        attachment.outputHasRoom();
                    }
                });
            });
        }
        return taken;
    }

    @Override
    public void inputHasRoom() {
        ConsoleAttachment held = attachment;
        if (held != null) {
            inputTaken += held.input(input, inputTaken, input.length - inputTaken);
            if (inputTaken == input.length) {
                channel.read();
            }
        }
    }

    @Override
    public void closed() {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }
}
