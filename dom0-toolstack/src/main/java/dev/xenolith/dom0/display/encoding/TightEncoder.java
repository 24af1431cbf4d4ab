package dev.xenolith.dom0.display.encoding;

import dev.xenolith.dom0.display.screen.Frame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Tight (rfbproto, "Tight Encoding"): one colour, a palette, or all colours through one of the zlib streams; many colours as JPEG if the
 * viewer has asked for a quality. The gradient filter is not used.
 */
public final class TightEncoder implements Encoder {
    static final int NUMBER = 7;

    private static final int FILL = 0x80;
    private static final int JPEG = 0x90;
    private static final int EXPLICIT_FILTER = 0x40;
    private static final int STREAM_SHIFT = 4;
    private static final int PALETTE_FILTER = 1;
    /** Streams by what goes through them, as all servers use them. */
    private static final int ALL_COLOURS = 0;
    private static final int TWO_COLOURS = 1;
    private static final int PALETTE = 2;
    private static final int STREAMS = 3;
    /** Less than this is not compressed. */
    private static final int MIN_TO_COMPRESS = 12;
    /** JPEG for less than this saves nothing. */
    private static final int MIN_JPEG_PIXELS = 1024;

    private final int[] pixels = new int[MAX_WIDTH * MAX_HEIGHT];
    private final Palette palette = new Palette();
    private final @Nullable ZlibStream[] streams = new @Nullable ZlibStream[STREAMS];
    private final ByteBuf plain = Unpooled.buffer();
    private final ByteBuf compressed = Unpooled.buffer();
    private final JpegWriter jpeg = new JpegWriter();
    private int level = EncoderSet.DEFAULT_LEVEL;
    private int quality = EncoderSet.LOSSLESS;

    void tune(int compression, int jpegQuality) {
        level = compression;
        quality = jpegQuality;
    }

    @Override
    public int number() {
        return NUMBER;
    }

    @Override
    public void encode(Frame frame, Area area, PixelFormat format, ByteBuf out) {
        int count = area.pixels();
        boolean rgb = format.isTightRgb();
        frame.copy(area.x(), area.y(), area.width(), area.height(), pixels);
        if (!rgb) {
            format.translate(pixels, count);
        }
        boolean few = palette.collect(pixels, count, limit(count, format));
        int size = palette.size();
        plain.clear();
        if (few && size == 1) {
            out.writeByte(FILL);
            put(out, pixels[0], format, rgb);
        } else if (few && size == 2) {
            putPalette(TWO_COLOURS, size, format, rgb, out);
            putBits(area.width(), area.height());
            compress(TWO_COLOURS, out);
        } else if (few) {
            putPalette(PALETTE, size, format, rgb, out);
            for (int i = 0; i < count; i++) {
                plain.writeByte(palette.number(pixels[i]));
            }
            compress(PALETTE, out);
        } else if (quality != EncoderSet.LOSSLESS && format.bytes() > 1 && count >= MIN_JPEG_PIXELS) {
            frame.copy(area.x(), area.y(), area.width(), area.height(), pixels);
            out.writeByte(JPEG);
            compressed.clear();
            jpeg.write(pixels, area.width(), area.height(), quality, compressed);
            putLength(compressed.readableBytes(), out);
            out.writeBytes(compressed);
        } else {
            out.writeByte(ALL_COLOURS << STREAM_SHIFT);
            for (int i = 0; i < count; i++) {
                put(plain, pixels[i], format, rgb);
            }
            compress(ALL_COLOURS, out);
        }
    }

    /** A palette has to save bytes, and where JPEG is allowed pictures of many colours are its. */
    private int limit(int count, PixelFormat format) {
        if (format.bytes() == 1) {
            return 2;
        }
        int most = quality == EncoderSet.LOSSLESS ? Palette.MAX : Palette.MAX / 4;
        return Math.clamp(count / 4, 2, most);
    }

    private static void put(ByteBuf out, int pixel, PixelFormat format, boolean rgb) {
        if (rgb) {
            out.writeMedium(pixel);
        } else {
            format.put(out, pixel);
        }
    }

    private void putPalette(int stream, int size, PixelFormat format, boolean rgb, ByteBuf out) {
        out.writeByte(EXPLICIT_FILTER | stream << STREAM_SHIFT).writeByte(PALETTE_FILTER).writeByte(size - 1);
        for (int i = 0; i < size; i++) {
            put(out, palette.pixel(i), format, rgb);
        }
    }

    /** Numbers of two colours: a bit each, rows begin with a byte. */
    private void putBits(int width, int height) {
        int zero = palette.pixel(0);
        for (int y = 0; y < height; y++) {
            int held = 0;
            for (int x = 0; x < width; x++) {
                held = held << 1 | (pixels[y * width + x] == zero ? 0 : 1);
                if ((x & 7) == 7) {
                    plain.writeByte(held);
                    held = 0;
                }
            }
            if ((width & 7) != 0) {
                plain.writeByte(held << 8 - (width & 7));
            }
        }
    }

    private void compress(int number, ByteBuf out) {
        int length = plain.writerIndex();
        if (length < MIN_TO_COMPRESS) {
            out.writeBytes(plain);
            return;
        }
        ZlibStream stream = streams[number];
        if (stream == null) {
            stream = new ZlibStream();
            streams[number] = stream;
        }
        stream.level(level);
        compressed.clear();
        stream.compress(plain.array(), 0, length, compressed);
        putLength(compressed.readableBytes(), out);
        out.writeBytes(compressed);
    }

    /** A length of up to 22 bits: 7, 7 and 8 of them in a byte each, the lowest first. */
    private static void putLength(int length, ByteBuf out) {
        if (length < 1 << 7) {
            out.writeByte(length);
        } else if (length < 1 << 14) {
            out.writeByte(length & 0x7f | 0x80).writeByte(length >> 7);
        } else {
            out.writeByte(length & 0x7f | 0x80).writeByte(length >> 7 & 0x7f | 0x80).writeByte(length >> 14);
        }
    }

    @Override
    public void close() {
        Arrays.stream(streams).forEach(stream -> {
            if (stream != null) {
                stream.close();
            }
        });
        jpeg.close();
    }
}
