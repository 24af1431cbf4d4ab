package dev.xenolith.dom0.xenstore;

/** Numbers in text as the C library reads them, for the protocol's fields are defined by what xenstored did with them. */
final class CNumbers {
    private CNumbers() {
    }

    /** atoi(3): leading blanks, a sign, decimal digits, anything after them ignored; 0 if there are none. Wraps at 32 bits. */
    static int atoi(String text) {
        int i = 0;
        while (i < text.length() && isBlank(text.charAt(i))) {
            i++;
        }
        boolean negative = i < text.length() && text.charAt(i) == '-';
        if (negative || i < text.length() && text.charAt(i) == '+') {
            i++;
        }
        int value = 0;
        for (; i < text.length() && text.charAt(i) >= '0' && text.charAt(i) <= '9'; i++) {
            value = value * 10 + (text.charAt(i) - '0');
        }
        return negative ? -value : value;
    }

    /** strtol(3) with base 0 that must take the whole text: decimal, 0x hexadecimal or 0 octal, truncated to 32 bits. */
    static int strictInteger(String text) throws XenstoreException {
        int i = 0;
        while (i < text.length() && isBlank(text.charAt(i))) {
            i++;
        }
        boolean negative = i < text.length() && text.charAt(i) == '-';
        if (negative || i < text.length() && text.charAt(i) == '+') {
            i++;
        }
        int radix = 10;
        if (i + 1 < text.length() && text.charAt(i) == '0') {
            boolean hexadecimal = (text.charAt(i + 1) | 0x20) == 'x';
            radix = hexadecimal ? 16 : 8;
            i += hexadecimal ? 2 : 1;
        }
        int value = 0;
        int start = i;
        for (; i < text.length(); i++) {
            char c = text.charAt(i);
            int digit = c < 0x80 ? Character.digit(c, radix) : -1;
            if (digit < 0) {
                break;
            }
            value = value * radix + digit;
        }
        if (i == start || i < text.length()) {
            throw new XenstoreException(XenstoreError.EINVAL, "number " + text);
        }
        return negative ? -value : value;
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c >= '\t' && c <= '\r';
    }
}
