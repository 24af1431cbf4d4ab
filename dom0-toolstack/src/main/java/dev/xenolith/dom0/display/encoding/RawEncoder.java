package dev.xenolith.dom0.display.encoding;

import dev.xenolith.dom0.display.screen.Frame;
import io.netty.buffer.ByteBuf;

/** Raw: the pixels, row by row (RFC 6143, section 7.7.1). */
public final class RawEncoder implements Encoder {
    static final int NUMBER = 0;

    private final int[] pixels = new int[MAX_WIDTH * MAX_HEIGHT];

    @Override
    public int number() {
        return NUMBER;
    }

    @Override
    public void encode(Frame frame, Area area, PixelFormat format, ByteBuf out) {
        frame.copy(area.x(), area.y(), area.width(), area.height(), pixels);
        int count = area.pixels();
        format.translate(pixels, count);
        out.ensureWritable(count * format.bytes());
        for (int i = 0; i < count; i++) {
            format.put(out, pixels[i]);
        }
    }
}
