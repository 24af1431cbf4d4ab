package dev.xenolith.dom0.display.rfb;

import dev.xenolith.dom0.display.encoding.Area;
import dev.xenolith.dom0.display.encoding.PixelFormat;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Takes a viewer's bytes apart into {@link ClientMessage}s. The first that is wrong is the last that is looked at. */
final class MessageDecoder extends ByteToMessageDecoder {
    static final int MAX_ENCODINGS = 1024;
    static final int MAX_CUT_TEXT = 1 << 20;
    static final int MAX_FENCE = 64;
    static final int MAX_SCREENS = 16;

    private static final int SET_PIXEL_FORMAT = 0;
    private static final int SET_ENCODINGS = 2;
    private static final int UPDATE_REQUEST = 3;
    private static final int KEY = 4;
    private static final int POINTER = 5;
    private static final int CUT_TEXT = 6;
    private static final int CONTINUOUS_UPDATES = 150;
    private static final int FENCE = 248;
    private static final int SET_DESKTOP_SIZE = 251;
    private static final int QEMU = 255;
    private static final int QEMU_EXTENDED_KEY = 0;
    private static final int SCREEN_SIZE = 16;

    private int toSkip;
    private boolean failed;

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        if (failed) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (toSkip > 0) {
            int now = Math.min(toSkip, in.readableBytes());
            in.skipBytes(now);
            toSkip -= now;
            return;
        }
        try {
            in.markReaderIndex();
            ClientMessage message = message(in);
            if (message == null) {
                in.resetReaderIndex();
            } else {
                out.add(message);
            }
        } catch (ProtocolException e) {
            failed = true;
            in.skipBytes(in.readableBytes());
            throw e;
        }
    }

    /** Returns null if there is not enough for one. */
    private @Nullable ClientMessage message(ByteBuf in) {
        int type = in.readUnsignedByte();
        return switch (type) {
            case SET_PIXEL_FORMAT -> has(in, 3 + PixelFormat.SIZE) ? pixelFormat(in.skipBytes(3)) : null;
            case SET_ENCODINGS -> has(in, 3) ? encodings(in.skipBytes(1)) : null;
            case UPDATE_REQUEST -> has(in, 9) ? new ClientMessage.UpdateRequest(in.readBoolean(), area(in)) : null;
            case KEY -> has(in, 7) ? key(in) : null;
            case POINTER -> has(in, 5) ? pointer(in) : null;
            case CUT_TEXT -> has(in, 7) ? cutText(in.skipBytes(3)) : null;
            case CONTINUOUS_UPDATES ->
                has(in, 9) ? new ClientMessage.ContinuousUpdates(in.readBoolean(), area(in)) : null;
            case FENCE -> has(in, 8) ? fence(in.skipBytes(3)) : null;
            case SET_DESKTOP_SIZE -> has(in, 7) ? desktopSize(in.skipBytes(1)) : null;
            case QEMU -> has(in, 1) ? qemu(in) : null;
            default -> throw new ProtocolException("a message of type " + type + ", which there is not");
        };
    }

    private static boolean has(ByteBuf in, int bytes) {
        return in.readableBytes() >= bytes;
    }

    private static Area area(ByteBuf in) {
        return new Area(in.readUnsignedShort(), in.readUnsignedShort(), in.readUnsignedShort(),
                in.readUnsignedShort());
    }

    private static ClientMessage pixelFormat(ByteBuf in) {
        try {
            return new ClientMessage.SetPixelFormat(PixelFormat.read(in));
        } catch (IllegalArgumentException e) {
            throw new ProtocolException("a pixel format that is not supported: " + e.getMessage());
        }
    }

    private static @Nullable ClientMessage encodings(ByteBuf in) {
        int count = in.readUnsignedShort();
        if (count > MAX_ENCODINGS) {
            throw new ProtocolException(count + " encodings; no more than " + MAX_ENCODINGS + " are looked at");
        }
        if (!has(in, count * Integer.BYTES)) {
            return null;
        }
        List<Integer> encodings = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            encodings.add(in.readInt());
        }
        return new ClientMessage.SetEncodings(encodings);
    }

    private static ClientMessage key(ByteBuf in) {
        boolean down = in.readBoolean();
        in.skipBytes(2);
        return new ClientMessage.Key(in.readInt(), down);
    }

    private static ClientMessage pointer(ByteBuf in) {
        int buttons = in.readUnsignedByte();
        return new ClientMessage.Pointer(in.readUnsignedShort(), in.readUnsignedShort(), buttons);
    }

    private ClientMessage cutText(ByteBuf in) {
        long length = in.readUnsignedInt();
        if (length > MAX_CUT_TEXT) {
            throw new ProtocolException("a cut text of " + length + " bytes; no more than " + MAX_CUT_TEXT
                    + " are taken");
        }
        toSkip = (int) length;
        return new ClientMessage.CutText((int) length);
    }

    private static @Nullable ClientMessage fence(ByteBuf in) {
        int flags = in.readInt();
        int length = in.readUnsignedByte();
        if (length > MAX_FENCE) {
            throw new ProtocolException("a fence of " + length + " bytes; " + MAX_FENCE + " are the most");
        }
        if (!has(in, length)) {
            return null;
        }
        byte[] payload = new byte[length];
        in.readBytes(payload);
        return new ClientMessage.Fence(flags, payload);
    }

    private static @Nullable ClientMessage desktopSize(ByteBuf in) {
        int width = in.readUnsignedShort();
        int height = in.readUnsignedShort();
        int screens = in.readUnsignedByte();
        if (screens > MAX_SCREENS) {
            throw new ProtocolException("a desktop of " + screens + " screens; " + MAX_SCREENS + " are the most");
        }
        if (!has(in, 1 + screens * SCREEN_SIZE)) {
            return null;
        }
        in.skipBytes(1 + screens * SCREEN_SIZE);
        return new ClientMessage.SetDesktopSize(width, height);
    }

    private static @Nullable ClientMessage qemu(ByteBuf in) {
        int type = in.readUnsignedByte();
        if (type != QEMU_EXTENDED_KEY) {
            throw new ProtocolException("a message of QEMU's of type " + type + ", which is not supported");
        }
        if (!has(in, 10)) {
            return null;
        }
        boolean down = in.readUnsignedShort() != 0;
        int keysym = in.readInt();
        return new ClientMessage.ExtendedKey(keysym, in.readInt(), down);
    }
}
