package dev.xenolith.dom0.xl;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes of memory as xl's commands take them: a number in MiB, or with a unit of one letter, {@code b}, {@code k}, {@code m}, {@code g} or {@code t}. */
final class MemorySize {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,18})([bkmgt]?)");

    private MemorySize() {
    }

    /** Returns KiB, at least 1; part of one is dropped. */
    static long parseKiB(String command, String text) {
        Matcher size = FORM.matcher(text.toLowerCase(Locale.ROOT));
        if (size.matches()) {
            long number = Long.parseLong(size.group(1));
            int shift = switch (size.group(2)) {
                case "b" -> -10;
                case "k" -> 0;
                case "g" -> 20;
                case "t" -> 30;
                default -> 10;
            };
            long kibibytes = shift < 0 ? number >> -shift : number << shift;
            if (kibibytes > 0 && (shift < 0 || kibibytes >> shift == number)) {
                return kibibytes;
            }
        }
        throw ToolstackException.failure(command + ": invalid memory size '" + text
                + "'; expected MiB or a number with b, k, m, g or t");
    }
}
