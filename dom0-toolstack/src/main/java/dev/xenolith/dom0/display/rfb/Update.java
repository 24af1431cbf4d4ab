package dev.xenolith.dom0.display.rfb;

import dev.xenolith.dom0.display.encoding.Area;
import dev.xenolith.dom0.display.encoding.Encoder;
import dev.xenolith.dom0.display.encoding.PixelFormat;
import dev.xenolith.dom0.display.screen.Frame;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;

/** A framebuffer update on its way: its rectangles are encoded one after the other while the connection takes them, the event loop's others in between. */
final class Update {
    /** Pixels that are encoded in one go. */
    private static final int PIXELS_AT_ONCE = 1 << 17;

    private final ChannelHandlerContext context;
    private final Queue<Area> areas;
    private final Frame frame;
    private final Encoder encoder;
    private final PixelFormat format;
    private final Runnable taken;
    private ChannelFuture lastWrite;
    private boolean sending;

    /**
     * @param header what goes before the rectangles of {@code areas}
     * @param taken is run, on the event loop, when all of it has gone to the socket, or nothing more will
     */
    Update(ChannelHandlerContext context, ByteBuf header, List<Area> areas, Frame frame, Encoder encoder,
            PixelFormat format, Runnable taken) {
        this.context = context;
        this.areas = new ArrayDeque<>(areas);
        this.frame = frame;
        this.encoder = encoder;
        this.format = format;
        this.taken = taken;
        lastWrite = context.write(header);
    }

    /** Goes on as far as it can. */
    void send() {
        if (sending) {
            return;
        }
        sending = true;
        int budget = PIXELS_AT_ONCE;
        while (!areas.isEmpty() && budget > 0 && context.channel().isWritable() && !context.isRemoved()
                && context.channel().isActive()) {
            Area area = areas.remove();
            budget -= area.pixels();
            ByteBuf out = context.alloc().buffer();
            Pseudo.header(out, area.x(), area.y(), area.width(), area.height(), encoder.number());
            encoder.encode(frame, area, format, out);
            lastWrite = context.write(out);
        }
        context.flush();
        if (areas.isEmpty()) {
            // No more calls: sending stays set.
            lastWrite.addListener(_ -> taken.run());
            return;
        }
        sending = false;
        if (context.channel().isWritable()) {
            context.executor().execute(this::send);
        }
    }
}
