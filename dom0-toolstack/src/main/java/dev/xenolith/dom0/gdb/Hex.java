package dev.xenolith.dom0.gdb;

/** Hexadecimal digits as the protocol has them: lower case, without prefix. */
final class Hex {
    private static final String DIGITS = "0123456789abcdef";

    private Hex() {}

    /** Value of a digit, or -1. */
    static int digit(int character) {
        return character < 0x80 ? Character.digit(character, 16) : -1;
    }

    static void append(StringBuilder out, int value) {
        out.append(DIGITS.charAt(value >> 4 & 15)).append(DIGITS.charAt(value & 15));
    }

    /** The first {@code length} bytes, two digits each. */
    static String of(byte[] bytes, int length) {
        StringBuilder out = new StringBuilder(2 * length);
        for (int i = 0; i < length; i++) {
            append(out, bytes[i]);
        }
        return out.toString();
    }
}
