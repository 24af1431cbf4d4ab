package dev.xenolith.dom0.backend.block;

import dev.xenolith.dom0.disk.DiskFormat;
import org.jspecify.annotations.Nullable;

/** What libxl calls the formats of images where it names them to a backend (libxl__device_disk_string_of_format). */
public final class DiskSource {
    private DiskSource() {
    }

    /** The word for a format. */
    public static String word(DiskFormat format) {
        return switch (format) {
            case RAW -> "aio";
            case QCOW2 -> "qcow2";
            case VHD -> "vhd";
        };
    }

    /** The format that a word stands for, or null. */
    static @Nullable DiskFormat format(String word) {
        for (DiskFormat format : DiskFormat.values()) {
            if (word(format).equals(word)) {
                return format;
            }
        }
        return null;
    }
}
