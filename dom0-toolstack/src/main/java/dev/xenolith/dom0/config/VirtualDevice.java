package dev.xenolith.dom0.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a disk in a guest, and the number by which xenstore and frontends know it (xen-vbd-interface(7)).
 *
 * @param name as it was written: xvda, xvda1, hdc, sdb2, d0p1
 * @param number what frontends call {@code virtual-device}
 */
public record VirtualDevice(String name, int number) {
    private static final Pattern LETTERS = Pattern.compile("(xvd|hd|sd)([a-z]{1,3})([0-9]{0,3})");
    private static final Pattern NUMBERS = Pattern.compile("d([0-9]{1,7})(?:p([0-9]{1,3}))?");
    private static final int XVD_MAJOR = 202;
    private static final int SD_MAJOR = 8;
    private static final int[] HD_MAJORS = {3, 22};
    private static final int EXTENDED = 1 << 28;
    /** Of xvd and sd disks; hd has two more bits. */
    private static final int PARTITION_BITS = 4;
    private static final int HD_PARTITION_BITS = 6;
    private static final int EXTENDED_PARTITION_BITS = 8;
    private static final int MOST_DISKS = 1 << 20;

    /**
     * Reads a name.
     *
     * @throws IllegalArgumentException with what was expected and found
     */
    public static VirtualDevice parse(String name) {
        Matcher numbers = NUMBERS.matcher(name);
        if (numbers.matches()) {
            return xvd(name, Integer.parseInt(numbers.group(1)),
                    numbers.group(2) == null ? 0 : Integer.parseInt(numbers.group(2)));
        }
        Matcher letters = LETTERS.matcher(name);
        if (!letters.matches()) {
            throw new IllegalArgumentException(
                    "expected a virtual device such as xvda, sda1, hdc or d0p1, found \"" + name + "\"");
        }
        int disk = 0;
        for (char letter : letters.group(2).toCharArray()) {
            disk = disk * 26 + letter - 'a' + 1;
        }
        disk--;
        int partition = letters.group(3).isEmpty() ? 0 : Integer.parseInt(letters.group(3));
        return switch (letters.group(1)) {
            case "xvd" -> xvd(name, disk, partition);
            case "sd" -> {
                require(name, disk < 1 << PARTITION_BITS && partition < 1 << PARTITION_BITS);
                yield new VirtualDevice(name, SD_MAJOR << 8 | disk << PARTITION_BITS | partition);
            }
            default -> {
                require(name, disk < 2 * HD_MAJORS.length && partition < 1 << HD_PARTITION_BITS);
                yield new VirtualDevice(name,
                        HD_MAJORS[disk / 2] << 8 | (disk & 1) << HD_PARTITION_BITS | partition);
            }
        };
    }

    private static VirtualDevice xvd(String name, int disk, int partition) {
        boolean legacy = disk < 1 << PARTITION_BITS && partition < 1 << PARTITION_BITS;
        require(name, disk < MOST_DISKS && partition < 1 << EXTENDED_PARTITION_BITS);
        return new VirtualDevice(name, legacy
                ? XVD_MAJOR << 8 | disk << PARTITION_BITS | partition
                : EXTENDED | disk << EXTENDED_PARTITION_BITS | partition);
    }

    private static void require(String name, boolean holds) {
        if (!holds) {
            throw new IllegalArgumentException("\"" + name + "\" has more disks or partitions than its kind of device");
        }
    }
}
