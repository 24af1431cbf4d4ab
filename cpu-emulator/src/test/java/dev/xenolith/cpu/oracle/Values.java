package dev.xenolith.cpu.oracle;

import java.util.SplittableRandom;

/** Operand values: mostly those at which instructions change their mind, the rest random. */
final class Values {
    private static final long[] EDGES = {0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, -1, -2,
        -128,
        -129, 0x7f, 0x80, 0x7fff, 0x8000, 0x8001, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000L, 0x8000_0001L,
        0xffff_ffffL,
        0x1_0000_0000L, Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 1, 0x5555_5555_5555_5555L,
        0xaaaa_aaaa_aaaa_aaaaL};

    private Values() {
    }

    static long any(SplittableRandom random) {
        return switch (random.nextInt(10)) {
            case 0, 1, 2 -> EDGES[random.nextInt(EDGES.length)];
            case 3 -> EDGES[random.nextInt(EDGES.length)] + random.nextInt(-2, 3);
            case 4 -> 1L << random.nextInt(64);
            case 5 -> -1L << random.nextInt(64);
            case 6 -> beside(random, EDGES[random.nextInt(EDGES.length)]);
            case 7 -> random.nextInt(70);
            default -> random.nextLong();
        };
    }

    /** An edge in the low 8, 16 or 32 bits and something else above: what an instruction must not look at. */
    private static long beside(SplittableRandom random, long edge) {
        long mask = (1L << (8 << random.nextInt(3))) - 1;
        return edge & mask | random.nextLong() & ~mask;
    }
}
