package dev.xenolith.cpu.processor;

/** MASKMOVQ and MASKMOVDQU (SDM 2B): bytes whose mask has its top bit set are stored. */
public final class MaskedMove {
    private MaskedMove() {}

    /** Stores the bytes of {@code low} and {@code high} that the masks select at {@code address}; {@code bytes} 8 or 16. */
    public static void store(Processor p, long address, long low, long high, long lowMask, long highMask, int bytes) {
        // All of it must be writable, whatever the mask: so it is on the processors.
        for (int i = 0; i < bytes; i += 8) {
            // A quadword that crosses 4 GiB faults, but the second of two may be at 0.
            p.probeStore(p.wrap(address + i), 8);
        }
        for (int i = 0; i < bytes; i++) {
            if (isSelected(i, lowMask, highMask)) {
                p.store8(p.wrap(address + i), (i < 8 ? low : high) >>> 8 * (i & 7));
            }
        }
    }

    private static boolean isSelected(int i, long lowMask, long highMask) {
        return ((i < 8 ? lowMask : highMask) >>> 8 * (i & 7) + 7 & 1) != 0;
    }
}
