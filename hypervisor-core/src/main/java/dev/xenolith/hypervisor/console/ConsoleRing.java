package dev.xenolith.hypervisor.console;

import java.nio.charset.StandardCharsets;

/** The newest bytes of the log, in a ring whose size is a power of two (conring_size=): what {@code xl dmesg} shows. */
final class ConsoleRing {
    private final byte[] bytes;
    /** Total bytes ever written, and the first of them not yet cleared. */
    private long produced;
    private long cleared;

    ConsoleRing(int size) {
        if (Integer.bitCount(size) != 1) {
            throw new IllegalArgumentException("not a power of two: " + size);
        }
        bytes = new byte[size];
    }

    int size() {
        return bytes.length;
    }

    void write(String text) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            bytes[(int) (produced++ & bytes.length - 1)] = b;
        }
    }

    /** What is there, oldest first; if the oldest line has been overwritten in part, from the next whole line on. */
    String read(boolean clear) {
        long from = Math.max(cleared, produced - bytes.length);
        byte[] copy = new byte[(int) (produced - from)];
        for (int i = 0; i < copy.length; i++) {
            copy[i] = bytes[(int) (from + i & bytes.length - 1)];
        }
        int start = 0;
        if (from > cleared) {
            while (start < copy.length && copy[start++] != '\n') {
                // Skip what is left of a line whose beginning is gone.
            }
        }
        if (clear) {
            cleared = produced;
        }
        return new String(copy, start, copy.length - start, StandardCharsets.UTF_8);
    }
}
