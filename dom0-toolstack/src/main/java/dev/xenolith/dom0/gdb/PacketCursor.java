package dev.xenolith.dom0.gdb;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reads the contents of a packet from left to right. */
final class PacketCursor {
    private static final int MAX_DIGITS = 16;

    private final byte[] packet;
    private int at;

    PacketCursor(byte[] packet) {
        this.packet = packet;
    }

    boolean atEnd() {
        return at == packet.length;
    }

    /** Skips {@code prefix} if it is next. */
    boolean skip(String prefix) {
        byte[] expected = prefix.getBytes(StandardCharsets.ISO_8859_1);
        if (packet.length - at < expected.length
                || !Arrays.equals(packet, at, at + expected.length, expected, 0, expected.length)) {
            return false;
        }
        at += expected.length;
        return true;
    }

    void expect(String literal) throws BadPacketException {
        if (!skip(literal)) {
            throw new BadPacketException("expected '" + literal + "'");
        }
    }

    void expectEnd() throws BadPacketException {
        if (!atEnd()) {
            throw new BadPacketException("more than expected");
        }
    }

    /** The next character, or 0 at the end. */
    char next() {
        return atEnd() ? 0 : (char) (packet[at++] & 0xff);
    }

    /** A number of 1 to 16 hexadecimal digits. */
    long number() throws BadPacketException {
        long value = 0;
        int start = at;
        while (!atEnd() && Hex.digit(packet[at] & 0xff) >= 0) {
            if (at - start == MAX_DIGITS) {
                throw new BadPacketException("number of more than 64 bits");
            }
            value = value << 4 | Hex.digit(packet[at++] & 0xff);
        }
        if (at == start) {
            throw new BadPacketException("expected a number");
        }
        return value;
    }

    /** A number that is to be at most {@code most}. */
    int number(int most) throws BadPacketException {
        long value = number();
        if (Long.compareUnsigned(value, most) > 0) {
            throw new BadPacketException("number out of range");
        }
        return (int) value;
    }

    /** All that is left, two digits a byte. */
    byte[] hexBytes() throws BadPacketException {
        int count = (packet.length - at) / 2;
        byte[] bytes = new byte[count];
        if ((packet.length - at) % 2 != 0) {
            throw new BadPacketException("odd number of digits");
        }
        for (int i = 0; i < count; i++) {
            int high = Hex.digit(packet[at++] & 0xff);
            int low = Hex.digit(packet[at++] & 0xff);
            if (high < 0 || low < 0) {
                throw new BadPacketException("not a hexadecimal digit");
            }
            bytes[i] = (byte) (high << 4 | low);
        }
        return bytes;
    }

    /** All that is left, as it is. */
    byte[] rest() {
        byte[] bytes = Arrays.copyOfRange(packet, at, packet.length);
        at = packet.length;
        return bytes;
    }

    /** Characters up to {@code end}, which is skipped; all if it does not come. */
    String until(char end) {
        int start = at;
        while (!atEnd() && packet[at] != end) {
            at++;
        }
        String text = new String(packet, start, at - start, StandardCharsets.ISO_8859_1);
        if (!atEnd()) {
            at++;
        }
        return text;
    }
}
