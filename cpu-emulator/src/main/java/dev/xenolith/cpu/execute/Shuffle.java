package dev.xenolith.cpu.execute;

/** Moving packed elements about (SDM 1 9.4.4, 10.4.4, 11.4.2): packing, interleaving, shuffling, inserting, masks. */
public final class Shuffle {
    private Shuffle() {}

    // ---- packing -----------------------------------------------------------------------------------------------------

    /** The words of {@code low} and {@code high}, saturated to signed bytes. */
    public static long packSignedBytes(long low, long high) {
        long r = 0;
        for (int i = 0; i < 4; i++) {
            r |= (clamp((short) (low >> 16 * i), -128, 127) & 0xff) << 8 * i;
            r |= (clamp((short) (high >> 16 * i), -128, 127) & 0xff) << 8 * i + 32;
        }
        return r;
    }

    /** The signed words of {@code low} and {@code high}, saturated to unsigned bytes. */
    public static long packUnsignedBytes(long low, long high) {
        long r = 0;
        for (int i = 0; i < 4; i++) {
            r |= clamp((short) (low >> 16 * i), 0, 255) << 8 * i;
            r |= clamp((short) (high >> 16 * i), 0, 255) << 8 * i + 32;
        }
        return r;
    }

    /** The doublewords of {@code low} and {@code high}, saturated to signed words. */
    public static long packSignedWords(long low, long high) {
        return clamp((int) low, -32768, 32767) & 0xffff | (clamp((int) (low >> 32), -32768, 32767) & 0xffff) << 16
                | (clamp((int) high, -32768, 32767) & 0xffff) << 32 | clamp((int) (high >> 32), -32768, 32767) << 48;
    }

    /** The signed doublewords of {@code low} and {@code high}, saturated to unsigned words. */
    public static long packUnsignedWords(long low, long high) {
        return clamp((int) low, 0, 65535) | clamp(low >> 32, 0, 65535) << 16 | clamp((int) high, 0, 65535) << 32
                | clamp(high >> 32, 0, 65535) << 48;
    }

    private static long clamp(long value, long low, long high) {
        return Math.min(Math.max(value, low), high);
    }

    // ---- interleaving: of the low or the high halves of two quadwords ------------------------------------------------

    public static long interleaveLowBytes(long a, long b) {
        return spreadBytes(a) | spreadBytes(b) << 8;
    }

    public static long interleaveHighBytes(long a, long b) {
        return interleaveLowBytes(a >>> 32, b >>> 32);
    }

    /** The low four bytes, each at the place of a word. */
    private static long spreadBytes(long a) {
        long x = a & 0xffff_ffffL;
        x = (x | x << 16) & 0x0000_ffff_0000_ffffL;
        return (x | x << 8) & 0x00ff_00ff_00ff_00ffL;
    }

    public static long interleaveLowWords(long a, long b) {
        return a & 0xffff | (b & 0xffff) << 16 | (a & 0xffff_0000L) << 16 | (b & 0xffff_0000L) << 32;
    }

    public static long interleaveHighWords(long a, long b) {
        return interleaveLowWords(a >>> 32, b >>> 32);
    }

    public static long interleaveLowDoublewords(long a, long b) {
        return a & 0xffff_ffffL | b << 32;
    }

    public static long interleaveHighDoublewords(long a, long b) {
        return a >>> 32 | b & 0xffff_ffff_0000_0000L;
    }

    // ---- widening: elements in the low bits of a to elements of the width that the name ends with ---------------------

    public static long signExtendBytesToWords(long a) {
        return spreadBytes(a) | spreadBytes(a & 0x8080_8080L) * 0x1fe;
    }

    public static long signExtendBytesToDoublewords(long a) {
        return pair((byte) a, (byte) (a >> 8));
    }

    public static long signExtendWordsToDoublewords(long a) {
        return pair((short) a, (short) (a >> 16));
    }

    public static long zeroExtendBytesToWords(long a) {
        return spreadBytes(a);
    }

    public static long zeroExtendBytesToDoublewords(long a) {
        return a & 0xff | (a & 0xff00) << 24;
    }

    public static long zeroExtendWordsToDoublewords(long a) {
        return a & 0xffff | (a & 0xffff_0000L) << 16;
    }

    // ---- shuffling ---------------------------------------------------------------------------------------------------

    /** Doubleword {@code index}, of which two bits count, of {@code high:low}. */
    private static long doubleword(long low, long high, long index) {
        return ((index & 2) != 0 ? high : low) >>> 32 * (index & 1) & 0xffff_ffffL;
    }

    /** Two doublewords of {@code high:low}, chosen by the four bits of {@code control} from bit {@code from} on. */
    public static long doublewords(long low, long high, long control, int from) {
        long two = control >>> from;
        return doubleword(low, high, two) | doubleword(low, high, two >>> 2) << 32;
    }

    /** The four words of {@code a} in the order that {@code control} says, two bits a word. */
    public static long words(long a, long control) {
        long r = 0;
        for (int i = 0; i < 4; i++) {
            r |= (a >>> 16 * (control >>> 2 * i & 3) & 0xffff) << 16 * i;
        }
        return r;
    }

    /** {@code low} or, if bit {@code bit} of {@code control} is set, {@code high}. */
    public static long quadword(long low, long high, long control, int bit) {
        return (control >>> bit & 1) != 0 ? high : low;
    }

    /** As {@link #quadword} by the bit of quadword {@code half}, 0 or 1, of double quadword {@code lane} (SHUFPD). */
    public static long quadwordOfLane(long low, long high, long control, int lane, int half) {
        return quadword(low, high, control, 2 * lane + half);
    }

    /** Eight bytes of {@code high:low} as the bytes of {@code control} say, modulo 16; 0 where their top bit is set (PSHUFB). */
    public static long bytes(long low, long high, long control) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            int from = (int) (control >>> i);
            if ((from & 0x80) == 0) {
                r |= ((from & 8) != 0 ? high : low) >>> 8 * (from & 7) << 56 >>> 56 - i;
            }
        }
        return r;
    }

    /** The eight bytes from byte {@code count} on of four quadwords, {@code q0} the lowest; 0 beyond them (PALIGNR). */
    public static long align(long q0, long q1, long q2, long q3, long count) {
        int quad = (int) (count >>> 3);
        int shift = 8 * (int) (count & 7);
        long low = pick(q0, q1, q2, q3, quad);
        return shift == 0 ? low : low >>> shift | pick(q0, q1, q2, q3, quad + 1) << 64 - shift;
    }

    private static long pick(long q0, long q1, long q2, long q3, int number) {
        return switch (number) {
            case 0 -> q0;
            case 1 -> q1;
            case 2 -> q2;
            case 3 -> q3;
            default -> 0;
        };
    }

    // ---- of a whole register -----------------------------------------------------------------------------------------

    /** A quadword of one of two double quadwords' halves, chosen by two bits of {@code control}; 0 if the bit beyond them but one is set. */
    public static long half(long low1, long high1, long low2, long high2, long control, int from) {
        return (control >>> from + 3 & 1) != 0 ? 0 : pick(low1, high1, low2, high2, (int) (control >>> from) & 3);
    }

    /** The quadword of four that two bits of {@code control} for {@code lane} choose (VPERMQ). */
    public static long chosenQuadword(long q0, long q1, long q2, long q3, long control, int lane) {
        return pick(q0, q1, q2, q3, (int) (control >>> 2 * lane) & 3);
    }

    /** Two doublewords of four quadwords, by the low three bits of the doublewords of {@code indices} (VPERMD). */
    public static long permuteDoublewords(long q0, long q1, long q2, long q3, long indices) {
        long low = pick(q0, q1, q2, q3, (int) (indices >>> 1) & 3) >>> 32 * (indices & 1);
        long high = pick(q0, q1, q2, q3, (int) (indices >>> 33) & 3) >>> 32 * (indices >>> 32 & 1);
        return pair(low, high);
    }

    /** The low byte of {@code a} in each place. */
    public static long repeatByte(long a) {
        return (a & 0xff) * 0x0101_0101_0101_0101L;
    }

    /** The low word of {@code a} in each place. */
    public static long repeatWord(long a) {
        return (a & 0xffff) * 0x0001_0001_0001_0001L;
    }

    // ---- inserting and extracting ------------------------------------------------------------------------------------

    /** {@code a}, whose words are numbers {@code first} to {@code first} + 3, with word {@code index} (modulo 8) replaced. */
    public static long insertWord(long a, long word, long index, int first) {
        int at = (int) (index & 7) - first;
        if (at < 0 || at > 3) {
            return a;
        }
        return a & ~(0xffffL << 16 * at) | (word & 0xffff) << 16 * at;
    }

    /** Word {@code index}, modulo 8, of {@code high:low}. */
    public static long extractWord(long low, long high, long index) {
        return ((index & 4) != 0 ? high : low) >>> 16 * (index & 3) & 0xffff;
    }

    /** {@code a}, whose bytes are numbers {@code first} to {@code first} + 7, with byte {@code index} (modulo 16) replaced. */
    public static long insertByte(long a, long value, long index, int first) {
        int at = (int) (index & 15) - first;
        if (at < 0 || at > 7) {
            return a;
        }
        return a & ~(0xffL << 8 * at) | (value & 0xff) << 8 * at;
    }

    /** Byte {@code index}, modulo 16, of {@code high:low}. */
    public static long extractByte(long low, long high, long index) {
        return ((index & 8) != 0 ? high : low) >>> 8 * (index & 7) & 0xff;
    }

    /** {@code a}, quadword {@code quadword}, with the element of {@code bits} 32 or 64 replaced whose number is {@code index}. */
    public static long insert(long a, long value, long index, int bits, int quadword) {
        if (bits == 64) {
            return (index & 1) == quadword ? value : a;
        }
        return (index >>> 1 & 1) != quadword ? a : (index & 1) == 0 ? low(a, value) : pair(a, value);
    }

    /** The element of {@code bits} 32 or 64 of {@code high:low} whose number is {@code index}. */
    public static long extract(long low, long high, long index, int bits) {
        return bits == 64 ? quadword(low, high, index, 0) : doubleword(low, high, index);
    }

    /** INSERTPS: quadword {@code quadword} of the result; the low four bits of {@code control} clear elements. */
    public static long insertFloat(long a, long value, long control, int quadword) {
        long inserted = insert(a, value, control >>> 4, 32, quadword);
        long cleared = control >>> 2 * quadword;
        return ((cleared & 1) != 0 ? 0 : inserted & 0xffff_ffffL)
                | ((cleared & 2) != 0 ? 0 : inserted & 0xffff_ffff_0000_0000L);
    }

    /** {@code a} with its low doubleword replaced. */
    public static long low(long a, long doubleword) {
        return a & 0xffff_ffff_0000_0000L | doubleword & 0xffff_ffffL;
    }

    /** Two doublewords in one quadword. */
    public static long pair(long low, long high) {
        return low & 0xffff_ffffL | high << 32;
    }

    // ---- masks of signs ----------------------------------------------------------------------------------------------

    /** The top bits of the eight bytes. */
    public static long signsOfBytes(long a) {
        return (a >>> 7 & 0x0101_0101_0101_0101L) * 0x0102_0408_1020_4080L >>> 56;
    }

    /** The top bits of the two doublewords. */
    public static long signsOfDoublewords(long a) {
        return a >>> 62 & 2 | a >>> 31 & 1;
    }

    /** The top bit. */
    public static long signOfQuadword(long a) {
        return a >>> 63;
    }
}
