package dev.xenolith.device.display;

import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * The digital-to-analogue converters with their 256 colours (IBM Video Subsystem, "Video Digital-to-Analog Converter"): software reads
 * and writes components of six bits, or of eight if the display interface has been told so. Eight bits are what is kept.
 */
final class Dac {
    static final int COLOURS = 256;
    private static final int SIZE = 3 * COLOURS;
    private static final int TEXT_COLOURS = 64;

    private final byte[] components = new byte[SIZE];
    private int mask = 0xff;
    /** Component that is read or written next. */
    private int readAt;
    private int writeAt;
    private boolean reads;
    private boolean wide;

    /** The colours that a video BIOS gives to text modes: two bits for each of red, green and blue. */
    Dac() {
        for (int i = 0; i < TEXT_COLOURS; i++) {
            for (int component = 0; component < 3; component++) {
                int strong = i >>> 2 - component & 1;
                int weak = i >>> 5 - component & 1;
                components[3 * i + component] = (byte) (0xaa * strong + 0x55 * weak);
            }
        }
    }

    /** Whether components have eight bits for software. */
    void setWide(boolean eightBits) { wide = eightBits; }

    int mask() {
        return mask;
    }

    void setMask(int value) { mask = value; }

    /** 3 after an index to read from was given, 0 after one to write to. */
    int state() {
        return reads ? 3 : 0;
    }

    void setReadIndex(int index) {
        readAt = 3 * index;
        reads = true;
    }

    int writeIndex() {
        return writeAt / 3;
    }

    void setWriteIndex(int index) {
        writeAt = 3 * index;
        reads = false;
    }

    int read() {
        int value = components[readAt] & 0xff;
        readAt = (readAt + 1) % SIZE;
        return wide ? value : value >>> 2;
    }

    void write(int value) {
        int six = value & 0x3f;
        components[writeAt] = (byte) (wide ? value : six << 2 | six >>> 4);
        writeAt = (writeAt + 1) % SIZE;
    }

    /** What is shown for {@code pixel}, of which the mask lets bits through, as 0x00RRGGBB. */
    int colour(int pixel) {
        int at = 3 * (pixel & mask);
        return (components[at] & 0xff) << 16 | (components[at + 1] & 0xff) << 8 | components[at + 2] & 0xff;
    }

    void save(StateWriter out) {
        out.put("palette", components).put("pelMask", mask).put("pelReadAt", readAt).put("pelWriteAt", writeAt);
        out.put("pelReads", reads);
    }

    void restore(StateReader in) throws StateException {
        in.get("palette", components);
        mask = in.getByte("pelMask");
        readAt = in.getInt("pelReadAt", 0, SIZE - 1);
        writeAt = in.getInt("pelWriteAt", 0, SIZE - 1);
        reads = in.getBoolean("pelReads");
    }
}
