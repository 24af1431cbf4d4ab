package dev.xenolith.device.storage.ata;

import dev.xenolith.device.storage.Medium;
import java.nio.charset.StandardCharsets;

/**
 * The data of IDENTIFY DEVICE (ACS-2, 7.12.7) and of IDENTIFY PACKET DEVICE: 256 words, whose last one makes their bytes sum up to 0.
 */
public final class DiskIdentity {
    static final int WORDS = 256;
    private static final int SERIAL = 10;
    private static final int FIRMWARE = 23;
    private static final int MODEL = 27;
    private static final int INTEGRITY = 255;
    private static final int SIGNATURE = 0xa5;

    private final int[] words = new int[WORDS];

    /** Sets the words from {@code first} on. */
    public DiskIdentity words(int first, int... values) {
        for (int i = 0; i < values.length; i++) {
            words[first + i] = values[i] & 0xffff;
        }
        return this;
    }

    /** Sets two words, the less significant one first. */
    public DiskIdentity wide(int first, long value) {
        return words(first, (int) value, (int) (value >>> 16));
    }

    /** Who it is: at most 20, 8, and 40 characters. */
    public DiskIdentity names(String serial, String firmware, String model) {
        return text(SERIAL, 10, serial).text(FIRMWARE, 4, firmware).text(MODEL, 20, model);
    }

    /** Characters stand in words the first one above the second (ATA/ATAPI-6, 3.2.9). */
    private DiskIdentity text(int first, int count, String text) {
        byte[] bytes = String.format("%-" + 2 * count + "." + 2 * count + "s", text)
                .getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < count; i++) {
            words[first + i] = bytes[2 * i] << 8 | bytes[2 * i + 1];
        }
        return this;
    }

    /** Puts it at the beginning of {@code page}. */
    public void write(byte[] page) {
        words[INTEGRITY] = SIGNATURE;
        int sum = 0;
        for (int i = 0; i < WORDS; i++) {
            page[2 * i] = (byte) words[i];
            page[2 * i + 1] = (byte) (words[i] >>> 8);
            sum += page[2 * i] + page[2 * i + 1];
        }
        page[Medium.SECTOR_BYTES - 1] = (byte) -sum;
    }
}
