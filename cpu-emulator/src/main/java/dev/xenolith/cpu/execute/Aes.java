package dev.xenolith.cpu.execute;

/**
 * AES-NI (FIPS 197; SDM 2A AESENC): rounds on a state of sixteen bytes, byte {@code 4 * c + r} of which is row r of column c. Methods
 * give the quadword of the result whose columns begin with {@code column}, 0 or 2.
 */
public final class Aes {
    private static final int POLYNOMIAL = 0x11b;
    private static final byte[] SUBSTITUTED = substitution();
    private static final byte[] INVERSE = inverse(SUBSTITUTED);
    /** What a byte of row 0 contributes to its column when substituted and mixed. */
    private static final int[] MIXED = mixed(SUBSTITUTED, 2, 1, 1, 3);
    private static final int[] UNMIXED = mixed(INVERSE, 14, 9, 13, 11);

    private Aes() {}

    /** AESENC. */
    public static long encrypt(long low, long high, long key, int column) {
        return mix(MIXED, low, high, column, 1) ^ key;
    }

    /** AESENCLAST. */
    public static long encryptLast(long low, long high, long key, int column) {
        return substitute(SUBSTITUTED, low, high, column, 1) ^ key;
    }

    /** AESDEC. */
    public static long decrypt(long low, long high, long key, int column) {
        return mix(UNMIXED, low, high, column, 3) ^ key;
    }

    /** AESDECLAST. */
    public static long decryptLast(long low, long high, long key, int column) {
        return substitute(INVERSE, low, high, column, 3) ^ key;
    }

    /** AESIMC of two columns. */
    public static long unmixColumns(long a) {
        long r = 0;
        for (int c = 0; c < 2; c++) {
            int mixed = 0;
            for (int row = 0; row < 4; row++) {
                int substituted = SUBSTITUTED[(int) (a >>> 32 * c + 8 * row) & 0xff] & 0xff;
                mixed ^= Integer.rotateLeft(UNMIXED[substituted], 8 * row);
            }
            r |= (mixed & 0xffff_ffffL) << 32 * c;
        }
        return r;
    }

    /** AESKEYGENASSIST of the odd column of {@code a}. */
    public static long assist(long a, long constant) {
        int word = 0;
        for (int i = 0; i < 32; i += 8) {
            word |= (SUBSTITUTED[(int) (a >>> 32 + i) & 0xff] & 0xff) << i;
        }
        return Shuffle.pair(word, Integer.rotateRight(word, 8) ^ constant);
    }

    /** Byte of row {@code row}, column {@code column} modulo 4. */
    private static int at(long low, long high, int row, int column) {
        return (int) (((column & 2) != 0 ? high : low) >>> 32 * (column & 1) + 8 * row) & 0xff;
    }

    /** Two columns of substituted and mixed bytes; rows are shifted by {@code step} columns more each. */
    private static long mix(int[] table, long low, long high, int column, int step) {
        return Shuffle.pair(mixColumn(table, low, high, column, step), mixColumn(table, low, high, column + 1, step));
    }

    private static int mixColumn(int[] table, long low, long high, int column, int step) {
        int r = 0;
        for (int row = 0; row < 4; row++) {
            r ^= Integer.rotateLeft(table[at(low, high, row, column + row * step)], 8 * row);
        }
        return r;
    }

    private static long substitute(byte[] table, long low, long high, int column, int step) {
        long r = 0;
        for (int i = 0; i < 8; i++) {
            int row = i & 3;
            r |= (table[at(low, high, row, column + (i >> 2) + row * step)] & 0xffL) << 8 * i;
        }
        return r;
    }

    // ---- tables ------------------------------------------------------------------------------------------------------

    private static int multiply(int a, int b) {
        int r = 0;
        for (int x = a, bits = b; bits != 0; bits >>= 1) {
            r ^= (bits & 1) != 0 ? x : 0;
            x = (x & 0x80) != 0 ? x << 1 ^ POLYNOMIAL : x << 1;
        }
        return r;
    }

    private static byte[] substitution() {
        byte[] table = new byte[256];
        for (int a = 0; a < 256; a++) {
            // The multiplicative inverse is the 254th power.
            int inverse = 1;
            for (int i = 0; i < 254; i++) {
                inverse = multiply(inverse, a);
            }
            int spread = inverse * 0x101;
            table[a] = (byte) (inverse ^ spread >> 7 ^ spread >> 6 ^ spread >> 5 ^ spread >> 4 ^ 0x63);
        }
        return table;
    }

    private static byte[] inverse(byte[] table) {
        byte[] inverse = new byte[256];
        for (int i = 0; i < 256; i++) {
            inverse[table[i] & 0xff] = (byte) i;
        }
        return inverse;
    }

    private static int[] mixed(byte[] substitution, int f0, int f1, int f2, int f3) {
        int[] table = new int[256];
        for (int i = 0; i < 256; i++) {
            int s = substitution[i] & 0xff;
            table[i] = multiply(s, f0) | multiply(s, f1) << 8 | multiply(s, f2) << 16 | multiply(s, f3) << 24;
        }
        return table;
    }
}
