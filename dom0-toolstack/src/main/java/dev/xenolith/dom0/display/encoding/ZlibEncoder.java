package dev.xenolith.dom0.display.encoding;

import dev.xenolith.dom0.display.screen.Frame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** Zlib: raw pixels, compressed, with their length before them (rfbproto, "Zlib Encoding"). */
public final class ZlibEncoder implements Encoder {
    static final int NUMBER = 6;

    private final RawEncoder raw = new RawEncoder();
    private final ZlibStream stream = new ZlibStream();
    private final ByteBuf plain = Unpooled.buffer();

    void level(int level) {
        stream.level(level);
    }

    @Override
    public int number() {
        return NUMBER;
    }

    @Override
    public void encode(Frame frame, Area area, PixelFormat format, ByteBuf out) {
        plain.clear();
        raw.encode(frame, area, format, plain);
        int lengthAt = out.writerIndex();
        out.writeInt(0);
        stream.compress(plain.array(), 0, plain.writerIndex(), out);
        out.setInt(lengthAt, out.writerIndex() - lengthAt - Integer.BYTES);
    }

    @Override
    public void close() {
        stream.close();
    }
}
