package dev.xenolith.hypervisor.console;

import dev.xenolith.hypervisor.operations.HostControl;
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

    /**
     * Bytes from position {@code from} on if {@code incremental} and it is in the ring, else from the oldest on; at most {@code most}.
     * Positions count modulo 2^32. Forgets what comes before the end of these bytes if {@code clear}.
     */
    HostControl.ConsoleChunk read(boolean incremental, int from, int most, boolean clear) {
        long start = Math.max(cleared, produced - bytes.length);
        int skipped = from - (int) start;
        if (incremental && Integer.compareUnsigned(skipped, (int) (produced - start)) <= 0) {
            start += Integer.toUnsignedLong(skipped);
        }
        byte[] copy = new byte[(int) Math.min(most, produced - start)];
        for (int i = 0; i < copy.length; i++) {
            copy[i] = bytes[(int) (start + i & bytes.length - 1)];
        }
        if (clear) {
            cleared = start + copy.length;
        }
        return new HostControl.ConsoleChunk(copy, (int) (start + copy.length));
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
