package dev.xenolith.device.network;

import java.util.HexFormat;

/** The address of a network card: 48 bits, with the first byte on the wire in bits 47 to 40. */
public record MacAddress(long bits) {
    /** Bytes of an address. */
    public static final int BYTES = 6;

    private static final long BROADCAST = 0xffff_ffff_ffffL;

    /** Throws {@link IllegalArgumentException} if {@code bits} is not an address that a card can have. */
    public MacAddress {
        if ((bits & ~BROADCAST) != 0 || (bits >>> 40 & 1) != 0) {
            throw new IllegalArgumentException("not the address of one card: " + Long.toHexString(bits));
        }
    }

    /** Byte {@code index} on the wire, 0 to 5. */
    public int octet(int index) {
        return (int) (bits >>> (BYTES - 1 - index) * 8) & 0xff;
    }

    /** The address at {@code offset} in {@code frame}, any value. */
    public static long read(byte[] frame, int offset) {
        long value = 0;
        for (int i = 0; i < BYTES; i++) {
            value = value << 8 | frame[offset + i] & 0xff;
        }
        return value;
    }

    @Override
    public String toString() {
        return HexFormat.ofDelimiter(":").formatHex(
                new byte[]{(byte) octet(0), (byte) octet(1), (byte) octet(2), (byte) octet(3), (byte) octet(4),
                    (byte) octet(5)});
    }
}
