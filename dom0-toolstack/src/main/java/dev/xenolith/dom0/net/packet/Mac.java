package dev.xenolith.dom0.net.packet;

import java.util.OptionalLong;

/** MAC addresses as numbers of 48 bits, the first byte on the wire highest. */
public final class Mac {
    /** Bytes. */
    public static final int LENGTH = 6;

    /** ff:ff:ff:ff:ff:ff. */
    public static final long BROADCAST = 0xffff_ffff_ffffL;

    private Mac() {
    }

    /** Reads the address at {@code offset}. */
    public static long read(byte[] bytes, int offset) {
        return (long) Bytes.get16(bytes, offset) << 32 | Bytes.get32(bytes, offset + 2) & 0xffff_ffffL;
    }

    /** Writes the address at {@code offset}. */
    public static void write(byte[] bytes, int offset, long mac) {
        Bytes.put16(bytes, offset, (int) (mac >>> 32));
        Bytes.put32(bytes, offset + 2, (int) mac);
    }

    /** Whether it is a multicast or the broadcast address. */
    public static boolean isGroup(long mac) {
        return (mac >>> 40 & 1) != 0;
    }

    /** Parses six groups of two hexadecimal digits, separated by colons. */
    public static OptionalLong parse(String text) {
        return text.matches("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
                ? OptionalLong.of(Long.parseLong(text.replace(":", ""), 16))
                : OptionalLong.empty();
    }

    /** Returns the address as it is written, in lower case. */
    public static String toString(long mac) {
        StringBuilder text = new StringBuilder(17);
        for (int shift = 40; shift >= 0; shift -= 8) {
            int octet = (int) (mac >>> shift) & 0xff;
            text.append(Character.forDigit(octet >> 4, 16)).append(Character.forDigit(octet & 0xf, 16));
            if (shift > 0) {
                text.append(':');
            }
        }
        return text.toString();
    }
}
