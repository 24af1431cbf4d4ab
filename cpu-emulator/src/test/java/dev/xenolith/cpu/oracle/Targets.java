package dev.xenolith.cpu.oracle;

import java.util.SplittableRandom;

/** Linear addresses for operands in memory: mostly ones that work, and every way in which one may not. */
final class Targets {
    private static final int PAGE = AddressMap.PAGE;

    /** Where two pages of different rights meet; an operand starts just before. */
    private static final long[] BOUNDARIES = {AddressMap.READ_ONLY_LOW, AddressMap.WRITABLE, AddressMap.READ_ONLY_HIGH,
        AddressMap.READ_ONLY_HIGH + PAGE, AddressMap.WRITABLE_TOP, AddressMap.WRITABLE_TOP + PAGE, AddressMap.CODE
                + AddressMap.CODE_BYTES,
        AddressMap.WRITABLE + PAGE};

    private static final long[] NOWHERE = {0, 8, PAGE - 1, AddressMap.READ_ONLY_HIGH + PAGE + 64, 0x7fff_f000L,
        AddressMap.WRITABLE_TOP - 24};

    private static final long[] NOT_CANONICAL = {1L << 47, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE, (-1L << 47) - 1,
        (1L << 47) + PAGE};

    private Targets() {
    }

    /**
     * An address for an operand of {@code size} bytes.
     *
     * @param wide whether it may need more than 32 bits
     */
    static long any(SplittableRandom random, int size, boolean wide) {
        int kind = random.nextInt(100);
        if (kind < 60) {
            return writable(random, size);
        }
        if (kind < 76) {
            return BOUNDARIES[random.nextInt(BOUNDARIES.length)] - random.nextInt(1, size + 1);
        }
        if (kind < 81) {
            return AddressMap.WRITABLE + PAGE - random.nextInt(1, size + 1);
        }
        if (kind < 85) {
            return AddressMap.READ_ONLY_LOW + random.nextInt(PAGE - size);
        }
        if (kind < 93 || !wide) {
            return NOWHERE[random.nextInt(NOWHERE.length)] + random.nextInt(8);
        }
        return NOT_CANONICAL[random.nextInt(NOT_CANONICAL.length)] - (size > 1 ? random.nextInt(2) : 0);
    }

    /** An address whose {@code size} bytes are writable. */
    static long writable(SplittableRandom random, int size) {
        if (random.nextInt(8) == 0) {
            return AddressMap.WRITABLE_TOP + (random.nextInt(PAGE - size + 1) & -size);
        }
        long offset = random.nextInt(2 * PAGE - size + 1);
        return AddressMap.WRITABLE + (random.nextInt(4) == 0 ? offset : offset & -size);
    }

    /** Where control may go: mostly into the code page that snippets rarely begin in, all INT3. */
    static long code(SplittableRandom random) {
        return switch (random.nextInt(12)) {
            case 0 -> Targets.any(random, 1, true);
            case 1 -> AddressMap.CODE + AddressMap.CODE_BYTES - random.nextInt(2);
            case 2, 3 -> AddressMap.CODE + random.nextInt(2); // a power of two, and beside it
            default -> AddressMap.CODE + random.nextInt(AddressMap.PAGE - 16);
        };
    }
}
