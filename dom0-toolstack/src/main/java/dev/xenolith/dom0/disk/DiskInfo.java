package dev.xenolith.dom0.disk;

import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What there is to tell of an image.
 *
 * @param size of the disk, in bytes
 * @param fileBytes length of the file
 * @param allocatedBytes of the file that take space, as far as the file system tells
 * @param details what is particular to the format, in the order of a listing: names in lower case with blanks, values a
 *         {@link String}, {@link Long} or {@link Boolean}
 * @param backingName what the header calls the image that this one is based on, null if there is none
 * @param backing that image
 */
public record DiskInfo(Path file, DiskFormat format, long size, long fileBytes, long allocatedBytes,
        Map<String, Object> details, @Nullable String backingName, @Nullable DiskInfo backing) {
}
