package dev.xenolith.dom0.xenstore.tool;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Values as printable ASCII and back, as the tools show and take them (xs_lib.c: sanitise_value, unsanitise_value). */
public final class Values {
    private static final int MAX_HEX_DIGITS = 2;
    private static final int MAX_OCTAL_DIGITS = 3;

    private Values() {
    }

    /** Any bytes as printable characters. */
    public static String sanitise(byte[] value) {
        StringBuilder text = new StringBuilder(value.length);
        for (byte b : value) {
            int c = b & 0xff;
            switch (c) {
                case '\t' -> text.append("\\t");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\\' -> text.append("\\\\");
                default -> {
                    if (c >= ' ' && c <= '~') {
                        text.append((char) c);
                    } else {
                        text.append((c < 8 ? "\\%03o" : "\\x%02x").formatted(c));
                    }
                }
            }
        }
        return text.toString();
    }

    /** The bytes that a text with escapes stands for; a backslash at its end is a NUL, as in the real tools. */
    public static byte[] unsanitise(String text) {
        byte[] in = text.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream(in.length);
        for (int i = 0; i < in.length; i++) {
            if (in[i] != '\\') {
                out.write(in[i]);
                continue;
            }
            int c = ++i < in.length ? in[i] : 0;
            int digits = 0;
            switch (c) {
                case 't' -> out.write('\t');
                case 'n' -> out.write('\n');
                case 'r' -> out.write('\r');
                case 'x' -> {
                    digits = digits(in, i + 1, 16, MAX_HEX_DIGITS);
                    out.write(digits == 0 ? c : number(in, i + 1, digits, 16));
                    i += digits;
                }
                case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                    digits = digits(in, i, 8, MAX_OCTAL_DIGITS);
                    out.write(number(in, i, digits, 8));
                    i += digits - 1;
                }
                default -> out.write(c);
            }
        }
        return out.toByteArray();
    }

    private static int digits(byte[] in, int start, int radix, int most) {
        int count = 0;
        while (count < most && start + count < in.length && Character.digit((char) in[start + count], radix) >= 0) {
            count++;
        }
        return count;
    }

    private static int number(byte[] in, int start, int digits, int radix) {
        return Integer.parseInt(new String(in, start, digits, StandardCharsets.US_ASCII), radix);
    }
}
