package dev.xenolith.dom0.display.encoding;

import io.netty.buffer.ByteBuf;

/**
 * How a viewer wants its pixels (RFC 6143, section 7.4): 8, 16 or 32 bits with a field for each primary colour. Immutable.
 *
 * <p>A viewer with a colour map of 8 bits is served too: its map is made so that an index has fields like a colour of 3, 3 and 2 bits.
 */
public final class PixelFormat {
    /** Bytes of a format in a message. */
    public static final int SIZE = 16;
    /** What is offered: 24 bits of colour in 32, little-endian. */
    public static final PixelFormat OFFERED = new PixelFormat(32, 24, false, true, new int[]{255, 255, 255},
            new int[]{16, 8, 0});
    /** Entries of the colour map of 8 bits. */
    public static final int MAP_SIZE = 256;

    private static final int PRIMARIES = 3;
    private static final int PADDING = 3;
    private static final int LEVELS = 256;

    private final int bits;
    private final int depth;
    private final boolean bigEndian;
    private final boolean trueColour;
    private final int[] max;
    private final int[] shift;
    /** Fields of red, green and blue by their 8 bits. */
    private final int[][] fields = new int[PRIMARIES][LEVELS];
    private final int mask;

    private PixelFormat(int bits, int depth, boolean bigEndian, boolean trueColour, int[] max, int[] shift) {
        this.bits = bits;
        this.depth = depth;
        this.bigEndian = bigEndian;
        this.trueColour = trueColour;
        this.max = max;
        this.shift = shift;
        int all = 0;
        for (int primary = 0; primary < PRIMARIES; primary++) {
            all |= max[primary] << shift[primary];
            for (int level = 0; level < LEVELS; level++) {
                fields[primary][level] = (level * max[primary] + 127) / 255 << shift[primary];
            }
        }
        mask = all;
    }

    /** Takes the {@value #SIZE} bytes of a message. Throws {@link IllegalArgumentException} if there can be no such format. */
    public static PixelFormat read(ByteBuf in) {
        int bits = in.readUnsignedByte();
        int depth = in.readUnsignedByte();
        boolean bigEndian = in.readBoolean();
        boolean trueColour = in.readBoolean();
        int[] max = {in.readUnsignedShort(), in.readUnsignedShort(), in.readUnsignedShort()};
        int[] shift = {in.readUnsignedByte(), in.readUnsignedByte(), in.readUnsignedByte()};
        in.skipBytes(PADDING);
        if (bits != 8 && bits != 16 && bits != 32) {
            throw new IllegalArgumentException("pixels of " + bits + " bits");
        }
        if (!trueColour) {
            if (bits != 8) {
                throw new IllegalArgumentException("a colour map of " + bits + " bits");
            }
            return new PixelFormat(8, 8, bigEndian, false, new int[]{7, 7, 3}, new int[]{5, 2, 0});
        }
        if (depth < 1 || depth > bits) {
            throw new IllegalArgumentException("a depth of " + depth + " in " + bits + " bits");
        }
        long taken = 0;
        for (int primary = 0; primary < PRIMARIES; primary++) {
            long field = shift[primary] < bits ? (long) max[primary] << shift[primary] : Long.MAX_VALUE;
            boolean isMask = max[primary] > 0 && (max[primary] & max[primary] + 1) == 0;
            if (!isMask || field >= 1L << bits || (field & taken) != 0) {
                throw new IllegalArgumentException("colours up to " + max[primary] + " from bit " + shift[primary]
                        + " on in pixels of " + bits + " bits");
            }
            taken |= field;
        }
        return new PixelFormat(bits, depth, bigEndian, true, max, shift);
    }

    /** Puts the {@value #SIZE} bytes of a message. */
    public void write(ByteBuf out) {
        out.writeByte(bits).writeByte(depth).writeBoolean(bigEndian).writeBoolean(trueColour);
        for (int each : max) {
            out.writeShort(each);
        }
        for (int each : shift) {
            out.writeByte(each);
        }
        out.writeZero(PADDING);
    }

    /** Bytes of a pixel: 1, 2 or 4. */
    public int bytes() {
        return bits / 8;
    }

    /** Whether a viewer needs the {@link #map} to make colours of pixels. */
    public boolean isMapped() {
        return !trueColour;
    }

    /** The colour of an entry of the map as 0x00RRGGBB. */
    public int map(int entry) {
        int red = (entry >> shift[0] & max[0]) * 255 / max[0];
        int green = (entry >> shift[1] & max[1]) * 255 / max[1];
        int blue = (entry >> shift[2] & max[2]) * 255 / max[2];
        return red << 16 | green << 8 | blue;
    }

    /** The pixel for a colour, 0x00RRGGBB. */
    public int pixel(int colour) {
        return fields[0][colour >> 16 & 0xff] | fields[1][colour >> 8 & 0xff] | fields[2][colour & 0xff];
    }

    /** Makes pixels of {@code count} colours in place. */
    public void translate(int[] colours, int count) {
        if (trueColour && bits == 32 && mask == 0xff_ffff && shift[0] == 16 && shift[1] == 8) {
            return;
        }
        for (int i = 0; i < count; i++) {
            colours[i] = pixel(colours[i]);
        }
    }

    /** Puts a pixel. */
    public void put(ByteBuf out, int pixel) {
        switch (bits) {
            case 8 -> out.writeByte(pixel);
            case 16 -> {
                if (bigEndian) {
                    out.writeShort(pixel);
                } else {
                    out.writeShortLE(pixel);
                }
            }
            default -> {
                if (bigEndian) {
                    out.writeInt(pixel);
                } else {
                    out.writeIntLE(pixel);
                }
            }
        }
    }

    /** Whether Tight writes colours as three bytes, red first, whatever else the format says. */
    public boolean isTightRgb() {
        return trueColour && bits == 32 && depth == 24 && max[0] == 255 && max[1] == 255 && max[2] == 255;
    }

    private boolean fitsLow() {
        return (mask & 0xff00_0000) == 0;
    }

    /** Bytes of ZRLE's compressed pixels: 3 where the colours do not touch the first or the last byte of 4 (RFC 6143, section 7.7.5). */
    public int compressedBytes() {
        boolean three = trueColour && bits == 32 && depth <= 24 && (fitsLow() || (mask & 0xff) == 0);
        return three ? 3 : bytes();
    }

    /** Puts a compressed pixel of ZRLE. */
    public void putCompressed(ByteBuf out, int pixel) {
        if (compressedBytes() != 3) {
            put(out, pixel);
            return;
        }
        int value = fitsLow() ? pixel : pixel >>> 8;
        if (bigEndian) {
            out.writeMedium(value);
        } else {
            out.writeMediumLE(value);
        }
    }
}
