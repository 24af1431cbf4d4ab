package dev.xenolith.dom0.disktool;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes as users write and read them: bytes, or with K, M, G or T units of 1024 and its powers. */
final class DiskSize implements ITypeConverter<Long> {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,18})([KMGT]?)", Pattern.CASE_INSENSITIVE);
    private static final String UNITS = "KMGT";

    @Override
    public Long convert(String value) {
        Matcher size = SIZE.matcher(value);
        if (size.matches()) {
            int shift = size.group(2).isEmpty() ? 0 : 10 * (1 + UNITS.indexOf(size.group(2).toUpperCase(Locale.ROOT)));
            long number = Long.parseLong(size.group(1));
            if (number <= Long.MAX_VALUE >> shift) {
                return number << shift;
            }
        }
        throw new TypeConversionException("expected a size such as 512M or 10G, found '" + value + "'");
    }

    /** Returns {@code bytes} in the largest unit that they fill, to a tenth. */
    static String text(long bytes) {
        int unit = 0;
        while (unit < UNITS.length() && bytes >= 1L << 10 * (unit + 1)) {
            unit++;
        }
        if (unit == 0) {
            return bytes + " bytes";
        }
        double number = (double) bytes / (1L << 10 * unit);
        return String.format(Locale.ROOT, number == Math.rint(number) ? "%.0f %siB" : "%.1f %siB", number,
                UNITS.charAt(unit - 1));
    }
}
