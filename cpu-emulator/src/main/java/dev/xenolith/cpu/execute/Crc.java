package dev.xenolith.cpu.execute;

/** CRC32: the Castagnoli polynomial 0x11EDC6F41, bit-reflected (SDM 2A, CRC32). */
public final class Crc {
    private static final int[] TABLE = table();

    private Crc() {}

    /** The checksum {@code crc} (32 bits) continued by the low {@code bits} bits of {@code data}, zero-extended. */
    public static long crc32c(long crc, long data, int bits) {
        int value = (int) crc;
        for (int i = 0; i < bits; i += 8) {
            value = value >>> 8 ^ TABLE[(value ^ (int) (data >>> i)) & 0xff];
        }
        return value & 0xffff_ffffL;
    }

    private static int[] table() {
        int[] table = new int[256];
        for (int i = 0; i < table.length; i++) {
            int value = i;
            for (int bit = 0; bit < 8; bit++) {
                value = value >>> 1 ^ ((value & 1) != 0 ? 0x82f6_3b78 : 0);
            }
            table[i] = value;
        }
        return table;
    }
}
