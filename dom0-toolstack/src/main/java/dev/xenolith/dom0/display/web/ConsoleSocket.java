package dev.xenolith.dom0.display.web;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A browser's connection to a console. It is read from only when the console has taken what it has brought. */
final class ConsoleSocket extends SimpleChannelInboundHandler<ByteBuf> implements WebConsole.Client {
    private static final int CHUNK = 4096;
    /** How long to wait for a console that takes no more. */
    private static final long RETRY_MILLIS = 20;

    private final WebConsole console;
    private final byte[] chunk = new byte[CHUNK];
    private final AtomicBoolean told = new AtomicBoolean();
    private ByteBuf input = Unpooled.EMPTY_BUFFER;
    private volatile @Nullable ChannelHandlerContext context;
    private WebConsole.@Nullable Attachment attachment;
    private boolean retrying;

    ConsoleSocket(WebConsole console) {
        this.console = console;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext mine) {
        context = mine;
        if (mine.channel().isActive()) {
            attachment = console.attach(this);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext mine) {
        if (attachment != null) {
            attachment.detach();
            attachment = null;
        }
        input.release();
        input = Unpooled.EMPTY_BUFFER;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext mine, ByteBuf received) {
        input = Unpooled.wrappedBuffer(input, received.retain());
        feed(mine);
    }

    private void feed(ChannelHandlerContext mine) {
        WebConsole.Attachment held = attachment;
        if (held == null || retrying) {
            return;
        }
        while (input.isReadable()) {
            int count = Math.min(input.readableBytes(), CHUNK);
            byte[] bytes = new byte[count];
            input.getBytes(input.readerIndex(), bytes);
            int taken = held.feed(bytes, 0, count);
            input.skipBytes(taken);
            if (taken < count) {
                retrying = true;
                mine.channel().config().setAutoRead(false);
                mine.executor().schedule(() -> {
                    retrying = false;
                    feed(mine);
                }, RETRY_MILLIS, TimeUnit.MILLISECONDS);
                return;
            }
        }
        input.release();
        input = Unpooled.EMPTY_BUFFER;
        mine.channel().config().setAutoRead(true);
    }

    @Override
    public void outputReady() {
        ChannelHandlerContext mine = context;
        if (mine != null && told.compareAndSet(false, true)) {
            try {
                mine.executor().execute(() -> {
                    told.set(false);
                    pump(mine);
                });
            } catch (RejectedExecutionException e) {
                // The server is being closed.
            }
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext mine) {
        pump(mine);
        mine.fireChannelWritabilityChanged();
    }

    private void pump(ChannelHandlerContext mine) {
        WebConsole.Attachment held = attachment;
        while (held != null && mine.channel().isWritable()) {
            int count = held.read(chunk);
            if (count == 0) {
                break;
            }
            mine.write(mine.alloc().buffer(count).writeBytes(chunk, 0, count));
        }
        mine.flush();
    }
}
