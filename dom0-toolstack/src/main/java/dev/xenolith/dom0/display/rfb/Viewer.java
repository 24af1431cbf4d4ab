package dev.xenolith.dom0.display.rfb;

import dev.xenolith.dom0.display.encoding.Area;
import dev.xenolith.dom0.display.encoding.EncoderSet;
import dev.xenolith.dom0.display.encoding.PixelFormat;
import dev.xenolith.dom0.display.screen.Frame;
import dev.xenolith.dom0.display.screen.Seat;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Somebody who watches and types, after the handshake. It gets the newest frame when it has taken the last one: there is at most one
 * update on its way, of which no more is encoded than the connection takes.
 */
final class Viewer extends SimpleChannelInboundHandler<ClientMessage> {
    private static final Logger LOG = LoggerFactory.getLogger(Viewer.class);

    /** Messages on their way besides updates; a viewer that asks for more does not read them. */
    private static final int MAX_REPLIES = 128;
    /** Rectangles in an update, apart from the few without pixels. */
    private static final int MAX_AREAS = 60_000;
    private static final int FRAMEBUFFER_UPDATE = 0;
    private static final int SET_COLOUR_MAP = 1;
    private static final int END_OF_CONTINUOUS_UPDATES = 150;
    private static final int SERVER_FENCE = 248;
    private static final int FENCE_FLAGS = 7;
    private static final int FENCE_REQUEST = 1 << 31;
    private static final int PROHIBITED = 1;
    /** What stands for no movement in relative positions. */
    private static final int NO_MOVEMENT = 0x7fff;

    private final RfbService service;
    private final Seat seat;
    private final ShownTiles shown;
    private final EncoderSet encoders = new EncoderSet();
    private final Runnable watching = this::changed;
    private final AtomicBoolean told = new AtomicBoolean();
    private final Queue<ByteBuf> waiting = new ArrayDeque<>();
    private int replies;
    private PixelFormat format = PixelFormat.OFFERED;
    private List<Integer> encodings = List.of();
    private Set<Pseudo> features = Set.of();
    /** What it still has to be told, of those that are told once. */
    private boolean cursorTold;
    private boolean extendedKeyTold;
    private boolean sizeTold;
    private boolean fenceTold;
    private boolean continuousTold;
    private @Nullable Boolean absoluteTold;
    private String nameTold;
    private @Nullable Area requested;
    private @Nullable Area continuous;
    private @Nullable Update update;
    private boolean closed;

    Viewer(RfbService service, int width, int height) {
        this.service = service;
        shown = new ShownTiles(width, height);
        seat = service.inputs().seat(this::roomForInput);
        nameTold = service.name();
    }

    private @Nullable ChannelHandlerContext context;

    private ChannelHandlerContext context() {
        ChannelHandlerContext mine = context;
        if (mine == null) {
            throw new IllegalStateException("not in a pipeline yet");
        }
        return mine;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext mine) {
        context = mine;
        if (mine.channel().isActive()) {
            LOG.info("viewer {} is there", mine.channel().remoteAddress());
            service.screen().watch(watching);
        } else {
            closed = true;
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext mine) {
        leave();
        mine.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext mine) {
        leave();
    }

    private void leave() {
        if (!closed) {
            closed = true;
            service.screen().leave(watching);
            seat.leave();
        }
        update = null;
        encoders.close();
        waiting.forEach(ByteBuf::release);
        waiting.clear();
    }

    // ---- what it says ------------------------------------------------------------------------------------------------

    @Override
    protected void channelRead0(ChannelHandlerContext mine, ClientMessage message) {
        if (closed) {
            return;
        }
        switch (message) {
            case ClientMessage.SetPixelFormat(PixelFormat wanted) -> {
                format = wanted;
                if (wanted.isMapped()) {
                    reply(colourMap(wanted));
                }
            }
            case ClientMessage.SetEncodings(List<Integer> wanted) -> setEncodings(wanted);
            case ClientMessage.UpdateRequest(boolean incremental, Area area) -> request(incremental, area);
            case ClientMessage.Key(int keysym, boolean down) -> key(keysym, 0, down);
            case ClientMessage.ExtendedKey(int keysym, int scanCode, boolean down) -> key(keysym, scanCode, down);
            case ClientMessage.Pointer(int x, int y, int buttons) -> pointer(x, y, buttons);
            case ClientMessage.CutText(int length) ->
                LOG.debug("{} bytes of cut text: there is no clipboard to put them on", length);
            case ClientMessage.ContinuousUpdates(boolean enable, Area area) -> {
                continuous = enable ? area : null;
                if (!enable) {
                    reply(context().alloc().buffer().writeByte(END_OF_CONTINUOUS_UPDATES));
                }
            }
            case ClientMessage.Fence(int flags, byte[] payload) -> {
                // Everything is dealt with in its order anyway; what does not ask is the answer to ours.
                if ((flags & FENCE_REQUEST) != 0) {
                    reply(fence(flags & FENCE_FLAGS, payload));
                }
            }
            case ClientMessage.SetDesktopSize _ -> {
                ByteBuf refusal = context().alloc().buffer().writeByte(FRAMEBUFFER_UPDATE).writeZero(1).writeShort(1);
                Pseudo.extendedDesktopSize(refusal, 1, PROHIBITED, shown.width(), shown.height());
                reply(refusal);
            }
        }
        update();
    }

    private void setEncodings(List<Integer> wanted) {
        encodings = wanted;
        features = Pseudo.of(wanted);
        if (features.contains(Pseudo.FENCE) && !fenceTold) {
            fenceTold = true;
            reply(fence(FENCE_REQUEST | FENCE_FLAGS, new byte[0]));
        }
        if (features.contains(Pseudo.CONTINUOUS_UPDATES) && !continuousTold) {
            continuousTold = true;
            reply(context().alloc().buffer().writeByte(END_OF_CONTINUOUS_UPDATES));
        }
    }

    private ByteBuf fence(int flags, byte[] payload) {
        return context().alloc().buffer().writeByte(SERVER_FENCE).writeZero(3).writeInt(flags)
                .writeByte(payload.length).writeBytes(payload);
    }

    private ByteBuf colourMap(PixelFormat mapped) {
        ByteBuf map = context().alloc().buffer().writeByte(SET_COLOUR_MAP).writeZero(1).writeShort(0)
                .writeShort(PixelFormat.MAP_SIZE);
        for (int entry = 0; entry < PixelFormat.MAP_SIZE; entry++) {
            int colour = mapped.map(entry);
            map.writeShort((colour >> 16 & 0xff) * 0x101).writeShort((colour >> 8 & 0xff) * 0x101)
                    .writeShort((colour & 0xff) * 0x101);
        }
        return map;
    }

    private void request(boolean incremental, Area area) {
        Area inside = area.within(shown.width(), shown.height());
        if (!incremental) {
            shown.forget(inside);
            sizeTold = false;
        }
        Area before = requested;
        requested = before == null ? inside : shown.all();
    }

    private void key(int keysym, int scanCode, boolean down) {
        if ((scanCode == 0 || !seat.scanCode(scanCode, down)) && !seat.keysym(keysym, down)) {
            LOG.debug("no key for symbol 0x{}, code 0x{}", Integer.toHexString(keysym), Integer.toHexString(scanCode));
        }
        holdInput();
    }

    private void pointer(int x, int y, int buttons) {
        if (Boolean.FALSE.equals(absoluteTold)) {
            seat.moveBy(x - NO_MOVEMENT, y - NO_MOVEMENT, buttons);
        } else {
            seat.pointAt(x, y, shown.width(), shown.height(), buttons);
        }
        holdInput();
    }

    /** Reads no more while the machine does not take what has been typed. */
    private void holdInput() {
        if (!seat.hasRoom()) {
            context().channel().config().setAutoRead(false);
        }
    }

    private void roomForInput() {
        onEventLoop(() -> context().channel().config().setAutoRead(true));
    }

    // ---- what it is told ---------------------------------------------------------------------------------------------

    private void changed() {
        if (told.compareAndSet(false, true)) {
            onEventLoop(() -> {
                told.set(false);
                update();
            });
        }
    }

    private void onEventLoop(Runnable errand) {
        ChannelHandlerContext mine = context;
        try {
            if (mine != null) {
                mine.executor().execute(errand);
            }
        } catch (RejectedExecutionException e) {
            // The server is being closed.
        }
    }

    /** Sends something between updates. */
    private void reply(ByteBuf bytes) {
        if (++replies > MAX_REPLIES) {
            bytes.release();
            throw new ProtocolException("it asks and does not listen");
        }
        if (update != null) {
            waiting.add(bytes);
        } else {
            send(bytes);
        }
    }

    private void send(ByteBuf bytes) {
        context().writeAndFlush(bytes).addListener(_ -> replies--);
    }

    /** Begins an update, if it is time for one. */
    private void update() {
        if (closed || update != null || requested == null && continuous == null) {
            return;
        }
        Frame frame = service.screen().latest();
        ByteBuf header = context().alloc().buffer().writeByte(FRAMEBUFFER_UPDATE).writeZero(3);
        int rectangles = 0;
        List<Area> areas = List.of();
        boolean resized = frame.width() != shown.width() || frame.height() != shown.height();
        if (resized && canResize()) {
            // It has to hear of that first, and ask again.
            shown.resize(frame.width(), frame.height());
            putSize(header);
            rectangles = 1;
            continuous = continuous == null ? null : shown.all();
        } else {
            if (features.contains(Pseudo.EXTENDED_DESKTOP_SIZE) && !sizeTold) {
                putSize(header);
                rectangles++;
            }
            rectangles += putNews(header);
            frame = frame.within(shown.width(), shown.height());
            areas = shown.show(frame, wanted(), MAX_AREAS);
        }
        if (rectangles + areas.size() == 0) {
            header.release();
            return;
        }
        requested = null;
        header.setShort(2, rectangles + areas.size());
        encoders.tune(Pseudo.compression(encodings, EncoderSet.DEFAULT_LEVEL),
                Pseudo.quality(encodings, EncoderSet.LOSSLESS));
        Update begun = new Update(context(), header, areas, frame, encoders.preferred(encodings), format,
                this::updated);
        update = begun;
        begun.send();
    }

    private Area wanted() {
        Area asked = requested;
        Area always = continuous;
        if (asked != null && always != null) {
            return shown.all();
        }
        return asked != null ? asked : always != null ? always.within(shown.width(), shown.height()) : shown.all();
    }

    private boolean canResize() {
        return features.contains(Pseudo.DESKTOP_SIZE) || features.contains(Pseudo.EXTENDED_DESKTOP_SIZE);
    }

    private void putSize(ByteBuf out) {
        if (features.contains(Pseudo.EXTENDED_DESKTOP_SIZE)) {
            Pseudo.extendedDesktopSize(out, 0, 0, shown.width(), shown.height());
            sizeTold = true;
        } else {
            Pseudo.DESKTOP_SIZE.header(out, 0, 0, shown.width(), shown.height());
        }
    }

    /** Puts rectangles without pixels; returns how many. */
    private int putNews(ByteBuf out) {
        int count = 0;
        if (features.contains(Pseudo.EXTENDED_KEY) && !extendedKeyTold) {
            extendedKeyTold = true;
            Pseudo.EXTENDED_KEY.header(out, 0, 0, 0, 0);
            count++;
        }
        boolean absolute = service.inputs().isAbsolute();
        if (features.contains(Pseudo.POINTER_MOTION_CHANGE)
                && !Boolean.valueOf(absolute).equals(absoluteTold)) {
            absoluteTold = absolute;
            Pseudo.POINTER_MOTION_CHANGE.header(out, absolute ? 1 : 0, 0, shown.width(), shown.height());
            count++;
        }
        if (features.contains(Pseudo.CURSOR) && !cursorTold) {
            cursorTold = true;
            Pseudo.cursor(out, format);
            count++;
        }
        String name = service.name();
        if (features.contains(Pseudo.DESKTOP_NAME) && !name.equals(nameTold)) {
            nameTold = name;
            Pseudo.name(out, name);
            count++;
        }
        return count;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext mine) {
        if (update != null) {
            update.send();
        }
        mine.fireChannelWritabilityChanged();
    }

    /** An update has been taken. */
    private void updated() {
        update = null;
        if (!closed) {
            waiting.forEach(this::send);
            waiting.clear();
            update();
        }
    }
}
