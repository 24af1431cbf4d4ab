package dev.xenolith.dom0.display.rfb;

import dev.xenolith.dom0.display.encoding.PixelFormat;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The pseudo-encodings that are supported (RFC 6143, section 7.8, and rfbproto): what a viewer can do besides, and the rectangles without
 * pixels in which some of it is told. LastRect is not needed, for it is always known how many rectangles there will be.
 */
enum Pseudo {
    DESKTOP_SIZE(-223), CURSOR(-239), POINTER_MOTION_CHANGE(-257), EXTENDED_KEY(-258), DESKTOP_NAME(
            -307), EXTENDED_DESKTOP_SIZE(-308), FENCE(-312), CONTINUOUS_UPDATES(-313);

    static final int HEADER = 12;

    private static final int COMPRESSION_0 = -256;
    private static final int QUALITY_0 = -32;
    private static final int LEVELS = 10;

    /** A white dot with a black edge, for where the pointer is when the guest draws none. */
    private static final String[] DOT = {" ### ", "#ooo#", "#ooo#", "#ooo#", " ### "};
    private static final int HOT_SPOT = 2;
    private static final int WHITE = 0xff_ffff;

    private final int number;

    Pseudo(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    /** Those among the encodings of a viewer. */
    static Set<Pseudo> of(List<Integer> encodings) {
        Set<Pseudo> found = EnumSet.noneOf(Pseudo.class);
        for (Pseudo each : values()) {
            if (encodings.contains(each.number)) {
                found.add(each);
            }
        }
        return found;
    }

    /** The level of compression that a viewer asks for, 0 to 9; {@code otherwise} if it does not. */
    static int compression(List<Integer> encodings, int otherwise) {
        return level(encodings, COMPRESSION_0, otherwise);
    }

    /** Likewise of JPEG's quality. */
    static int quality(List<Integer> encodings, int otherwise) {
        return level(encodings, QUALITY_0, otherwise);
    }

    private static int level(List<Integer> encodings, int first, int otherwise) {
        for (int encoding : encodings) {
            if (encoding >= first && encoding < first + LEVELS) {
                return encoding - first;
            }
        }
        return otherwise;
    }

    static void header(ByteBuf out, int x, int y, int width, int height, int encoding) {
        out.writeShort(x).writeShort(y).writeShort(width).writeShort(height).writeInt(encoding);
    }

    void header(ByteBuf out, int x, int y, int width, int height) {
        header(out, x, y, width, height, number);
    }

    static void cursor(ByteBuf out, PixelFormat format) {
        int side = DOT.length;
        CURSOR.header(out, HOT_SPOT, HOT_SPOT, side, side);
        for (String row : DOT) {
            for (int x = 0; x < side; x++) {
                format.put(out, format.pixel(row.charAt(x) == 'o' ? WHITE : 0));
            }
        }
        for (String row : DOT) {
            int mask = 0;
            for (int x = 0; x < side; x++) {
                mask |= row.charAt(x) == ' ' ? 0 : 0x80 >> x;
            }
            out.writeByte(mask);
        }
    }

    static void name(ByteBuf out, String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        DESKTOP_NAME.header(out, 0, 0, 0, 0);
        out.writeInt(bytes.length).writeBytes(bytes);
    }

    /**
     * One screen, of the whole desktop.
     *
     * @param reason 0 if the size is the machine's, 1 if the viewer has asked for one
     * @param status 0 if it has what it asked for, 1 if that is not allowed
     */
    static void extendedDesktopSize(ByteBuf out, int reason, int status, int width, int height) {
        EXTENDED_DESKTOP_SIZE.header(out, reason, status, width, height);
        out.writeByte(1).writeZero(3);
        out.writeInt(0).writeShort(0).writeShort(0).writeShort(width).writeShort(height).writeInt(0);
    }
}
