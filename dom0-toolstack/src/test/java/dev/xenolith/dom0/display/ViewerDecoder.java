package dev.xenolith.dom0.display;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import javax.imageio.ImageIO;

/** Makes pixels of rectangles as a viewer does (RFC 6143, section 7.7; rfbproto for Zlib and Tight). */
final class ViewerDecoder implements AutoCloseable {
    static final int RAW = 0;
    static final int HEXTILE = 5;
    static final int ZLIB = 6;
    static final int TIGHT = 7;
    static final int ZRLE = 16;

    private final Inflater zlib = new Inflater();
    private final Inflater zrle = new Inflater();
    private final Inflater[] tight = {new Inflater(), new Inflater(), new Inflater(), new Inflater()};
    /** How many rectangles came as JPEG. */
    int jpegs;
    /** How many of each kind of Tight's and of ZRLE's tiles came. */
    final int[] kinds = new int[256];

    /** Returns the pixels row by row. */
    int[] decode(int encoding, int width, int height, ViewerFormat format, DataInputStream in) throws IOException {
        return switch (encoding) {
            case RAW -> raw(width, height, format, in);
            case HEXTILE -> hextile(width, height, format, in);
            case ZLIB -> raw(width, height, format,
                    inflate(zlib, block(in), width * height * format.bits() / 8));
            case TIGHT -> tight(width, height, format, in);
            case ZRLE -> zrle(width, height, format, in);
            default -> throw new IOException("encoding " + encoding);
        };
    }

    private static byte[] block(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return bytes;
    }

    private static DataInputStream inflate(Inflater inflater, byte[] compressed, int size) throws IOException {
        byte[] plain = new byte[size];
        inflater.setInput(compressed);
        try {
            int have = 0;
            while (have < size) {
                int count = inflater.inflate(plain, have, size - have);
                if (count == 0) {
                    break;
                }
                have += count;
            }
            // What ends the block gives nothing more.
            if (inflater.inflate(new byte[1]) != 0 || inflater.getRemaining() != 0) {
                throw new IOException("more than there should be");
            }
            return new DataInputStream(new ByteArrayInputStream(plain, 0, have));
        } catch (DataFormatException e) {
            throw new IOException(e);
        }
    }

    private static int[] raw(int width, int height, ViewerFormat format, DataInputStream in) throws IOException {
        int[] pixels = new int[width * height];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = format.read(in);
        }
        return pixels;
    }

    private static void fill(int[] pixels, int stride, int x, int y, int width, int height, int pixel) {
        for (int row = y; row < y + height; row++) {
            Arrays.fill(pixels, row * stride + x, row * stride + x + width, pixel);
        }
    }

    private static int[] hextile(int width, int height, ViewerFormat format, DataInputStream in) throws IOException {
        int[] pixels = new int[width * height];
        int background = 0;
        int foreground = 0;
        for (int y = 0; y < height; y += 16) {
            int down = Math.min(16, height - y);
            for (int x = 0; x < width; x += 16) {
                int across = Math.min(16, width - x);
                int mask = in.readUnsignedByte();
                if ((mask & 1) != 0) {
                    int[] tile = raw(across, down, format, in);
                    for (int row = 0; row < down; row++) {
                        System.arraycopy(tile, row * across, pixels, (y + row) * width + x, across);
                    }
                    background = 0xdeadbeef;
                    foreground = 0xdeadbeef;
                    continue;
                }
                background = (mask & 2) != 0 ? format.read(in) : background;
                foreground = (mask & 4) != 0 ? format.read(in) : foreground;
                fill(pixels, width, x, y, across, down, background);
                int count = (mask & 8) != 0 ? in.readUnsignedByte() : 0;
                for (int i = 0; i < count; i++) {
                    int colour = (mask & 16) != 0 ? format.read(in) : foreground;
                    int place = in.readUnsignedByte();
                    int size = in.readUnsignedByte();
                    fill(pixels, width, x + (place >> 4), y + (place & 15), (size >> 4) + 1, (size & 15) + 1, colour);
                }
                foreground = (mask & 16) != 0 ? 0xdeadbeef : foreground;
            }
        }
        return pixels;
    }

    // ---- Tight -------------------------------------------------------------------------------------------------------

    private static int length(DataInputStream in) throws IOException {
        int first = in.readUnsignedByte();
        if (first < 0x80) {
            return first;
        }
        int second = in.readUnsignedByte();
        int length = first & 0x7f | (second & 0x7f) << 7;
        return second < 0x80 ? length : length | in.readUnsignedByte() << 14;
    }

    private DataInputStream tightData(int stream, int size, DataInputStream in) throws IOException {
        if (size < 12) {
            byte[] plain = new byte[size];
            in.readFully(plain);
            return new DataInputStream(new ByteArrayInputStream(plain));
        }
        byte[] compressed = new byte[length(in)];
        in.readFully(compressed);
        return inflate(tight[stream], compressed, size);
    }

    private int[] tight(int width, int height, ViewerFormat format, DataInputStream in) throws IOException {
        if (width > 2048) {
            throw new IOException("too wide for Tight: " + width);
        }
        int control = in.readUnsignedByte();
        kinds[control]++;
        int[] pixels = new int[width * height];
        if ((control & 15) != 0) {
            throw new IOException("no stream has been reset");
        }
        if (control >> 4 == 8) {
            Arrays.fill(pixels, format.readTight(in));
        } else if (control >> 4 == 9) {
            jpegs++;
            byte[] file = new byte[length(in)];
            in.readFully(file);
            BufferedImage image = ImageIO.read(new ByteArrayInputStream(file));
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = format.pixel(image.getRGB(i % width, i / width) & 0xff_ffff);
            }
        } else {
            int stream = control >> 4 & 3;
            int filter = (control & 0x40) != 0 ? in.readUnsignedByte() : 0;
            if (filter == 0) {
                DataInputStream data = tightData(stream, pixels.length * format.tightBytes(), in);
                for (int i = 0; i < pixels.length; i++) {
                    pixels[i] = format.readTight(data);
                }
            } else if (filter == 1) {
                int[] palette = new int[in.readUnsignedByte() + 1];
                for (int i = 0; i < palette.length; i++) {
                    palette[i] = format.readTight(in);
                }
                if (palette.length == 2) {
                    int row = (width + 7) / 8;
                    byte[] bits = tightData(stream, row * height, in).readAllBytes();
                    for (int i = 0; i < pixels.length; i++) {
                        int x = i % width;
                        pixels[i] = palette[bits[i / width * row + x / 8] >> 7 - x % 8 & 1];
                    }
                } else {
                    DataInputStream data = tightData(stream, pixels.length, in);
                    for (int i = 0; i < pixels.length; i++) {
                        pixels[i] = palette[data.readUnsignedByte()];
                    }
                }
            } else {
                throw new IOException("filter " + filter);
            }
        }
        return pixels;
    }

    // ---- ZRLE --------------------------------------------------------------------------------------------------------

    private int[] zrle(int width, int height, ViewerFormat format, DataInputStream from) throws IOException {
        DataInputStream in = inflate(zrle, block(from), width * height * 5 + 4096);
        int[] pixels = new int[width * height];
        for (int y = 0; y < height; y += 64) {
            int down = Math.min(64, height - y);
            for (int x = 0; x < width; x += 64) {
                int across = Math.min(64, width - x);
                int[] tile = zrleTile(across, down, format, in);
                for (int row = 0; row < down; row++) {
                    System.arraycopy(tile, row * across, pixels, (y + row) * width + x, across);
                }
            }
        }
        if (in.read() >= 0) {
            throw new IOException("more than the tiles");
        }
        return pixels;
    }

    private int[] zrleTile(int width, int height, ViewerFormat format, DataInputStream in) throws IOException {
        int kind = in.readUnsignedByte();
        kinds[kind]++;
        int[] pixels = new int[width * height];
        int paletteSize = kind > 129 ? kind - 128 : kind <= 16 ? kind : 0;
        if (kind > 16 && kind < 128 || kind == 129) {
            throw new IOException("subencoding " + kind);
        }
        int[] palette = new int[paletteSize];
        for (int i = 0; i < paletteSize; i++) {
            palette[i] = format.readCompressed(in);
        }
        if (kind == 0) {
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = format.readCompressed(in);
            }
        } else if (kind == 1) {
            Arrays.fill(pixels, palette[0]);
        } else if (kind <= 16) {
            int bits = kind == 2 ? 1 : kind <= 4 ? 2 : 4;
            for (int y = 0; y < height; y++) {
                int have = 0;
                int held = 0;
                for (int x = 0; x < width; x++) {
                    if (have == 0) {
                        held = in.readUnsignedByte();
                        have = 8;
                    }
                    have -= bits;
                    pixels[y * width + x] = palette[held >> have & (1 << bits) - 1];
                }
            }
        } else {
            for (int i = 0; i < pixels.length;) {
                int run = 1;
                int pixel;
                boolean hasLength = true;
                if (kind == 128) {
                    pixel = format.readCompressed(in);
                } else {
                    int number = in.readUnsignedByte();
                    pixel = palette[number & 0x7f];
                    hasLength = number >= 128;
                }
                if (hasLength) {
                    int more;
                    do {
                        more = in.readUnsignedByte();
                        run += more;
                    } while (more == 255);
                }
                Arrays.fill(pixels, i, i + run, pixel);
                i += run;
            }
        }
        return pixels;
    }

    @Override
    public void close() {
        zlib.end();
        zrle.end();
        for (Inflater each : tight) {
            each.end();
        }
    }
}
