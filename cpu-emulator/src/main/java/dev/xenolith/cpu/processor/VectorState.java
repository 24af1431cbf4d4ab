package dev.xenolith.cpu.processor;

import java.util.Arrays;

/** VZEROUPPER and VZEROALL (SDM 2C): outside 64-bit mode they reach the first eight registers. */
public final class VectorState {
    private static final int QUADS = 4;

    private VectorState() {}

    private static int registers(Processor p) {
        return p.is64Bit() ? 16 : 8;
    }

    /** Zeroes the registers. */
    public static void clear(Processor p) {
        Arrays.fill(p.vector, 0, QUADS * registers(p), 0);
    }

    /** Zeroes the upper halves of the registers. */
    public static void clearUpper(Processor p) {
        for (int i = 0; i < registers(p); i++) {
            p.vector[QUADS * i + 2] = 0;
            p.vector[QUADS * i + 3] = 0;
        }
    }
}
