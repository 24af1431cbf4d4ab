package dev.xenolith.cpu.execute;

/**
 * SHA-1 and SHA-256 (FIPS 180-4; SDM 2B SHA1RNDS4 and following). Parameters {@code a} and {@code b} with {@code Low} and {@code
 * High} are the quadwords of the first and second operand; {@code half}, 0 or 1, is the quadword of the result that is asked for.
 */
public final class Sha {
    private Sha() {}

    private static int lower(long a) {
        return (int) a;
    }

    private static int upper(long a) {
        return (int) (a >>> 32);
    }

    private static long pair(int low, int high) {
        return Shuffle.pair(low, high);
    }

    // ---- SHA-1 -------------------------------------------------------------------------------------------------------

    /** Four rounds with the function and constant that the low two bits of {@code control} choose. */
    public static long sha1Rounds(long aLow, long aHigh, long bLow, long bHigh, int control, int half) {
        int function = control & 3;
        int constant = switch (function) {
            case 0 -> 0x5a82_7999;
            case 1 -> 0x6ed9_eba1;
            case 2 -> 0x8f1b_bcdc;
            default -> 0xca62_c1d6;
        };
        int a = upper(aHigh);
        int b = lower(aHigh);
        int c = upper(aLow);
        int d = lower(aLow);
        int e = 0;
        for (int i = 0; i < 4; i++) {
            long words = i < 2 ? bHigh : bLow;
            int word = (i & 1) == 0 ? upper(words) : lower(words);
            int f = switch (function) {
                case 0 -> b & c ^ ~b & d;
                case 2 -> b & c ^ b & d ^ c & d;
                default -> b ^ c ^ d;
            };
            int next = f + Integer.rotateLeft(a, 5) + word + e + constant;
            e = d;
            d = c;
            c = Integer.rotateLeft(b, 30);
            b = a;
            a = next;
        }
        return half == 0 ? pair(d, c) : pair(b, a);
    }

    /** High quadword of SHA1NEXTE; the low one is the second operand's. */
    public static long sha1NextE(long aHigh, long bHigh) {
        return pair(lower(bHigh), upper(bHigh) + Integer.rotateLeft(upper(aHigh), 30));
    }

    /** SHA1MSG1. */
    public static long sha1Message1(long aLow, long aHigh, long bHigh, int half) {
        return half == 0 ? aLow ^ bHigh : aHigh ^ aLow;
    }

    /** SHA1MSG2. */
    public static long sha1Message2(long aLow, long aHigh, long bLow, long bHigh, int half) {
        int word16 = Integer.rotateLeft(upper(aHigh) ^ lower(bHigh), 1);
        if (half != 0) {
            return pair(Integer.rotateLeft(lower(aHigh) ^ upper(bLow), 1), word16);
        }
        return pair(Integer.rotateLeft(lower(aLow) ^ word16, 1), Integer.rotateLeft(upper(aLow) ^ lower(bLow), 1));
    }

    // ---- SHA-256 -----------------------------------------------------------------------------------------------------

    /** Two rounds with the words plus constants in {@code words}. */
    public static long sha256Rounds(long aLow, long aHigh, long bLow, long bHigh, long words, int half) {
        int a = upper(bHigh);
        int b = lower(bHigh);
        int c = upper(aHigh);
        int d = lower(aHigh);
        int e = upper(bLow);
        int f = lower(bLow);
        int g = upper(aLow);
        int h = lower(aLow);
        for (int i = 0; i < 2; i++) {
            int word = i == 0 ? lower(words) : upper(words);
            int first = (e & f ^ ~e & g) + sum(e, 6, 11, 25) + word + h;
            int second = (a & b ^ a & c ^ b & c) + sum(a, 2, 13, 22);
            h = g;
            g = f;
            f = e;
            e = first + d;
            d = c;
            c = b;
            b = a;
            a = first + second;
        }
        return half == 0 ? pair(f, e) : pair(b, a);
    }

    private static int sum(int x, int first, int second, int third) {
        return Integer.rotateRight(x, first) ^ Integer.rotateRight(x, second) ^ Integer.rotateRight(x, third);
    }

    private static int sigma0(int x) {
        return Integer.rotateRight(x, 7) ^ Integer.rotateRight(x, 18) ^ x >>> 3;
    }

    private static int sigma1(int x) {
        return Integer.rotateRight(x, 17) ^ Integer.rotateRight(x, 19) ^ x >>> 10;
    }

    /** SHA256MSG1. */
    public static long sha256Message1(long aLow, long aHigh, long bLow, int half) {
        return half == 0
                ? pair(lower(aLow) + sigma0(upper(aLow)), upper(aLow) + sigma0(lower(aHigh)))
                : pair(lower(aHigh) + sigma0(upper(aHigh)), upper(aHigh) + sigma0(lower(bLow)));
    }

    /** SHA256MSG2. */
    public static long sha256Message2(long aLow, long aHigh, long bHigh, int half) {
        int word16 = lower(aLow) + sigma1(lower(bHigh));
        int word17 = upper(aLow) + sigma1(upper(bHigh));
        return half == 0
                ? pair(word16, word17)
                : pair(lower(aHigh) + sigma1(word16), upper(aHigh) + sigma1(word17));
    }
}
