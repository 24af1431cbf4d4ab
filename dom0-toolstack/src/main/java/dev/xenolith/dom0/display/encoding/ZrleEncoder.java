package dev.xenolith.dom0.display.encoding;

import dev.xenolith.dom0.display.screen.Frame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** ZRLE: tiles of 64 by 64 pixels, as runs or with palettes, whichever is shortest, all in one zlib stream (RFC 6143, section 7.7.6). */
public final class ZrleEncoder implements Encoder {
    static final int NUMBER = 16;

    private static final int SIDE = 64;
    private static final int RAW = 0;
    private static final int SOLID = 1;
    private static final int PLAIN_RUNS = 128;
    private static final int MAX_PACKED = 16;
    private static final int MAX_PALETTE = 127;
    private static final int RUN_FLAG = 0x80;
    private static final int RUN_BYTE = 255;

    private final ZlibStream stream = new ZlibStream();
    private final ByteBuf plain = Unpooled.buffer();
    private final int[] tile = new int[SIDE * SIDE];
    private final Palette palette = new Palette();

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
        for (int y = 0; y < area.height(); y += SIDE) {
            int height = Math.min(SIDE, area.height() - y);
            for (int x = 0; x < area.width(); x += SIDE) {
                int width = Math.min(SIDE, area.width() - x);
                frame.copy(area.x() + x, area.y() + y, width, height, tile);
                format.translate(tile, width * height);
                encodeTile(width, height, format);
            }
        }
        int lengthAt = out.writerIndex();
        out.writeInt(0);
        stream.compress(plain.array(), 0, plain.writerIndex(), out);
        out.setInt(lengthAt, out.writerIndex() - lengthAt - Integer.BYTES);
    }

    private void encodeTile(int width, int height, PixelFormat format) {
        int count = width * height;
        int pixelBytes = format.compressedBytes();
        boolean few = palette.collect(tile, count, MAX_PALETTE);
        int size = palette.size();
        if (few && size == 1) {
            plain.writeByte(SOLID);
            format.putCompressed(plain, tile[0]);
            return;
        }
        int runs = 0;
        int singles = 0;
        int lengths = 0;
        for (int i = 0; i < count;) {
            int length = runLength(i, count);
            runs++;
            singles += length == 1 ? 1 : 0;
            lengths += (length - 1) / RUN_BYTE + 1;
            i += length;
        }
        int best = count * pixelBytes;
        int kind = RAW;
        if (runs * pixelBytes + lengths < best) {
            best = runs * pixelBytes + lengths;
            kind = PLAIN_RUNS;
        }
        if (few) {
            // A run of one pixel has no length.
            int paletteRuns = size * pixelBytes + runs + lengths - singles;
            if (paletteRuns < best) {
                best = paletteRuns;
                kind = PLAIN_RUNS + size;
            }
            if (size <= MAX_PACKED && size * pixelBytes + height * ((width * bits(size) + 7) / 8) < best) {
                kind = size;
            }
        }
        plain.writeByte(kind);
        if (kind == RAW) {
            for (int i = 0; i < count; i++) {
                format.putCompressed(plain, tile[i]);
            }
        } else if (kind == PLAIN_RUNS) {
            putRuns(count, format, false);
        } else {
            for (int i = 0; i < size; i++) {
                format.putCompressed(plain, palette.pixel(i));
            }
            if (kind > PLAIN_RUNS) {
                putRuns(count, format, true);
            } else {
                putPacked(width, height, bits(size));
            }
        }
    }

    /** Bits of a number in a packed palette. */
    private static int bits(int size) {
        return size <= 2 ? 1 : size <= 4 ? 2 : 4;
    }

    private int runLength(int start, int count) {
        int end = start + 1;
        while (end < count && tile[end] == tile[start]) {
            end++;
        }
        return end - start;
    }

    private void putRuns(int count, PixelFormat format, boolean numbered) {
        for (int i = 0; i < count;) {
            int length = runLength(i, count);
            if (!numbered) {
                format.putCompressed(plain, tile[i]);
            } else {
                plain.writeByte(palette.number(tile[i]) | (length > 1 ? RUN_FLAG : 0));
            }
            if (!numbered || length > 1) {
                int left = length - 1;
                while (left >= RUN_BYTE) {
                    plain.writeByte(RUN_BYTE);
                    left -= RUN_BYTE;
                }
                plain.writeByte(left);
            }
            i += length;
        }
    }

    private void putPacked(int width, int height, int bits) {
        for (int y = 0; y < height; y++) {
            int held = 0;
            int free = 8;
            for (int x = 0; x < width; x++) {
                free -= bits;
                held |= palette.number(tile[y * width + x]) << free;
                if (free == 0) {
                    plain.writeByte(held);
                    held = 0;
                    free = 8;
                }
            }
            if (free < 8) {
                plain.writeByte(held);
            }
        }
    }

    @Override
    public void close() {
        stream.close();
    }
}
