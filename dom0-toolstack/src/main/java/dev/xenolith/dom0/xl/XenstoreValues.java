package dev.xenolith.dom0.xl;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Values of xenstore as text, and back: printable ASCII as it is, all else by a backslash (xenstore_client.c). */
final class XenstoreValues {
    private XenstoreValues() {
    }

    /** Returns a value as one line of printable ASCII. */
    static String toText(byte[] value) {
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
                    } else if (c < 8) {
                        text.append(String.format(Locale.ROOT, "\\%03o", c));
                    } else {
                        text.append(String.format(Locale.ROOT, "\\x%02x", c));
                    }
                }
            }
        }
        return text.toString();
    }

    /** Returns the value that a text stands for. A backslash before anything else than above stands for what follows. */
    static byte[] toValue(String text) {
        byte[] in = text.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream value = new ByteArrayOutputStream(in.length);
        int at = 0;
        while (at < in.length) {
            int c = in[at++];
            if (c != '\\' || at == in.length) {
                value.write(c);
                continue;
            }
            c = in[at++];
            switch (c) {
                case 't' -> value.write('\t');
                case 'n' -> value.write('\n');
                case 'r' -> value.write('\r');
                case 'x' -> {
                    int end = digits(in, at, 2, 16);
                    value.write(end == at ? 'x' : Integer.parseInt(text(in, at, end), 16));
                    at = end;
                }
                default -> {
                    int end = digits(in, at - 1, 3, 8);
                    if (end > at - 1) {
                        value.write(Integer.parseInt(text(in, at - 1, end), 8));
                        at = end;
                    } else {
                        value.write(c);
                    }
                }
            }
        }
        return value.toByteArray();
    }

    private static int digits(byte[] in, int from, int most, int radix) {
        int end = from;
        while (end < in.length && end < from + most && Character.digit((char) in[end], radix) >= 0) {
            end++;
        }
        return end;
    }

    private static String text(byte[] in, int from, int to) {
        return new String(in, from, to - from, StandardCharsets.US_ASCII);
    }
}
