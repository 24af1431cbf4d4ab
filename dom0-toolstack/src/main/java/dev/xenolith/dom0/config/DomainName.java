package dev.xenolith.dom0.config;

import org.jspecify.annotations.Nullable;

/** What a domain may be called. */
public final class DomainName {
    /** Longest name, in characters; it goes into xenstore nodes, file names and table columns. */
    public static final int MAX_LENGTH = 128;

    private DomainName() {
    }

    /**
     * Checks a name: letters, digits and {@code - _ . : @ + ~}, not beginning with a dot or hyphen, not only digits (xl
     * would take it for a domid), at most {@link #MAX_LENGTH} long.
     *
     * @return what is wrong, as the rest of a sentence that begins with the name; null if nothing
     */
    public static @Nullable String problem(String name) {
        if (name.isEmpty()) {
            return "is empty";
        }
        if (name.length() > MAX_LENGTH) {
            return "is longer than " + MAX_LENGTH + " characters";
        }
        boolean onlyDigits = true;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean digit = c >= '0' && c <= '9';
            boolean letter = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
            if (!digit && !letter && "-_.:@+~".indexOf(c) < 0) {
                return "contains " + describe(c) + "; legal are letters, digits and - _ . : @ + ~";
            }
            onlyDigits &= digit;
        }
        if (onlyDigits) {
            return "is a number, which xl would take for a domid";
        }
        if (name.charAt(0) == '.' || name.charAt(0) == '-') {
            return "begins with '" + name.charAt(0) + "'";
        }
        return null;
    }

    private static String describe(char c) {
        return c > ' ' && c < 0x7f ? "'" + c + "'" : String.format("U+%04X", (int) c);
    }
}
