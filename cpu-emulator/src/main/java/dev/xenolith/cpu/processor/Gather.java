package dev.xenolith.cpu.processor;

/**
 * VGATHERDPS and its kin (SDM 2C): each element whose mask is negative is loaded from a place of its own. The elements commit one by one,
 * from the lowest on, and clear their masks, so that the instruction goes on where it was after a fault. Alignment is not checked.
 */
public final class Gather {
    private static final int QUADS = 4;

    private Gather() {}

    /**
     * Loads the elements of vector register {@code target}.
     *
     * @param offset in {@code segment}, without the index
     * @param scale log2 of the factor of the indices
     * @param index vector register with the indices
     * @param mask vector register with the masks, zero afterwards
     * @param dataBits width of the elements, 32 or 64
     * @param indexBits width of the indices, 32 or 64
     * @param bits width of the wider of the two vectors, 128 or 256
     * @param length of the instruction in bytes
     */
    public static void load(Processor p, int segment, long offset, int addressBits, int scale, int target, int index,
            int mask, int dataBits, int indexBits, int bits, int length) {
        int elements = bits / Math.max(dataBits, indexBits);
        long[] vector = p.vector;
        boolean loaded = false;
        try {
            for (int i = 0; i < elements; i++) {
                if (element(vector, mask, i, dataBits) < 0) {
                    long at = offset + (element(vector, index, i, indexBits) << scale);
                    set(vector, target, i, dataBits, MaskedMove.load(p, segment, at, addressBits, dataBits));
                    loaded = true;
                }
                set(vector, mask, i, dataBits, 0);
            }
        } catch (GuestFault fault) {
            // Traps that elements before have caused come instead of the fault of a later one.
            if (loaded && p.hasPendingTrap()) {
                p.rip -= length;
                return;
            }
            throw fault;
        }
        clearFrom(vector, mask, 0);
        clearFrom(vector, target, elements * dataBits);
    }

    /** Element {@code i} of {@code bits} 32 or 64, sign-extended. */
    private static long element(long[] vector, int register, int i, int bits) {
        return bits == 64
                ? vector[QUADS * register + i]
                : (int) (vector[QUADS * register + (i >> 1)] >>> 32 * (i & 1));
    }

    private static void set(long[] vector, int register, int i, int bits, long value) {
        if (bits == 64) {
            vector[QUADS * register + i] = value;
        } else {
            int at = QUADS * register + (i >> 1);
            int shift = 32 * (i & 1);
            vector[at] = vector[at] & ~(0xffff_ffffL << shift) | (value & 0xffff_ffffL) << shift;
        }
    }

    /** Zeroes the register from bit {@code from} on, 0, 64, 128 or 256. */
    private static void clearFrom(long[] vector, int register, int from) {
        for (int quad = from / 64; quad < QUADS; quad++) {
            vector[QUADS * register + quad] = 0;
        }
    }
}
