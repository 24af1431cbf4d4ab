package dev.xenolith.dom0.display;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A pixel format as a viewer understands it, written from RFC 6143, section 7.4, and not from the server. */
record ViewerFormat(int bits, int depth, boolean bigEndian, int[] max, int[] shift) {
    static final ViewerFormat RGB32 = new ViewerFormat(32, 24, false, new int[]{255, 255, 255}, new int[]{16, 8, 0});

    byte[] bytes() {
        ByteBuffer out = ByteBuffer.allocate(16).put((byte) bits).put((byte) depth).put((byte) (bigEndian ? 1 : 0))
                .put((byte) 1);
        for (int each : max) {
            out.putShort((short) each);
        }
        for (int each : shift) {
            out.put((byte) each);
        }
        return out.array();
    }

    /** What a colour has to become. */
    int pixel(int rgb) {
        int pixel = 0;
        for (int i = 0; i < 3; i++) {
            int level = rgb >> 16 - 8 * i & 0xff;
            pixel |= (int) Math.round(level * (double) max[i] / 255) << shift[i];
        }
        return pixel;
    }

    private int value(DataInputStream in, int bytes) throws IOException {
        int value = 0;
        for (int i = 0; i < bytes; i++) {
            int next = in.readUnsignedByte();
            value = bigEndian ? value << 8 | next : value | next << 8 * i;
        }
        return value;
    }

    int read(DataInputStream in) throws IOException {
        return value(in, bits / 8);
    }

    private int used() {
        return max[0] << shift[0] | max[1] << shift[1] | max[2] << shift[2];
    }

    /** ZRLE's CPIXEL. */
    int readCompressed(DataInputStream in) throws IOException {
        if (bits == 32 && depth <= 24 && used() >>> 24 == 0) {
            return value(in, 3);
        }
        if (bits == 32 && depth <= 24 && (used() & 0xff) == 0) {
            return value(in, 3) << 8;
        }
        return read(in);
    }

    /** Tight's TPIXEL. */
    int readTight(DataInputStream in) throws IOException {
        if (bits == 32 && depth == 24 && max[0] == 255 && max[1] == 255 && max[2] == 255) {
            return pixel(in.readUnsignedByte() << 16 | in.readUnsignedByte() << 8 | in.readUnsignedByte());
        }
        return read(in);
    }

    int tightBytes() {
        return bits == 32 && depth == 24 && max[0] == 255 && max[1] == 255 && max[2] == 255 ? 3 : bits / 8;
    }
}
